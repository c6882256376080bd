"""Keeps what was measured on pictures between runs, in a folder somebody asked for.

Embeddings are biometric data and lie here unsealed: off by default, warned of by the command, readable by the owner
only. A row belongs to one pack, one policy and one state of its file (path, size, time of change).
"""

import hashlib
import io
import os
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from appliance.core.errors import CacheUnusable
from appliance.core.types import PackDigest
from appliance.evaluation.datasets import Clip, Picture
from appliance.evaluation.measuring import Row

_HEAD = 6
EVERY = 500
"""Rows between two writes: what an interruption can cost."""


class Cache:
    """One file of one pack and policy: KEY -> row. Used by one process at a time."""

    def __init__(self, folder: Path, pack: PackDigest, policy: str) -> None:
        """Raises CacheUnusable when the folder cannot be used or its file is damaged."""
        self._path = folder / f"{pack[:16]}-{policy}.npz"
        self._rows: dict[str, NDArray[np.float32]] = {}
        self._names: tuple[str, ...] = ()
        self._new = 0
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._path.exists():
                self._read(self._path.read_bytes())
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise CacheUnusable(f"{self._path.name}: cannot be read") from error

    def _read(self, data: bytes) -> None:
        with np.load(io.BytesIO(data), allow_pickle=False) as loaded:
            self._names = tuple(str(name) for name in loaded["names"])
            keys, ends, values = loaded["keys"], loaded["ends"], loaded["values"]
        for key, start, end in zip(keys.tolist(), [0, *ends.tolist()], ends.tolist(), strict=False):
            self._rows[str(key)] = values[start:end]

    def recall(self, item: Picture | Clip, frame: int) -> Row | None:
        """The row of a picture or a frame, if it was measured with this pack and the file is as it was."""
        kept = self._rows.get(_key(item, frame))
        return None if kept is None else self._row(kept)

    def keep(self, item: Picture | Clip, frame: int, row: Row) -> None:
        """Keep a row."""
        if row.components:
            self._names = tuple(name for name, _ in row.components)
        self._rows[_key(item, frame)] = _flat(row)
        self._new += 1
        if self._new >= EVERY:
            self.close()

    def close(self) -> None:
        """Write what is new, whole or not at all. Raises CacheUnusable."""
        if not self._new:
            return
        written = io.BytesIO()
        np.savez(
            written,
            names=np.array(self._names, np.str_),
            keys=np.array(list(self._rows), np.str_),
            ends=np.cumsum([len(row) for row in self._rows.values()]),
            values=np.concatenate(list(self._rows.values())),
        )
        try:
            staged = self._path.with_suffix(".part")
            private = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(private, "wb") as file:
                file.write(written.getvalue())
            staged.replace(self._path)
        except OSError as error:
            raise CacheUnusable(f"{self._path.name}: cannot be written ({error.strerror})") from error
        self._new = 0

    def _row(self, kept: NDArray[np.float32]) -> Row:
        readable, found, passed, quality, live, parts = kept[:_HEAD].tolist()
        end = _HEAD + int(parts)
        components = tuple(zip(self._names, (int(v) for v in kept[_HEAD:end]), strict=False))
        return Row(
            readable=bool(readable),
            found=bool(found),
            vector=kept[end:].copy() if len(kept) > end else None,
            quality=None if np.isnan(quality) else quality,
            passed=bool(passed),
            components=components,
            live=None if np.isnan(live) else live,
        )


def _flat(row: Row) -> NDArray[np.float32]:
    """The head (readable, found, passed, quality, live, number of components), the components, the vector."""
    nan = float("nan")
    head = [
        row.readable, row.found, row.passed,
        nan if row.quality is None else row.quality, nan if row.live is None else row.live,
        len(row.components), *(value for _, value in row.components),
    ]  # fmt: skip
    return np.concatenate(
        [np.array(head, np.float32), row.vector if row.vector is not None else np.zeros(0, np.float32)]
    )


def _key(item: Picture | Clip, frame: int) -> str:
    status = item.path.stat()
    text = f"{item.path.resolve()}|{status.st_size}|{status.st_mtime_ns}|{frame}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]
