"""Files that are either there whole or not at all, whatever the power does.

What they hold, and who may read them, is left to `keyfile` and `provision`.
"""

import contextlib
import os
import tempfile
from pathlib import Path


def create_file(path: Path, content: bytes) -> None:
    """Write a new file of mode 0600 that appears under its name only when whole and on the disk.

    `link` fails where `rename` would overwrite. Raises FileExistsError and other OSError.
    """
    name = _written(path.parent, content)
    try:
        os.link(name, path)
    finally:
        name.unlink()
    sync_directory(path.parent)


def replace_file(path: Path, content: bytes, mode: int | None = None) -> None:
    """Write a file in place of an older one, with its mode and group; of mode 0600 if there is none. Raises OSError.

    mode: in place of the older one's.
    """
    name = _written(path.parent, content)
    try:
        with contextlib.suppress(FileNotFoundError):
            before = path.stat()
            name.chmod(before.st_mode & 0o777)
            with contextlib.suppress(PermissionError):  # not our file, and not a group of ours: then ours
                os.chown(name, -1, before.st_gid)
        if mode is not None:
            name.chmod(mode)
        name.replace(path)
    except BaseException:
        name.unlink()
        raise
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make the names of new files in a directory durable. Raises OSError."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _written(directory: Path, content: bytes) -> Path:
    handle, name = tempfile.mkstemp(prefix=".new-", dir=directory)
    path = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink()
        raise
    return path
