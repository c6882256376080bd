"""Before Qt is imported: what it must find, and whether anybody would see its window."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.core.errors import ScreenMissing
from kiosk_ui.environment import prepare


@pytest.mark.parametrize(
    ("given", "platform", "seen", "plugin"),
    [
        ({}, "linux", False, "offscreen"),
        ({"DISPLAY": "", "WAYLAND_DISPLAY": ""}, "linux", False, "offscreen"),
        ({"DISPLAY": ":0"}, "linux", True, None),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True, None),
        ({"QT_QPA_PLATFORM": "linuxfb"}, "linux", True, "linuxfb"),
        ({}, "win32", True, None),
    ],
)
def test_the_screen_is_where_the_session_says(
    given: dict[str, str], platform: str, seen: bool, plugin: str | None
) -> None:
    """Elsewhere than on Linux no variable says so, and Qt finds it."""
    assert prepare(given, platform) is seen
    assert given.get("QT_QPA_PLATFORM") == plugin


def test_what_opencv_left_behind_goes_and_the_users_settings_stay() -> None:
    """Plug-ins of another Qt; the render loop is not the user's to choose."""
    given = {
        "QT_QPA_PLATFORM_PLUGIN_PATH": "/x/cv2/qt/plugins",
        "QT_QPA_FONTDIR": "/fonts",
        "QSG_RENDER_LOOP": "threaded",
    }
    prepare(given, "linux")
    assert "QT_QPA_PLATFORM_PLUGIN_PATH" not in given
    assert (given["QT_QPA_FONTDIR"], given["QSG_RENDER_LOOP"]) == ("/fonts", "basic")


def test_a_window_that_nobody_would_see_is_not_opened(tmp_path: Path) -> None:
    """A unit without a screen would look well, and every patient would stand before a black one."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("QT_", "DISPLAY", "WAYLAND"))}
    done = subprocess.run(
        [sys.executable, "-m", "kiosk_ui", "kiosk", "--home", str(tmp_path / "desk"), "--images", str(tmp_path)],
        env=bare,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (ScreenMissing("").exit_code, "")
    assert ScreenMissing.code in done.stderr
    assert not (tmp_path / "desk").exists()
