"""Which system libraries the window lacks on this machine, and in which Debian packages they are.

Qt comes as a wheel that brings its own libraries, but not the system's. When one of those is missing Qt names a wrong
one (it says xcb-cursor0 for each of a dozen), so the loader is asked. Qt itself is not loaded here.
"""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from appliance.core.errors import WindowUnusable

_NEEDED: Final = (
    "Qt/plugins/platforms/libqxcb.so",
    "Qt/plugins/platforms/libqwayland.so",
    "Qt/plugins/wayland-shell-integration/libxdg-shell.so",
    "Qt/plugins/platforms/libqoffscreen.so",
    "Qt/lib/libQt6Quick.so.6",
)
"""The screens a desk may have (X11, Wayland, none), and what draws on them."""

_MISSING: Final = re.compile(r"^\s*(\S+) => not found$", re.MULTILINE)
_SONAME: Final = re.compile(r"(lib.+?)\.so\.(\d+).*")
_ELSEWHERE: Final = {
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libbrotlidec.so.1": "libbrotli1",
    "libbrotlicommon.so.1": "libbrotli1",
}
"""Packages of Debian 12 that are not called after their library."""

_TIMEOUT_S: Final = 20


def window_files() -> tuple[Path, ...]:
    """The files of Qt whose libraries matter. Raises WindowUnusable where the window's package is not installed."""
    spec = find_spec("PySide6")
    folders = spec.submodule_search_locations if spec else None
    if not folders:
        raise WindowUnusable("PySide6 is not installed")
    files = tuple(Path(folders[0]) / name for name in _NEEDED)
    lost = [file.name for file in files if not file.exists()]
    if lost:
        raise WindowUnusable(f"PySide6 lacks {', '.join(lost)}")
    return files


def ask_loader(file: Path) -> str:
    """What `ldd` says of a library. Raises WindowUnusable where it cannot be asked."""
    command = shutil.which("ldd")
    if command is None:
        raise WindowUnusable("ldd is not installed, so nobody can tell which libraries are missing")
    try:
        done = subprocess.run(  # noqa: S603 - our own file
            [command, str(file)], capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise WindowUnusable(f"ldd did not answer: {type(error).__name__}") from error
    if done.returncode != 0:
        raise WindowUnusable(f"ldd cannot read {file.name}")
    return done.stdout


def missing_libraries(files: Iterable[Path], ask: Callable[[Path], str] = ask_loader) -> tuple[str, ...]:
    """Names of libraries that the loader does not find, each once, in order. Raises WindowUnusable."""
    return tuple(sorted({name for file in files for name in _MISSING.findall(ask(file))}))


def packages_of(libraries: Iterable[str]) -> tuple[str, ...]:
    """The packages of Debian 12 with these libraries, each once.

    Debian's policy names the package after the library and its version, with a hyphen between two digits (Debian Policy
    8.1). Of Qt's own libraries no package can help: they are left out.
    """
    return tuple(sorted({_package(name) for name in libraries if not name.startswith(("libQt6", "libpyside6"))}))


def compositor_lacks() -> tuple[str, ...]:
    """Packages without which the compositor of a kiosk does not start, where it is installed.

    cage 0.1.4 of Debian 12 ends with "Cannot create XWayland server", and its package does not ask for that one.
    """
    return ("xwayland",) if shutil.which("cage") and not shutil.which("Xwayland") else ()


def _package(library: str) -> str:
    found = _SONAME.fullmatch(library)
    if library in _ELSEWHERE or found is None:
        return _ELSEWHERE.get(library, library)
    name, version = found[1].lower(), found[2]
    return f"{name}-{version}" if name[-1].isdigit() else f"{name}{version}"
