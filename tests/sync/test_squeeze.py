"""Compression: everything comes back, and nothing makes more than the reader asked for."""

import contextlib
import tracemalloc

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from sync.errors import EnvelopeInvalid
from sync.squeeze import squeeze, unsqueeze

SKIPPABLE = bytes.fromhex("502a4d1803000000") + b"abc"
"""A frame that every reader skips (RFC 8878, section 3.1.2)."""


@given(st.binary(max_size=2000))
def test_what_was_squeezed_comes_back(content: bytes) -> None:
    """Any bytes, also none."""
    assert unsqueeze(squeeze(content), 2000) == content


@given(st.binary(max_size=200))
def test_any_bytes_are_content_or_no_frame(content: bytes) -> None:
    """Nothing else comes out, and never more than asked for."""
    with contextlib.suppress(EnvelopeInvalid):
        assert len(unsqueeze(content, 10)) <= 11


@given(content=st.binary(max_size=2000), more=st.binary(min_size=1, max_size=50))
def test_bytes_after_the_frame_are_refused(content: bytes, more: bytes) -> None:
    """Not ignored: two readers would see two bodies."""
    with pytest.raises(EnvelopeInvalid):
        unsqueeze(squeeze(content) + more, 2000)


@pytest.mark.parametrize("more", [squeeze(b"two"), squeeze(b""), SKIPPABLE], ids=["frame", "empty frame", "skippable"])
def test_a_second_frame_is_refused(more: bytes) -> None:
    """Also one that adds nothing, and before the first as well as after it."""
    for content in (squeeze(b"one") + more, more + squeeze(b"one")):
        with pytest.raises(EnvelopeInvalid):
            unsqueeze(content, 2000)


@given(content=st.binary(max_size=2000), cut=st.integers(min_value=1))
def test_a_frame_cut_off_is_refused(content: bytes, cut: int) -> None:
    """Anywhere; its beginning is no body."""
    frame = squeeze(content)
    with pytest.raises(EnvelopeInvalid):
        unsqueeze(frame[: -min(cut, len(frame))], 2000)


@pytest.mark.parametrize("declared", [True, False])
def test_a_bomb_costs_no_memory(declared: bool) -> None:
    """300 MB in 30 kB: one byte more than the limit is made, whether or not the frame declares its size."""
    compressor = zstandard.ZstdCompressor(write_content_size=declared)
    bomb = compressor.compress(bytes(300_000_000))
    assert len(bomb) < 60_000
    tracemalloc.start()
    try:
        assert len(unsqueeze(bomb, 1_000_000)) == 1_000_001
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_a_frame_that_asks_for_a_huge_window_is_refused() -> None:
    """The window is memory that the sender chooses."""
    parameters = zstandard.ZstdCompressionParameters(window_log=27, write_content_size=False)
    frame = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    content = frame.compress(bytes(1000)) + frame.flush()
    with pytest.raises(EnvelopeInvalid):
        unsqueeze(content, 1000)
