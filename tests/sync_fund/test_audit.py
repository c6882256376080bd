"""`verify_fund` names what was dropped, altered or inserted behind the triggers' back."""

# ruff: noqa: S608 - the test is the attacker who writes into the database

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from sync.compact import digest_of
from sync.errors import DatabaseDamaged
from sync.fund import audit
from sync.fund.audit import FundReport, verify_fund
from sync.fund.home import FundHome
from sync.fund.office import list_events
from tests.sync_fund.attacker import attack, blob
from tests.sync_fund.blocking import Gateway
from tests.sync_fund.conftest import Fund
from tests.sync_fund.desk import NOON, FakeDesk, batch, twin_signature
from tests.sync_fund.logs import BlockingLog

ID = "d" * 32


@dataclass(frozen=True, slots=True)
class Tampered:
    """A fund with two desks of three events each, and a hand in its database."""

    fund: Fund
    one: FakeDesk
    two: FakeDesk

    def by(self, *statements: str) -> FundReport:
        """The report after these statements, with every trigger and reference check gone."""
        attack(FundHome(self.fund.root), *statements)
        return verify_fund(self.fund.root)

    def hexed(self, digits: str) -> str:
        """Hex digits as the database of this fund keeps a digest or an id, in SQL."""
        home = FundHome(self.fund.root)
        return blob(home, bytes.fromhex(digits)) if home.database_url.exists() else f"'{digits}'"

    def token(self, device: str, seq: int) -> str:
        """A stored token."""
        return next(
            r.event.token for r in list_events(self.fund.root) if (r.event.device, r.event.seq) == (device, seq)
        )


@pytest.fixture
def tampered(gateway: Gateway, fund: Fund, tmp_path: Path) -> Tampered:
    """See Tampered."""
    one, two = fund.desk(tmp_path, "desk-1"), fund.desk(tmp_path, "desk-2")
    for desk in (one, two):
        gateway.receive(desk.device, batch(desk.chain(3)))
    return Tampered(fund, one, two)


def _log(fund: Fund) -> None:
    """Take what is stored into the transparency log."""
    with BlockingLog(FundHome(fund.root)) as log:
        log.advance()


def _texts(report: FundReport) -> list[str]:
    return [f"{p.device} {p.seq}: {p.text}" for p in report.problems]


def test_an_untouched_fund_verifies(tampered: Tampered) -> None:
    """The line that the demonstration ends with."""
    report = tampered.by()
    assert (report.events, report.devices, report.missing, report.problems, report.intact) == (6, 2, 0, (), True)
    assert report.summary == "fund: 6 events, chain verified, 0 missing"


def test_a_new_fund_verifies(fund: Fund) -> None:
    """Nothing yet is not a problem."""
    assert verify_fund(fund.root).summary == "fund: 0 events, chain verified, 0 missing"


def test_a_dropped_event_is_missing_by_its_number(tampered: Tampered) -> None:
    """In the middle of a chain."""
    report = tampered.by("DELETE FROM event WHERE device = 'desk-1' AND seq = 2")
    assert (report.missing, report.intact) == (1, False)
    assert _texts(report) == ["desk-1 3: events 2 to 2 before it are missing"]
    assert report.summary == "fund: 5 events, 1 problems, 1 missing"


def test_a_dropped_tail_is_missing_although_the_chain_links(tampered: Tampered) -> None:
    """The head still knows; with the head moved back too, the log does."""
    _log(tampered.fund)
    report = tampered.by("DELETE FROM event WHERE device = 'desk-2' AND seq = 3")
    logged = "desk-2 None: the log has events up to 3, the chain ends with event 2"
    assert report.missing == 1
    assert _texts(report) == [
        logged,
        "desk-2 None: the head says event 3, the chain ends with event 2, or its digest differs",
    ]
    report = tampered.by(
        "UPDATE head SET seq = 2, digest = (SELECT digest FROM event WHERE device = 'desk-2' AND seq = 2) "
        "WHERE device = 'desk-2'"
    )
    assert (report.missing, report.intact) == (1, False)
    assert _texts(report) == [logged]


def test_a_whole_device_dropped_is_missing(tampered: Tampered) -> None:
    """The log still has its events."""
    _log(tampered.fund)
    report = tampered.by(*(f"DELETE FROM {table} WHERE device = 'desk-2'" for table in ("event", "head", "device")))
    assert (report.devices, report.missing, report.intact) == (1, 3, False)
    assert "desk-2 None: the log has 3 events of it, and it is not registered" in _texts(report)


@pytest.mark.parametrize("database", [None], ids=["sqlite"])  # PostgreSQL's numbers have gaps by themselves
def test_what_is_dropped_before_it_was_logged_is_missed_by_the_numbers(tampered: Tampered) -> None:
    """SQLite gives each event the next number."""
    report = tampered.by(*(f"DELETE FROM {table} WHERE device = 'desk-2'" for table in ("event", "head", "device")))
    assert (report.devices, report.missing, report.problems) == (1, 3, ())


def test_a_device_dropped_without_its_events_leaves_strangers(tampered: Tampered) -> None:
    """Events that no key proves."""
    report = tampered.by("DELETE FROM device WHERE device = 'desk-2'")
    assert _texts(report) == [" None: 3 events belong to no registered device"]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ("digest = {digest}", "was stored otherwise than signed: digest"),
        ("kind = 'enrolled'", "was stored otherwise than signed: kind"),
        ("event_id = {event_id}", "was stored otherwise than signed: event_id"),
        ("refused = 'rule'", "was stored otherwise than signed: refused"),
        ("token = token || 'A'", "is not signed by the device: "),
        ("token = 'x'", "is not signed by the device: a token has three parts"),
    ],
)
def test_an_altered_row_is_named(tampered: Tampered, change: str, text: str) -> None:
    """Each column is compared with what the signed bytes say."""
    change = change.format(digest=tampered.hexed("ff" * 32), event_id=tampered.hexed(ID))
    report = tampered.by(f"UPDATE event SET {change} WHERE device = 'desk-1' AND seq = 2")
    assert _texts(report)[0].startswith(f"desk-1 2: {text}")
    assert not report.intact


def test_an_event_of_another_signature_is_the_same_event(tampered: Tampered) -> None:
    """Malleability is not an alteration: what was signed is the same."""
    twin = twin_signature(tampered.token("desk-2", 1))
    assert tampered.by(f"UPDATE event SET token = '{twin}' WHERE device = 'desk-2' AND seq = 1").intact


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda t: t.one.event(4, "e" * 64, event_id=ID), "does not follow the event before it"),
        (lambda t: t.two.event(4, t.one.prev, device="desk-1"), "is not signed by the device"),
        (lambda t: t.one.event(4, t.one.prev, device="desk-2"), "was stored otherwise than signed: device"),
        (lambda t: t.one.event(5, t.one.prev), "was stored otherwise than signed: seq"),
    ],
)
def test_an_inserted_event_is_named(tampered: Tampered, make: Callable[[Tampered], str], text: str) -> None:
    """With a head that fits it: the link, the signature or the payload does not."""
    token = make(tampered)
    digest, event_id = tampered.hexed(digest_of(token)), tampered.hexed(ID)
    report = tampered.by(
        "INSERT INTO event (device, seq, digest, event_id, kind, token, refused, received) "
        f"VALUES ('desk-1', 4, {digest}, {event_id}, 'checked_in', '{token}', NULL, '{NOON.isoformat()}')",
        f"UPDATE head SET seq = 4, digest = {digest} WHERE device = 'desk-1'",
    )
    assert any(text in line and line.startswith("desk-1 4") for line in _texts(report))


def test_swapped_events_are_named(tampered: Tampered) -> None:
    """Reordering within a chain."""
    report = tampered.by(
        "UPDATE event SET seq = 9 WHERE device = 'desk-1' AND seq = 1",
        "UPDATE event SET seq = 1 WHERE device = 'desk-1' AND seq = 2",
        "UPDATE event SET seq = 2 WHERE device = 'desk-1' AND seq = 9",
    )
    assert [(p.device, p.seq) for p in report.problems] == [("desk-1", 1), ("desk-1", 2), ("desk-1", 3)]


def test_a_swapped_key_is_named_by_every_event(tampered: Tampered) -> None:
    """The registration decides; a key put in its place proves nothing of what is there."""
    key = FakeDesk(tampered.fund.root.parent).signer.public_jwk
    report = tampered.by(f"UPDATE device SET key_x = '{key.x}', key_y = '{key.y}' WHERE device = 'desk-1'")
    assert [p.seq for p in report.problems] == [1, 2, 3]


@pytest.mark.parametrize("database", [None], ids=["sqlite"])  # PostgreSQL keeps nothing but a time in that column
def test_what_is_not_signed_is_not_proven_but_noticed(tampered: Tampered) -> None:
    """The fund's own time of receipt: no problem of the chain; a listing says that it is damaged."""
    assert tampered.by("UPDATE event SET received = 'soon' WHERE seq = 2").intact
    with pytest.raises(DatabaseDamaged, match="time"):
        list(list_events(tampered.fund.root))


def test_altered_evidence_of_a_fork_is_named(tampered: Tampered, gateway: Gateway) -> None:
    """Evidence is verified like an event."""
    gateway.receive("desk-1", batch([tampered.one.event(2, "0" * 64), tampered.one.event(3, "0" * 64)]))
    assert tampered.by().intact
    report = tampered.by("UPDATE fork SET seq = 7 WHERE number = 1", "UPDATE fork SET token = 'x' WHERE number = 2")
    assert _texts(report) == [
        "desk-1 7: evidence of a fork was stored otherwise than signed",
        "desk-1 3: evidence of a fork is not signed by the device: a token has three parts",
    ]


def test_a_report_stays_readable(gateway: Gateway, fund: Fund, tmp_path: Path) -> None:
    """A wrong key for a long chain does not fill the screen."""
    desk = fund.desk(tmp_path, "desk-1")
    gateway.receive(desk.device, batch(desk.chain(audit.MAX_PROBLEMS + 20)))
    report = Tampered(fund, desk, desk).by("UPDATE event SET token = 'x'")
    assert len(report.problems) == audit.MAX_PROBLEMS
    assert report.events == audit.MAX_PROBLEMS + 20
