"""What is packed: the project's files, its version and the time of its commit.

Filling a release with packages is `payload`'s, the archives are `archive`'s.
"""

import os
import re
import shutil
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
_PROGRAM: Final = ("appliance", "models", "sync", "kiosk_ui")
_BESIDE: Final = ("pyproject.toml", "README.md", "LICENSE", "NOTICE")


class Unbuildable(Exception):
    """Packages cannot be built here; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Source:
    """root: of the project. version: of the release. epoch: seconds since 1970, of everything in the packages."""

    root: Path
    version: str
    epoch: int

    def copy(self, folder: Path) -> None:
        """The program's own files as setuptools wants them, under its version, without what was built here."""
        ignored = shutil.ignore_patterns("__pycache__", "*.pyc", "*.egg-info", "build")
        for name in _PROGRAM:
            shutil.copytree(self.root / name, folder / name, ignore=ignored)
        for name in _BESIDE:
            shutil.copy(self.root / name, folder / name)
        project = folder / "pyproject.toml"
        text = re.sub(
            r'^version = ".*"$', f'version = "{self.version}"', project.read_text(), count=1, flags=re.MULTILINE
        )
        project.write_text(text)


def read_source(version: str | None = None) -> Source:
    """The checkout that is built. version: another than pyproject's. Raises Unbuildable."""
    named = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    return Source(ROOT, version or str(named), _epoch())


def unsaved() -> list[str]:
    """Files of the program that differ from the commit whose time the packages carry."""
    names = [*_PROGRAM, *_BESIDE, "requirements", "firmware_notes"]
    return _git("status", "--porcelain", "--", *names).splitlines()


def _epoch() -> int:
    """SOURCE_DATE_EPOCH where it is set (reproducible-builds.org), else the commit's time."""
    given = os.environ.get("SOURCE_DATE_EPOCH") or _git("log", "-1", "--format=%ct")
    if not given.strip().isdigit():
        raise Unbuildable("no commit tells the time of this source: set SOURCE_DATE_EPOCH to seconds since 1970")
    return int(given)


def _git(*words: str) -> str:
    try:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""
