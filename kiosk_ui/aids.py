"""What helps a patient beside the window: the document reader, the voice and the printer, put together for one kiosk.

A composition: what each does is its own module's. Everything here is called on the window's thread unless it says
otherwise; slow work happens on threads of the reader and the printer.
"""

from dataclasses import dataclass

from appliance.core.iin import Iin
from appliance.core.session import State
from appliance.core.types import Frame
from appliance.paper_texts import Paper
from kiosk_ui.kiosk import Kiosk, Shown
from kiosk_ui.mailbox import Mailbox
from kiosk_ui.receipt_pdf import paper_receipt, receipt_pdf
from kiosk_ui.receipt_print import ReceiptPrinter
from kiosk_ui.scanning import DocumentReader
from kiosk_ui.voice import Voice
from kiosk_ui.voice_speaker import Speaker


@dataclass(frozen=True, slots=True)
class Sound:
    """What speaks and rings, and how loud: 0..1, nothing at 0. speaks: it has a voice."""

    speaker: Speaker
    volume: float
    speaks: bool = True

    @property
    def heard(self) -> bool:
        """Whether there is a voice that could be turned off."""
        return self.speaks and self.volume > 0.0


class Aids:
    """Of one kiosk. `frame` may be called from any thread."""

    def __init__(self, kiosk: Kiosk, sound: Sound | None) -> None:
        """sound: None for a window that never speaks."""
        self._kiosk = kiosk
        self._shown: Shown | None = None
        self._state = State.IDLE
        self._clinic = ""
        self._read: Mailbox[Iin] = Mailbox(kiosk.take_document)
        self._notes: Mailbox[Paper] = Mailbox(self._told)
        self._printing = ""
        self._reader = DocumentReader(self._read.put)
        self._printer = ReceiptPrinter(self._notes.put)
        self._voice = None if sound is None else Voice(sound.speaker, volume=sound.volume)
        kiosk.printed.connect(self._print)
        kiosk.hushed.connect(self._mute)

    @property
    def printer(self) -> ReceiptPrinter:
        """To be asked whether there is one."""
        return self._printer

    def frame(self, frame: Frame) -> None:
        """A new picture of the camera; from any thread."""
        self._reader.put(frame, self._state)

    def show(self, shown: Shown, clinic: str, now: float) -> None:
        """A new snapshot, and the clinic's name for the paper; now: monotonic seconds."""
        self._shown, self._clinic, self._state = shown, clinic, shown.snapshot.state
        self.tick(now)

    def tick(self, now: float) -> None:
        """Time goes on, about once a second: a hint that has stood is spoken."""
        if self._voice is not None and self._shown is not None:
            seen = self._shown.snapshot
            self._voice.look(seen.state, seen.hint, seen.cue, self._kiosk.language, now)

    def close(self) -> None:
        """Fall silent and read nothing any more. A receipt that is being printed is printed."""
        self._reader.close()
        if self._voice is not None:
            self._voice.close()

    def _mute(self, on: bool) -> None:
        if self._voice is not None:
            self._voice.mute(on=on)

    def _print(self) -> None:
        if self._shown is None or not self._shown.snapshot.receipt:
            return
        language = self._kiosk.language
        paper = paper_receipt(self._shown.snapshot, self._shown.receipt, self._clinic, language)
        if self._printer.submit(lambda: receipt_pdf(paper, language)):
            self._printing = self._shown.snapshot.receipt

    def _told(self, note: Paper) -> None:
        """A slow printer's word may come when the next patient's receipt is on the screen: it is not about that one."""
        if self._shown is not None and self._shown.snapshot.receipt == self._printing:
            self._kiosk.note_printing(note)
