"""The first run of a desk in a window: the same conversation as on a terminal, with buttons and the camera's picture.

What is said and asked is `appliance.cli.setup_dialogue`'s. The conversation has a thread of its own, because a step
takes seconds; it waits there for a button of the window.
"""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from PySide6.QtCore import Property, QObject, Signal, Slot

from appliance.cli.setup_dialogue import Host, NobodyAnswers
from appliance.core.setup_steps import Outcome, SetupProgress, SetupStep
from appliance.core.types import Frame
from appliance.texts import Language, SetupWord, setup_word, step_result, step_text
from kiosk_ui.camera_view import CameraView
from kiosk_ui.framing import frame_face
from kiosk_ui.mailbox import Mailbox
from sync.errors import KnownFailure

_TONES = {Outcome.PASSED: "good", Outcome.SKIPPED: "attention", Outcome.FAILED: "bad"}

Talk = Callable[[Host, SetupStep | None], None]
"""Holds the conversation, about one step or all that are left. Raises NobodyAnswers, KnownFailure."""


@dataclass(frozen=True, slots=True)
class _Said:
    """What the conversation has come to. answers: wanted now, none while a step works. over: it has ended."""

    language: Language
    step: SetupStep | None = None
    title: str = ""
    lines: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    failure: str = ""
    over: bool = False
    progress: SetupProgress = field(default_factory=SetupProgress)


class SetupWizard(QObject):
    """What the QML file sees as `wizard`. It is the conversation's `Host` on the conversation's thread."""

    nowChanged = Signal()  # noqa: N815 - called from QML

    def __init__(self, talk: Talk, progress: Callable[[], SetupProgress], language: Language) -> None:
        """progress: what was kept so far. language: until another one is chosen."""
        super().__init__()
        self._talk, self._progress = talk, progress
        self._said = _Said(language, progress=progress())
        self._answers: queue.Queue[int | None] = queue.Queue()
        self._box: Mailbox[_Said] = Mailbox(self._show)
        self._frames: Mailbox[Frame] = Mailbox(self._paint)
        self._view: CameraView | None = None
        self._thread: threading.Thread | None = None
        self._now: dict[str, object] = {}
        self._offered: list[str] = []
        self._show(replace(self._said, over=True))

    now = Property(dict, lambda self: self._now, notify=nowChanged)

    @property
    def values(self) -> dict[str, object]:
        """What QML holds at this moment."""
        return self._now

    def look_through(self, view: CameraView) -> None:
        """The item that paints what the camera sees."""
        self._view = view

    @Slot()
    def start(self) -> None:
        """Take all steps that are left."""
        self._begin(None)

    @Slot(str)
    def take(self, step: str) -> None:
        """Take one step, again if need be."""
        self._begin(SetupStep(step))

    @Slot(int)
    def answer(self, place: int) -> None:
        """Which answer was pressed; one for each question, and only of those that are shown."""
        if place < len(self._offered):
            self._offered = []
            self._now = {**self._now, "answers": []}
            self.nowChanged.emit()
            self._answers.put(place)

    def close(self) -> None:
        """End the conversation; a step that measures is waited for."""
        self._answers.put(None)
        self._view = None
        if self._thread is not None:
            self._thread.join(30)

    # ---- the host, on the conversation's thread

    def begin(self, step: SetupStep, title: str) -> None:
        """A step begins."""
        self._put(replace(self._said, step=step, title=title, lines=(), answers=(), progress=self._progress()))

    def say(self, text: str) -> None:
        """One line more."""
        self._put(replace(self._said, lines=(*self._said.lines, text), progress=self._progress()))

    def choose(self, answers: list[str]) -> int:
        """Show the answers and wait for one. Raises NobodyAnswers when the window is closed."""
        self._put(replace(self._said, answers=tuple(answers)))
        chosen = self._answers.get()
        self._put(replace(self._said, answers=()))
        if chosen is None:
            raise NobodyAnswers
        return chosen

    def spoken(self, language: Language) -> None:
        """From here on in this language."""
        self._put(replace(self._said, language=language))

    def preview(self, frame: Frame) -> None:
        """What the camera sees; from the camera's thread too."""
        self._frames.put(frame)

    # ---- threads

    def _begin(self, only: SetupStep | None) -> None:
        if self._thread is not None and self._thread.is_alive():
            return
        self._said = _Said(self._said.language, progress=self._said.progress)
        self._answers = queue.Queue()
        self._show(self._said)
        self._thread = threading.Thread(target=self._run, args=(only,), name="setup")
        self._thread.start()

    def _run(self, only: SetupStep | None) -> None:
        failure = ""
        try:
            self._talk(self, only)
        except NobodyAnswers:
            pass
        except KnownFailure as known:
            failure = f"{known.code}: {known.remedy}"
        finally:
            progress = self._progress()
            self._put(replace(self._said, step=None, answers=(), failure=failure, over=True, progress=progress))

    def _put(self, said: _Said) -> None:
        self._said = said
        self._box.put(said)

    # ---- the window

    def _paint(self, frame: Frame) -> None:
        if self._view is not None:
            self._view.show_frame(frame, frame_face(None, frame.width / frame.height, self._view.aspect))

    def _show(self, said: _Said) -> None:
        seeing = said.step in (SetupStep.CAMERA, SetupStep.LIGHT) and not said.answers
        if self._view is not None and not seeing:
            self._view.clear()
        ready = said.progress.following is None
        title, lines = said.title, list(said.lines)
        if said.over and ready:
            title, lines = setup_word(SetupWord.READY, said.language), []
        elif said.over and not lines:
            title = setup_word(SetupWord.INTRO, said.language)
            lines = [setup_word(SetupWord.INTRO_MORE, said.language)]
        self._offered = list(said.answers)
        self._now = {
            "steps": [self._line(step, said) for step in SetupStep],
            "title": title,
            "lines": lines,
            "answers": self._offered,
            "failure": said.failure,
            "over": said.over,
            "ready": ready,
            "seeing": seeing,
            "begin": setup_word(SetupWord.GO_ON, said.language),
        }
        self.nowChanged.emit()

    @staticmethod
    def _line(step: SetupStep, said: _Said) -> dict[str, object]:
        found = said.progress.of(step)
        return {
            "step": step.value,
            "title": step_text(step, said.language),
            "found": step_result(found, said.language) if found else "",
            "tone": _TONES[found.outcome] if found else "plain",
            "current": step is said.step,
        }
