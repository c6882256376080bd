"""The two files that travel on a stick: events sealed to the fund, and the fund's receipts on the way back.

Which events go and what a receipt changes is left to `stick` (desk), judging to `sync.fund.carried`. Both files are
lines of JSON in ASCII, the last one says that nothing is missing; `PROTOCOL.md`, section 8.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sync.carry_errors import CarriedInvalid, StickUnusable
from sync.compact import decode_part, encode_part
from sync.envelope import DEVICE_ID, MAX_SEQ
from sync.errors import EnvelopeInvalid, ProtocolViolation, SealInvalid
from sync.protocol import MAX_BODY, decode_batch, encode_batch
from sync.sealing import SealedBox, seal
from sync.signing import PublicJwk
from sync.squeeze import squeeze, unsqueeze
from sync.strict_json import JsonObject, Members, dump

EVENTS: Final = "keldim-events"
RECEIPTS: Final = "keldim-receipts"
"""Kinds of files, and what their names end with."""

_MAX_LINE: Final = 2 * MAX_BODY
"""Bytes of a line: a batch of MAX_BODY bytes that does not compress, in base64."""


@dataclass(frozen=True, slots=True)
class Carried:
    """A batch as it came out of a file: the events `first` to `last` of a desk."""

    first: int
    last: int
    tokens: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CarriedReceipt:
    """The fund's receipt, unverified, for the events `first` to `last`."""

    first: int
    last: int
    token: str


def events_head(device: str, fund: PublicJwk) -> bytes:
    """The first line of a file of events. fund: the key it is sealed to."""
    return _line({"file": EVENTS, "v": 1, "device": device, "to": fund.thumbprint})


def events_line(device: str, fund: PublicJwk, first: int, tokens: Sequence[str]) -> bytes:
    """One batch, sealed for exactly its place."""
    last = first + len(tokens) - 1
    sealed = seal(fund, squeeze(encode_batch(tokens)), _context(device, first, last))
    return _line({"first": first, "last": last, "sealed": encode_part(sealed)})


def end_line(batches: int) -> bytes:
    """The last line of either file."""
    return _line({"end": True, "batches": batches})


def receipts_file(device: str, receipts: Sequence[CarriedReceipt]) -> bytes:
    """The whole file of receipts; about a kilobyte for 200 events."""
    lines = [_line({"first": one.first, "last": one.last, "receipt": one.token}) for one in receipts]
    head = _line({"file": RECEIPTS, "v": 1, "device": device})
    return b"".join((head, *lines, end_line(len(lines))))


def device_of(path: Path) -> str:
    """The desk whose events a file says to hold. Raises CarriedInvalid, StickUnusable."""
    with _telling(path):
        return _head(next(_lines(path), b""), EVENTS).text("device", DEVICE_ID)


def read_events(path: Path, box: SealedBox) -> Iterator[Carried]:
    """The batches of a file, one at a time. Raises CarriedInvalid, StickUnusable where the file stops being whole."""
    with _telling(path):
        lines = _lines(path)
        head = _head(next(lines, b""), EVENTS)
        device = head.text("device", DEVICE_ID)
        if head.text("to") != box.public_jwk.thumbprint:
            raise CarriedInvalid(f"{path.name} is sealed to another fund")
        for first, last, line in _batches(lines):
            sealed = decode_part(line.text("sealed"))
            tokens = decode_batch(unsqueeze(box.open(sealed, _context(device, first, last)), MAX_BODY))
            if len(tokens) != last - first + 1:
                raise CarriedInvalid(f"{path.name} holds other events than it says")
            yield Carried(first, last, tokens)


def read_carried_receipts(path: Path, device: str) -> tuple[CarriedReceipt, ...]:
    """The receipts of a file for this desk; their signatures are unverified. Raises CarriedInvalid, StickUnusable."""
    with _telling(path):
        lines = _lines(path)
        if _head(next(lines, b""), RECEIPTS).text("device", DEVICE_ID) != device:
            raise CarriedInvalid(f"{path.name} is for another desk")
        return tuple(CarriedReceipt(first, last, line.text("receipt")) for first, last, line in _batches(lines))


class _telling:  # noqa: N801 - used as a statement, like contextlib.suppress
    """Name what is wrong with a file."""

    def __init__(self, path: Path) -> None:
        self._name = path.name

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Raise the failure that people can act upon."""
        if isinstance(error, OSError):
            raise StickUnusable(f"{self._name} cannot be read: {error.strerror}") from error
        if isinstance(error, EnvelopeInvalid | ProtocolViolation | SealInvalid):
            raise CarriedInvalid(f"{self._name} is cut off, altered or something else: {error}") from error


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while line := file.readline(_MAX_LINE + 1):
            if len(line) > _MAX_LINE or not line.endswith(b"\n"):
                raise EnvelopeInvalid("a line is cut off")
            yield line


def _head(line: bytes, kind: str) -> Members:
    head = Members.parse(line)
    if head.text("file") != kind or head.integer("v", 1, MAX_SEQ) != 1:
        raise EnvelopeInvalid("not a file of this kind and version")
    return head


def _batches(lines: Iterator[bytes]) -> Iterator[tuple[int, int, Members]]:
    """Number of the first and last event of each line, which follow each other up to the line that ends the file."""
    count, expected = 0, None
    for text in lines:
        line = Members.parse(text)
        if "end" in line.names:
            if line.integer("batches", 0, MAX_SEQ) != count or next(lines, None) is not None:
                raise EnvelopeInvalid("it does not end where it should")
            return
        first, last = line.integer("first", 1, MAX_SEQ), line.integer("last", 1, MAX_SEQ)
        if last < first or expected not in {None, first}:
            raise EnvelopeInvalid("a batch is missing or at the wrong place")
        yield first, last, line
        count, expected = count + 1, last + 1
    raise EnvelopeInvalid("its end is missing")


def _context(device: str, first: int, last: int) -> bytes:
    return f"{EVENTS} 1 {device} {first} {last}".encode("ascii")


def _line(members: JsonObject) -> bytes:
    return dump(members) + b"\n"
