"""A witness signs what only grew, remembers it before it says so, and keeps what it refused."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from sync.errors import (
    DatabaseUnreachable,
    EnvelopeInvalid,
    KeyUnusable,
    NotLogged,
    ProtocolViolation,
    RequestRefused,
    SettingsInvalid,
    SignatureInvalid,
    TransportFailure,
    WitnessExists,
    WitnessRefuses,
)
from sync.log_checkpoint import Checkpoint, Growth, LogPolicy, event_leaf
from sync.merkle import consistency_proof, tree_of_leaves
from sync.note import KeyKind, Note, NoteKey, NoteSigner, read_signatures
from sync.signing import FileSigner
from sync.strict_json import dump
from sync.witness.book import Book
from sync.witness.home import WitnessHome, load_witness, make_witness
from sync.witness.rounds import EVERY_S, Witness, serve
from tests.fakes.clock import ManualClock

LOG = NoteSigner("fund.example/visits", KeyKind.LOG, b"l" * 32)
POLICY = LogPolicy(LOG.public, 600)
SIGNER = NoteSigner("chamber.example/w1", KeyKind.WITNESS, b"w" * 32)
LEAVES = [event_leaf(f"{number:064x}") for number in range(300)]


def growth(old: int, size: int, leaves: list[bytes] = LEAVES, log: NoteSigner = LOG) -> Growth:
    """A signed checkpoint with its proof from `old`."""
    tree = tree_of_leaves(leaves)
    text = Checkpoint(LOG.public.name, size, tree(0, size)).text
    proof = consistency_proof(tree, old, size) if old <= size else ()
    return Growth(old, proof, Note(text, (log.sign(text),)).serialise())


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    """An empty memory."""
    Book.create(tmp_path / "witness.db")
    with contextlib.closing(Book.open(tmp_path / "witness.db")) as opened:
        yield opened


def add(book: Book, given: Growth, time: int = 77) -> str:
    """Ask for a cosignature."""
    return book.add_checkpoint(given, POLICY, SIGNER, time)


def test_growth_is_cosigned(book: Book) -> None:
    """From nothing, further, and the same again with a new time."""
    for old, size, time in ((0, 100, 1), (100, 250, 2), (250, 250, 3)):
        given = growth(old, size)
        line = add(book, given, time)
        note = Note(Note.parse(given.note).text, read_signatures(line))
        assert note.signed_by(SIGNER.public) == time
    last = book.last(LOG.public.name)
    assert (last.checkpoint.size, last.time, last.refused) == (250, 2, 0)


@pytest.mark.parametrize("change", ["dropped", "rewritten"])
def test_a_log_without_its_event_200_is_refused(book: Book, change: str) -> None:
    """The fund rebuilds the tree and signs it, with the best proof there is; the witness keeps that as evidence."""
    add(book, growth(0, 250))
    rebuilt = LEAVES[:200] + ([event_leaf("ab" * 32)] if change == "rewritten" else []) + LEAVES[201:]
    for _ in range(2):
        with pytest.raises(WitnessRefuses, match="no extension of the one of 250"):
            add(book, growth(250, 280, rebuilt))
    last = book.last(LOG.public.name)
    assert (last.checkpoint.size, last.refused) == (250, 1)
    assert "no extension" in (last.why or "")


def test_another_log_of_the_same_size_is_refused(book: Book) -> None:
    """A split view: whoever came first is the one that this witness vouches for."""
    add(book, growth(0, 250))
    with pytest.raises(WitnessRefuses):
        add(book, growth(250, 250, [*LEAVES[:249], event_leaf("ab" * 32)]))


def test_a_shrunken_log_or_a_proof_from_elsewhere_is_refused(book: Book) -> None:
    """A smaller tree, a proof that starts before or after the last checkpoint."""
    add(book, growth(0, 250))
    for given, why in (
        (growth(250, 200), "shrank"),
        (growth(0, 280), "begins at 0"),
        (growth(270, 280), "begins at 270"),
    ):
        with pytest.raises(WitnessRefuses, match=why):
            add(book, given)


def test_what_the_log_did_not_sign_is_no_evidence(book: Book) -> None:
    """Anybody could have made it."""
    with pytest.raises(SignatureInvalid):
        add(book, growth(0, 5, log=NoteSigner(LOG.public.name, KeyKind.LOG, b"x" * 32)))
    with pytest.raises(EnvelopeInvalid):
        add(book, replace(growth(0, 5), note="nonsense"))
    assert book.last(LOG.public.name).refused == 0


def test_the_memory_is_append_only(book: Book, tmp_path: Path) -> None:
    """Nobody makes a witness forget with a line of SQL, and a missing memory is not a new one."""
    add(book, growth(0, 250))
    with contextlib.closing(sqlite3.connect(tmp_path / "witness.db")) as db:
        for statement in (
            "UPDATE signed SET size = 1",
            "DELETE FROM signed",
            "INSERT INTO signed VALUES (9, x'', '', 0)",
        ):
            with pytest.raises(sqlite3.IntegrityError):
                db.execute(statement)
    with pytest.raises(DatabaseUnreachable, match="must not sign"):
        Book.open(tmp_path / "nowhere.db")
    (tmp_path / "broken.db").write_bytes(b"x" * 5000)
    with pytest.raises(DatabaseUnreachable), contextlib.closing(Book.open(tmp_path / "broken.db")) as broken:
        broken.last("x")


KILLED = """
    import sys
    from pathlib import Path
    from sync.witness.book import Book
    from tests.sync_witness.test_witness import SIGNER, POLICY, growth
    book = Book.open(Path(sys.argv[1]))
    for size in range(1, 300):
        line = book.add_checkpoint(growth(size - 1, size), POLICY, SIGNER, size)
        print(size, flush=True)
"""


def test_a_witness_killed_at_any_instant_knows_what_it_said(tmp_path: Path) -> None:
    """Whatever it gave away is on the disk: after kill -9 it has signed at least that, and refuses another history."""
    script = tmp_path / "signing.py"
    script.write_text(textwrap.dedent(KILLED))
    for kill in range(4):
        database = tmp_path / f"{kill}.db"
        Book.create(database)
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
        with subprocess.Popen(
            [sys.executable, str(script), str(database)], stdout=subprocess.PIPE, env=environment
        ) as child:
            assert child.stdout is not None
            said = 0
            while said < 7 + 23 * kill:
                said = int(child.stdout.readline())
            child.send_signal(signal.SIGKILL)
            said = max([said, *(int(line) for line in child.stdout.read().split(b"\n")[:-1])])
        with contextlib.closing(Book.open(database)) as book:
            size = book.last(LOG.public.name).checkpoint.size
            assert size >= said
            with pytest.raises(WitnessRefuses):
                add(book, growth(size, size + 1, [event_leaf("ab" * 32), *LEAVES[1:]]))


@dataclass
class Door:
    """The fund's log as the witness reaches it."""

    size: int = 0
    leaves: list[bytes] = field(default_factory=lambda: LEAVES)
    failure: Exception | None = None
    handed_in: list[bytes] = field(default_factory=list)

    def get_growth(self, old: int) -> bytes:
        """Growth, or what the fund says without one."""
        if self.failure is not None:
            raise self.failure
        if not self.size or old > self.size:
            raise NotLogged("404 no_checkpoint")
        return growth(old, self.size, self.leaves).text.encode()

    def post_cosignature(self, body: bytes) -> bytes:
        """Keep it."""
        self.handed_in.append(body)
        return b"1\n"


@pytest.fixture
def home(tmp_path: Path) -> WitnessHome:
    """A witness of the log, made from a fund's file."""
    return made(tmp_path)


def made(tmp_path: Path, name: str = "chamber.example/w1") -> WitnessHome:
    """Make one."""
    key = FileSigner.create(tmp_path / "fund.pem")
    document = dump(
        {
            "url": "https://127.0.0.1:1",
            "ca_pem": CA_PEM.decode(),
            "log": POLICY.members(),
            "public_jwk": key.public_jwk.as_dict(),
        }
    )
    home = WitnessHome(tmp_path / "witness")
    make_witness(home, name, document)
    return home


def _ca() -> bytes:
    from datetime import UTC, datetime

    from cryptography.hazmat.primitives.asymmetric import ec

    from sync.fund.profile import certificate_pem, make_authority

    return certificate_pem(
        make_authority(ec.generate_private_key(ec.SECP256R1()), "test", datetime(2026, 11, 1, tzinfo=UTC))
    )


CA_PEM = _ca()


def test_a_witness_is_made_once(home: WitnessHome, tmp_path: Path) -> None:
    """Its settings read back; a second one in the same place, or of no fund, is refused."""
    settings = load_witness(home)
    assert settings.log == POLICY
    assert NoteKey.parse(settings.public, KeyKind.WITNESS).name == "chamber.example/w1"
    with pytest.raises(WitnessExists):
        make_witness(home, "chamber.example/w1", document_of(home))
    with pytest.raises(SettingsInvalid):
        make_witness(WitnessHome(tmp_path / "other"), "chamber.example/w1", b"{}")
    with pytest.raises(SettingsInvalid):
        make_witness(WitnessHome(tmp_path / "named"), "two words", document_of(home))
    with pytest.raises(SettingsInvalid):
        load_witness(WitnessHome(tmp_path / "nowhere"))
    with pytest.raises(KeyUnusable):
        NoteSigner.load(home.key, SIGNER.public)


def document_of(home: WitnessHome) -> bytes:
    """A fund's file again."""
    settings = load_witness(home)
    return dump(
        {
            "url": settings.fund.url,
            "ca_pem": CA_PEM.decode(),
            "log": POLICY.members(),
            "public_jwk": settings.fund.jwk.as_dict(),
        }
    )


def witness_at(home: WitnessHome, book: Book, door: Door, clock: ManualClock) -> Witness:
    """A witness in front of a door."""
    settings = load_witness(home)
    return Witness(settings, NoteSigner.load(home.key, settings.witness), book, door, clock)


def test_rounds_follow_the_log(home: WitnessHome) -> None:
    """Nothing yet, then growth, each time from where it stood; the cosignature is handed in."""
    door, clock = Door(), ManualClock()
    with contextlib.closing(Book.open(home.database)) as book:
        witness = witness_at(home, book, door, clock)
        assert witness.round() is None
        for size in (10, 250):
            door.size = size
            assert witness.round() == size
        assert [int(body.split(b"\n")[0]) for body in door.handed_in] == [10, 250]
        door.size = 5
        with pytest.raises(WitnessRefuses, match="no longer has the 250 events"):
            witness.round()


def test_a_round_that_fails_is_told_and_made_again(home: WitnessHome) -> None:
    """Network, refusals, answers that are none, a log that was rebuilt: the loop goes on, and signs nothing wrong."""
    door, clock = Door(250), ManualClock()
    failures = iter(
        [TransportFailure("no answer"), RequestRefused("500", 500), ProtocolViolation("captive portal"), None, None]
    )

    def stopped() -> bool:
        if clock.monotonic() % EVERY_S < 0.3:
            following = next(failures, StopIteration)
            if following is StopIteration:
                return True
            door.failure = following  # type: ignore[assignment]
            clock.sleep(0.3)
        return False

    with contextlib.closing(Book.open(home.database)) as book:
        witness = witness_at(home, book, door, clock)
        serve(witness, clock, stopped)
        assert book.last(LOG.public.name).checkpoint.size == 250
        door.failure, door.leaves, door.size = None, [*LEAVES[:200], *LEAVES[201:]], 260
        rounds = iter([False, True, True, True])
        serve(witness, clock, lambda: next(rounds))
        assert book.last(LOG.public.name).refused == 1
