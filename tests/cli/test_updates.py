"""From an empty directory to a signed update on a second desk, by the commands of the README; and what goes wrong."""

import contextlib
import logging
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from appliance.capture.picture import read_image
from appliance.composition import open_desk, open_eyes
from appliance.config import parse
from appliance.core.errors import ConfigInvalid, PackChanged
from appliance.core.policy import Policy
from appliance.core.session import State as ScreenState
from appliance.core.snapshot import Snapshot
from appliance.core.trial import LEAST_SPREAD, LEAST_VISITS
from appliance.core.types import Frame, Instant
from appliance.packs_in_use import PacksInMemory, slots_of
from appliance.probation import Probation
from appliance.recognition import take
from appliance.settings_in_use import in_force, slots_of_settings
from models.calibration import parse_calibration, write_calibration
from models.errors import (
    RepositoryUnusable,
    SignaturesMissing,
    SigningKeyUnusable,
    SlotsUnusable,
    UpdateExpired,
    UpdateRefused,
    UpdateUnreachable,
    UpdateUnwanted,
)
from models.manifest import MANIFEST_NAME
from models.manifest_document import write_manifest
from models.releases import Wanted
from models.settings_file import SETTINGS_NAME, settings_digest
from models.slot_state import Bad, Fault
from models.store import read_pack
from sync.clock import SystemClock
from sync.database import immediate
from sync.desk_database import open_desk_database
from sync.envelope import TimeAnchor
from sync.fund.home import FundHome
from sync.home import Home
from sync.key_source import open_keys
from sync.ledger import LEDGER_MIGRATIONS, keep_anchor
from tests.cli.terminal import Clinic, Outcome, keldim
from tests.fakes.bad_packs import with_quality
from tests.fakes.clock import START, ManualClock
from tests.fakes.documents import make_fund_home
from tests.fakes.file_server import Served, file_server
from tests.fakes.publishers import Publishers, make_pack
from tests.fakes.token import PIN, SoftToken, prepare
from tests.models.manifests import manifest_of

ROOT = Path(__file__).parents[2]


@dataclass
class Office:
    """Where packs are published, by commands."""

    folder: Path
    packs: Path

    @property
    def repository(self) -> Path:
        """The model repository."""
        return self.folder / "repository"

    def key(self, name: str) -> Path:
        """A holder's key file."""
        return self.folder / f"{name}.pem"

    def __call__(self, *arguments: object) -> Outcome:
        """`keldim models ...` on this repository."""
        return keldim("--packs", self.packs, "models", *arguments, "--repository", self.repository)

    def sign(self, *names: str) -> Outcome:
        """Holders sign, and the online key stamps."""
        for name in names:
            signed = self("sign", "--key", self.key(name), "--passphrase", self.folder / "passphrase")
            assert signed.code == 0, signed
        return self("stamp", "--key", self.key("online"), "--passphrase", self.folder / "passphrase")


def _readme() -> tuple[str, str, str]:
    """What README tells to type where packs are published, at the first desk, and at the second."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text[text.index("## Updates that reach every desk") :]
    publishing, first, second = re.split(r"^# (?:first|second) desk.*\n", section.split("```\n")[1], flags=re.MULTILINE)
    return publishing, first, second


def _commands(script: str) -> Iterator[list[str]]:
    """The commands of a script, as a shell reads it: one line each, comments, a loop of one line, `&&`."""
    for line in script.replace("\\\n", " ").splitlines():
        loop = re.match(r"for (\w+) in (.*?); do (.*?); done", line)
        for one in [loop[3].replace(f"${loop[1]}", value) for value in loop[2].split()] if loop else [line]:
            for command in one.split("&&"):
                if words := shlex.split(command, comments=True):
                    yield words


def _type(script: str, folder: Path, **environment: object) -> Outcome:
    """Type a script in a folder; gives how the last command ended. All must end well."""
    ended = Outcome(0, "", "")
    with pytest.MonkeyPatch.context() as machine, contextlib.chdir(folder):
        for name, value in environment.items():
            machine.setenv(name, str(value))
        for program, *arguments in _commands(script):
            if program == "export":
                name, _, value = arguments[0].partition("=")
                machine.setenv(name, value.replace("$PWD", str(folder)))
            else:
                assert program == "keldim"
                ended = keldim(*arguments)
                assert ended.code == 0, (arguments, ended)
    return ended


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, pack_path: Path) -> Office:
    """What README tells to type: ten keys, a founded repository, the builtin pack in every ring."""
    made = Office(tmp_path_factory.mktemp("office"), pack_path.parent)
    secret = made.folder / "passphrase"
    secret.touch(0o600)
    secret.write_text("four words of a song\n")
    stamped = _type(_readme()[0], made.folder, KELDIM_PACKS=made.packs, KELDIM_PASSPHRASE_FILE=secret)
    assert "published: root, targets, canary, early, all, snapshot, timestamp" in stamped.out
    return made


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> FundHome:
    """A certificate authority, and a server's certificate for 127.0.0.1."""
    return make_fund_home(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def served(authority: FundHome, office: Office) -> Iterator[Served]:
    """The repository on a web server."""
    with file_server(authority.server, office.repository / "public") as server:
        yield server


def _follow(clinic: Clinic, office: Office, *more: object) -> None:
    root = office.repository / "public" / "metadata" / "1.root.json"
    assert clinic("models", "follow", "--root", root, *more).code == 0


def _carry(clinic: Clinic) -> None:
    """What the desk signed goes to the fund on a stick."""
    stick = clinic.root / "stick"
    stick.mkdir()
    assert clinic("sync", "export", stick).code == 0
    assert keldim("fund", "import", "--dir", clinic.fund, *stick.iterdir()).code == 0


def test_a_desk_checks_in_with_a_pack_that_came_signed(
    clinic: Clinic, office: Office, served: Served, authority: FundHome, film: Path, astronaut: Path, faceless: Path
) -> None:
    """Fetched from a server, counted as a try, examined, opened; the patient enrolled before is recognised."""
    _follow(clinic, office, "--url", served.url, "--ca", authority.ca_certificate)
    done = clinic("models", "update", "--at-once", "--json").json
    assert (done["release"], done["installed"]) == (1, True)
    assert isinstance(done["received"], int)
    assert done["received"] < 30_000, "the files were here already"
    assert clinic("checkin", "--video", film, "--confirm", "yes", "--once", "--json").code == 4, (
        "a film is let in nowhere"
    )
    assert clinic("identify", "--photo", astronaut).code == 0
    again = clinic("models", "update", "--json").json
    assert (again["release"], again["installed"]) == (1, False)
    shown = clinic("models", "slots", "--json").json
    assert shown["tries"] == 1
    assert "on trial" in clinic("models", "slots").out
    clinic("checkin", "--images", faceless.parent, "--json")
    assert clinic("models", "slots", "--json").json["tries"] == 2
    assert clinic("ledger", "show", "--json").out.count('"pack_in_use"') == 1, "the same is said once"
    _carry(clinic)
    (heard,) = keldim("fleet", "status", "--dir", clinic.fund, "--json").rows
    said = heard["pack"]
    assert isinstance(said, dict)
    assert (said["release"], said["ring"], said["trial"], said["given_up"]) == (1, "all", True, [])
    assert said["settings"] == {"settings": None, "release": None, "trial": False, "floor": 0, "given_up": []}
    assert (heard["health"], heard["ring"], heard["release"]) == ("on_trial", "all", 1)
    assert "ring all, release 1: 1 desks" in keldim("fleet", "status", "--dir", clinic.fund).out
    assert clinic("doctor").code in (0, 4)


def test_a_policy_comes_signed_and_is_left_when_it_knows_nobody(
    clinic: Clinic, office: Office, tmp_path: Path, astronaut: Path, faceless: Path
) -> None:
    """In force from the entry that says so; one that lets nobody in is given up by itself, and the fund hears of it."""
    strict, blind = tmp_path / "strict.toml", tmp_path / "blind.toml"
    strict.write_text('[policy]\nname = "strict"\nfmr = 1e-5\n')
    blind.write_text('[policy]\nname = "blind"\nfpir = 1e-300\nfmr = 1e-300\n')
    (tmp_path / "wild.toml").write_text('[fund]\nurl = "https://evil.example"\n')
    office("publish-settings", tmp_path / "wild.toml").failed_with(ConfigInvalid)
    _follow(clinic, office)
    heard = []
    for number, file in ((1, strict), (2, blind)):
        published = office("publish-settings", file)
        assert f"settings {number}" in published.out
        assert office("ring", "canary", number, "--settings").code == 0
        assert [office("promote", number, "--settings").code for _ in range(2)] == [0, 0]
        assert office.sign("pack-1", "pack-2", "canary", "early", "all").code == 0
        done = clinic("models", "update", "--from", office.repository, "--json").json
        assert (done["settings"]["installed"], done["waits"]) == (True, True)  # type: ignore[index]
        clinic("checkin", "--images", faceless.parent, "--json")
        heard.append(clinic("ledger", "show", "--json").rows[-1])
        if number == 1:
            assert "settings 1 from afar" in clinic("doctor").out
            slots = slots_of_settings(Home(clinic.home))
            slots.mark_good(Wanted(1, settings_digest(strict.read_bytes())))
    assert clinic("identify", "--photo", astronaut).code == 0
    assert [one["kind"] for one in heard] == ["pack_in_use"] * 2
    _carry(clinic)
    (desk,) = keldim("fleet", "status", "--dir", clinic.fund, "--json").rows
    said = desk["pack"]
    assert isinstance(said, dict)
    assert (said["policy"], said["settings"]["release"]) == (Policy(name="strict", fmr=1e-5).policy_id, 1)
    assert [(one["release"], one["fault"]) for one in said["settings"]["given_up"]] == [(2, "self_test")]
    assert "never again: self_test" in clinic("models", "slots").out
    allowed = keldim("fund", "policies", "allow", str(said["policy"]), "--dir", clinic.fund)
    assert allowed.out.splitlines() == ["1 policies may decide a visit", said["policy"]]
    assert keldim("fund", "policies", "forbid", str(said["policy"]), "--dir", clinic.fund).code == 0
    assert keldim("fund", "policies", "list", "--json", "--dir", clinic.fund).rows == []
    assert "every policy" in keldim("fund", "policies", "any", "--dir", clinic.fund).out
    assert keldim("fund", "policies", "forbid", str(said["policy"]), "--dir", clinic.fund).code == 2
    assert "every policy" in keldim("fund", "policies", "list", "--dir", clinic.fund).out
    clinic("models", "update", "--from", office.repository).failed_with(UpdateUnwanted)
    listed = office("status", "--json").json["settings"]
    assert [one["rings"] for one in listed] == [[], ["canary", "early", "all"]]  # type: ignore[attr-defined]
    assert "settings 2 withdrawn from canary, early, all" in office("withdraw", "2", "--settings").out
    assert office.sign("canary", "early", "all").code == 0


def test_settings_take_over_between_two_visits_and_are_left_when_visits_end_worse(
    clinic: Clinic, pack_path: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Not while somebody is there; a policy with which nobody is let in is rolled back by the desk that runs it.

    A pack that waits to be watched is not watched under that policy, and is when it is gone.
    """
    home, clock, folder = Home(clinic.home), ManualClock(START + timedelta(days=400)), tmp_path / "settings"
    slots, ids, shown = slots_of_settings(home), list[tuple[str, bool]](), list[Snapshot]()
    caplog.set_level(logging.INFO)
    folder.mkdir()
    (folder / SETTINGS_NAME).write_bytes(b"[policy]\nfmr = 1e-5\n")
    wanted = Wanted(1, settings_digest(b"[policy]\nfmr = 1e-5\n"))

    def run(visits: Callable[[Callable[[ScreenState], None]], None]) -> None:
        """The desk opens, and another configuration is to be used after these visits."""
        with (
            open_desk(home, clock) as desk,
            contextlib.closing(open_eyes(desk, pack_path.parent, counted=True)) as eyes,
        ):
            ids.append((eyes.desk.config.policy.policy_id, eyes.desk.managed.trial))

            def show(state: ScreenState) -> None:
                clock.advance(20.0)
                eyes.trials.beside(shown.append)(Snapshot(Instant(clock.monotonic()), state))

            visits(show)
            with pytest.raises(PackChanged):
                show(ScreenState.IDLE)

    def interrupted(show: Callable[[ScreenState], None]) -> None:
        show(ScreenState.IDLE)
        show(ScreenState.ALIGN)
        slots.install(folder, wanted)
        show(ScreenState.HOLD)

    def refused(show: Callable[[ScreenState], None]) -> None:
        while not slots.state().bad:
            for state in (ScreenState.ALIGN, ScreenState.HOLD, ScreenState.NOT_RECOGNISED):
                show(state)
            with contextlib.suppress(PackChanged):
                show(ScreenState.IDLE)
        assert "is watched" not in caplog.text

    own = parse(home.config.read_bytes()).policy.policy_id
    run(interrupted)
    pack = make_pack(tmp_path / "pack")
    slots_of(home).install(pack, Wanted(2, read_pack(pack).digest), waits=True)
    run(refused)
    assert len(shown) > LEAST_VISITS, "the screen saw it all"
    assert ids == [(own, False), (Policy(fmr=1e-5).policy_id, True)]
    assert slots.state().bad == (Bad(wanted, Fault.DRIFT),)
    assert in_force(home)[0].policy.policy_id == own
    (home.root / "updates" / "settings" / "state.json").write_text("{")
    with open_desk(home, clock) as desk:
        eyes = open_eyes(desk, pack_path.parent, counted=True)
        assert eyes.trials.probations, "damaged slots close no desk"
        eyes.trials.beside(shown.append)(Snapshot(Instant(clock.monotonic()), ScreenState.IDLE))
        eyes.close()
    assert "is watched" in caplog.text


def test_a_second_desk_gets_it_from_a_stick(clinic: Clinic, office: Office, astronaut: Path) -> None:
    """The folder as it is; there is no server. What has run out by the fund's time is refused; patients are known."""
    _follow(clinic, office)
    clinic("models", "update").failed_with(UpdateUnreachable)
    assert "in a slot" in clinic("models", "update", "--from", office.repository).out
    assert "0 of 20 visits" in clinic("models", "slots").out
    assert clinic("models", "slots", "--json").json["tries"] == 0
    assert "is in use" in clinic("models", "update", "--from", office.repository).out
    home = Home(clinic.home)
    moment = SystemClock().moment()
    later = TimeAnchor(moment.boot_id, moment.mono_ms, moment.wall + timedelta(days=4), 1000)
    with closing(open_desk_database(home, open_keys(home), [LEDGER_MIGRATIONS])) as db, immediate(db):
        keep_anchor(db, later)
    clinic("models", "update", "--from", office.repository).failed_with(UpdateExpired)
    assert clinic("identify", "--photo", astronaut).code == 0


def test_the_commands_of_the_readme_bring_a_pack_to_a_second_desk(
    office: Office, served: Served, authority: FundHome, tmp_path: Path
) -> None:
    """As they stand there, from empty folders; only the server's address and where the stick is are this machine's."""
    public = office.repository / "public"
    stick = shutil.copytree(public, tmp_path / "stick")
    for name, script in zip(("first", "second"), _readme()[1:], strict=True):
        folder = tmp_path / name
        folder.mkdir()
        shutil.copy(public / "metadata" / "1.root.json", folder)
        shutil.copy(authority.ca_certificate, folder / "ca.pem")
        here = script.replace("https://updates.example.kz", served.url).replace("/media/stick", str(stick))
        shown = _type(here, folder, KELDIM_HOME=folder / "home", KELDIM_PACKS=office.packs)
        assert [pack.release for _, pack in slots_of(Home(folder / "home")).state().packs] == [1]
    assert "watched" in shown.out


def _with_threshold(pack: Path, folder: Path, score: float) -> tuple[Path, Wanted]:
    """The same models with a calibration whose threshold is this score."""
    contents = read_pack(pack)
    name = contents.manifest.calibration
    assert name is not None
    before = parse_calibration(contents.files[name])
    tail = ((1.0, score), (3.0, score), (100.0, score))
    cohorts = tuple(
        replace(one, impostor=replace(one.impostor, tail=tail, above=score, power=200.0)) for one in before.cohorts
    )
    files = {**contents.files, name: write_calibration(replace(before, cohorts=cohorts))}
    folder.mkdir()
    for file, data in files.items():
        (folder / file).write_bytes(data)
    listed = manifest_of(contents.manifest.models, files).files
    (folder / MANIFEST_NAME).write_bytes(write_manifest(replace(contents.manifest, files=listed)))
    return folder, Wanted(9, read_pack(folder).digest)


@pytest.mark.parametrize("score", [0.3, 0.9999], ids=["accepts everybody", "accepts nobody"])
def test_a_pack_that_tells_nobody_apart_is_rolled_back_by_itself(
    clinic: Clinic, pack_path: Path, astronaut: Path, tmp_path: Path, score: float
) -> None:
    """The desk goes on with the delivered pack; the new one is never tried again, and the reason can be read."""
    slots = slots_of(Home(clinic.home))
    slots.install(*_with_threshold(pack_path, tmp_path / "unfit", score))
    assert clinic("identify", "--photo", astronaut).code == 0
    shown = clinic("models", "slots", "--json").json
    assert shown["slots"] == []
    assert "self_test" in str(shown["bad"])
    assert clinic("ledger", "show", "--json").out.count('"pack_in_use"') == 0, "a command beside the desk tells nothing"


def test_a_pack_whose_quality_model_drifts_is_rolled_back_and_the_fund_reads_why(
    clinic: Clinic, office: Office, pack_path: Path, astronaut: Path, tmp_path: Path
) -> None:
    """Whole by every hash and golden vector; it finds, passes and recognises everybody, and scores all faces worse."""
    home, clock, slots = Home(clinic.home), ManualClock(START + timedelta(days=400)), slots_of(Home(clinic.home))
    scores, memory = list[int](), PacksInMemory()
    _follow(clinic, office)
    for number, (native, least) in enumerate(((0.55, LEAST_SPREAD), (0.45, LEAST_VISITS)), start=1):
        release = with_quality(pack_path, tmp_path / f"release-{number}", native)
        wanted = Wanted(number, read_pack(release).digest)
        slots.install(release, wanted)
        with open_desk(home, clock) as desk:
            eyes = open_eyes(desk, pack_path.parent, counted=True, memory=memory)
            assert eyes.pack.digest == wanted.digest
            frame = Frame(read_image(astronaut), Instant(0.0), "camera", 0)
            face = eyes.observer.observe(frame).faces[0]
            probe = take(eyes.observer, (), frame, face, 0)
            scores.append(probe.quality)
            found, thresholds = eyes.recogniser.compare([probe])
            assert found.candidates[0].score >= thresholds.accept

            def visit(pack: Probation = eyes.trials.probations[0], quality: int = probe.quality) -> None:
                for state, name in ((ScreenState.HOLD, ""), (ScreenState.CONFIRM, "E. C."), (ScreenState.IDLE, "")):
                    clock.advance(20.0)
                    at = Instant(clock.monotonic())
                    pack.see(Snapshot(at, state, greeting=name, passed=True if not name else None, quality=quality))

            with contextlib.nullcontext() if number == 1 else pytest.raises(PackChanged):
                for _ in range(least):
                    visit()
    assert scores[0] > 65 > 35 > scores[1]
    assert slots.state().bad == (Bad(wanted, Fault.QUALITY),)
    with open_desk(home, clock) as desk:
        back = open_eyes(desk, pack_path.parent, counted=True, memory=memory)
        assert (back.pack.name, back.pack.quality is not None) == ("builtin", True), "the one before"
    _carry(clinic)
    (heard,) = keldim("fleet", "status", "--dir", clinic.fund, "--json").rows
    assert (heard["health"], heard["given_up"]) == ("gave_up", ["2 quality"])
    assert "never again: quality" in clinic("models", "slots").out
    with pytest.raises(UpdateUnwanted):
        slots.install(tmp_path / "release-2", wanted)


def test_who_follows_nobody_is_told(clinic: Clinic) -> None:
    """And a damaged note of whom."""
    clinic("models", "update").failed_with(SlotsUnusable)
    (clinic.home / "updates").mkdir(exist_ok=True)
    (clinic.home / "updates" / "follow.json").write_text("{")
    clinic("models", "update").failed_with(SlotsUnusable)


def test_a_stick_of_other_publishers_is_refused(clinic: Clinic, office: Office, tmp_path: Path) -> None:
    """Ten other keys sign just as well, but this desk was given the root of these."""
    other = tmp_path / "1.root.json"
    other.write_bytes(Publishers(tmp_path / "others").first_root)
    assert clinic("models", "follow", "--root", other).code == 0
    clinic("models", "update", "--from", office.repository).failed_with(UpdateRefused)


def test_the_status_shows_everything_once(office: Office) -> None:
    """For people and for machines."""
    state = office("status", "--json").json
    assert state["waiting"] == {}
    assert [one["rings"] for one in state["releases"]] == [["canary", "early", "all"]]  # type: ignore[attr-defined]
    shown = office("status").out
    assert "builtin" in shown
    assert "timestamp" in shown


def test_mistakes_of_publishers_are_named(office: Office, tmp_path: Path) -> None:
    """A key for which nothing waits, a passphrase nobody can type, a release there is not, a role there is not."""
    assert office("sign", "--key", office.key("pack-1"), "--passphrase", office.folder / "passphrase").code == 4
    office("sign", "--key", office.key("pack-1")).failed_with(SigningKeyUnusable)
    office("promote", "7").failed_with(RepositoryUnusable)
    assert office("change-key", "nobody", office.folder / "all.pub", office.folder / "all.pub").code == 2
    keldim("models", "key", tmp_path / "k.pem", "--token", "x").failed_with(SigningKeyUnusable)


def test_what_was_staged_by_mistake_stops_no_daily_stamp_and_is_dropped(office: Office, tmp_path: Path) -> None:
    """What is published is renewed meanwhile; nothing of the mistake reaches a desk."""
    (tmp_path / "mistake.toml").write_text('[policy]\nname = "mistake"\n')
    assert "settings 40:" in office("publish-settings", tmp_path / "mistake.toml", "--number", "40").out
    online = ("--key", office.key("online"), "--passphrase", office.folder / "passphrase")
    office("stamp", *online).failed_with(SignaturesMissing)
    assert "published: timestamp;" in office("stamp", "--renew", *online).out
    assert office("ring", "canary", "1").code == 0, "an older one, or the same, needs nobody before"
    office("ring", "all", "40", "--settings").failed_with(RepositoryUnusable)
    assert office("ring", "all", "40", "--settings", "--untried").code == 0
    assert office("drop", "nobody").code == 2
    assert [office("drop", role).code for role in ("targets", "canary", "all")] == [0, 0, 0]
    office("drop", "targets").failed_with(RepositoryUnusable)
    assert office("status", "--json").json["waiting"] == {}


def test_a_key_in_a_token_signs(office: Office, tmp_path: Path) -> None:
    """The root holder's key was made in a token and never leaves it."""
    token = SoftToken.create(prepare(tmp_path), "root holder", tmp_path / "pin")
    where = ("--token", token.label, "--module", token.settings.module, "--pin", tmp_path / "pin")
    made = keldim("models", "key", tmp_path / "root-4", *where)
    assert (made.code, PIN in made.out) == (0, False)
    old = office.folder / "root-2.pub"
    assert office("change-key", "root", old, tmp_path / "root-4.pub").code == 0
    assert "signed root" in office("sign", "--key", tmp_path / "root-4", *where).out
    assert office.sign("root-1", "root-3").code == 0
