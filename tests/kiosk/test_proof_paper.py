"""The proof of an erasure is printed; where nothing prints it is kept as a file that names nobody."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from appliance.core.errors import PrinterFailed
from appliance.front_texts import Front, front_text
from appliance.paper_texts import Paper, paper_text
from appliance.texts import Language
from kiosk_ui.proof_paper import ProofPaper
from kiosk_ui.receipt_print import ReceiptPrinter
from kiosk_ui.reception import Reception
from tests.fakes.clock import ManualClock
from tests.fakes.patients import make_iin, make_profile
from tests.fakes.pdf_reader import pdf_text
from tests.fakes.working_desk import WorkingDesk, make_home
from tests.use_cases.front import staffed

Taken = list[tuple[str, bytes]]


@pytest.fixture
def front(painted: None, tmp_path: Path) -> Iterator[Reception]:
    """A receptionist with the card of an enrolled patient open."""
    del painted
    desk = WorkingDesk(make_home(tmp_path), ManualClock())
    desk.enrol(1)
    desk.enrol(2)
    front = Reception(staffed(desk), Language.ENGLISH, "№ 5")
    front.open(desk.records.people.pseudonym(make_iin(1)))
    yield front
    desk.close()


def printing(
    names: tuple[str, ...], taken: Taken, *, broken: bool = False
) -> Callable[[Callable[[Paper], None]], ReceiptPrinter]:
    """A printer, or none, or one that fails."""

    def hand_over(name: str, content: bytes) -> None:
        if broken:
            raise PrinterFailed("lp ended with code 1")
        taken.append((name, content))

    return lambda tell: ReceiptPrinter(tell, lambda: names, hand_over)


def note(front: Reception) -> str:
    """What the card says about the paper."""
    return str(front.values["card"].get("proofNote", ""))  # type: ignore[attr-defined]


def test_it_is_printed_by_itself_and_again_on_demand(qtbot: QtBot, front: Reception, tmp_path: Path) -> None:
    """80 mm of paper in the patient's language with name, masked number and event; no file is left."""
    taken: Taken = []
    paper = ProofPaper(front, "№ 5", tmp_path / "proofs", printing(("Receipts",), taken))
    front.withdraw()
    proof = front.proof
    assert proof is not None
    done = paper_text(Paper.HANDED_OVER, Language.ENGLISH)
    qtbot.waitUntil(lambda: note(front) == done, timeout=20_000)
    front.note_proof("")
    front.printProof()
    qtbot.waitUntil(lambda: note(front) == done, timeout=20_000)
    assert [name for name, _ in taken] == ["Receipts"] * 2
    text = pdf_text(taken[0][1])
    assert make_profile(1).greeting.replace(" ", "") in text
    assert make_iin(1).masked[-4:] in text
    assert proof.event in text.replace("\n", "")
    assert not (tmp_path / "proofs").exists()
    del paper


@pytest.mark.parametrize("broken", [False, True], ids=["no printer", "a printer that fails"])
def test_without_a_printer_a_file_is_kept_that_names_nobody(
    qtbot: QtBot, front: Reception, tmp_path: Path, *, broken: bool
) -> None:
    """Who was erased is not to be found on the disk again; the number of the event is what proves it."""
    paper = ProofPaper(front, "№ 5", tmp_path / "proofs", printing(("Receipts",) if broken else (), [], broken=broken))
    front.withdraw()
    proof = front.proof
    assert proof is not None
    file = tmp_path / "proofs" / f"{proof.event[:8]}.pdf"
    kept = front_text(Front.PROOF_KEPT, Language.ENGLISH, file=str(file))
    qtbot.waitUntil(lambda: note(front) == kept, timeout=20_000)
    text = pdf_text(file.read_bytes())
    assert proof.event in text.replace("\n", "")
    assert make_profile(1).given_name not in text
    assert make_iin(1).masked not in text
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    del paper


def test_a_slow_printers_word_is_not_about_the_next_proof(qtbot: QtBot, front: Reception, tmp_path: Path) -> None:
    """The next patient's is on the screen when it comes: nothing is said there of the first one's paper."""
    held, let_go, done = threading.Event(), threading.Event(), threading.Event()

    def hand_over(_name: str, _content: bytes) -> None:
        held.set()
        let_go.wait(20)

    def printer(tell: Callable[[Paper], None]) -> ReceiptPrinter:
        def told(note: Paper) -> None:
            tell(note)
            if note is Paper.HANDED_OVER:
                done.set()

        return ReceiptPrinter(told, lambda: ("Receipts",), hand_over)

    paper = ProofPaper(front, "№ 5", tmp_path / "proofs", printer)
    front.withdraw()
    assert held.wait(20)
    front.open(front.desk.find(make_iin(2)).patient)
    front.withdraw()
    let_go.set()
    assert done.wait(20)
    qtbot.wait(20)
    assert (front.proof is not None, note(front)) == (True, "")
    del paper


def test_a_disk_that_takes_no_file_is_told(qtbot: QtBot, front: Reception, tmp_path: Path) -> None:
    """The receptionist writes the number down from the screen."""
    (tmp_path / "proofs").write_text("in the way")
    paper = ProofPaper(front, "№ 5", tmp_path / "proofs", printing((), []))
    front.withdraw()
    lost = front_text(Front.PROOF_NOT_KEPT, Language.ENGLISH)
    qtbot.waitUntil(lambda: note(front) == lost, timeout=20_000)
    del paper
