"""Keeps what is in this process's memory in memory: no core file, no other process of the user reads it, no swap.

Called once at the start of each process that holds keys; the door to prctl(2), mlockall(2) and the limit of core files.
Root can read any memory, whatever is done here.
"""

import ctypes
import resource
from dataclasses import dataclass
from typing import Final

_PR_GET_DUMPABLE: Final = 3
_PR_SET_DUMPABLE: Final = 4
_MCL_ALL: Final = 1 | 2 | 4  # MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT: what is touched stays, nothing is read in for it


@dataclass(frozen=True, slots=True)
class Guarded:
    """What holds for this process. undumpable: no core, no ptrace by the same user. locked: nothing goes to swap."""

    undumpable: bool
    no_core: bool
    locked: bool


def guard_memory() -> Guarded:
    """Forbid core files and tracing; lock the memory where the service may (LimitMEMLOCK=infinity).

    With a finite limit nothing is locked: once it is reached, every later allocation would fail.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    endless = resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] == resource.RLIM_INFINITY
    return Guarded(
        undumpable=libc.prctl(_PR_GET_DUMPABLE, 0, 0, 0, 0) == 0,
        no_core=resource.getrlimit(resource.RLIMIT_CORE) == (0, 0),
        locked=endless and libc.mlockall(_MCL_ALL) == 0,
    )
