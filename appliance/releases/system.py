"""The guard's door to the system: dpkg says whether a release is whole, systemd whether its services are well.

Commands only, each with a time-out: nothing of a release is imported.
"""

import subprocess
from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from appliance.releases.state import Version

UNITS: Final = ("keldim-window.service", "keldim-kiosk.service", "keldim-sync.service")
"""The services of a desk that a switch starts anew where they run, and whose starts count."""

_DOCTOR: Final = "keldim-doctor.service"
_STATES: Final = {"active", "reloading", "inactive", "failed", "activating", "deactivating", "maintenance"}
_LONG_S: Final = 300
_SHORT_S: Final = 60


class System(Protocol):
    """What the guard asks of the machine and tells it."""

    def complaint(self, version: Version, folder: Path) -> str:
        """What is wrong with a release before anything is switched; empty: nothing."""

    def trouble(self, started: Set[str]) -> str:
        """What is wrong with the desk as it runs; empty: nothing. started: services that started in the trial."""

    def asked_to_stop(self, unit: str) -> bool:
        """Whether a service that ends was told to: by a person, by another service, by the machine's end."""

    def restart(self, *, but: str = "") -> None:
        """Start the services anew that run, without waiting. but: a service that starts by itself."""


@dataclass(frozen=True, slots=True)
class Debian:
    """The real one: dpkg and systemd. root: of the file system whose packages are asked for."""

    root: Path

    def complaint(self, version: Version, folder: Path) -> str:
        """Every file against its package, then one start without a desk."""
        package = f"keldim-{version}"
        code, said = _run(
            _SHORT_S, "dpkg-query", f"--root={self.root}", "--show", "--showformat=${db:Status-Status}", package
        )
        if code or said != "installed":
            return f"the package {package} is not installed whole ({said or 'unknown'})"
        _, said = _run(_LONG_S, "dpkg", f"--root={self.root}", "--verify", package)
        if said:
            return f"files of {package} are not what was packed: {said.splitlines()[0]}"
        code, said = _run(_SHORT_S, str(folder / "bin/python3"), "-I", "-B", "-m", "appliance", "--version")
        if code or said.split()[-1:] != [version]:
            return f"it does not start: {(said.splitlines() or ['it says nothing'])[-1]}"
        return ""

    def trouble(self, started: Set[str]) -> str:
        """At least one service runs, each since the trial began, none ended, and the doctor finds no failure."""
        _, said = _run(_SHORT_S, "systemctl", "is-active", *UNITS)
        if not set(said.split()) <= _STATES:
            return f"systemd cannot be asked: {said}"
        states = dict(zip(UNITS, said.split(), strict=False))
        bad = [said for unit, state in states.items() if (said := _bad(unit, state, started))]
        if bad or "active" not in states.values():
            return ", ".join(bad) or "no service of the desk runs"
        code, said = _run(_LONG_S, "systemctl", "start", _DOCTOR)
        return f"keldim doctor finds a failure (journalctl -u {_DOCTOR}) {said}".strip() if code else ""

    def asked_to_stop(self, unit: str) -> bool:
        """Then systemd has a job for it; one that starts it again by itself comes later."""
        code, said = _run(_SHORT_S, "systemctl", "show", "--property=Job", "--value", f"{unit}.service")
        return code == 0 and said.isdecimal() and said != "0"

    def restart(self, *, but: str = "") -> None:
        """`try-restart` leaves what does not run as it is."""
        _run(_SHORT_S, "systemctl", "try-restart", "--no-block", *(unit for unit in UNITS if unit != f"{but}.service"))


def _bad(unit: str, state: str, started: Set[str]) -> str:
    """What is wrong with one service."""
    here = unit.removesuffix(".service") in started
    if state == "active":
        return "" if here else f"{unit} runs since before the trial (systemctl restart {unit})"
    if state == "inactive":
        return f"{unit} ended by itself" if here else ""
    return f"{unit} is {state}"


def _run(longest_s: int, *command: str) -> tuple[int, str]:
    """Exit code and all that was said; what is not there or does not end is a failure, too."""
    try:
        done = subprocess.run(  # noqa: S603 - our own words
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=longest_s,
            check=False,
            cwd="/",
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return 127, str(error)
    return done.returncode, done.stdout.strip()
