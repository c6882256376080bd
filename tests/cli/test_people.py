"""Enrol, identify, verify, list, forget and check in, by real models on real photos."""

import io
import json
import shutil
import sys
from pathlib import Path

import pytest

from appliance.cli.looking import Guide
from appliance.core.errors import ConsentMissing, DuplicateFace, NotAChild, PersonUnknown
from appliance.core.iin import check_digit
from appliance.core.quality import Hint
from appliance.core.types import View
from appliance.demo.clinic import schedule
from appliance.guided_looks import Progress
from appliance.texts import Advice, Language, other_look_text, reception_text
from sync.clock import SystemClock
from sync.home import Home
from tests.cli.conftest import ELLEN
from tests.cli.terminal import Clinic


class Keyboard(io.StringIO):
    """What is typed at a terminal."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def plan_today(clinic: Clinic, folder: Path) -> None:
    """Import a service of today for the enrolled patient."""
    path = folder / "today.csv"
    path.write_bytes(schedule((ELLEN,), SystemClock().moment().wall))
    done = clinic("services", "import", path)
    assert (done.code, done.err) == (0, "")


def last_event(clinic: Clinic) -> "dict[str, object]":
    """What was signed last."""
    return clinic("ledger", "show", "--last", "1", "--json").rows[-1]


def test_people_are_listed_masked(pristine: Clinic) -> None:
    """First name and initial, the last four digits; never the full number."""
    (row,) = pristine("people", "--json").rows
    assert (row["status"], row["greeting"], row["templates"]) == ("enrolled", "Ellen C.", 1)
    assert row["iin"] == ELLEN.iin.masked
    shown = pristine("people")
    assert shown.code == 0
    assert "Ellen C." in shown.out
    assert "Carter" not in shown.out
    assert ELLEN.iin.digits not in shown.out


def test_the_enrolled_is_identified(pristine: Clinic, astronaut: Path) -> None:
    """The same photo reaches the threshold of a search; liveness is not claimed."""
    found = pristine("identify", "--photo", astronaut, "--json")
    assert (found.code, found.err) == (0, "")
    result = found.json
    assert (result["match"], result["mode"], result["compared"]) == (True, "identify", 1)
    assert result["liveness"] == "not_checked"
    shown = pristine("identify", "--photo", astronaut)
    assert (shown.code, shown.err) == (0, "")
    assert "liveness not checked: match" in shown.out


def test_the_enrolled_is_verified(pristine: Clinic, astronaut: Path) -> None:
    """1:1, with the number typed with blanks."""
    digits = ELLEN.iin.digits
    found = pristine("verify", "--photo", astronaut, "--iin", f"{digits[:6]} {digits[6:]}", "--json")
    assert found.code == 0
    assert (found.json["match"], found.json["mode"]) == (True, "verify")


def test_a_stranger_is_nobody(pristine: Clinic, stranger: Path) -> None:
    """The answer is no: exit code 4, and the score that was not enough."""
    for command in (("identify",), ("verify", "--iin", ELLEN.iin.digits)):
        found = pristine(*command, "--photo", stranger, "--json")
        assert (found.code, found.err, found.json["match"]) == (4, "", False)
        ranked, threshold = found.json["candidates"], found.json["threshold"]
        assert isinstance(ranked, list)
        assert isinstance(threshold, float)
        assert [candidate["score"] < threshold for candidate in ranked] == [True]


def test_one_source_must_be_named(pristine: Clinic, astronaut: Path, film: Path) -> None:
    """None, and two of them, are wrong usage."""
    for source in ((), ("--photo", astronaut, "--video", film), ("--camera", "0", "--video", film)):
        told = pristine("identify", *source)
        assert (told.code, told.out) == (2, "")
        assert "Name one source" in told.err


def test_the_same_face_under_another_number(clinic: Clinic, astronaut: Path, someone: str) -> None:
    """Refused in the desk's language, and an alarm; a supervisor may overrule it, which is signed."""
    person = ("--iin", someone, "--name", "Other Person", "--photo", astronaut, "--consent")
    refused = clinic("enrol", *person)
    assert (refused.code, refused.out) == (DuplicateFace.exit_code, "")
    assert DuplicateFace.code in refused.err
    assert reception_text(Advice.DUPLICATE_FACE, Language.KAZAKH) in refused.err
    alarm = json.loads(json.dumps(last_event(clinic)))
    assert (alarm["kind"], alarm["data"]["what"]) == ("alarm", "one_face_several_people")
    overruled = clinic("enrol", *person, "--overrule-duplicate", "--json")
    assert overruled.code == 0
    event = last_event(clinic)
    assert event["id"] == overruled.json["event"]
    data = json.loads(json.dumps(event["data"]))
    assert (data["duplicate_overruled"], data["look_alikes"]) == (True, 1)
    taken_back = clinic("people", "look-alike", someone, ELLEN.iin.digits, "--remove", "--json")
    assert taken_back.json == {"event": last_event(clinic)["id"], "flagged": False}


def test_siblings_are_flagged_by_their_numbers(clinic: Clinic, stranger: Path, someone: str) -> None:
    """Signed once; taken back and repeated without harm; the receptionist is told what it means."""
    pair = (ELLEN.iin.digits, someone)
    clinic("people", "look-alike", *pair).failed_with(PersonUnknown)
    name = ("--iin", someone, "--name", "Other Person", "--photo", stranger, "--consent")
    assert clinic("enrol", *name).code == 0
    flagged = clinic("people", "look-alike", *pair)
    assert (flagged.code, flagged.err) == (0, "")
    assert reception_text(Advice.LOOK_ALIKE, Language.KAZAKH) in flagged.out
    assert last_event(clinic)["kind"] == "look_alike"
    again = clinic("people", "look-alike", *reversed(pair))
    assert "flagged already" in again.out
    assert clinic("people", "look-alike", *pair, "--remove").out.startswith("no longer flagged")
    assert clinic("people", "look-alike", someone, someone).code == 2


def test_staff_are_enrolled_listed_and_forgotten(clinic: Clinic, stranger: Path, someone: str) -> None:
    """Apart from the patients; names and numbers masked."""
    name = ("--iin", someone, "--name", "Dana Serik", "--photo", stranger)
    clinic("staff", "enrol", *name).failed_with(ConsentMissing)
    enrolled = clinic("staff", "enrol", *name, "--consent", "--json")
    assert (enrolled.code, enrolled.err) == (0, "")
    assert last_event(clinic)["kind"] == "staff_enrolled"
    (row,) = clinic("staff", "list", "--json").rows
    assert (row["greeting"], row["status"], row["templates"]) == ("Dana S.", "enrolled", 1)
    shown = clinic("staff", "list").out
    assert "Dana S." in shown
    assert someone not in shown
    assert len(clinic("people", "--json").rows) == 1
    assert clinic("identify", "--photo", stranger).code == 4
    assert clinic("staff", "forget", "--iin", someone).code == 1
    assert clinic("staff", "forget", "--iin", someone, "--yes", "--reason", "boredom").code == 2
    assert clinic("staff", "forget", "--iin", someone, "--yes").code == 0
    assert last_event(clinic)["kind"] == "staff_forgotten"


def test_who_is_forgotten_is_a_stranger(clinic: Clinic, astronaut: Path) -> None:
    """Erased after a question, recorded, and gone for every later command."""
    asked = clinic("forget", "--iin", ELLEN.iin.digits)
    assert asked.code == 1
    assert ELLEN.iin.digits not in asked.out + asked.err
    assert clinic("identify", "--photo", astronaut).code == 0
    done = clinic("forget", "--iin", ELLEN.iin.digits, "--yes", "--json")
    assert (done.code, done.err) == (0, "")
    assert last_event(clinic)["kind"] == "forgotten"
    assert clinic("identify", "--photo", astronaut).code == 4
    clinic("forget", "--iin", ELLEN.iin.digits, "--yes").failed_with(PersonUnknown)
    (row,) = clinic("people", "--json").rows
    assert (row["status"], row["greeting"], row["iin"], row["templates"]) == ("erased", "", "", 0)


def test_a_reason_nobody_knows_is_wrong_usage(clinic: Clinic) -> None:
    """The fund reads two reasons."""
    assert clinic("forget", "--iin", ELLEN.iin.digits, "--yes", "--reason", "boredom").code == 2


def test_an_enrolment_from_a_film_is_recognised_on_a_photo(clinic: Clinic, film: Path, astronaut: Path) -> None:
    """Three looks from a camera's frames; the portrait they came from matches them."""
    clinic("forget", "--iin", ELLEN.iin.digits, "--yes")
    name = ("--iin", ELLEN.iin.digits, "--name", ELLEN.name)
    enrolled = clinic("enrol", *name, "--video", film, "--consent", "--json")
    assert (enrolled.code, enrolled.err) == (0, "")
    assert enrolled.json["templates"] == 3
    assert enrolled.json["missing"] == ["left", "right"]
    assert isinstance(enrolled.json["quality"], int)
    assert clinic("identify", "--photo", astronaut).code == 0


def test_a_film_is_never_let_in(clinic: Clinic, film: Path, tmp_path: Path) -> None:
    """A recording cannot answer a random turn: refused with the reason, exit code 4, and the service stays open."""
    plan_today(clinic, tmp_path)
    ended = clinic("checkin", "--video", film, "--confirm", "yes", "--once", "--json")
    assert (ended.code, ended.err) == (4, "")
    (outcome,) = ended.rows
    assert outcome == {"state": "not_recognised", "receipt": "", "failure": ""}
    event = json.loads(json.dumps(last_event(clinic)))
    assert (event["kind"], event["data"]["patient"]) == ("refused", None)
    assert event["data"]["reasons"][0] in ("liveness_inconclusive", "liveness_spoof")
    (service,) = clinic("services", "list", "--json").rows
    assert service["event"] is None


def test_the_headless_desk_speaks_the_desks_language(clinic: Clinic, film: Path) -> None:
    """Lines for the patient on the terminal, Kazakh by default, and no name before a match; a key in a file is told."""
    shown = clinic("checkin", "--video", film, "--confirm", "yes", "--once")
    assert shown.code == 4
    assert reception_text(Advice.SOFTWARE_KEY, Language.KAZAKH) in shown.err
    assert "жақындаңыз" in shown.out
    assert "Ellen" not in shown.out


def test_a_truncated_film_gives_what_it_has(clinic: Clinic, film: Path, tmp_path: Path) -> None:
    """Cut off in the middle: the frames before are used, the log says so, and nothing breaks."""
    cut = tmp_path / "cut.avi"
    content = film.read_bytes()
    cut.write_bytes(content[: len(content) // 3])
    found = clinic("identify", "--video", cut, "--json")
    assert found.code == 0
    ended = clinic("checkin", "--video", cut, "--json")
    assert (ended.code, ended.out.strip()) == (4, "[]")
    assert "Traceback" not in ended.err


def test_a_film_may_be_entered_later(clinic: Clinic, film: Path) -> None:
    """--skip leaves out the beginning; past its end nothing is left."""
    ended = clinic("checkin", "--video", film, "--skip", "100", "--json")
    assert (ended.code, ended.rows) == (4, [])


def test_a_visit_of_pictures_only_of_a_stranger_ends_with_no(clinic: Clinic, stranger: Path, tmp_path: Path) -> None:
    """A folder of pictures: one frame begins no visit."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    shutil.copy(stranger, folder / "1.png")
    ended = clinic("checkin", "--images", folder, "--json")
    assert (ended.code, ended.rows) == (4, [])


def test_services_are_imported_listed_and_imported_again(clinic: Clinic, tmp_path: Path) -> None:
    """The second import of the same file changes nothing."""
    plan_today(clinic, tmp_path)
    (row,) = clinic("services", "list", "--json").rows
    assert (row["code"], row["event"]) == (ELLEN.errands[0].code, None)
    again = clinic("services", "import", tmp_path / "today.csv")
    assert "0 new, 0 changed, 1 as they were" in again.out
    assert clinic("services", "list", "--day", "2001-01-01", "--json").rows == []
    drop = tmp_path / "drop"
    drop.mkdir()
    (drop / "today.csv").write_bytes((tmp_path / "today.csv").read_bytes())
    (drop / "bad.json").write_bytes(b"{}")
    watched = clinic("services", "watch", drop, "--once")
    assert (watched.code, "1 as they were" in watched.out, "no FHIR Bundle" in watched.err) == (4, True, True)
    assert clinic("services", "watch", tmp_path / "nowhere", "--once").code == 2
    assert clinic("services", "list", "--day", "never").code == 2
    assert ELLEN.errands[0].kk in clinic("services", "list").out


@pytest.mark.parametrize("level", ["DEBUG"])
def test_no_log_names_a_patient(clinic: Clinic, film: Path, astronaut: Path, someone: str, level: str) -> None:
    """Everything above at DEBUG: neither name nor number nor numbers of a face."""
    config = Home(clinic.home).config
    config.write_text(config.read_text() + f'\n[log]\nlevel = "{level}"\n')
    clinic("identify", "--photo", astronaut)
    clinic("checkin", "--video", film, "--confirm", "yes", "--once")
    clinic(
        "enrol", "--iin", someone, "--name", "Secret Name", "--photo", astronaut, "--consent", "--overrule-duplicate"
    )
    clinic("forget", "--iin", someone, "--yes")
    log = (Home(clinic.home).log / "desk.log").read_text()
    assert "gallery: 1 people" in log
    assert " DEBUG " in log
    for secret in ("Ellen", "Carter", "Secret", ELLEN.iin.digits, ELLEN.iin.digits[-8:], someone, someone[-8:]):
        assert secret not in log


def test_an_enrolment_says_what_to_do_next(capsys: pytest.CaptureFixture[str]) -> None:
    """Each thing once, in the patient's language: the hint, else the view; nothing in the end, nor for machines."""
    steps = [
        Progress(0, View.STRAIGHT, Hint.CLOSER, (), 0),
        Progress(0, View.STRAIGHT, Hint.CLOSER, (), 0),
        Progress(0, View.STRAIGHT, None, (), 80),
        Progress(1, View.LEFT, None, (), 80),
        Progress(3, None, None, (), 80),
    ]
    for guide in (Guide(Language.ENGLISH, quiet=False), Guide(Language.ENGLISH, quiet=True)):
        for progress in steps:
            guide(progress)
    said = capsys.readouterr().out.splitlines()
    assert said == ["1/3 Move closer", "1/3 Look straight ahead", "2/3 Turn your head a little to the left"]


def test_several_photos_are_several_looks(clinic: Clinic, astronaut: Path) -> None:
    """With and without headscarf or glasses; a photo and a camera at once is wrong usage."""
    clinic("forget", "--iin", ELLEN.iin.digits, "--yes")
    name = ("--iin", ELLEN.iin.digits, "--name", ELLEN.name, "--consent")
    assert clinic("enrol", *name, "--photo", astronaut, "--camera", "0").code == 2
    enrolled = clinic("enrol", *name, "--photo", astronaut, "--photo", astronaut)
    assert (enrolled.code, enrolled.err) == (0, "")
    assert "templates 2, quality " in enrolled.out


def test_a_second_set_of_looks_is_taken(clinic: Clinic, film: Path) -> None:
    """Asked for with --other-look: what comes after the first set's seconds; all are of one person."""
    clinic("forget", "--iin", ELLEN.iin.digits, "--yes")
    name = ("--iin", ELLEN.iin.digits, "--name", ELLEN.name, "--consent")
    enrolled = clinic("enrol", *name, "--video", film, "--seconds", "3.2", "--other-look", "--json")
    assert (enrolled.code, enrolled.err) == (0, "")
    assert enrolled.json["templates"] in (4, 5, 6)


@pytest.mark.parametrize("language", Language)
def test_the_other_look_is_asked_for_and_waited_for(
    language: Language, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """At a terminal, in the patient's language, aside when the output is for a machine; else nobody is waited for."""
    Guide(language, quiet=False).pause()
    assert capsys.readouterr().out == ""
    typed = Keyboard("\n")
    monkeypatch.setattr(sys, "stdin", typed)
    Guide(language, quiet=True).pause()
    shown = capsys.readouterr()
    assert (shown.out, other_look_text(language) in shown.err) == ("", True)
    assert typed.read() == ""


def test_a_guardian_is_named_for_a_child(clinic: Clinic) -> None:
    """With the guardian's consent, once; a child is listed without a template; an adult is no child."""
    born = f"{SystemClock().moment().wall:%y}0101"  # this year
    possible = [f"{born}5{serial:04}" for serial in (1, 2)]  # one number in a hundred is never issued
    number = next(f"{eleven}{check_digit(eleven)}" for eleven in possible if check_digit(eleven) is not None)
    child = ("--iin", number, "--name", "Aru Carter")
    named = ("people", "guardian", "--guardian", ELLEN.iin.digits)
    clinic(*named, *child).failed_with(ConsentMissing)
    clinic(*named, "--iin", ELLEN.iin.digits, "--name", "Ellen Carter", "--consent").failed_with(NotAChild)
    done = clinic(*named, *child, "--consent", "--json")
    assert done.code == 0
    event = last_event(clinic)
    assert (event["kind"], event["id"]) == ("guardian_named", done.json["event"])
    assert "nothing to do" in clinic(*named, *child, "--consent").out
    assert [row["templates"] for row in clinic("people", "--json").rows] == [1, 0]
