"""The texts of the transparency log: checkpoint, growth, offline proof; and whose signatures make a checkpoint good.

Signatures are left to `note`, hashes to `merkle`. Formats: C2SP tlog-checkpoint, tlog-witness (the body of
add-checkpoint is our growth) and tlog-proof; what is in a leaf: PROTOCOL.md, section 7.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sync.errors import EnvelopeInvalid, LogUntrue, SignatureInvalid
from sync.merkle import HASH_BYTES, MAX_PROOF, leaf_hash, verify_consistency, verify_inclusion
from sync.note import MAX_NOTE, MAX_SIGNATURES, KeyKind, Note, NoteKey, decode64, encode64
from sync.strict_json import Json, JsonObject, Members

MAX_SIZE: Final = 2**53 - 1
MAX_PROOF_FILE: Final = 64 * 1024
"""Characters; a proof with its event takes about 3,000."""

_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,15}")
_MAGIC: Final = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One state of a log: its name, its number of leaves, the root of its tree."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{encode64(self.root)}\n"


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint whose log's signature verified. cosigned: trusted witnesses, with their times in epoch seconds."""

    checkpoint: Checkpoint
    note: Note
    cosigned: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class LogPolicy:
    """Whom to believe about a log. quorum: how many of the witnesses must have cosigned a checkpoint.

    merge_delay_s: the fund's promise, from accepting an event to showing it in the log.
    """

    log: NoteKey
    merge_delay_s: int
    witnesses: tuple[NoteKey, ...] = ()
    quorum: int = 0

    def __post_init__(self) -> None:
        """Refuse what can never be met or means nothing. Raises EnvelopeInvalid."""
        if len({witness.public for witness in self.witnesses}) != len(self.witnesses):
            raise EnvelopeInvalid("a witness is named twice")
        if not 0 <= self.quorum <= len(self.witnesses):
            raise EnvelopeInvalid(f"a quorum of {self.quorum} out of {len(self.witnesses)} witnesses")
        if not 1 <= self.merge_delay_s <= 7 * 86_400:
            raise EnvelopeInvalid("the promised delay is 1 second to 7 days")

    @classmethod
    def read(cls, members: Members) -> "LogPolicy":
        """Read `members`. Raises EnvelopeInvalid."""
        return cls(
            NoteKey.parse(members.text("key"), KeyKind.LOG),
            members.integer("merge_delay_s", 1, MAX_SIZE),
            tuple(NoteKey.parse(vkey, KeyKind.WITNESS) for vkey in members.texts("witnesses", MAX_SIGNATURES - 1)),
            members.integer("quorum", 0, MAX_SIGNATURES),
        )

    def members(self) -> JsonObject:
        """The policy as JSON members, keys as verifier keys."""
        witnesses: list[Json] = [witness.vkey for witness in self.witnesses]
        return {
            "key": self.log.vkey,
            "merge_delay_s": self.merge_delay_s,
            "witnesses": witnesses,
            "quorum": self.quorum,
        }


@dataclass(frozen=True, slots=True)
class Growth:
    """A checkpoint with the proof that it extends the tree of `old` leaves."""

    old: int
    proof: tuple[bytes, ...]
    note: str

    @property
    def text(self) -> str:
        """The body of add-checkpoint (C2SP tlog-witness)."""
        return f"old {self.old}\n{_lines(self.proof)}\n{self.note}"


@dataclass(frozen=True, slots=True)
class OfflineProof:
    """Everything that shows one event in the log, without asking anybody. token: the event as it was signed."""

    token: str
    index: int
    proof: tuple[bytes, ...]
    note: str

    @property
    def text(self) -> str:
        """The proof as a .tlog-proof file, with the event as its extra data."""
        extra = encode64(self.token.encode("ascii"))
        return f"{_MAGIC}\nextra {extra}\nindex {self.index}\n{_lines(self.proof)}\n{self.note}"


def event_leaf(digest: str) -> bytes:
    """The leaf hash of an event: its entry is the 32 bytes of its digest."""
    return leaf_hash(bytes.fromhex(digest))


def read_checkpoint(content: str, policy: LogPolicy, quorum: int | None = None) -> SignedCheckpoint:
    """Read a checkpoint and verify its log's signature and the witnesses'. quorum: instead of the policy's.

    Raises EnvelopeInvalid (malformed), SignatureInvalid (not of this log, or a bad signature), LogUntrue (too few
    witnesses).
    """
    note = Note.parse(content)
    checkpoint = parse_checkpoint(note.text)
    if checkpoint.origin != policy.log.name or note.signed_by(policy.log) is None:
        raise SignatureInvalid(f"the checkpoint is not signed by {policy.log.name}")
    times = [(witness.name, note.signed_by(witness)) for witness in policy.witnesses]
    cosigned = tuple((name, time) for name, time in times if time is not None)
    needed = policy.quorum if quorum is None else quorum
    if len(cosigned) < needed:
        raise LogUntrue(f"{len(cosigned)} of {needed} witnesses cosigned the checkpoint of size {checkpoint.size}")
    return SignedCheckpoint(checkpoint, note, cosigned)


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the text of a note as a checkpoint; extension lines are refused. Raises EnvelopeInvalid."""
    lines = text.split("\n")
    if len(lines) != 4 or lines[3] or not lines[0]:
        raise EnvelopeInvalid("not a checkpoint: origin, size, root")
    return Checkpoint(lines[0], _size(lines[1]), _hash(lines[2]))


def parse_growth(content: str) -> Growth:
    """Read the body of add-checkpoint. Raises EnvelopeInvalid."""
    head, blank, note = content.partition("\n\n")
    first, *proof = head.split("\n")
    if not blank or not first.startswith("old ") or len(note) > MAX_NOTE:
        raise EnvelopeInvalid("not a checkpoint with its proof of growth")
    return Growth(_size(first.removeprefix("old ")), _hashes(proof), note)


def parse_offline(content: str) -> OfflineProof:
    """Read a .tlog-proof file that holds its event. Raises EnvelopeInvalid."""
    head, blank, note = content.partition("\n\n")
    lines = head.split("\n")
    shaped = len(lines) >= 3 and lines[1].startswith("extra ") and lines[2].startswith("index ")
    if len(content) > MAX_PROOF_FILE or not blank or lines[0] != _MAGIC or not shaped:
        raise EnvelopeInvalid("not a receipt: a tlog-proof with the event as extra data")
    try:
        token = decode64(lines[1].removeprefix("extra ")).decode("ascii")
    except UnicodeDecodeError as error:
        raise EnvelopeInvalid("the event of a receipt is not a token") from error
    return OfflineProof(token, _size(lines[2].removeprefix("index ")), _hashes(lines[3:]), note)


def check_growth(known: Checkpoint, grown: Checkpoint, proof: Sequence[bytes]) -> None:
    """Raises LogUntrue unless the log `grown` begins with everything that was in `known`."""
    if grown.size < known.size:
        raise LogUntrue(f"the log shrank from {known.size} to {grown.size} events")
    if not verify_consistency(known.size, grown.size, known.root, grown.root, proof):
        raise LogUntrue(f"the log of {grown.size} events is no extension of the one of {known.size} that was seen")


def check_inclusion(proof: OfflineProof, digest: str, signed: SignedCheckpoint) -> None:
    """Raises LogUntrue unless the event of this digest is where the proof says, under this checkpoint."""
    checkpoint = signed.checkpoint
    if not verify_inclusion(event_leaf(digest), proof.index, checkpoint.size, proof.proof, checkpoint.root):
        raise LogUntrue(f"the event is not number {proof.index} of the log of {checkpoint.size} events")


def contradictory(one: Checkpoint, other: Checkpoint) -> bool:
    """Whether two checkpoints of one log prove by themselves that it showed two histories."""
    return one.origin == other.origin and one.size == other.size and one.root != other.root


def _lines(hashes: Sequence[bytes]) -> str:
    return "".join(f"{encode64(value)}\n" for value in hashes)


def _hashes(lines: Sequence[str]) -> tuple[bytes, ...]:
    if len(lines) > MAX_PROOF:
        raise EnvelopeInvalid(f"a proof has at most {MAX_PROOF} hashes")
    return tuple(_hash(line) for line in lines)


def _hash(text: str) -> bytes:
    value = decode64(text)
    if len(value) != HASH_BYTES:
        raise EnvelopeInvalid("a hash of the log has 32 bytes")
    return value


def _size(text: str) -> int:
    if not _DECIMAL.fullmatch(text) or int(text) > MAX_SIZE:
        raise EnvelopeInvalid("not a number of the log")
    return int(text)
