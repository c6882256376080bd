"""Fills a release's folder: a Python environment that asks for nothing but Debian's python3, and what it can read.

No start script carries the path it was built at, and the link to the interpreter is absolute: it works anywhere.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from firmware_notes.debian.source import ROOT, Source, Unbuildable

PYTHON: Final = "/usr/bin/python3.11"
"""Debian 12's; the packages depend on it."""

PACKAGES: Final = "lib/python3.11/site-packages"

_LEFT_OUT: Final = ("setuptools", "pkg_resources", "_distutils_hack", "distutils-precedence.pth")
"""In the lock to build this project, not to run it. pip stays: `keldim models pull` fetches with it."""

_UNREADABLE: Final = r"\.tmpl\.py$"
"""Templates of PySide6's tools that only look like Python."""


Packages = Callable[[Path], None]
"""Puts the packages that the program needs into a release's folder."""


def locked(lock: Path) -> Packages:
    """From the registry. lock: complete requirements with hashes."""
    asked = ("install", "--no-deps", "--require-hashes", "--no-compile", "--requirement", str(lock))
    return lambda folder: _pip(folder, *asked)


def fill(folder: Path, source: Source, packages: Packages) -> None:
    """Make a source's release in an empty folder. Raises Unbuildable."""
    if not Path(PYTHON).exists():
        raise Unbuildable(f"{PYTHON} is missing: build on Debian 12 (apt-get install python3)")
    (folder / PACKAGES).mkdir(parents=True)
    (folder / "bin").mkdir()
    (folder / "bin/python3").symlink_to(PYTHON)
    (folder / "pyvenv.cfg").write_text("home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.11\n")
    packages(folder)
    _install_program(folder, source)
    _thin(folder)
    _compile(folder)
    _describe(folder, source)


def _pip(folder: Path, *words: str) -> None:
    """Work of the pip that runs the build, on the release."""
    into = ["--python", str(folder / "bin/python3")]
    quiet = ["--quiet", "--no-input", "--disable-pip-version-check", "--root-user-action", "ignore"]
    _run([sys.executable, "-m", "pip", *into, *words, *quiet])


def _install_program(folder: Path, source: Source) -> None:
    """From a wheel, built in a copy: setuptools would find what it left in the tree the last time."""
    with tempfile.TemporaryDirectory() as scratch:
        tree, wheels = Path(scratch) / "tree", Path(scratch) / "wheels"
        tree.mkdir()
        source.copy(tree)
        build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
        _run([*build, "--no-index", "--wheel-dir", str(wheels), str(tree)])
        _pip(folder, "install", "--no-deps", "--no-compile", "--no-index", "--find-links", str(wheels), "keldim")


def _thin(folder: Path) -> None:
    """Take away start scripts, which carry the path they were built at, and what only a build needs."""
    for path in (folder / "bin").iterdir():
        if path.name != "python3":
            path.unlink()
    for name in ("share", "include"):
        shutil.rmtree(folder / name, ignore_errors=True)
    packages = folder / PACKAGES
    for path in (*(packages / name for name in _LEFT_OUT), *packages.glob("setuptools-*.dist-info")):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for path in packages.rglob("*"):
        if path.is_file() and not path.is_symlink():
            path.chmod(0o644)  # everything is a module or a library; wheels call some of them programs
    for record in packages.glob("*.dist-info/RECORD"):
        lines = record.read_text(encoding="utf-8").splitlines(keepends=True)
        record.write_text("".join(line for line in lines if not line.startswith("../")), encoding="utf-8")


def _compile(folder: Path) -> None:
    """Byte code without a time, so that it is the same each time; on the desk nobody may write it."""
    code = ["-m", "compileall", "-q", "-j", "2", "--invalidation-mode", "unchecked-hash", "-x", _UNREADABLE]
    where = ["-s", str(folder), "-p", "/", str(folder / "lib")]
    # A seed: constants that are sets keep their order.
    _run(["env", "-i", "PATH=/usr/bin", "PYTHONHASHSEED=0", PYTHON, "-I", *code, *where])


def _describe(folder: Path, source: Source) -> None:
    """release.json, last: a folder that has it is a release."""
    asked = [str(folder / "bin/python3"), "-B", str(ROOT / "firmware_notes/debian/formats.py")]
    formats = json.loads(_run(["env", "-i", "PYTHONSAFEPATH=1", *asked]))
    described = {"version": source.version, "built": source.epoch, "formats": formats}
    (folder / "release.json").write_text(json.dumps(described, indent=2, sort_keys=True) + "\n")


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    if done.returncode:
        last = "\n".join((done.stderr or done.stdout).splitlines()[-15:])
        raise Unbuildable(f"{' '.join(command[:4])} ... ended with {done.returncode}:\n{last}")
    return done.stdout
