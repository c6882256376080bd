"""What the fund answers a desk that asks for its events in the log, as bytes; `PROTOCOL.md` section 7 specifies it.

Checkpoints and growth are left to `log_checkpoint`. Nothing here is signed: it is verified through the checkpoint.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sync.errors import EnvelopeInvalid, ProtocolViolation
from sync.log_checkpoint import MAX_SIZE, Growth, parse_growth
from sync.merkle import HASH_BYTES
from sync.note import decode64, encode64
from sync.strict_json import Json, Members, dump

MAX_RUNS: Final = 64
"""Runs in one answer; with proofs of 40 hashes each about 120 KiB."""

MAX_RUN_PROOF: Final = 2 * 53
"""Hashes beside a run, on both sides, in any tree that can exist."""


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive accepted events of a device that stand side by side in the log.

    index: place of the first in the log, from 0. seq: its number in the device's chain. count: how many.
    """

    index: int
    seq: int
    count: int


@dataclass(frozen=True, slots=True)
class ProvenRun:
    """A run with its range proof (`merkle.range_proof`) in the tree of the checkpoint."""

    run: Run
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Inclusion:
    """growth: the newest checkpoint good for desks, as an extension of the one the desk has seen.

    runs: the accepted events after the number asked for, in order, at most MAX_RUNS. upto: the events up to this number
    are either in `runs`, or were refused and are in no log; later ones are not in this checkpoint, or were too many.
    """

    growth: Growth
    runs: tuple[ProvenRun, ...]
    upto: int


def encode_inclusion(answer: Inclusion) -> bytes:
    """The body of the answer."""
    runs: list[Json] = [
        {"index": run.run.index, "seq": run.run.seq, "count": run.run.count, "proof": [encode64(h) for h in run.proof]}
        for run in answer.runs
    ]
    return dump({"v": 1, "growth": answer.growth.text, "upto": answer.upto, "runs": runs})


def read_inclusion(content: bytes) -> Inclusion:
    """Read an answer; nothing of it is verified. Raises ProtocolViolation."""
    try:
        members = Members.parse(content)
        members.integer("v", 1, 1)
        growth, upto = parse_growth(members.text("growth")), members.integer("upto", 0, MAX_SIZE)
        return Inclusion(growth, _runs(members.content.get("runs")), upto)
    except EnvelopeInvalid as error:
        raise ProtocolViolation(f"not an answer about the log: {error}") from error


def pack_hashes(hashes: Sequence[bytes]) -> bytes:
    """Hashes as one string of bytes, to be stored."""
    return b"".join(hashes)


def unpack_hashes(content: bytes) -> tuple[bytes, ...]:
    """The hashes of a stored string of bytes."""
    return tuple(content[at : at + HASH_BYTES] for at in range(0, len(content), HASH_BYTES))


def _runs(value: Json) -> tuple[ProvenRun, ...]:
    if not isinstance(value, list) or len(value) > MAX_RUNS:
        raise EnvelopeInvalid(f"runs is not a list of at most {MAX_RUNS}")
    return tuple(map(_run, value))


def _run(value: Json) -> ProvenRun:
    if not isinstance(value, dict):
        raise EnvelopeInvalid("a run is not an object")
    members = Members(value)
    proof = tuple(decode64(text) for text in members.texts("proof", MAX_RUN_PROOF))
    if any(len(hashed) != HASH_BYTES for hashed in proof):
        raise EnvelopeInvalid("a hash of the log has 32 bytes")
    index, seq = members.integer("index", 0, MAX_SIZE), members.integer("seq", 1, MAX_SIZE)
    return ProvenRun(Run(index, seq, members.integer("count", 1, MAX_SIZE)), proof)
