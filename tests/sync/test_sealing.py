"""Sealing: what one key is told, no other key, context or altered byte reveals."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.errors import EnvelopeInvalid, KeyUnusable, SealInvalid
from sync.sealing import SealedBox, lock, seal, unlock
from sync.signing import PublicJwk


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> SealedBox:
    """A key that opens."""
    return SealedBox.create(tmp_path_factory.mktemp("box") / "box.pem")


@settings(max_examples=50, deadline=None)
@given(content=st.binary(max_size=4096), context=st.binary(max_size=64))
def test_what_was_sealed_opens_for_its_key_and_context_only(box: SealedBox, content: bytes, context: bytes) -> None:
    """And twice the same content never looks the same."""
    sealed = seal(box.public_jwk, content, context)
    assert box.open(sealed, context) == content
    assert len(sealed) == len(content) + 81
    assert seal(box.public_jwk, content, context) != sealed
    with pytest.raises(SealInvalid):
        box.open(sealed, context + b"x")


@settings(max_examples=100, deadline=None)
@given(place=st.integers(0, 112), flip=st.integers(1, 255))
def test_one_altered_byte_opens_nothing(box: SealedBox, place: int, flip: int) -> None:
    """Encapsulated key, content and tag alike."""
    sealed = bytearray(seal(box.public_jwk, bytes(32), b"c"))
    sealed[place] ^= flip
    with pytest.raises(SealInvalid):
        box.open(bytes(sealed), b"c")


def test_another_key_or_a_part_opens_nothing(box: SealedBox, tmp_path: Path) -> None:
    """Cut anywhere, or meant for somebody else."""
    sealed = seal(box.public_jwk, b"secret", b"")
    other = SealedBox.create(tmp_path / "other.pem")
    for wrong in (sealed[:-1], sealed[:65], sealed[:3], b""):
        with pytest.raises(SealInvalid):
            box.open(wrong, b"")
    with pytest.raises(SealInvalid):
        other.open(sealed, b"")


@settings(max_examples=50, deadline=None)
@given(content=st.binary(max_size=512), place=st.integers(0, 10_000), flip=st.integers(1, 255))
def test_what_was_locked_opens_whole_or_not_at_all(content: bytes, place: int, flip: int) -> None:
    """The key, the context and every byte."""
    key, locked = bytes(32), lock(bytes(32), content, b"c")
    assert unlock(key, locked, b"c") == content
    altered = bytearray(locked)
    altered[place % len(locked)] ^= flip
    for wrong in (
        (key, bytes(altered), b"c"),
        (key, locked, b"d"),
        (b"\1" * 32, locked, b"c"),
        (key, locked[:5], b"c"),
    ):
        with pytest.raises(SealInvalid):
            unlock(*wrong)


def test_a_key_file_is_made_once_and_read_strictly(tmp_path: Path) -> None:
    """Nothing is overwritten; what is no P-256 key in PEM is named."""
    path = tmp_path / "box.pem"
    made = SealedBox.create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert SealedBox.load(path).public_jwk == made.public_jwk
    with pytest.raises(KeyUnusable):
        SealedBox.create(path)
    path.write_bytes(b"no key")
    with pytest.raises(KeyUnusable):
        SealedBox.load(path)
    with pytest.raises(EnvelopeInvalid):
        seal(PublicJwk("A" * 43, "A" * 43), b"", b"")
