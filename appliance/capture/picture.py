"""Owns reading one picture file into pixels: JPEG and PNG, whole, of a size that is safe to decode.

What the picture shows is not looked at here.
"""

import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from appliance.core.errors import ImageUnreadable
from appliance.opencv import cv2

MAX_FILE_BYTES = 40 * 1024 * 1024  # a 50-megapixel phone JPEG has 15 to 25 MB
MAX_PIXELS = 60_000_000  # 180 MB decoded; the largest phone sensors in use give 50 megapixels
MIN_SIDE = 32  # nothing smaller holds a face

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_STANDALONE = frozenset(range(0xD0, 0xD8)) | {0x01}  # RSTn and TEM have no length (ITU-T T.81, table B.1)
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOFn less DHT, JPG, DAC
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, b"\xff\xd9"


def read_image(path: Path) -> NDArray[np.uint8]:
    """The picture as BGR uint8, H x W x 3, turned upright by its EXIF orientation.

    The header is read before anything is decoded, so a small file that announces a huge picture costs nothing. Raises
    ImageUnreadable for a file that is missing, empty, too large, neither JPEG nor PNG, truncated, or that the decoder
    rejects. Damage inside a JPEG's coded data that keeps its end cannot be told from a bad photo, and passes.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ImageUnreadable(f"{path.name}: larger than {MAX_FILE_BYTES // 1024**2} MB")
        data = path.read_bytes()
    except OSError as error:
        raise ImageUnreadable(f"{path.name}: cannot be read: {error.strerror}") from error
    try:
        return decode_image(data)
    except ImageUnreadable as failure:
        raise ImageUnreadable(f"{path.name}: {failure}") from failure


def decode_image(data: bytes) -> NDArray[np.uint8]:
    """The picture in these bytes; as `read_image`. Raises ImageUnreadable."""
    width, height = _announced_size(data)
    if width * height > MAX_PIXELS:
        raise ImageUnreadable(f"{width} x {height} pixels are more than this desk decodes")
    if min(width, height) < MIN_SIDE:
        raise ImageUnreadable(f"{width} x {height} pixels are too few")
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise ImageUnreadable("the decoder rejects it") from error
    if pixels is None:
        raise ImageUnreadable("the decoder rejects it")
    if sorted(pixels.shape[:2]) != sorted((height, width)):
        raise ImageUnreadable("its header and its content disagree")
    return np.asarray(pixels, np.uint8)


def _announced_size(data: bytes) -> tuple[int, int]:
    """Width and height from the header, after checking that the file is whole."""
    if not data:
        raise ImageUnreadable("the file is empty")
    try:
        if data.startswith(_PNG):
            return _check_png(data)
        if data.startswith(_JPEG):
            return _check_jpeg(data)
    except (struct.error, IndexError) as error:  # the walk ran over the end
        raise ImageUnreadable("truncated") from error
    raise ImageUnreadable("neither a JPEG nor a PNG picture")


def _check_png(data: bytes) -> tuple[int, int]:
    """Walk the chunks to IEND and verify each CRC (PNG specification, section 5): any missing byte is noticed."""
    length, kind = struct.unpack_from(">I4s", data, 8)
    if kind != b"IHDR" or length != 13:
        raise ImageUnreadable("not a PNG: no header chunk")
    width, height = struct.unpack_from(">II", data, 16)
    if width * height > MAX_PIXELS:
        return width, height  # refused by the caller; its chunks are not worth reading
    at = 8
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", data, at)
        (crc,) = struct.unpack_from(">I", data, at + 8 + length)
        if zlib.crc32(memoryview(data)[at + 4 : at + 8 + length]) != crc:
            raise ImageUnreadable("damaged: a checksum does not fit")
        at += 12 + length
    return int(width), int(height)


def _check_jpeg(data: bytes) -> tuple[int, int]:
    """Walk the segments to the scan, and ask for the end marker behind it.

    `cv2.imread` takes a truncated JPEG and fills the rest with grey (so would a face be enrolled); `cv2.imdecode` of
    OpenCV 5 refuses it, without a reason and without a promise. So it is checked here.
    An end marker in an embedded preview does not count: previews sit inside the segments that are walked over.
    """
    at, size = 2, None
    while True:
        if data[at] != 0xFF:
            raise ImageUnreadable("damaged: not a JPEG inside")
        marker = data[at + 1]
        if marker == 0xFF or marker in _STANDALONE:
            at += 1 if marker == 0xFF else 2
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        if marker in _FRAME_HEADERS:
            height, width = struct.unpack_from(">HH", data, at + 5)
            size = int(width), int(height)
        at += 2 + length
        if marker == _START_OF_SCAN:
            break
    if size is None:
        raise ImageUnreadable("damaged: a JPEG without a size")
    if data.find(_END_OF_IMAGE, at) < 0:
        raise ImageUnreadable("truncated: the end of the picture is missing")
    return size
