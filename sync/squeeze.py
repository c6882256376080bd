"""Zstandard (RFC 8878) for the bodies of requests and for export files; the only door to the library.

How large a body may be is left to whoever reads it.
"""

from typing import Final

import zstandard

from sync.errors import EnvelopeInvalid

ENCODING: Final = "zstd"
"""The name in Content-Encoding (RFC 8878, section 7.2)."""

_LEVEL: Final = 3
"""A full batch takes 1.4 ms and a quarter of its bytes; level 9 takes three times as long for 3 % less."""

_MAX_WINDOW: Final = 8 << 20
"""Bytes of memory one reader may be made to take (RFC 8878, section 3.1.1.1.2 recommends 8 MiB)."""


def squeeze(content: bytes) -> bytes:
    """One frame."""
    return zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compress(content)


def unsqueeze(content: bytes, maximum: int) -> bytes:
    """What one frame holds, or its first `maximum` + 1 bytes when it holds more: never more are made.

    Raises EnvelopeInvalid: not a frame, a frame cut off, anything after it, or one that needs a larger window.
    """
    decompressor = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW)
    try:
        # Not decompress(max_output_size): that is ignored when the frame declares its size.
        plain = decompressor.stream_reader(content).read(maximum + 1)
        if len(plain) > maximum:
            return plain
        # The reader does not tell where it stopped; this tells, and is no danger for a frame known to be small.
        frame = decompressor.decompressobj()
        frame.decompress(content)
    except zstandard.ZstdError as error:
        raise EnvelopeInvalid("the body is not a zstd frame") from error
    if not frame.eof or frame.unused_data:
        raise EnvelopeInvalid("the body is not one whole zstd frame")
    return plain
