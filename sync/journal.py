"""The journal: every signed event once more, as one line of a plain file beside the database.

Written by `ledger` after the database's commit and before anybody is told (why in this order: decision 0019), so it
never holds an event that the database did not have. What two differing copies prove is left to `audit`, putting them
together again to `opening` and `recover`.

    segment  journal/<number of its first event, 12 digits>-<YYYY-MM>.journal, mode 0600
    line     <length of the token> SP <first 16 hex digits of SHA-256 over the token> SP <token> LF

Each line is on the disk before the next is written: a crash can tear the last line only. A segment is closed at
`SEGMENT_BYTES` or with the month. Nothing is deleted; a torn end is kept aside as `<segment>.torn-<offset>`.
"""

import bisect
import contextlib
import errno
import fcntl
import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sync.durable import create_file, sync_directory
from sync.envelope import GENESIS, MAX_TOKEN, SignedEvent, parse_event
from sync.errors import DatabaseFailure, DatabaseUnreachable, DiskFailing, DiskFull, EnvelopeInvalid

SEGMENT_BYTES: Final = 8 * 1024 * 1024
"""About 6,000 events, ten days of a busy desk: small enough to copy, and to look through in milliseconds."""

_LINE: Final = re.compile(rb"(\d{1,5}) ([0-9a-f]{16}) ([A-Za-z0-9_.-]+)")
_MAX_LINE: Final = MAX_TOKEN + 24
_NAME: Final = re.compile(r"(\d{12})-(\d{4}-\d\d)\.journal")


@dataclass(frozen=True, slots=True)
class Written:
    """An event as the database holds it. wall: RFC 3339, as in its column."""

    seq: int
    digest: str
    wall: str
    token: str


@dataclass(frozen=True, slots=True)
class JournalEnd:
    """The last intact line: number and digest of its event; 0 and 64 zeros when there is none.

    torn: bytes behind it that are no whole line.
    """

    seq: int
    digest: str
    torn: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its token, or None when it does not read back as it was written. segment, offset: where it is."""

    token: str | None
    segment: str
    offset: int


@dataclass(frozen=True, slots=True)
class _Known:
    """What the files looked like when the end was read."""

    segment: Path
    size: int
    end: JournalEnd


Source = Callable[[int], Iterable[Written]]
"""Gives the database's events with a number greater than this, in order."""


class Journal:
    """The journal of one desk; several processes may write it, one after the other."""

    def __init__(self, folder: Path) -> None:
        """folder: made when the first event is written; private to the service user."""
        self.folder = folder
        self._known: _Known | None = None

    def end(self) -> JournalEnd:
        """The last event. Raises DiskFailing, DatabaseUnreachable."""
        if not self.folder.exists():
            return JournalEnd(0, GENESIS)
        with self._locked():
            return self._end()

    def extend(self, source: Source) -> int:
        """Write what the database has and the journal lacks; on the disk when this returns. Gives how many lines.

        A torn end is kept aside first. Raises DiskFull, DiskFailing, DatabaseUnreachable.
        """
        self._make_folder()
        with self._locked():
            end = self._end()
            if end.torn:
                self._set_aside(end)
            count = 0
            for event in source(end.seq):
                self._write(event)
                count += 1
        return count

    def lines(self, after: int = 0) -> Iterator[Line]:
        """Every line, in order, but for segments that hold nothing behind event `after`.

        A line that is damaged or torn has no token. Raises DiskFailing, DatabaseUnreachable.
        """
        segments = self._segments()
        starts = [int(segment.name[:12]) for segment in segments]
        first = max(bisect.bisect_right(starts, after + 1) - 1, 0)
        for segment in segments[first:]:
            offset = 0
            with _disk(segment), segment.open("rb") as file:
                while content := file.readline(_MAX_LINE + 1):
                    yield Line(_token(content), segment.name, offset)
                    offset += len(content)

    def asides(self) -> tuple[str, ...]:
        """Names of the torn ends that were kept."""
        return tuple(sorted(path.name for path in self.folder.glob("*.torn-*")))

    def _segments(self) -> list[Path]:
        if not self.folder.exists():
            return []
        with _disk(self.folder):
            return sorted(path for path in self.folder.iterdir() if _NAME.fullmatch(path.name))

    def _make_folder(self) -> None:
        if not self.folder.exists():
            with _disk(self.folder):
                self.folder.mkdir(mode=0o700, exist_ok=True)
                sync_directory(self.folder.parent)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """One process at a time reads the end and writes behind it; the kernel frees the lock however it ends."""
        with _disk(self.folder):
            handle = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _end(self) -> JournalEnd:
        segments = self._segments()
        if not segments:
            self._known = None
            return JournalEnd(0, GENESIS)
        last = segments.pop()
        with _disk(last):
            size = last.stat().st_size
        if self._known is None or (self._known.segment, self._known.size) != (last, size):
            end = _last_of(last, size)
            while not end.seq and segments:
                before = segments.pop()
                earlier = _last_of(before, before.stat().st_size)
                end = JournalEnd(earlier.seq, earlier.digest, end.torn)
            self._known = _Known(last, size, end)
        return self._known.end

    def _set_aside(self, end: JournalEnd) -> None:
        """Keep a torn end under a name of its own, then cut it off."""
        known = self._known
        if known is None:
            raise AssertionError("a torn end was read from a segment")
        whole = known.size - end.torn
        with _disk(known.segment):
            with known.segment.open("rb") as file:
                file.seek(whole)
                torn = file.read()
            with contextlib.suppress(FileExistsError):  # kept by a run that ended before it had cut
                create_file(known.segment.with_name(f"{known.segment.name}.torn-{whole}"), torn)
            _cut(known.segment, whole)
        self._known = _Known(known.segment, whole, JournalEnd(end.seq, end.digest))

    def _write(self, event: Written) -> None:
        segment, size = self._place(event)
        line = _line(event.token)
        with _disk(segment):
            created = not segment.exists()
            handle = os.open(segment, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                _write_all(handle, line)
                os.fdatasync(handle)
            except OSError:
                self._known = None
                os.ftruncate(handle, size)  # else what the page cache shows may not be what the disk has
                raise
            finally:
                os.close(handle)
            if created:
                sync_directory(self.folder)
        self._known = _Known(segment, size + len(line), JournalEnd(event.seq, event.digest))

    def _place(self, event: Written) -> tuple[Path, int]:
        """The segment the event belongs into, and how long that is now."""
        month, known = event.wall[:7], self._known
        if known is not None and known.size < SEGMENT_BYTES and month <= known.segment.name[13:20]:
            return known.segment, known.size
        return self.folder / f"{event.seq:012d}-{month}.journal", 0


def _last_of(segment: Path, size: int) -> JournalEnd:
    """The last intact event of a segment, and how many bytes are behind it."""
    for start in (max(0, size - 2 * _MAX_LINE), 0):  # nearly always its last line is intact
        with _disk(segment), segment.open("rb") as file:
            file.seek(start)
            content = file.read(size - start)
        lines = content.splitlines(keepends=True)
        behind = 0
        for line in reversed(lines if start == 0 else lines[1:]):
            signed = _signed(line)
            if signed is not None:
                return JournalEnd(signed.event.seq, signed.digest, behind)
            behind += len(line)
    return JournalEnd(0, GENESIS, size)


def _signed(line: bytes) -> SignedEvent | None:
    token = _token(line)
    try:
        return None if token is None else parse_event(token)
    except EnvelopeInvalid:
        return None  # well framed, and no event: not written by this program


def _line(token: str) -> bytes:
    return f"{len(token)} {_checksum(token.encode('ascii'))} {token}\n".encode("ascii")


def _token(line: bytes) -> str | None:
    """The token of a whole, unchanged line."""
    parts = _LINE.fullmatch(line[:-1]) if line.endswith(b"\n") else None
    if parts is None or len(parts[3]) != int(parts[1]) or _checksum(parts[3]).encode() != parts[2]:
        return None
    return parts[3].decode("ascii")


def _checksum(token: bytes) -> str:
    return hashlib.sha256(token).hexdigest()[:16]


def _write_all(handle: int, content: bytes) -> None:
    while content:
        content = content[os.write(handle, content) :]


def _cut(path: Path, size: int) -> None:
    with path.open("r+b") as file:
        file.truncate(size)
        os.fsync(file.fileno())


@contextlib.contextmanager
def _disk(path: Path) -> Iterator[None]:
    """Name what the disk does to a file of the journal."""
    try:
        yield
    except OSError as error:
        raise _named(error, path) from error


def _named(error: OSError, path: Path) -> DatabaseFailure:
    text = f"the journal ({path.name}): {error.strerror}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return DiskFull(text)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT):
        return DatabaseUnreachable(text)
    return DiskFailing(text)
