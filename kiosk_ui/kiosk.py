"""Between the desk and the patient's window: snapshots become properties that QML shows, taps become intents.

It keeps what is the window's own and no more: the language, the digits being typed, what surrounds the visit. The state
of the visit is the station's. Lives on the window's thread.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PySide6.QtCore import Property, QObject, Signal, Slot

from appliance.core.iin import Iin
from appliance.core.session import State
from appliance.core.snapshot import Intent, IntentKind, Snapshot
from appliance.core.types import Frame, Instant, Sensitive
from appliance.paper_texts import Paper, paper_text
from appliance.texts import Label, Language, answer_text, screen_text
from kiosk_ui.camera_view import CameraView
from kiosk_ui.framing import REST, Framing, approach, frame_face
from kiosk_ui.mute import Mute
from kiosk_ui.pad import Pad
from kiosk_ui.screen import PRINT, Button, Screen, Surroundings, render, starting

_TYPING = (State.FALLBACK, State.STILL_THERE)
"""States in which what was typed is kept; whoever is asked whether they are still there may go on."""

_WORDS = (
    *("state", "scene", "language", "headline", "detail", "second", "tone", "cue"),
    *("offline", "training", "clinic"),
)
_LIVE = ("note", "progress", "left", "clock", "lamp", "grown")

DOUBLE_TAP_S = 0.5
"""A press so soon after a screen has changed was meant for the one before: a second tap, not an answer."""

Values = dict[str, object]
"""Names and values as QML reads them: texts, numbers, truth values, and lists of such maps."""


@dataclass(frozen=True, slots=True, repr=False)
class Shown(Sensitive):
    """A snapshot with what the desk adds to it. receipt: what the code of the receipt holds, empty without one."""

    snapshot: Snapshot
    receipt: str = ""
    offline: bool = False


class Kiosk(QObject):
    """What the QML files see as `kiosk`. Every value they show is in `words`, `live` or `typed`."""

    printed = Signal(str)
    """The receipt that the patient wants on paper."""
    hushed = Signal(bool)
    """The voice was turned off (true), or is to be heard again."""

    def __init__(self, language: Language, send: Callable[[Intent], None], unread_s: float = DOUBLE_TAP_S) -> None:
        """language: the desk's own, to which an idle screen returns. send: where answers go.

        unread_s: for how long a new screen takes no answer.
        """
        super().__init__()
        self._default = self._language = language
        self._send = send
        self._around = Surroundings()
        self._shown: Shown | None = None
        self._unread_s, self._since = unread_s, Instant(0.0)
        self._pad = Pad()
        self._wrong = 0
        self._view: CameraView | None = None
        self._framing: Framing | None = None
        self._words: Values = {}
        self._live: Values = {"ovalX": REST[0], "ovalY": REST[1], "mm": 4.0, "paper": "", "muted": False}
        self._typed: Values = {}
        self._buttons: Values = {}
        self._mute = Mute()
        self._refresh()

    # A map is replaced only when something in it has changed: what stands still costs nothing, and buttons stay the
    # same objects, pressed or with the keyboard on them, while a hint changes and a countdown runs.
    wordsChanged, liveChanged, typedChanged = Signal(), Signal(), Signal()  # noqa: N815 - QML knows them by these names
    buttonsChanged = Signal()  # noqa: N815 - as above
    words = Property(dict, lambda self: self._words, notify=wordsChanged)
    """What a state says."""
    buttons = Property(dict, lambda self: self._buttons, notify=buttonsChanged)
    """What a state offers."""
    live = Property(dict, lambda self: self._live, notify=liveChanged)
    """What changes while a state lasts: progress, countdown, clock, where the oval and the dot are."""
    typed = Property(dict, lambda self: self._typed, notify=typedChanged)
    """The pad."""

    @property
    def values(self) -> Mapping[str, object]:
        """Everything that QML holds at this moment."""
        return {**self._words, **self._buttons, **self._live, **self._typed}

    # ---- from the desk

    def show(self, shown: Shown) -> None:
        """Put the newest snapshot on the screen."""
        seen, last = shown.snapshot, self._shown.snapshot if self._shown else None
        self._shown = shown
        new, over = last is None or seen.state is not last.state, last is not None and _over(last, seen)
        if over or seen.state not in _TYPING:
            self._pad = Pad()
        if new or over:
            self._since = seen.at
            self._put_live({"paper": ""})
        if over or (new and seen.state is State.IDLE):
            self._language = self._default
        self._set_mute(self._mute.follow(seen.state, seen.at, over=over))
        if shown.snapshot.wrong != self._wrong:
            self._wrong = shown.snapshot.wrong
            self._pad = Pad()
        self._refresh()

    def show_frame(self, frame: Frame) -> None:
        """Paint the newest picture of the camera, framed on the face that the desk sees."""
        if self._view is None:
            return
        face = self._shown.snapshot.face if self._shown else None
        wanted = frame_face(face, frame.width / frame.height, self._view.aspect)
        self._framing = approach(self._framing or wanted, wanted)
        self._put_live({"ovalX": round(self._framing.oval_x, 3), "ovalY": round(self._framing.oval_y, 3)})
        self._view.show_frame(frame, self._framing)

    def take_document(self, iin: Iin) -> None:
        """The camera read this from a document, while the number was being asked for."""
        if self._shown is not None and self._shown.snapshot.state is State.FALLBACK and not self._pad.coding:
            self._pad = self._pad.read(iin)
            self._stay()
            self._refresh()

    def note_printing(self, note: Paper) -> None:
        """How the printing of the receipt on the screen goes."""
        if self._shown is not None and self._shown.snapshot.receipt:
            self._put_live({"paper": paper_text(note, self._language)})

    def surround(self, around: Surroundings) -> None:
        """What is told beside the visit."""
        if around != self._around:
            self._around = around
            self._refresh()

    def set_default(self, language: Language) -> None:
        """The language to which an idle screen returns."""
        self._default = language
        if self._shown is None or self._shown.snapshot.state is State.IDLE:
            self.set_language(language)

    def set_density(self, pixels_per_mm: float) -> None:
        """How many pixels of the window's screen are a millimetre: what is touched is measured in those."""
        self._put_live({"mm": round(pixels_per_mm, 3)})

    def look_through(self, view: CameraView) -> None:
        """The item that paints the preview."""
        self._view = view

    @property
    def receipt(self) -> str:
        """What the code of the receipt on the screen holds; empty without one."""
        return self._shown.receipt if self._shown else ""

    @property
    def language(self) -> Language:
        """The language of the screen."""
        return self._language

    # ---- from the patient

    @Slot(str, str)
    def answer(self, intent: str, service: str) -> None:
        """A button was pressed."""
        if self._shown is None or 0 <= self._shown.snapshot.at - self._since < self._unread_s:
            return
        if intent == PRINT:
            self.printed.emit(self.receipt)
            return
        self._send(Intent(IntentKind(intent), service))

    @Slot(str)
    def speak(self, language: str) -> None:
        """Another language was chosen."""
        self._stay()
        self.set_language(Language(language))

    def set_language(self, language: Language) -> None:
        """Say everything in this language from now on."""
        self._language = language
        self._refresh()

    @Slot()
    def mute(self) -> None:
        """The voice is to be silent until the visit is over, or to be heard again."""
        self._stay()
        self._set_mute(self._mute.pressed(self._shown.snapshot.at if self._shown else Instant(0.0)))

    def _set_mute(self, mute: Mute) -> None:
        before, self._mute = self._mute, mute
        if mute.on is not before.on:
            self._put_live({"muted": mute.on})
            self.hushed.emit(mute.on)

    @Slot(str)
    def digit(self, digit: str) -> None:
        """A key of the pad was pressed."""
        self._pad = self._pad.type(digit)
        self._stay()
        self._refresh()

    @Slot()
    def erase(self) -> None:
        """The last digit was a slip."""
        self._pad = self._pad.erase()
        self._stay()
        self._refresh()

    @Slot()
    def next(self) -> None:
        """The number is complete: go on to the code, or hand both in."""
        if self._pad.coding:
            self._send(Intent(IntentKind.IDENTIFY, iin=self._pad.iin, code=self._pad.code))
        else:
            self._pad = self._pad.next()
            self._stay()
        self._refresh()

    @Slot()
    def withoutCode(self) -> None:  # noqa: N802 - called from QML
        """Who has no code is helped by reception, which sees who they say they are."""
        self._send(Intent(IntentKind.IDENTIFY, iin=self._pad.iin))

    def _stay(self) -> None:
        """Whoever types is there."""
        if self._shown is not None and self._shown.snapshot.state in (State.FALLBACK, State.CHOOSE, State.CONFIRM):
            self._send(Intent(IntentKind.STAY))

    # ---- to QML

    def _refresh(self) -> None:
        if self._shown is None:
            screen = starting(self._around, self._language)
        else:
            screen = render(self._shown.snapshot, self._around, self._language)
        self._put_words(screen)
        self._put_buttons(screen)
        self._put_live({name: getattr(screen, name) for name in _LIVE} | {"dotX": screen.dot[0], "dotY": screen.dot[1]})
        self._put_typed()

    def _put_words(self, screen: Screen) -> None:
        number = screen_text(Label.RECEIPT_NUMBER, self._language, number=screen.number) if screen.number else ""
        words: Values = {name: str(getattr(screen, name)) for name in _WORDS}
        words |= {
            "number": number,
            "scan": screen_text(Label.SCAN_RECEIPT, self._language),
            "code": self.receipt,
            "service": screen.service[0],
            "place": screen.service[1],
            "picture": screen.picture[0],
            "pictureName": screen.picture[1],
            "voice": self._around.voice,
            "soundOff": screen_text(Label.SOUND_OFF, self._language),
            "soundOn": screen_text(Label.SOUND_ON, self._language),
        }
        if words != self._words:
            self._words = words
            self.wordsChanged.emit()

    def _put_buttons(self, screen: Screen) -> None:
        buttons: Values = {
            "choices": [{**_plain(button), "name": name, "place": at} for button, name, at in screen.choices],
            "answers": [_plain(button) for button in screen.answers],
            "bottom": [_plain(button) for button in screen.bottom],
            "languages": [{"code": code, "name": name} for code, name in screen.languages],
        }
        if buttons != self._buttons:
            self._buttons = buttons
            self.buttonsChanged.emit()

    def _put_live(self, values: Values) -> None:
        live = self._live | values
        if live != self._live:
            self._live = live
            self.liveChanged.emit()

    def _put_typed(self) -> None:
        pad, language = self._pad, self._language
        wrong = Label.PAD_BAD_IIN if pad.mistaken else Label.PAD_WRONG if self._wrong else None
        typed: Values = {
            "title": screen_text(Label.PAD_CODE if pad.coding else Label.PAD_IIN, language),
            "scan": "" if pad.coding else screen_text(Label.PAD_SCAN, language),
            "typed": pad.masked,
            "error": screen_text(wrong, language) if wrong else "",
            "complete": pad.complete,
            "coding": pad.coding,
            "erase": screen_text(Label.PAD_ERASE, language),
            "next": answer_text(IntentKind.IDENTIFY, language),
            "noCode": screen_text(Label.PAD_NO_CODE, language),
        }
        if typed != self._typed:
            self._typed = typed
            self.typedChanged.emit()


def _over(before: Snapshot, now: Snapshot) -> bool:
    """Whether a visit ended between two snapshots: somebody may stand there already, and no idle screen be seen."""
    return now.visit != before.visit or (now.state is State.IDLE and before.state is not State.IDLE)


def _plain(button: Button) -> dict[str, str]:
    return {"intent": button.intent, "text": button.text, "weight": button.weight, "service": button.service}
