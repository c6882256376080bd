"""Notes are C2SP's: what others signed verifies here, and nothing else does."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.errors import EnvelopeInvalid, KeyUnusable, SignatureInvalid
from sync.note import MAX_NOTE, KeyKind, Note, NoteKey, NoteSigner, decode64, encode64, read_signatures

GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n\n"
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
"""The example of Go's golang.org/x/mod/sumdb/note, where the format comes from."""

TEXT = "fund.example/visits\n3\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
LOG = NoteSigner("fund.example/visits", KeyKind.LOG, b"l" * 32)
WITNESS = NoteSigner("chamber.example/w1", KeyKind.WITNESS, b"w" * 32)


def test_the_example_of_gos_implementation_verifies() -> None:
    """Key line, key id, text and signature, all made by other code."""
    key = NoteKey.parse(GO_VKEY, KeyKind.LOG)
    note = Note.parse(GO_NOTE)
    assert note.signed_by(key) == 0
    assert key.vkey == GO_VKEY
    assert note.serialise() == GO_NOTE


def test_a_cosignature_signs_time_and_text() -> None:
    """As tlog-cosignature words it, byte for byte."""
    line = WITNESS.sign(TEXT, 1679315147)
    content = decode64(line.line.split(" ")[2].strip())
    assert content[:4] == WITNESS.public.key_id
    assert int.from_bytes(content[4:12], "big") == 1679315147
    Ed25519PublicKey.from_public_bytes(WITNESS.public.public).verify(
        content[12:], b"cosignature/v1\ntime 1679315147\n" + TEXT.encode()
    )
    assert Note(TEXT, (line,)).signed_by(WITNESS.public) == 1679315147


def test_a_note_with_log_and_witness_reads_back() -> None:
    """Each key finds its own signature; another key of the same name finds none."""
    note = Note.parse(Note(TEXT, (LOG.sign(TEXT), WITNESS.sign(TEXT, 7))).serialise())
    other = NoteSigner(LOG.public.name, KeyKind.LOG, b"o" * 32)
    assert (note.signed_by(LOG.public), note.signed_by(WITNESS.public)) == (0, 7)
    assert note.signed_by(other.public) is None


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 7))
def test_no_changed_bit_verifies(place: int, bit: int) -> None:
    """A flipped bit of text or signature: malformed, no signature of this key, or a bad one."""
    content = bytearray(Note(TEXT, (LOG.sign(TEXT),)).serialise().encode())
    content[place % len(content)] ^= 1 << bit
    try:
        changed = content.decode()
        accepted = Note.parse(changed).signed_by(LOG.public)
    except (UnicodeDecodeError, EnvelopeInvalid):
        return
    assert accepted is None


NOT_NOTES = {
    "empty": "",
    "text alone": "text\n",
    "no text": "\n\n\u2014 a b\n",
    "no signature": f"{TEXT}\n",
    "two words": f"{TEXT}\n\u2014 a\n",
    "another dash": f"{TEXT}\n- a AAAAAAAA\n",
    "no more than an id": f"{TEXT}\n\u2014 a AAAA\n",
    "not base64": f"{TEXT}\n\u2014 a AAAAAAA\n",
    "not canonical": f"{TEXT}\n\u2014 a AAAAAAB=\n",
    "a tab": "a\tb\n\n\u2014 a AAAAAAAA\n",
    "too long": "x" * MAX_NOTE + "\n\n\u2014 a AAAAAAAA\n",
}


@pytest.mark.parametrize("content", NOT_NOTES.values(), ids=NOT_NOTES)
def test_what_is_no_note_is_refused(content: str) -> None:
    """Without signature, without text, with other lines, other base64, control characters, too long."""
    with pytest.raises(EnvelopeInvalid):
        Note.parse(content)


def test_a_note_holds_at_most_16_signatures() -> None:
    """The number every verifier must take, and where we stop."""
    line = LOG.sign(TEXT).line
    assert len(read_signatures(line * 16)) == 16
    with pytest.raises(EnvelopeInvalid):
        read_signatures(line * 17)


@pytest.mark.parametrize("length", [71, 73])
def test_a_cosignature_of_another_length_is_invalid(length: int) -> None:
    """Eight bytes of time and 64 of signature."""
    line = f"\u2014 {WITNESS.public.name} {encode64(WITNESS.public.key_id + bytes(length))}\n"
    with pytest.raises(SignatureInvalid):
        Note(TEXT, read_signatures(line)).signed_by(WITNESS.public)


def test_a_time_beyond_63_bits_is_invalid() -> None:
    """tlog-cosignature forbids it."""
    line = f"\u2014 {WITNESS.public.name} {encode64(WITNESS.public.key_id + bytes([128]) + bytes(71))}\n"
    with pytest.raises(SignatureInvalid, match="form"):
        Note(TEXT, read_signatures(line)).signed_by(WITNESS.public)


@pytest.mark.parametrize(
    "vkey", ["", "a+b", "a b+00000000+AQ==", "a+00000000+AQ==", GO_VKEY.replace("c74f", "c74e"), WITNESS.public.vkey]
)
def test_what_is_no_key_of_a_log_is_refused(vkey: str) -> None:
    """Another id, length, name, or a witness's key."""
    with pytest.raises(EnvelopeInvalid):
        NoteKey.parse(vkey, KeyKind.LOG)


def test_a_key_file_belongs_to_one_public_key(tmp_path: Path) -> None:
    """Made once, read back, refused under another name."""
    made = NoteSigner.create(tmp_path / "log.key", "fund.example/visits", KeyKind.LOG)
    assert NoteSigner.load(tmp_path / "log.key", made.public).public == made.public
    with pytest.raises(KeyUnusable):
        NoteSigner.load(tmp_path / "log.key", LOG.public)
    with pytest.raises(EnvelopeInvalid):
        NoteSigner.create(tmp_path / "other.key", "with space", KeyKind.LOG)
