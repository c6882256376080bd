"""The window on a real X server, pressed by a real pointer: from an empty screen to a receipt at the fund."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPointF

from tests.kiosk.conftest import Stand, painted, qapp_cls, stand
from tests.kiosk.test_window import show

__all__ = ["painted", "qapp_cls", "stand"]

ROOT = Path(__file__).parents[2]
LONGEST_S = 150.0


@pytest.fixture
def display() -> Iterator[str]:
    """An X server without a screen, at a number that nobody has."""
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset"]
    server = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    with os.fdopen(reading) as told:
        number = told.readline().strip()
    yield f":{number}"
    server.terminate()
    server.wait(10)


def place_of(stand: Stand, name: str) -> tuple[int, int]:
    """Where the middle of a button is in a window of this size."""
    item = stand.item(name)
    middle = item.mapToScene(QPointF(item.width() / 2, item.height() / 2)).toPoint()
    return middle.x(), middle.y()


def test_a_patient_is_confirmed_by_a_press_on_the_screen(
    stand: Stand, display: str, pack_path: Path, tmp_path: Path
) -> None:
    """A drawn patient steps up before the real pack and answers the challenge; the button is pressed by the pointer.

    The patient played would wait for ten minutes: only the press can have confirmed. The command checks the event at
    the fund, and says so by its exit code.
    """
    show(stand, "confirm")
    x, y = place_of(stand, "answer-confirm")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("QT_QPA")}
    environment |= {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "KELDIM_PACKS": str(pack_path.parent)}
    command = [sys.executable, "-m", "kiosk_ui", "demo", "--visits", "1", "--patience", "600"]
    with (tmp_path / "log").open("wb") as log:
        window = subprocess.Popen(
            [*command, "--dir", str(tmp_path / "clinic")], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
        end, presses = time.monotonic() + LONGEST_S, 0
        while window.poll() is None and time.monotonic() < end:
            pressed = subprocess.run(
                ["xdotool", "mousemove", str(x), str(y), "click", "1"], env=environment, check=False
            )
            presses += pressed.returncode == 0
            time.sleep(0.5)
        if window.poll() is None:
            window.kill()
    said = (tmp_path / "log").read_text(errors="replace")
    assert window.returncode == 0, said[-2000:]
    assert presses > 3
    assert "aigul: receipt" in said
