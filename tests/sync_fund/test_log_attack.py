"""Attack 5 of the threat list: the fund or its administrator drops a logged event and rebuilds everything.

Nothing here is a fake: the desk's own process, the gateway over TLS, the witness's own process, the fund's own key.
"""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sync.__main__ import open_receipts, read_log_status, run_once
from sync.clock import SystemClock
from sync.database import immediate, open_database
from sync.errors import WitnessRefuses
from sync.fund.audit import verify_fund
from sync.fund.home import FundHome
from sync.fund.office import add_witness
from sync.home import Home
from sync.keyfile import load_key
from sync.ledger import LEDGER_MIGRATIONS, Ledger
from sync.log_checkpoint import parse_growth
from sync.note import Note, NoteSigner
from sync.signing import FileSigner
from sync.transport import LogTransport
from sync.witness.book import Book
from sync.witness.home import WitnessHome, load_witness, make_witness
from sync.witness.rounds import open_witness
from tests.fakes.documents import join_desk
from tests.sync_fund.attacker import attack
from tests.sync_fund.conftest import Fund, live_fund, served
from tests.sync_fund.logs import BlockingLog

CLOCK = SystemClock()
EVENTS = 250
FORGET = [f"DELETE FROM log_{what}" for what in ("cosignature", "checkpoint", "looked", "run", "tile")]  # noqa: S608


@dataclass(frozen=True, slots=True)
class Scene:
    """A fund, a desk of it, and a witness that both trust."""

    fund: Fund
    desk: Home
    witness: WitnessHome

    def append(self, count: int) -> None:
        """Visits at the desk."""
        with contextlib.closing(
            open_database(self.desk.database, load_key(self.desk.database_key), [LEDGER_MIGRATIONS])
        ) as db:
            ledger = Ledger(db, FileSigner.load(self.desk.device_key), "desk-1")
            for _ in range(count):
                with immediate(db):
                    ledger.append("checked_in", 1, {"service": "A1"}, CLOCK.moment())

    def advance(self) -> None:
        """The fund logs and signs what waits."""
        with BlockingLog(FundHome(self.fund.root)) as log:
            log.advance()


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """Everything founded; the gateway's port is not known yet."""
    fund = live_fund(tmp_path / "fund")
    return Scene(fund, Home(tmp_path / "desk"), WitnessHome(tmp_path / "witness"))


def test_an_event_dropped_after_it_was_logged_is_noticed_by_everybody(scene: Scene) -> None:
    """The witness refuses; with a witness that colludes the desk alone notices; the audit names the event."""
    document = FundHome(scene.fund.root).document
    settings = make_witness(scene.witness, "chamber.example/w1", document.read_bytes())
    add_witness(scene.fund.root, settings.public, 1)
    join_desk(scene.desk, scene.fund.root)
    with serving(scene):
        scene.append(EVENTS)
        assert run_once(scene.desk, CLOCK).settled == EVENTS
        scene.advance()
        with open_witness(scene.witness, CLOCK) as witness:
            assert witness.round() == EVENTS
        run_once(scene.desk, CLOCK, force=True)
        assert (read_log_status(scene.desk).proven, read_log_status(scene.desk).alarm) == (EVENTS, None)
    attack(FundHome(scene.fund.root), *FORGET, "DELETE FROM event WHERE seq = 200")
    scene.advance()
    with serving(scene):
        with (
            open_witness(scene.witness, CLOCK) as witness,
            pytest.raises(WitnessRefuses, match="no longer has the 250"),
        ):
            witness.round()
        scene.append(3)
        run_once(scene.desk, CLOCK, force=True)
        scene.advance()
        with open_witness(scene.witness, CLOCK) as witness, pytest.raises(WitnessRefuses, match="no extension"):
            witness.round()
        assert read_log_status(scene.desk).alarm is None  # nothing cosigned was shown to it yet
        collude(scene)
        run_once(scene.desk, CLOCK, force=True)
        assert "no extension of the one of 250" in (read_log_status(scene.desk).alarm or "")
        with open_receipts(scene.desk) as receipts:
            (evidence,) = receipts.evidence()
        assert {note.split("\n")[1] for note in (evidence.ours, parse_growth(evidence.theirs).note)} == {"250", "252"}
    report = verify_fund(scene.fund.root)
    assert ("desk-1", 201) in {(problem.device, problem.seq) for problem in report.problems}
    with contextlib.closing(Book.open(scene.witness.database)) as book:
        assert book.last("127.0.0.1/visits").refused == 1


@contextlib.contextmanager
def serving(scene: Scene) -> Iterator[None]:
    """The gateway, at a free port that desk and witness are told."""
    with served(scene.fund) as running:
        for path in (scene.witness.settings, scene.desk.config):
            path.write_text(re.sub(r"127\.0\.0\.1:\d+", f"127.0.0.1:{running.port}", path.read_text()))
        yield


def collude(scene: Scene) -> None:
    """The witness's key signs whatever the fund shows."""
    settings = load_witness(scene.witness)
    signer = NoteSigner.load(scene.witness.key, settings.witness)
    with contextlib.closing(LogTransport(settings.fund, CLOCK)) as door:
        note = Note.parse(parse_growth(door.get_growth(0).decode()).note)
        door.post_cosignature(f"{note.text.split()[1]}\n{signer.sign(note.text, 99).line}".encode())
