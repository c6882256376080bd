"""The window on real screens, pressed by a real pointer: from an empty screen to a receipt at the fund.

On an X server as a reception PC has it, and in the compositor that a kiosk runs alone; both at once, since each mostly
waits for the patient who is played.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPointF

from appliance.opencv import cv2
from tests.e2e.sandbox import NOBODY
from tests.kiosk.conftest import Stand, painted, qapp_cls, stand
from tests.kiosk.test_window import show

__all__ = ["painted", "qapp_cls", "stand"]

ROOT = Path(__file__).parents[2]
LONGEST_S = 150.0

GROUND, PRESSED = (0x26, 0x16, 0x0B), (0x3D, 0x80, 0x15)
"""The window's ground, and the button that confirms: BGR."""


@contextmanager
def x_server() -> Iterator[str]:
    """An X server without a screen, at a number that nobody has."""
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset"]
    server = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    with os.fdopen(reading) as told:
        number = told.readline().strip()
    try:
        yield f":{number}"
    finally:
        server.terminate()
        server.wait(10)


@dataclass
class Outfit:
    """A window somewhere. wrapped: what it runs in. seen: pictures of the screen, before presses."""

    environment: dict[str, str]
    wrapped: tuple[str, ...]
    place: tuple[int, int]
    log: Path
    seen: list[NDArray[np.uint8]] = field(default_factory=list)
    presses: int = 0
    window: "subprocess.Popen[bytes] | None" = None

    def start(self, folder: Path) -> None:
        """The patient played would wait for ten minutes: only a press confirms."""
        command = [*self.wrapped, sys.executable, "-m", "kiosk_ui", "demo", "--visits", "1", "--patience", "600"]
        with self.log.open("wb") as log:
            self.window = subprocess.Popen(
                [*command, "--fullscreen", "--dir", str(folder)], cwd=ROOT, env=self.environment, stdout=log, stderr=log
            )

    def press(self) -> bool:
        """Once; tells whether the window is still there.

        Where the button will be; in the compositor beside it, until a picture shows the question: else it could be
        answered between the picture and the press.
        """
        if self.window is None or self.window.poll() is not None:
            return False
        x, y = self.place
        if self.wrapped:
            self._look()
            x = x if self.seen and self.asked(self.seen[-1]) else 4
        move = ["xdotool", "mousemove", str(x), str(y), "click", "1"]
        self.presses += subprocess.run(move, env=self.environment, check=False).returncode == 0
        return True

    def asked(self, picture: NDArray[np.uint8]) -> bool:
        """Whether the button is on the screen."""
        x, y = self.place
        return bool(np.abs(picture[y + 25, x].astype(int) - PRESSED).max() < 8)

    def _look(self) -> None:
        shot = subprocess.run(["grim", "-"], env=self.environment, capture_output=True, check=False)
        if shot.returncode == 0:
            self.seen.append(np.asarray(cv2.imdecode(np.frombuffer(shot.stdout, np.uint8), cv2.IMREAD_COLOR), np.uint8))

    @property
    def said(self) -> str:
        """What the program printed."""
        return self.log.read_text(errors="replace")

    def check(self) -> None:
        """The press confirmed; the command has checked the event at the fund, and says so by its exit code."""
        assert self.window is not None
        if self.window.poll() is None:
            self.window.kill()
        assert self.window.wait(10) == 0, self.said[-2000:]
        assert self.presses > 3
        assert "aigul: receipt" in self.said
        assert "not everything came out as planned" not in self.said


def place_of(stand: Stand, name: str, size: tuple[int, int]) -> tuple[int, int]:
    """Where the middle of a button is in a window of this size."""
    stand.window.resize(*size)
    show(stand, "confirm")
    item = stand.item(name)
    middle = item.mapToScene(QPointF(item.width() / 2, item.height() / 2)).toPoint()
    return middle.x(), middle.y()


@pytest.fixture
def outfits(stand: Stand, pack_path: Path, tmp_path: Path) -> Iterator[dict[str, Outfit]]:
    """An X server, and another one with the kiosk's compositor on it, because only there a pointer can be moved."""
    plain = {key: value for key, value in os.environ.items() if not key.startswith(("QT_QPA", "WAYLAND"))}
    plain |= {"KELDIM_PACKS": str(pack_path.parent)}
    with ExitStack() as stack:
        first, second = (stack.enter_context(x_server()) for _ in range(2))
        runtime = stack.enter_context(tempfile.TemporaryDirectory(prefix="keldim"))  # a socket's path is short
        x11 = plain | {"DISPLAY": first, "QT_QPA_PLATFORM": "xcb"}
        cage = plain | {"DISPLAY": second, "QT_QPA_PLATFORM": "wayland", "QV4_FORCE_INTERPRETER": "1"}
        cage |= {"XDG_RUNTIME_DIR": runtime, "WAYLAND_DISPLAY": "wayland-0"}
        cage |= {"WLR_BACKENDS": "x11", "WLR_RENDERER": "pixman", "WLR_LIBINPUT_NO_DEVICES": "1"}
        compositor = ("bwrap", *NOBODY, "--die-with-parent", "--dev-bind", "/", "/", "--", "cage", "-d", "--")
        places = {size: place_of(stand, "answer-confirm", size) for size in ((1280, 800), (1024, 768))}
        yield {
            "x11": Outfit(x11, (), places[1280, 800], tmp_path / "x11.log"),
            "cage": Outfit(
                cage,
                compositor,
                places[1024, 768],
                tmp_path / "cage.log",
            ),
        }


def test_a_patient_is_confirmed_by_a_press_on_the_screen(outfits: dict[str, Outfit], tmp_path: Path) -> None:
    """A drawn patient steps up before the real pack and answers the challenge; the button is pressed by the pointer.

    In the compositor the window fills the screen, without a frame or a way to close it.
    """
    for name, outfit in outfits.items():
        outfit.start(tmp_path / name)
    end = time.monotonic() + LONGEST_S
    while sum(outfit.press() for outfit in outfits.values()) and time.monotonic() < end:
        time.sleep(0.5)
    for outfit in outfits.values():
        outfit.check()
    cage = outfits["cage"]
    asked = [picture for picture in cage.seen if cage.asked(picture)]
    assert asked, "the question was never on the screen"
    assert asked[0].shape == (768, 1024, 3)
    for edge in (asked[0][:4], asked[0][:, :4], asked[0][:, -4:]):
        assert np.abs(edge.astype(int) - GROUND).max() < 8
