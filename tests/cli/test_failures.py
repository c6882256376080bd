"""Everything that can be wrong at a desk ends with one message, its code and a remedy; never with a stack trace."""

import os
import shutil
from pathlib import Path

import pytest

from appliance.core.errors import (
    CameraRefused,
    CameraUnavailable,
    ConfigInvalid,
    ConsentMissing,
    FaceNotUsable,
    IinInvalid,
    ImageUnreadable,
    NameInvalid,
    PackInvalid,
    PersonExists,
    PersonUnknown,
    ServicesFileInvalid,
)
from models.errors import PackDamaged, PackUnknown
from sync.errors import (
    DatabaseDamaged,
    DatabaseKeyWrong,
    DatabaseMissing,
    DeskProvisioned,
    DeviceUnknown,
    FundExists,
    FundIncomplete,
    FundUrlInvalid,
    KeyUnusable,
    KnownFailure,
    LedgerBroken,
    SettingsInvalid,
)
from sync.home import Home
from sync.join_errors import InvitationInvalid, JoinIncomplete, RequestInvalid
from tests.cli.conftest import ELLEN
from tests.cli.terminal import Clinic, keldim
from tests.fakes.clock import ManualClock
from tests.fakes.working_desk import WorkingDesk

NAME = ("--name", "Аружан Тест")


def flip(path: Path, at: int) -> None:
    """Change one bit of a file."""
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


# ---- numbers, names, consent


@pytest.mark.parametrize("wrong", ["12345", "88031420001x", "880314200018", "881332200017"])
@pytest.mark.parametrize("command", ["enrol", "verify", "forget", "checkin"])
def test_a_wrong_iin(pristine: Clinic, astronaut: Path, command: str, wrong: str) -> None:
    """Too short, not digits, a misread digit, an impossible date; nothing of the number is repeated."""
    source = {
        "enrol": (*NAME, "--photo", astronaut, "--consent"),
        "verify": ("--photo", astronaut),
        "forget": ("--yes",),
        "checkin": ("--images", astronaut.parent),
    }[command]
    told = pristine(command, "--iin", wrong, *source)
    told.failed_with(IinInvalid)
    assert wrong not in told.err


def test_an_enrolment_without_consent(pristine: Clinic, astronaut: Path, someone: str) -> None:
    """The switch is the receptionist's word that the patient agreed."""
    pristine("enrol", "--iin", someone, *NAME, "--photo", astronaut).failed_with(ConsentMissing)


def test_a_person_who_is_enrolled(pristine: Clinic, astronaut: Path) -> None:
    """The number is masked in the message."""
    told = pristine("enrol", "--iin", ELLEN.iin.digits, *NAME, "--photo", astronaut, "--consent")
    told.failed_with(PersonExists)
    assert ELLEN.iin.digits not in told.err


def test_a_name_that_is_none(pristine: Clinic, astronaut: Path, someone: str) -> None:
    """Blanks only."""
    pristine("enrol", "--iin", someone, "--name", "  ", "--photo", astronaut, "--consent").failed_with(NameInvalid)


@pytest.mark.parametrize("command", [("verify", "--photo"), ("forget", "--yes"), ("checkin", "--images")], ids=" ".join)
def test_a_person_nobody_knows(pristine: Clinic, astronaut: Path, someone: str, command: tuple[str, ...]) -> None:
    """A valid number of nobody here."""
    source = {"--photo": (astronaut,), "--yes": (), "--images": (astronaut.parent,)}[command[1]]
    told = pristine(*command, *source, "--iin", someone)
    told.failed_with(PersonUnknown)
    assert someone not in told.err


# ---- pictures, films, cameras


@pytest.mark.parametrize("command", ["identify", "enrol"])
@pytest.mark.parametrize("damage", ["empty", "text", "cut", "missing", "folder"])
def test_a_corrupt_picture(
    pristine: Clinic, stranger: Path, tmp_path: Path, someone: str, command: str, damage: str
) -> None:
    """Empty, not a picture, cut off in the middle, not there, a folder."""
    path = tmp_path / "photo.png"
    content = stranger.read_bytes()
    if damage == "folder":
        path.mkdir()
    elif damage != "missing":
        path.write_bytes({"empty": b"", "text": b"not a picture", "cut": content[: len(content) // 2]}[damage])
    person = ("--iin", someone, *NAME, "--consent") if command == "enrol" else ()
    told = pristine(command, "--photo", path, *person)
    told.failed_with(ImageUnreadable)
    assert path.name in told.err


def test_a_picture_without_a_face(pristine: Clinic, faceless: Path) -> None:
    """A picture, and nobody on it."""
    pristine("identify", "--photo", faceless).failed_with(FaceNotUsable)


@pytest.mark.parametrize("command", ["checkin", "identify"])
def test_a_film_without_a_frame(pristine: Clinic, film: Path, tmp_path: Path, command: str) -> None:
    """Cut off within its header, or no film at all."""
    path = tmp_path / "film.avi"
    for content in (film.read_bytes()[:200], b"", b"not a film" * 100):
        path.write_bytes(content)
        pristine(command, "--video", path).failed_with(ImageUnreadable)


def test_a_film_that_is_not_there(pristine: Clinic, tmp_path: Path) -> None:
    """A typing error in its name."""
    pristine("checkin", "--video", tmp_path / "none.avi").failed_with(CameraUnavailable)


def test_a_folder_with_a_corrupt_picture(pristine: Clinic, tmp_path: Path, stranger: Path) -> None:
    """Named, also when the first picture was good."""
    shutil.copy(stranger, tmp_path / "1.png")
    (tmp_path / "2.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    pristine("checkin", "--images", tmp_path, "--json").failed_with(ImageUnreadable)


@pytest.mark.parametrize("command", ["checkin", "identify"])
def test_a_camera_that_is_not_there(pristine: Clinic, command: str) -> None:
    """Told at once; a desk does not wait for ever for a wrong number."""
    pristine(command, "--camera", "99").failed_with(CameraUnavailable)


def test_a_network_camera_that_is_not_configured(clinic: Clinic) -> None:
    """Refused before it is asked for a picture; the attempt is in the chain, without the address and its password."""
    clinic("checkin", "--camera", "http://user:secret@127.0.0.1:9/cam.mjpg").failed_with(CameraRefused)
    last = clinic("ledger", "show", "--json").rows[-1]
    assert last["kind"] == "alarm"
    assert "not_listed: network" in str(last)
    assert "secret" not in str(last)


def test_a_network_camera_that_is_configured_but_away(clinic: Clinic) -> None:
    """Admitted, and then told as what it is."""
    config = clinic.home / "keldim.toml"
    address = "http://127.0.0.1:9/cam.mjpg"
    config.write_text(config.read_text() + f'\n[camera]\nstreams = ["{address}"]\n')
    clinic("checkin", "--camera", address).failed_with(CameraUnavailable)


# ---- packs


def copied(pristine: Clinic, folder: Path) -> Path:
    """The builtin pack, hard-linked; a file is replaced before it is changed."""
    shutil.copytree(pristine.packs / "builtin", folder / "builtin", copy_function=os.link)
    return folder / "builtin"


@pytest.mark.parametrize("file", ["detector.onnx", "embedder.onnx", "manifest.json", "calibration.json", "golden.npz"])
@pytest.mark.parametrize("truncated", [False, True], ids=["flipped", "truncated"])
def test_a_corrupt_pack(pristine: Clinic, tmp_path: Path, astronaut: Path, file: str, truncated: bool) -> None:
    """One changed bit, or a missing end, in any file: no desk opens it, and the message names the file."""
    pack = copied(pristine, tmp_path / "packs")
    content = bytearray((pack / file).read_bytes())
    (pack / file).unlink()
    content[len(content) // 2] ^= 1
    (pack / file).write_bytes(content[: len(content) // 2] if truncated else content)
    where = ("--home", pristine.home, "--packs", pack.parent)
    for command in (("identify", "--photo", astronaut), ("models", "verify")):
        told = keldim(*where, *command)
        assert (told.code, told.out) == (3, "")
        assert any(failure.code in told.err for failure in (PackInvalid, PackDamaged))
        assert "keldim models pull" in told.err
        assert file in told.err or file == "manifest.json"
    listed = keldim(*where, "models", "list")
    assert listed.code == (4 if file == "manifest.json" or truncated else listed.code)
    doctor = keldim(*where, "doctor", "--json")
    assert {row["check"]: row["health"] for row in doctor.rows}["model pack"] == "failed"
    assert doctor.code == 4


def test_a_pack_that_is_not_there(pristine: Clinic, tmp_path: Path, astronaut: Path) -> None:
    """An empty folder of packs."""
    keldim("--home", pristine.home, "--packs", tmp_path, "identify", "--photo", astronaut).failed_with(PackUnknown)


# ---- home, keys, settings, database

OPENING = [("people",), ("services", "list"), ("sync", "status"), ("sync", "now")]


@pytest.mark.parametrize("command", OPENING, ids=" ".join)
def test_a_home_that_is_not_there(tmp_path: Path, command: tuple[str, ...]) -> None:
    """Never made, or its disk is not mounted; nothing is created."""
    told = keldim("--home", tmp_path / "none", *command)
    assert (told.code, told.out) == (3, "")
    assert any(failure.code in told.err for failure in (SettingsInvalid, ConfigInvalid))
    assert "keldim device status" in told.err
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("command", OPENING, ids=" ".join)
def test_the_wrong_database_key(clinic: Clinic, command: tuple[str, ...]) -> None:
    """The key of another desk; the database stays as it is."""
    home = Home(clinic.home)
    home.database_key.write_bytes(bytes(range(32)))
    before = home.database.read_bytes()
    clinic(*command).failed_with(DatabaseKeyWrong)
    assert home.database.read_bytes() == before


def test_the_wrong_template_key(clinic: Clinic) -> None:
    """Told as a wrong key, not as damaged patients."""
    Home(clinic.home).template_key.write_bytes(bytes(range(32)))
    clinic("people").failed_with(KeyUnusable)


@pytest.mark.parametrize("key", ["db.key", "template.key", "device.pem", "pseudonym.key"])
def test_a_key_that_is_missing_or_open_to_others(clinic: Clinic, key: str) -> None:
    """Each of the desk's four."""
    path = clinic.home / "keys" / key
    path.chmod(0o644)
    clinic("services", "list").failed_with(KeyUnusable)
    path.unlink()
    clinic("services", "list").failed_with(KeyUnusable)


def test_a_database_that_is_missing(clinic: Clinic) -> None:
    """No second chain of events is begun."""
    for path in clinic.home.glob("desk.db*"):
        path.unlink()
    clinic("people").failed_with(DatabaseMissing)
    assert not Home(clinic.home).database.exists()


def test_a_database_that_was_cut_off(clinic: Clinic) -> None:
    """A copy that was not finished."""
    database = Home(clinic.home).database
    content = database.read_bytes()
    for length in (100, len(content) // 2 // 4096 * 4096):
        database.write_bytes(content[:length])
        clinic("people").failed_with(DatabaseDamaged)
        told = clinic("ledger", "verify")
        assert told.code == DatabaseDamaged.exit_code
        assert DatabaseDamaged.code in told.err
        assert "journal: 1 events verified" in told.out, "the other copy is proven all the same"


def test_a_flipped_bit_in_the_database(clinic: Clinic) -> None:
    """Every page is authenticated: a change is never read as data."""
    database = Home(clinic.home).database
    for page in range(1, database.stat().st_size // 4096):
        flip(database, page * 4096 + 500)
    clinic("people").failed_with(DatabaseDamaged)


def test_an_altered_event(clinic: Clinic) -> None:
    """Whoever holds the database key still cannot change an event: the answer is no, and the event is named."""
    desk = WorkingDesk(Home(clinic.home), ManualClock())
    for (trigger,) in desk.db.execute(
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'event'"
    ).fetchall():
        desk.db.execute(f"DROP TRIGGER {trigger}")
    desk.db.execute("UPDATE event SET wall = '2026-01-01T00:00:00.000+00:00' WHERE seq = 1")
    desk.close()
    told = clinic("ledger", "verify")
    assert told.code == LedgerBroken.exit_code
    assert "Traceback" not in told.err
    assert "event 1" in told.err
    assert f"{LedgerBroken.code} right: journal" in told.err


@pytest.mark.parametrize(
    ("text", "failure", "named"),
    [
        ("[camera]\nwidht = 640\n", ConfigInvalid, "width"),
        ("[policy]\nfmr = 2.0\n", ConfigInvalid, "fmr"),
        ('[log]\nlevel = "LOUD"\n', ConfigInvalid, "level"),
        ("[unclosed\n", SettingsInvalid, "TOML"),
    ],
    ids=["unknown", "impossible", "value", "syntax"],
)
def test_a_wrong_setting(clinic: Clinic, text: str, failure: type[KnownFailure], named: str) -> None:
    """The message names section and key."""
    config = Home(clinic.home).config
    config.write_text(config.read_text().partition("[policy]")[0] + text)
    told = clinic("people")
    told.failed_with(failure)
    assert named in told.err


def test_a_log_that_cannot_be_written(clinic: Clinic) -> None:
    """A folder stands where the file should be."""
    log = Home(clinic.home).log
    shutil.rmtree(log)
    log.write_text("in the way")
    told = clinic("people")
    assert (told.code, told.out) == (3, "")
    assert "E-LOG-01" in told.err


# ---- files from others


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "line 1"),
        (b"iin,room\n1,2\n", "service_code"),
        (b"\xff\xfe\x00", "UTF-8"),
        (
            b"iin,service_code,service_name_kk,service_name_ru,service_name_en,room,provider,starts\n1,A,a,b,c,1,d,x\n",
            "2",
        ),
    ],
    ids=["empty", "columns", "binary", "line"],
)
def test_an_unreadable_file_of_services(clinic: Clinic, tmp_path: Path, content: bytes, named: str) -> None:
    """Line and column are named, nothing is imported."""
    path = tmp_path / "services.csv"
    path.write_bytes(content)
    told = clinic("services", "import", path)
    told.failed_with(ServicesFileInvalid)
    assert named in told.err
    assert clinic("services", "list", "--json").rows == []


def test_a_file_of_services_that_is_not_there(clinic: Clinic, tmp_path: Path) -> None:
    """Wrong usage: the name is named."""
    told = clinic("services", "import", tmp_path / "none.csv")
    assert (told.code, told.out) == (2, "")
    assert "none.csv" in told.err


def test_a_desk_is_made_once(clinic: Clinic, tmp_path: Path) -> None:
    """Another desk's home, and a file that is no fund's."""
    other, fund = tmp_path / "other.jws", ("--dir", clinic.fund)
    keldim("fund", "invite", *fund, "other", "--clinic", "C", "--desk", "D", "--out", other)
    clinic("device", "request", "--invitation", other).failed_with(DeskProvisioned)
    new = ("--home", tmp_path / "new")
    keldim(*new, "device", "request", "--invitation", other).failed_with(JoinIncomplete)
    keldim(*new, "device", "install", other).failed_with(JoinIncomplete)
    keldim(*new, "device", "renew").failed_with(JoinIncomplete)
    wrong = tmp_path / "wrong.jws"
    wrong.write_text("{}")
    keldim(*new, "device", "request", "--invitation", wrong).failed_with(InvitationInvalid)
    told = keldim(*new, "device", "request", "--invitation", tmp_path / "none.jws")
    assert (told.code, "none.jws" in told.err) == (2, True)


def test_a_fund_is_made_once_and_knows_its_desks(clinic: Clinic, tmp_path: Path) -> None:
    """Nothing of a fund is overwritten; a wrong address, record or device is named."""
    keldim("fund", "init", "--dir", clinic.fund, "--url", "https://127.0.0.1:1").failed_with(FundExists)
    keldim("fund", "init", "--dir", tmp_path / "f", "--url", "http://127.0.0.1").failed_with(FundUrlInvalid)
    record = tmp_path / "request.jws"
    record.write_text("{}")
    keldim("fund", "admit", "--dir", clinic.fund, record).failed_with(RequestInvalid)
    keldim("fund", "revoke", "--dir", clinic.fund, "nobody", "--reason", "stolen").failed_with(DeviceUnknown)
    keldim("fund", "block", "--dir", clinic.fund, "nobody").failed_with(DeviceUnknown)
    for command in (("fund", "audit"), ("fund", "events"), ("fleet", "status")):
        keldim(*command, "--dir", tmp_path / "none").failed_with(FundIncomplete)
