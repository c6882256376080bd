"""What lies where in the two packages: `keldim-VERSION`, a release beside others, and `keldim`, all that they share.

How a release is filled is `payload`'s; how an archive is made is `archive`'s.
"""

import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from firmware_notes.debian import payload, rights
from firmware_notes.debian.archive import Package, compressed
from firmware_notes.debian.source import ROOT, Source

_NOTES: Final = ROOT / "firmware_notes"
_FILES: Final = _NOTES / "debian/files"
_GUARD: Final = ("appliance/__init__.py", "appliance/releases", "sync/__init__.py", "sync/durable.py", "sync/errors.py")
_PYTHON: Final = "python3 (>= 3.11), python3 (<< 3.12)"


def release(tree: Path, source: Source, packages: payload.Packages) -> Package:
    """Put a release into an empty tree."""
    place = f"opt/keldim/releases/{source.version}"
    payload.fill(tree / place, source, packages)
    name = f"keldim-{source.version}"
    _documents(tree, name, source, rights.with_packages(tree / place, place))
    window = [
        line for line in (ROOT / "requirements/debian-window.txt").read_text().split("\n") if line and line[0] != "#"
    ]
    return Package(
        name,
        _architecture(),
        f"check-in desk of a clinic, release {source.version}",
        "The program and its pinned packages, in a folder of its own.\n"
        "Installing it changes nothing on a desk that runs:\n"
        f"keldim-release activate {source.version} puts it on trial.",
        {"Depends": ", ".join([_PYTHON, "libc6 (>= 2.34)", "libstdc++6", *window])},
        {"prerm": (_FILES / "release.prerm").read_text()},
    )


def shared(tree: Path, source: Source) -> Package:
    """Put commands, guard, services and documents into an empty tree."""
    for name, place in {
        "keldim": "usr/bin/keldim",
        "keldim-window": "usr/bin/keldim-window",
        "keldim-release": "usr/sbin/keldim-release",
    }.items():
        _put(_FILES / name, tree / place)
        (tree / place).chmod(0o755)
    _put(_FILES / "guard.py", tree / "usr/lib/keldim/__main__.py")
    for name in _GUARD:
        _put(ROOT / name, tree / "usr/lib/keldim" / name)
    _services(tree)
    _put(_FILES / "keldim.tmpfiles", tree / "usr/lib/tmpfiles.d/keldim.conf")
    _put(_FILES / "keldim.apt", tree / "etc/apt/apt.conf.d/02keldim")
    for name, folder in {"keldim.1": "man1", "keldim-release.8": "man8"}.items():
        _write(tree / "usr/share/man" / folder / f"{name}.gz", compressed((_FILES / name).read_text()))
    (tree / "usr/share/man/man1/keldim-window.1.gz").symlink_to("keldim.1.gz")
    _documents(tree, "keldim", source, rights.own())
    for path in (*_NOTES.glob("*.md"), *_NOTES.glob("fund/*.md")):
        noted = tree / "usr/share/doc/keldim" / path.relative_to(_NOTES)
        _write(noted.with_name(f"{noted.name}.gz"), compressed(path.read_text(encoding="utf-8")))
    scripts = {name: (_FILES / f"keldim.{name}").read_text() for name in ("postinst", "prerm", "postrm")}
    depends = f"keldim-{source.version} (= {source.version}), python3 (>= 3.11), systemd"
    return Package(
        "keldim",
        "all",
        "check-in desk of a clinic that knows its patients by face",
        "Commands, services, users, the newest release, and the guard\nthat goes from one release to another and back.",
        {"Depends": depends, "Recommends": "cage, procps, seatd, xwayland", "Suggests": "nginx-light, postgresql"},
        scripts,
        ("/etc/apt/apt.conf.d/02keldim",),
    )


def _services(tree: Path) -> None:
    units, system = _NOTES / "systemd", tree / "usr/lib/systemd/system"
    for path in (*units.glob("*.service"), *units.glob("*.timer")):
        folder = tree / "usr/lib/systemd/user" if path.name == "keldim-panel.service" else system
        _put(path, folder / path.name)
    (system / "timers.target.wants").mkdir()
    (system / "timers.target.wants/keldim-release.timer").symlink_to("../keldim-release.timer")
    _put(units / "keldim.sysusers", tree / "usr/lib/sysusers.d/keldim.conf")
    for name in ("closed.txt", "72-keldim.rules"):
        _put(units / name, tree / "usr/share/keldim" / name)


def _documents(tree: Path, package: str, source: Source, copyright_text: str) -> None:
    folder = tree / "usr/share/doc" / package
    _write(folder / "copyright", copyright_text.encode())
    _write(folder / "CHANGELOG.md.gz", compressed((ROOT / "CHANGELOG.md").read_text(encoding="utf-8")))
    day = datetime.fromtimestamp(source.epoch, UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
    entry = f"{package} ({source.version}) bookworm; urgency=medium\n\n  * What changed: CHANGELOG.md.gz\n\n"
    _write(folder / "changelog.gz", compressed(f"{entry} -- The Keldim authors <packages@keldim.invalid>  {day}\n"))


def _put(source: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, place, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copyfile(source, place)


def _write(place: Path, content: bytes) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)


def _architecture() -> str:
    command = ["dpkg", "--print-architecture"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
