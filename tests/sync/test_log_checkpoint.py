"""A checkpoint is believed for its log's signature and enough witnesses; proofs are C2SP's texts."""

import hashlib
from dataclasses import replace

import pytest

from sync.errors import EnvelopeInvalid, LogUntrue, SignatureInvalid
from sync.log_checkpoint import (
    Checkpoint,
    Growth,
    LogPolicy,
    OfflineProof,
    check_growth,
    check_inclusion,
    contradictory,
    event_leaf,
    parse_checkpoint,
    parse_growth,
    parse_offline,
    read_checkpoint,
)
from sync.merkle import consistency_proof, inclusion_proof, tree_of_leaves
from sync.note import KeyKind, Note, NoteSigner

LOG = NoteSigner("fund.example/visits", KeyKind.LOG, b"l" * 32)
WITNESSES = [NoteSigner(f"w{n}.example", KeyKind.WITNESS, bytes([n]) * 32) for n in range(3)]
POLICY = LogPolicy(LOG.public, 600, tuple(w.public for w in WITNESSES), 2)
DIGESTS = [hashlib.sha256(bytes([n])).hexdigest() for n in range(9)]
TREE = tree_of_leaves([event_leaf(digest) for digest in DIGESTS])


def at(size: int) -> Checkpoint:
    """The log after so many events."""
    return Checkpoint("fund.example/visits", size, TREE(0, size))


def note(checkpoint: Checkpoint, witnesses: int = 2, log: NoteSigner = LOG) -> str:
    """A checkpoint with signatures."""
    text = checkpoint.text
    return Note(
        text, (log.sign(text), *(w.sign(text, 100 + n) for n, w in enumerate(WITNESSES[:witnesses])))
    ).serialise()


def test_a_checkpoint_needs_the_log_and_a_quorum() -> None:
    """Two of three witnesses here; one is too few, unless the caller asks for fewer."""
    signed = read_checkpoint(note(at(5)), POLICY)
    assert (signed.checkpoint, signed.cosigned) == (at(5), (("w0.example", 100), ("w1.example", 101)))
    with pytest.raises(LogUntrue, match="1 of 2 witnesses"):
        read_checkpoint(note(at(5), 1), POLICY)
    assert read_checkpoint(note(at(5), 0), POLICY, 0).cosigned == ()


def test_another_logs_checkpoint_is_refused() -> None:
    """Signed by another key, or of another name."""
    with pytest.raises(SignatureInvalid):
        read_checkpoint(note(at(5), log=NoteSigner(LOG.public.name, KeyKind.LOG, b"x" * 32)), POLICY)
    with pytest.raises(SignatureInvalid):
        read_checkpoint(note(replace(at(5), origin="other.example")), POLICY)


@pytest.mark.parametrize(
    "text",
    ["", "a\n1\n", "a\n01\nAAAA\n", "a\n-1\n\n", "\n1\nAAAA\n", "a\n1\nAAAA\n", f"{at(3).text}more\n", at(3).text[:-1]],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    """Other numbers, hashes, missing or further lines."""
    with pytest.raises(EnvelopeInvalid):
        parse_checkpoint(text)


def test_growth_is_the_body_of_add_checkpoint() -> None:
    """Reads back; the proof shows that the old log is the beginning of the new one."""
    growth = Growth(3, consistency_proof(TREE, 3, 9), note(at(9)))
    assert growth.text.startswith("old 3\n")
    read = parse_growth(growth.text)
    assert read == growth
    check_growth(at(3), at(9), read.proof)
    with pytest.raises(LogUntrue, match="no extension"):
        check_growth(replace(at(3), root=bytes(32)), at(9), read.proof)
    with pytest.raises(LogUntrue, match="shrank from 9 to 3"):
        check_growth(at(9), at(3), ())


@pytest.mark.parametrize(
    "body", ["", "old 3", "new 3\n\nx", "old 3\nAAAA\n\nx", "old 3\n" + "A" * 43 + "=\n", f"old {2**53}\n\n"]
)
def test_what_is_no_growth_is_refused(body: str) -> None:
    """Other words, short hashes, no checkpoint, a number that no reader keeps."""
    with pytest.raises(EnvelopeInvalid):
        parse_growth(body)


def test_a_proof_has_at_most_63_hashes() -> None:
    """No tree needs more."""
    with pytest.raises(EnvelopeInvalid, match="63"):
        parse_growth(Growth(3, (bytes(32),) * 64, note(at(9))).text)


def test_an_offline_proof_shows_its_event_and_no_other() -> None:
    """Reads back, verifies, and does not verify for another event or place."""
    proof = OfflineProof("a.b.c", 6, inclusion_proof(TREE, 6, 9), note(at(9)))
    read, signed = parse_offline(proof.text), read_checkpoint(proof.note, POLICY)
    assert read == proof
    check_inclusion(read, DIGESTS[6], signed)
    for wrong in (replace(read, index=5), replace(read, proof=read.proof[1:])):
        with pytest.raises(LogUntrue, match="is not number"):
            check_inclusion(wrong, DIGESTS[6], signed)
    with pytest.raises(LogUntrue):
        check_inclusion(read, DIGESTS[5], signed)


@pytest.mark.parametrize(
    "change", [("@v1", "@v2"), ("extra", "other"), ("index 6", "index 06"), ("extra YS", "extra gI"), ("\n\n", "\n")]
)
def test_what_is_no_offline_proof_is_refused(change: tuple[str, str]) -> None:
    """Other version, no event, another number, an event that is no text, no checkpoint."""
    text = OfflineProof("a.b.c", 6, inclusion_proof(TREE, 6, 9), note(at(9))).text
    with pytest.raises(EnvelopeInvalid):
        parse_offline(text.replace(*change))


def test_two_roots_of_one_size_contradict_each_other() -> None:
    """The proof of a split view is the two signed checkpoints alone."""
    assert contradictory(at(5), replace(at(5), root=bytes(32)))
    assert not contradictory(at(5), at(5))
    assert not contradictory(at(5), at(6))
    assert not contradictory(at(5), replace(at(5), root=bytes(32), origin="other"))


@pytest.mark.parametrize(("delay", "witnesses", "quorum"), [(0, 0, 0), (600, 1, 2), (600, 1, -1), (10**9, 0, 0)])
def test_a_policy_nobody_can_meet_is_refused(delay: int, witnesses: int, quorum: int) -> None:
    """No delay at all, more witnesses than there are."""
    with pytest.raises(EnvelopeInvalid):
        LogPolicy(LOG.public, delay, tuple(w.public for w in WITNESSES[:witnesses]), quorum)


def test_a_witness_counts_once() -> None:
    """Not twice under two names."""
    twin = replace(WITNESSES[0].public, name="other.example")
    with pytest.raises(EnvelopeInvalid, match="twice"):
        LogPolicy(LOG.public, 600, (WITNESSES[0].public, twin), 2)
