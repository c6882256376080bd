"""Secret files of a desk: written once, whole, durable, and readable by nobody else.

What the bytes are for is left to the caller: a raw database key, a template key, a private key in PEM.
"""

import os
import secrets
import stat
from pathlib import Path
from typing import Final

from sync.durable import create_file
from sync.errors import KeyUnusable

KEY_BYTES: Final = 32
"""AES-256, for SQLCipher, for sealed templates and for the pseudonym's HMAC alike."""

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def create_key(path: Path) -> bytes:
    """Make a new random key file of 32 bytes, mode 0600. Raises KeyUnusable: it exists, or cannot be written."""
    key = secrets.token_bytes(KEY_BYTES)
    write_secret(path, key)
    return key


def load_key(path: Path) -> bytes:
    """Read a key of 32 bytes. Raises KeyUnusable: missing, wrong length, or open to other users."""
    key = read_secret(path, KEY_BYTES)
    if len(key) != KEY_BYTES:
        raise KeyUnusable(f"{path.name} holds {len(key)} bytes instead of {KEY_BYTES}")
    return key


def write_secret(path: Path, content: bytes) -> None:
    """Write a new secret file, mode 0600, whole and on the disk. It may be the only copy of a key: nothing is replaced.

    Raises KeyUnusable.
    """
    try:
        create_file(path, content)
    except FileExistsError as error:
        raise KeyUnusable(f"{path.name} exists and is never overwritten") from error
    except OSError as error:
        raise KeyUnusable(f"{path.name} cannot be written: {error.strerror}") from error


def read_secret(path: Path, maximum: int) -> bytes:
    """Read a secret file of at most `maximum` bytes. Raises KeyUnusable: missing, larger, or open to other users."""
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            content = file.read(maximum + 1)
    except OSError as error:
        raise KeyUnusable(f"{path.name} cannot be read: {error.strerror}") from error
    if status.st_mode & _OTHERS:
        raise KeyUnusable(f"{path.name} is readable by other users (mode {stat.S_IMODE(status.st_mode):04o})")
    if len(content) > maximum:
        raise KeyUnusable(f"{path.name} is longer than {maximum} bytes")
    return content
