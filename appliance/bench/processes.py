"""Processor time of other processes of this machine, as the kernel counts it (proc(5), ticks of usually 10 ms).

What they do is the benchmark's.
"""

import os
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

_PROC = Path("/proc")
_PARENT, _OWN, _CHILDREN = 1, slice(11, 13), slice(13, 15)
"""Fields of /proc/PID/stat behind the name: parent; own user and system time; that of children that have ended."""


def cpu_of(pid: int) -> float:
    """Seconds a process has used, all its threads. Raises OSError when there is no such process."""
    return _seconds(_fields(_PROC / str(pid))[_OWN])


def cpu_of_family(pid: int) -> float:
    """Seconds of a process and its children, those that have ended included. Raises as `cpu_of`."""
    own = _fields(_PROC / str(pid))
    total = _seconds(own[_OWN]) + _seconds(own[_CHILDREN])
    for folder in _PROC.glob("[0-9]*"):
        try:
            fields = _fields(folder)
        except OSError:  # ended meanwhile: counted with its parent from the next reading on
            continue
        if int(fields[_PARENT]) == pid:
            total += _seconds(fields[_OWN])
    return total


def postmaster_of(url: str) -> int | None:
    """The first process of a PostgreSQL server reached over a socket in a folder; None when it cannot be told."""
    parts = parse_qs(urlsplit(url).query)
    folder, port = parts.get("host", [""])[0], parts.get("port", ["5432"])[0]
    try:
        return int(Path(folder, f".s.PGSQL.{port}.lock").read_text(encoding="ascii").splitlines()[0])
    except (OSError, ValueError, IndexError):
        return None


def _fields(folder: Path) -> list[str]:
    return folder.joinpath("stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()


def _seconds(ticks: list[str]) -> float:
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
