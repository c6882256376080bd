"""A machine with releases that hold nothing but what the guard reads, and a system that says what it is told to."""

import json
from collections.abc import Set
from dataclasses import dataclass, field
from pathlib import Path

from appliance.releases.shelf import Shelf
from appliance.releases.state import Version


@dataclass
class FakeSystem:
    """trouble_told, complaint_told, asked: the answers. restarts: which service each restart left out."""

    trouble_told: str = ""
    complaint_told: str = ""
    asked: bool = True
    restarts: list[str] = field(default_factory=list)

    def complaint(self, version: Version, folder: Path) -> str:  # noqa: ARG002 - the port's signature
        """As told."""
        return self.complaint_told

    def trouble(self, started: Set[str]) -> str:  # noqa: ARG002 - the port's signature
        """As told."""
        return self.trouble_told

    def asked_to_stop(self, unit: str) -> bool:  # noqa: ARG002 - the port's signature
        """As told."""
        return self.asked

    def restart(self, *, but: str = "") -> None:
        """Remembered."""
        self.restarts.append(but)


def put_systemctl(folder: Path, **answers: str) -> str:
    """A `systemctl` in a folder, which it gives, for $PATH. answers: what a command says; it fails without one."""
    folder.mkdir()
    known = "".join(f"{name.replace('_', '-')}) echo '{said}' ;;\n" for name, said in answers.items())
    (folder / "systemctl").write_text(f"#!/bin/sh\ncase $1 in\n{known}*) exit 1 ;;\nesac\n")
    (folder / "systemctl").chmod(0o755)
    return str(folder)


def put_release(root: Path, version: str, *steps: str, fund: tuple[str, ...] = ()) -> Version:
    """A release on the machine. steps, fund: of the records' formats that it knows."""
    folder = root / "opt/keldim/releases" / version
    folder.mkdir(parents=True)
    formats = {"desk": list(steps), "fund": list(fund)}
    (folder / "release.json").write_text(json.dumps({"version": version, "formats": formats}))
    return Version(version)


def points_to(shelf: Shelf) -> str:
    """The release that the link leads to, which must be there."""
    assert (shelf.link / "release.json").is_file(), "the link leads nowhere"
    return shelf.link.resolve().name
