"""Holds a file so that one process at a time does something; the kernel lets go of it however that process ends.

What is done meanwhile, and how it is told that another process does it, is the caller's.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from sync.errors import DatabaseUnreachable, KnownFailure


@contextlib.contextmanager
def exclusive(lock: Path, taken: KnownFailure) -> Iterator[None]:
    """Hold this file, made if need be. Raises `taken` when another process holds it, DatabaseUnreachable."""
    try:
        handle = os.open(lock, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise DatabaseUnreachable(f"{lock.name} cannot be opened: {error.strerror}") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise taken from error
        yield
    finally:
        os.close(handle)
