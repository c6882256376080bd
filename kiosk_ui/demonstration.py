"""Plays the demonstration clinic before the window: at the pace of life where somebody watches, else as fast as it can.

It founds a fund and a desk of its own, as `keldim demo` does; nothing here is used by a desk that serves patients.
"""

import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QCoreApplication

from appliance.cli.demo_commands import play_day
from appliance.core.snapshot import Intent, Snapshot
from appliance.core.types import Frame
from appliance.demo.performance import THINKING
from appliance.demo.plan import PLAN
from kiosk_ui.desk import Ended
from kiosk_ui.kiosk import Shown
from kiosk_ui.pictures import Album
from kiosk_ui.program import Program
from kiosk_ui.receipt_qr import code_text
from sync.clock import Clock
from sync.errors import KnownFailure

_CALM = 12
"""Pictures after which who stepped up stands still, and the oval has come to the face."""


class _Headless:
    """On the window's own thread; takes a picture of everything new, and a calmer one where it lasts."""

    patience = THINKING

    def __init__(self, program: Program, album: Album) -> None:
        self._kiosk, self._album = program.kiosk, album
        self._name, self._lasts = "", 0

    def frame(self, frame: Frame) -> None:
        self._kiosk.show_frame(frame)  # each one: the oval is on its way to the face, as in a window

    def shown(self, snapshot: Snapshot, receipt: str) -> None:
        name = ".".join(filter(None, (snapshot.state, snapshot.hint, snapshot.cue)))
        self._kiosk.show(Shown(snapshot, code_text(receipt)))
        self._lasts = self._lasts + 1 if name == self._name else 0
        self._name = name
        if self._album.lacks(name, calm=self._lasts == _CALM):
            QCoreApplication.processEvents()
            self._album.take(name, calm=self._lasts == _CALM)

    def answers(self) -> list[Intent]:
        return []


class Watched:
    """On a thread of its own; whoever is at the window may press the buttons before the people played do."""

    def __init__(self, program: Program, clock: Clock, patience: float, play: Callable[["Watched"], bool]) -> None:
        """play: the day, before this audience; whether all came out as planned."""
        self._program, self._clock, self._play = program, clock, play
        self.patience = patience
        self._pressed: deque[Intent] = deque()
        self._began: float | None = None
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="demonstration")
        self.well = False
        self.failure: KnownFailure | None = None

    def start(self) -> None:
        """Begin to play."""
        self._thread.start()

    def stop(self) -> bool:
        """End with the frame in hand; tells whether it has ended."""
        self._stopped = True
        self._thread.join(30)
        return not self._thread.is_alive()

    def submit(self, intent: Intent) -> None:
        """A button was pressed; from the window's thread."""
        self._pressed.append(intent)

    def _run(self) -> None:
        bug: BaseException | None = None
        try:
            self.well = self._play(self)
        except KnownFailure as failure:
            self.failure = failure
        except KeyboardInterrupt:  # from `frame`: the window was closed
            return
        except BaseException as error:
            bug = error
            raise
        finally:
            self._program.ended(Ended(bug))

    def frame(self, frame: Frame) -> None:
        """Wait for the frame's time, then show it."""
        if self._stopped:
            raise KeyboardInterrupt
        now = self._clock.monotonic()
        self._began = now - frame.at if self._began is None else self._began
        early = self._began + frame.at - now
        if early > 0:
            self._clock.sleep(early)
        else:
            self._began -= early  # whoever was late does not hurry after
        self._program.preview(frame)

    def shown(self, snapshot: Snapshot, receipt: str) -> None:
        """Show it."""
        self._program.publish(Shown(snapshot, code_text(receipt)))

    def answers(self) -> list[Intent]:
        """What was pressed since the last frame."""
        pressed = []
        while self._pressed:
            pressed.append(self._pressed.popleft())
        return pressed


def watch(program: Program, clock: Clock, packs: Path, folder: Path | None, patience: float, visits: int) -> bool:
    """Play the day for somebody at the window; whether all came out as planned, which buttons may change.

    patience: seconds for which the people played wait for a button before they press it themselves. visits: how many
    are played, from the first.
    """
    day = Watched(
        program, clock, patience, lambda audience: play_day(packs, folder, plan=PLAN[:visits], audience=audience)
    )
    program.run(day)
    if day.failure is not None:
        raise day.failure
    return day.well


def photograph(program: Program, packs: Path, folder: Path | None, pictures: Path, *, as_json: bool = False) -> bool:
    """Play the day without waiting and save a picture of every state; whether all came out as planned."""
    album = Album(pictures, program.window, program.kiosk)
    try:
        well = play_day(packs, folder, as_json=as_json, audience=_Headless(program, album))
        album.complete()
        return well
    finally:
        program.close()
