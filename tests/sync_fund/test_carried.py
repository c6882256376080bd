"""A stick instead of the network: desk, fund and back by files, mixed freely with the online way, each event once."""

import contextlib
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from appliance.cli.output import EXIT_NO
from sync.__main__ import export_to, import_from, read_status, run_once
from sync.backup import Chain, make_backup, read_backup
from sync.carry import device_of, end_line, events_head, events_line, read_carried_receipts, receipts_file
from sync.carry_errors import CarriedInvalid, CarriedRefused, NoSealingKey, NothingSaved, StickUnusable
from sync.clock import SystemClock
from sync.compact import decode_part, digest_of
from sync.database import Database, immediate, open_database
from sync.envelope import EVENT_TYP, event_payload, parse_event
from sync.fund.audit import verify_fund
from sync.fund.carried import Imported, import_files
from sync.fund.home import FundHome
from sync.fund.office import block_device, list_events, unblock_device
from sync.fund.serve import make_gateway
from sync.home import Home, load_settings
from sync.joining import FundFacts
from sync.journal import Journal, Written
from sync.key_errors import BackupInvalid
from sync.keyfile import load_key
from sync.ledger import LEDGER_MIGRATIONS, Ledger, unwritten, verify_ledger
from sync.sealing import SealedBox
from sync.signing import FileSigner, sign_compact
from sync.strict_json import Members
from tests.cli.terminal import Outcome, keldim
from tests.fakes.documents import join_desk
from tests.sync_fund.conftest import Fund, live_fund, served

CLOCK = SystemClock()


@dataclass
class Clinic:
    """A desk with a few events, its fund, and a stick."""

    desk: Home
    fund: FundHome
    stick: Path
    document: FundFacts

    def append(self, count: int) -> None:
        """Record events."""
        with self._db() as db:
            ledger = Ledger(db, FileSigner.load(self.desk.device_key), "desk-1")
            for _ in range(count):
                with immediate(db):
                    ledger.append("checked_in", 1, {"service": "Терапевт қабылдауы"}, CLOCK.moment())

    def export(self) -> Path:
        """A file of events on the stick."""
        found = export_to(self.desk, self.stick)
        assert found is not None
        return found.path

    def take_in(self, *paths: Path) -> tuple[Imported, ...]:
        """The files at the fund."""
        return import_files(make_gateway(self.fund, CLOCK), SealedBox.load(self.fund.sealing_key), paths)

    def stored(self) -> list[int]:
        """Numbers of the fund's events."""
        return [row.event.seq for row in list_events(self.fund.root)]

    def settled(self) -> int:
        """Delivered events at the desk, all proven."""
        settings = load_settings(self.desk)
        with self._db() as db:
            verify_ledger(db, FileSigner.load(self.desk.device_key).public_jwk, "desk-1", settings.fund.jwk)
        return read_status(self.desk, CLOCK).settled

    def _db(self) -> contextlib.closing[Database]:
        key = load_key(self.desk.database_key)
        return contextlib.closing(open_database(self.desk.database, key, [LEDGER_MIGRATIONS]))


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    """All of it, with 250 events."""
    return _clinic(tmp_path)


def _clinic(root: Path) -> Clinic:
    fund = live_fund(root / "fund")
    stick = root / "stick"
    stick.mkdir()
    made = Clinic(Home(root / "desk"), FundHome(fund.root), stick, fund.document)
    join_desk(made.desk, fund.root)
    made.append(250)
    return made


def test_events_go_out_and_receipts_come_back_by_stick(clinic: Clinic) -> None:
    """Each once, in order, proven at both ends; nothing is left and nothing to read for a finder of the stick."""
    path = clinic.export()
    assert path.name == "desk-1-1-250.keldim-events"
    assert b"service" not in b"".join(decode_part(one) for one in _sealed(path))
    (taken,) = clinic.take_in(path)
    assert (taken.device, taken.events) == ("desk-1", 250)
    assert clinic.stored() == list(range(1, 251))
    done = import_from(clinic.desk, taken.receipts, CLOCK)
    assert (done.receipts, done.settled, done.refused, done.held) == (2, 250, 0, 0)
    assert clinic.settled() == 250
    assert export_to(clinic.desk, clinic.stick) is None
    assert verify_fund(clinic.fund.root).intact


def test_a_replayed_file_changes_nothing(clinic: Clinic) -> None:
    """Events twice at the fund, receipts twice at the desk."""
    path = clinic.export()
    (taken,) = clinic.take_in(path)
    first = taken.receipts.read_bytes()
    import_from(clinic.desk, taken.receipts, CLOCK)
    assert import_from(clinic.desk, taken.receipts, CLOCK).settled == 0
    (again,) = clinic.take_in(path)
    assert again.receipts.read_bytes() != first  # signed anew: all known
    assert import_from(clinic.desk, again.receipts, CLOCK).settled == 0
    assert clinic.stored() == list(range(1, 251))
    assert clinic.settled() == 250


def test_stick_and_network_mix_freely(clinic: Clinic) -> None:
    """The network delivers what is on a stick already, and more; sticks come late; nothing is doubled or lost."""
    early = clinic.export()
    (taken,) = clinic.take_in(early)
    clinic.append(10)
    with served(Fund(clinic.fund.root, clinic.document, CLOCK.moment().wall)) as running:
        config = clinic.desk.config
        config.write_text(config.read_text().replace(":8443", f":{running.port}"))
        report = run_once(clinic.desk, CLOCK, force=True)
        assert (report.settled, report.failure) == (260, None)
        assert clinic.take_in(early)[0].events == 250
    assert clinic.stored() == list(range(1, 261))
    assert import_from(clinic.desk, taken.receipts, CLOCK).settled == 0
    clinic.append(5)
    late = clinic.export()
    assert late.name == "desk-1-261-265.keldim-events"
    clinic.append(1)
    done = clinic.take_in(late, early)
    assert import_from(clinic.desk, done[0].receipts, CLOCK).settled == 5
    assert clinic.stored() == list(range(1, 266))
    assert clinic.settled() == 265


@pytest.mark.parametrize("damage", ["cut", "line gone", "altered", "appended", "empty", "not ours"])
def test_a_damaged_file_is_named_and_changes_nothing(clinic: Clinic, damage: str) -> None:
    """Whether a byte or a line, at either end of the way."""
    path = clinic.export()
    (taken,) = clinic.take_in(path)
    whole, receipts = path.read_bytes(), taken.receipts.read_bytes()
    for file, content in ((path, whole), (taken.receipts, receipts)):
        lines = content.splitlines(keepends=True)
        place = len(lines[0]) + len(lines[1]) - 40  # inside the sealed text, or the receipt's signature
        other = b"B" if content[place : place + 1] == b"A" else b"A"
        damaged = {
            "cut": b"".join(lines[:-1]),
            "line gone": b"".join([lines[0], *lines[2:]]),
            "altered": content[:place] + other + content[place + 1 :],
            "appended": content + lines[1],
            "empty": b"",
            "not ours": b"\x00\xff" * 100,
        }
        file.write_bytes(damaged[damage])
    with pytest.raises(CarriedInvalid):
        clinic.take_in(path)
    with pytest.raises(CarriedInvalid):
        import_from(clinic.desk, taken.receipts, CLOCK)
    assert clinic.settled() == 0
    assert read_status(clinic.desk, CLOCK).pending == 250
    assert clinic.stored() == list(range(1, 251))


def test_files_for_somebody_else_are_refused(clinic: Clinic, tmp_path: Path) -> None:
    """Events sealed to another fund, receipts for another desk."""
    path = clinic.export()
    other = FundHome(live_fund(tmp_path / "other").root)
    with pytest.raises(CarriedInvalid, match="another fund"):
        import_files(make_gateway(other, CLOCK), SealedBox.load(other.sealing_key), [path])
    (taken,) = clinic.take_in(path)
    taken.receipts.write_bytes(receipts_file("desk-2", read_carried_receipts(taken.receipts, "desk-1")))
    with pytest.raises(CarriedInvalid, match="another desk"):
        import_from(clinic.desk, taken.receipts, CLOCK)
    assert device_of(path) == "desk-1"


def test_receipts_for_other_events_are_refused(clinic: Clinic) -> None:
    """Two receipts exchanged: neither holds, nothing changes."""
    (taken,) = clinic.take_in(clinic.export())
    one, two = (Members.parse(line).text("receipt") for line in taken.receipts.read_bytes().splitlines()[1:3])
    content = taken.receipts.read_bytes()
    swapped = content.replace(one.encode(), b"X").replace(two.encode(), one.encode()).replace(b"X", two.encode())
    taken.receipts.write_bytes(swapped)
    with pytest.raises(CarriedInvalid, match="does not hold"):
        import_from(clinic.desk, taken.receipts, CLOCK)
    assert clinic.settled() == 0


def test_a_blocked_desk_s_stick_is_refused_and_holds_up_no_other(clinic: Clinic, tmp_path: Path) -> None:
    """As over the network, with the reason; when it is let in again, the same list gives each event once."""
    blocked, (other, tokens) = clinic.export(), _other_desk(clinic, tmp_path)
    block_device(clinic.fund.root, "desk-1", "stolen")
    for _ in range(2):
        refused, taken = clinic.take_in(blocked, other)
        assert (refused.events, refused.receipts.exists()) == (0, False)
        assert (refused.refused or "").startswith("device_blocked")
        assert (taken.device, taken.events, taken.refused) == ("desk-2", 3, None)
    unblock_device(clinic.fund.root, "desk-1")
    assert [one.refused for one in clinic.take_in(blocked, other)] == [None, None]
    stored = [row.event for row in list_events(clinic.fund.root)]
    assert [event.token for event in stored if event.device == "desk-2"] == tokens
    assert [event.seq for event in stored if event.device == "desk-1"] == list(range(1, 251))


def test_a_list_that_failed_on_its_way_goes_on_when_it_is_given_again(clinic: Clinic, tmp_path: Path) -> None:
    """The receipts of the second file cannot be written: the first has its own, and nothing counts twice after."""
    (other, _), path = _other_desk(clinic, tmp_path), clinic.export()
    in_the_way = path.with_suffix(".keldim-receipts")
    in_the_way.mkdir()
    with pytest.raises(StickUnusable):
        clinic.take_in(other, path)
    assert len(read_carried_receipts(other.with_suffix(".keldim-receipts"), "desk-2")) == 1
    in_the_way.rmdir()
    _, taken = clinic.take_in(other, path)
    assert import_from(clinic.desk, taken.receipts, CLOCK).settled == 250
    assert sorted(clinic.stored()) == sorted([1, 2, 3, *range(1, 251)])
    assert verify_fund(clinic.fund.root).intact


def test_a_file_that_is_cut_off_stops_the_whole_list(clinic: Clinic, tmp_path: Path) -> None:
    """Before anything of any file is taken."""
    (other, _), path = _other_desk(clinic, tmp_path), clinic.export()
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(CarriedInvalid):
        clinic.take_in(other, path)
    assert clinic.stored() == []


def test_the_command_says_what_was_refused(clinic: Clinic, tmp_path: Path) -> None:
    """Its exit code and the reason, beside what was taken in; 0 when the same command takes everything."""
    blocked, (other, _) = clinic.export(), _other_desk(clinic, tmp_path)
    block_device(clinic.fund.root, "desk-1", "stolen")
    command = ("fund", "import", "--dir", clinic.fund.root, blocked, other, "--json")
    told = keldim(*command)
    assert told.code == CarriedRefused.exit_code
    assert CarriedRefused.code in told.err
    assert "device_blocked" in told.err
    assert [one["refused"] is None for one in told.rows] == [False, True]
    unblock_device(clinic.fund.root, "desk-1")
    assert keldim(*command).code == 0


def _other_desk(clinic: Clinic, folder: Path) -> tuple[Path, list[str]]:
    """A file of another desk's three events, and these."""
    desk = Fund(clinic.fund.root, clinic.document, CLOCK.moment().wall).desk(folder, "desk-2")
    tokens = desk.chain(3)
    path = clinic.stick / "desk-2-1-3.keldim-events"
    to = SealedBox.load(clinic.fund.sealing_key).public_jwk
    path.write_bytes(events_head("desk-2", to) + events_line("desk-2", to, 1, tokens) + end_line(1))
    return path, tokens


def test_a_stick_that_is_not_there_is_named(clinic: Clinic, tmp_path: Path) -> None:
    """Pulled out too early, at either end."""
    with pytest.raises(StickUnusable):
        export_to(clinic.desk, tmp_path / "gone")
    with pytest.raises(StickUnusable):
        clinic.take_in(tmp_path / "gone.keldim-events")


def test_a_desk_that_knows_no_sealing_key_says_so(clinic: Clinic) -> None:
    """A desk that joined long ago."""
    settings = clinic.desk.config
    settings.write_text("".join(line for line in settings.read_text().splitlines(True) if "sealing_jwk" not in line))
    with pytest.raises(NoSealingKey):
        export_to(clinic.desk, clinic.stick)


@dataclass
class Saved:
    """What is left of a dead desk: its back-up. The fund has its events up to 250 of 280. heir: another desk."""

    clinic: Clinic
    backup: Path
    heir: Home

    def export(self, *options: object, home: Path | None = None) -> Outcome:
        """`keldim sync export --from`, at the heir's."""
        command = ("sync", "export", self.clinic.stick, "--from", self.backup, "--json")
        return keldim("--home", home or self.heir.root, *command, *options)

    @property
    def segment(self) -> Path:
        """The journal's only file."""
        (path,) = (self.backup / "journal").iterdir()
        return path


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Saved:
    """The desk dies with thirty events undelivered, and its key with it; not to be changed.

    Its first back-up failed: the chain was not that of the desk it was said to be.
    """
    root = tmp_path_factory.mktemp("dead")
    clinic = _clinic(root)
    clinic.take_in(clinic.export())
    clinic.append(30)
    key = load_key(clinic.desk.database_key)
    chain = Chain("desk-1", FileSigner.load(clinic.desk.device_key).public_jwk, None)
    with contextlib.closing(open_database(clinic.desk.database, key, [LEDGER_MIGRATIONS])) as db:
        Journal(clinic.desk.journal).extend(unwritten(db))
        now, place = CLOCK.moment().wall, root / "backups"
        other = replace(chain, device="desk-9")
        with pytest.raises(BackupInvalid):
            make_backup(clinic.desk, db, key, other, [LEDGER_MIGRATIONS], place, now, lambda _: None)
        made = make_backup(clinic.desk, db, key, chain, [LEDGER_MIGRATIONS], place, now, lambda _: None)
    shutil.rmtree(clinic.desk.root)
    heir = Home(root / "heir")
    join_desk(heir, clinic.fund.root, "desk-9")
    return Saved(clinic, made.folder, heir)


@pytest.fixture
def saved(staged: Saved, tmp_path: Path) -> Saved:
    """A copy for one test."""
    root = tmp_path / "dead"
    shutil.copytree(staged.heir.root.parent, root)
    clinic = Clinic(Home(root / "desk"), FundHome(root / "fund"), root / "stick", staged.clinic.document)
    return Saved(clinic, root / "backups" / staged.backup.name, Home(root / "heir"))


def test_a_dead_desk_s_last_events_reach_the_fund_once_and_without_its_key(saved: Saved, tmp_path: Path) -> None:
    """From the back-up, by the heir or on a machine without a desk; the copy stays as it was and speaks no more."""
    clinic, before = saved.clinic, _files(saved.heir.root)
    told = saved.export()
    assert (told.code, told.err) == (0, "")
    whole = Path(str(told.json["file"]))
    assert (told.json["device"], whole.name, told.json["stopped"]) == ("desk-1", "desk-1-1-280.keldim-events", None)
    assert b"service" not in b"".join(decode_part(one) for one in _sealed(whole))
    rest = Path(str(saved.export("--after", 250, home=tmp_path / "no desk").json["file"]))
    assert rest.name == "desk-1-251-280.keldim-events"
    assert keldim("fund", "import", "--dir", clinic.fund.root, rest, whole, rest).code == 0
    assert clinic.stored() == list(range(1, 281))
    assert verify_fund(clinic.fund.root).intact
    assert read_backup(saved.backup).head.seq == 280
    assert _files(saved.heir.root) == before
    with pytest.raises(CarriedInvalid, match="another desk"):
        import_from(saved.heir, whole.with_suffix(".keldim-receipts"), CLOCK)
    block_device(clinic.fund.root, "desk-1", "dead")
    assert (clinic.take_in(whole)[0].refused or "").startswith("device_blocked")


def test_what_stands_before_damage_is_handed_in_and_the_damage_is_named(saved: Saved) -> None:
    """A byte flipped in event 260: nine events are saved, the exit code says that it was not all."""
    lines = saved.segment.read_bytes().splitlines(keepends=True)
    lines[259] = lines[259][:400] + bytes([lines[259][400] ^ 1]) + lines[259][401:]
    saved.segment.write_bytes(b"".join(lines))
    told = saved.export("--after", 250)
    assert (told.code, told.json["last"]) == (EXIT_NO, 259)
    assert "damaged" in str(told.json["stopped"])
    saved.clinic.take_in(Path(str(told.json["file"])))
    assert saved.clinic.stored() == list(range(1, 260))
    saved.segment.write_bytes(b"".join([*lines[:255], lines[256]]))
    told = saved.export("--after", 250)
    assert (told.json["last"], "event 257 of desk-1 does not follow" in str(told.json["stopped"])) == (255, True)


def test_a_finder_of_a_back_up_adds_nothing_to_the_chain(saved: Saved, tmp_path: Path) -> None:
    """An event that follows the last one but is signed with another key gets no further than the fund's door."""
    last = parse_event(saved.segment.read_bytes().splitlines()[-1].split(b" ")[2].decode())
    forged = replace(last.event, seq=281, prev=last.digest, event_id="f" * 32)
    token = sign_compact(FileSigner.create(tmp_path / "other.pem"), EVENT_TYP, event_payload(forged))
    Journal(saved.backup / "journal").extend(lambda _: [Written(281, digest_of(token), "2026-11", token)])
    told = saved.export("--after", 250)
    assert told.json["last"] == 281
    saved.clinic.take_in(Path(str(told.json["file"])))
    assert saved.clinic.stored() == list(range(1, 281))


def test_a_back_up_that_fails_leaves_nothing_behind(saved: Saved) -> None:
    """Else each night's failure would take the place of one more database."""
    assert [path.name for path in saved.backup.parent.iterdir()] == [saved.backup.name]


def test_nothing_to_hand_in_is_said(saved: Saved, tmp_path: Path) -> None:
    """No journal there, nothing behind the number, or a hole before it: no file."""
    saved.export("--after", 280).failed_with(NothingSaved)
    lines = saved.segment.read_bytes().splitlines(keepends=True)
    saved.segment.write_bytes(b"".join(lines[100:]))
    saved.export().failed_with(NothingSaved)
    saved.backup = tmp_path
    saved.export().failed_with(NothingSaved)


def _files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _sealed(path: Path) -> list[str]:
    return [Members.parse(line).text("sealed") for line in path.read_bytes().splitlines()[1:-1]]
