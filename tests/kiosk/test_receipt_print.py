"""Printing never holds up the window, prints once, and says how it went."""

import threading
from queue import SimpleQueue

from appliance.core.errors import PrinterFailed
from appliance.paper_texts import Paper
from kiosk_ui.receipt_print import LOOK_S, ReceiptPrinter

WAIT_S = 20.0


class Tray:
    """A printer that takes documents when it may, and what was told."""

    def __init__(self, names: tuple[str, ...] = ("Receipts", "Office"), *, broken: bool = False) -> None:
        self.paper: list[tuple[str, bytes]] = []
        self.told: SimpleQueue[Paper] = SimpleQueue()
        self.loaded = threading.Event()
        self._broken = broken
        self.printer = ReceiptPrinter(self.told.put, lambda: names, self._take)

    def _take(self, name: str, content: bytes) -> None:
        self.loaded.wait(WAIT_S)
        if self._broken:
            raise PrinterFailed("lp ended with code 1")
        self.paper.append((name, content))

    def notes(self, count: int) -> list[Paper]:
        """The next notes."""
        return [self.told.get(timeout=WAIT_S) for _ in range(count)]


def test_a_receipt_goes_to_the_default_printer() -> None:
    """Once, and the patient is told."""
    tray = Tray()
    tray.loaded.set()
    assert tray.printer.submit(lambda: b"%PDF")
    assert tray.notes(2) == [Paper.PRINTING, Paper.HANDED_OVER]
    assert tray.paper == [("Receipts", b"%PDF")]


def test_a_printer_without_paper_holds_nothing_up() -> None:
    """Handing in returns at once; pressing again meanwhile prints nothing more; afterwards it works again."""
    tray = Tray()
    assert tray.printer.submit(lambda: b"1")
    assert tray.notes(1) == [Paper.PRINTING]
    assert not tray.printer.submit(lambda: b"2")
    assert tray.paper == []
    tray.loaded.set()
    assert tray.notes(1) == [Paper.HANDED_OVER]
    assert tray.printer.submit(lambda: b"3")
    assert tray.notes(2) == [Paper.PRINTING, Paper.HANDED_OVER]
    assert [content for _, content in tray.paper] == [b"1", b"3"]


def test_without_a_printer_nothing_is_drawn() -> None:
    """And the patient is pointed to the code on the screen."""
    tray, drawn = Tray(()), []

    def draw() -> bytes:
        drawn.append(1)
        return b""

    tray.printer.submit(draw)
    assert tray.notes(2) == [Paper.PRINTING, Paper.NO_PRINTER]
    assert drawn == []


def test_a_printer_that_fails_is_told_and_may_be_tried_again() -> None:
    """A known failure of the printer, in words for the patient."""
    tray = Tray(broken=True)
    tray.loaded.set()
    for _ in range(2):
        assert tray.printer.submit(lambda: b"1")
        assert tray.notes(2) == [Paper.PRINTING, Paper.FAILED]


def test_a_printer_that_is_switched_on_later_is_found() -> None:
    """The answer comes by itself, at once and then every twenty seconds, and not more often."""
    found: SimpleQueue[bool] = SimpleQueue()
    names: list[tuple[str, ...]] = [(), ("Receipts",)]
    printer = ReceiptPrinter(lambda _: None, lambda: names.pop(0))
    printer.watch(5.0, found.put)
    assert found.get(timeout=WAIT_S) is False
    printer.watch(5.0 + LOOK_S - 1, found.put)
    assert len(names) == 1
    while names:  # the thread of the first answer may still be ending
        printer.watch(5.0 + LOOK_S, found.put)
    assert found.get(timeout=WAIT_S) is True
