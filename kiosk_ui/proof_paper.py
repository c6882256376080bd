"""The proof of an erasure on paper: printed where the reception has a printer, else kept as a file without a name.

What it says is `withdrawal`'s, drawing `paper_pdf`'s, the way to the printer `receipt_print`'s. Lives on the window's
thread; drawing and printing happen on the printer's.
"""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtGui import QFont

from appliance.front_texts import Front, front_text
from appliance.paper_texts import Paper, paper_text
from appliance.reception_texts import Erasure, erasure_text
from appliance.texts import Language
from appliance.withdrawal import ErasureProof
from kiosk_ui.mailbox import Mailbox
from kiosk_ui.paper_pdf import Line, Sheet, sheet_pdf
from kiosk_ui.receipt_print import ReceiptPrinter
from kiosk_ui.reception import Reception
from sync.durable import replace_file


def proof_sheet(proof: ErasureProof, clinic: str, *, named: bool = True) -> Sheet:
    """The lines in the patient's language. named: with the name and the masked number."""
    language = proof.held.language
    title, *lines = proof.lines(language, named=named)
    bold, strong = QFont.Weight.Bold, QFont.Weight.DemiBold
    return Sheet(
        erasure_text(Erasure.TITLE, language),
        [Line(clinic, 3.4, strong), Line(title, 4.2, bold), *(Line(line, 3.0) for line in lines)],
    )


class ProofPaper(QObject):
    """Of one reception. Each proof is printed once by itself, and again when somebody asks for it."""

    def __init__(
        self,
        front: Reception,
        clinic: str,
        folder: Path,
        printer: Callable[[Callable[[Paper], None]], ReceiptPrinter] = ReceiptPrinter,
    ) -> None:
        """folder: for proofs that no printer took."""
        super().__init__()
        self._front, self._clinic, self._folder = front, clinic, folder
        self._proof: ErasureProof | None = None
        self._notes: Mailbox[Paper] = Mailbox(self._told)
        self._printer = printer(self._notes.put)
        front.proved.connect(self._print)

    def _print(self) -> None:
        proof = self._front.proof
        if proof is not None and self._printer.submit(lambda: sheet_pdf(proof_sheet(proof, self._clinic))):
            self._proof = proof

    def _told(self, note: Paper) -> None:
        language = self._front.language
        said = self._kept(language) if note in (Paper.NO_PRINTER, Paper.FAILED) else paper_text(note, language)
        if self._proof is self._front.proof:  # else another patient's card is open by now
            self._front.note_proof(said)
        if note is not Paper.PRINTING:
            self._proof = None

    def _kept(self, language: Language) -> str:
        """Keep it as a file. Who was erased is not in it: the event's number is what ties it to the patient's word."""
        if self._proof is None:
            return ""
        file = self._folder / f"{self._proof.event[:8]}.pdf"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(file, sheet_pdf(proof_sheet(self._proof, self._clinic, named=False)))
        except OSError:
            return front_text(Front.PROOF_NOT_KEPT, language)
        return front_text(Front.PROOF_KEPT, language, file=str(file))
