"""What the window lacks on a machine is told by the loader, and named as Debian names it."""

import shutil
import subprocess
from pathlib import Path

import pytest

from appliance.core.errors import WindowUnusable
from appliance.window_libraries import ask_loader, compositor_lacks, missing_libraries, packages_of, window_files
from tests.architecture.source import ROOT

PACKAGES = {
    line for line in (ROOT / "requirements/debian-window.txt").read_text().split("\n") if line and line[0] != "#"
}
SAID = """\tlinux-vdso.so.1 (0x00007ffd)
\tlibxcb-cursor.so.0 => not found
\tlibX11.so.6 => /lib/x86_64-linux-gnu/libX11.so.6 (0x00007f)
\tlibxkbcommon-x11.so.0 => not found
"""


def test_what_the_loader_does_not_find_is_named_once() -> None:
    """Two files that lack the same library make one line."""
    assert missing_libraries([Path("a"), Path("b")], lambda _: SAID) == ("libxcb-cursor.so.0", "libxkbcommon-x11.so.0")
    assert missing_libraries([Path("a")], lambda _: SAID.replace("not found", "/lib/x")) == ()


@pytest.mark.parametrize(
    ("library", "package"),
    [
        ("libxcb-cursor.so.0", "libxcb-cursor0"),
        ("libX11.so.6", "libx11-6"),
        ("libX11-xcb.so.1", "libx11-xcb1"),
        ("libxkbcommon-x11.so.0", "libxkbcommon-x11-0"),
        ("libdbus-1.so.3", "libdbus-1-3"),
        ("libglib-2.0.so.0", "libglib2.0-0"),
        ("libbrotlidec.so.1", "libbrotli1"),
        ("libEGL.so.1", "libegl1"),
        ("libwayland-cursor.so.0", "libwayland-cursor0"),
    ],
)
def test_a_library_is_in_the_package_that_set_up_installs(library: str, package: str) -> None:
    """The names of Debian 12, as requirements/debian-window.txt has them."""
    assert packages_of([library]) == (package,)
    assert package in PACKAGES


def test_for_qts_own_libraries_there_is_no_package() -> None:
    """They come with the wheel; a file without a version is named as it is."""
    assert packages_of(["libQt6Gui.so.6", "libodd.so"]) == ("libodd.so",)


def test_the_real_files_are_asked_about() -> None:
    """Qt's platforms for X11, Wayland and no screen are in the wheel, and the real loader reads each."""
    files = window_files()
    assert {file.name for file in files} >= {"libqxcb.so", "libqwayland.so", "libqoffscreen.so"}
    assert all("libQt6Gui.so.6" in ask_loader(file) for file in files)


def test_the_real_loader_tells_what_is_not_there(tmp_path: Path) -> None:
    """A plug-in away from its libraries lacks Qt's; none of the system's packages would help."""
    plugin = next(file for file in window_files() if file.name == "libqxcb.so")
    shutil.copy(plugin, tmp_path)
    lacking = missing_libraries([tmp_path / plugin.name])
    assert {"libQt6Gui.so.6", "libQt6XcbQpa.so.6"} <= set(lacking)
    assert "libQt6Gui.so.6" not in packages_of(lacking)


def test_debian_agrees_with_the_rule() -> None:
    """Each library that Qt takes from this machine: dpkg's owner, where it is one of our list, is the rule's."""
    paths = {
        name: Path(line.split()[2]).resolve()
        for file in window_files()
        for line in ask_loader(file).splitlines()
        if "=> /" in line and "site-packages" not in line
        for name in [line.split()[0]]
    }
    command = ["dpkg-query", "--search", *(str(path) for path in paths.values())]
    owned = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    owners = {path: owner.split(":")[0] for owner, _, path in (line.partition(": ") for line in owned)}
    known = {name: owners.get(str(path), "") for name, path in paths.items()}
    wrong = {name: owner for name, owner in known.items() if owner in PACKAGES and packages_of([name]) != (owner,)}
    assert wrong == {}
    assert len(PACKAGES & set(known.values())) >= 3


def test_a_file_that_is_no_library_is_a_known_failure(tmp_path: Path) -> None:
    """A damaged wheel."""
    broken = tmp_path / "libqxcb.so"
    broken.write_text("no library")
    with pytest.raises(WindowUnusable, match="cannot read"):
        missing_libraries([broken])


def test_a_compositor_that_would_not_start_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cage without Xwayland; a desk without cage needs neither."""
    monkeypatch.setenv("PATH", str(tmp_path))
    lacking = [compositor_lacks()]
    for name in ("cage", "Xwayland"):
        (tmp_path / name).touch(mode=0o755)
        lacking.append(compositor_lacks())
    assert lacking == [(), ("xwayland",), ()]
