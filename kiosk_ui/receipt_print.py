"""Prints receipts behind the window: one at a time, on a thread of its own, and says in a word how it went.

Drawing is `receipt_pdf`'s, the way to the printer `appliance.printing`'s. A printer that waits for paper or does not
answer holds up this thread and nothing else.
"""

import logging
import math
import threading
from collections.abc import Callable

from appliance.core.errors import PrinterFailed
from appliance.paper_texts import Paper
from appliance.printing import list_printers, print_document

_LOG = logging.getLogger(__name__)

LOOK_S = 20.0
"""How soon a printer that is switched on is found: CUPS answers in a hundredth of a second."""


class ReceiptPrinter:
    """The default printer, wherever the desk has one. May be called from any thread."""

    def __init__(
        self,
        tell: Callable[[Paper], None],
        printers: Callable[[], tuple[str, ...]] = list_printers,
        hand_over: Callable[[str, bytes], None] = print_document,
    ) -> None:
        """tell: gets each note for the patient, on the printer's thread."""
        self._tell, self._printers, self._hand_over = tell, printers, hand_over
        self._busy = threading.Lock()
        self._looked = -math.inf
        self._look: threading.Thread | None = None

    def watch(self, now: float, found: Callable[[bool], None]) -> None:
        """Ask, without waiting, whether there is a printer: at once, then every `LOOK_S` while it is called.

        One may be switched on, or away, at any time of the day. now: monotonic seconds. found: gets each answer on
        another thread.
        """
        if now - self._looked < LOOK_S or (self._look is not None and self._look.is_alive()):
            return
        self._looked = now
        self._look = threading.Thread(target=lambda: found(bool(self._printers())), name="printers", daemon=True)
        self._look.start()

    def submit(self, draw: Callable[[], bytes]) -> bool:
        """Print what `draw` gives, a PDF; it is called on the printer's thread. False: one is being printed already.

        A second press of an impatient patient is not a second receipt.
        """
        if not self._busy.acquire(blocking=False):
            return False
        threading.Thread(target=self._print, args=(draw,), name="printer", daemon=True).start()
        return True

    def _print(self, draw: Callable[[], bytes]) -> None:
        try:
            self._tell(Paper.PRINTING)
            note = self._printed(draw)
        finally:
            self._busy.release()
        self._tell(note)

    def _printed(self, draw: Callable[[], bytes]) -> Paper:
        names = self._printers()
        if not names:
            return Paper.NO_PRINTER
        try:
            self._hand_over(names[0], draw())
        except PrinterFailed as failure:
            _LOG.warning("a receipt was not printed: %s %s", failure.code, failure)
            return Paper.FAILED
        return Paper.HANDED_OVER
