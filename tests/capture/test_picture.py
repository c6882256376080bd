"""Reading pictures: whole ones are read upright, damaged and hostile ones are refused with a reason."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from appliance.capture.picture import MAX_FILE_BYTES, decode_image, read_image
from appliance.core.errors import ImageUnreadable
from appliance.opencv import cv2


def _drawn(width: int = 96, height: int = 64) -> NDArray[np.uint8]:
    """A picture with a red patch in the upper left corner."""
    pixels = np.random.default_rng(1).integers(90, 110, (height, width, 3)).astype(np.uint8)
    pixels[: height // 4, : width // 4] = (20, 20, 240)
    return pixels


def _encoded(suffix: str, pixels: NDArray[np.uint8] | None = None) -> bytes:
    return bytes(cv2.imencode(suffix, _drawn() if pixels is None else pixels)[1])


JPEG, PNG = _encoded(".jpg"), _encoded(".png")
PROGRESSIVE = bytes(cv2.imencode(".jpg", _drawn(), [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1])


@pytest.mark.parametrize("data", [JPEG, PNG, PROGRESSIVE], ids=["jpeg", "png", "progressive"])
def test_a_whole_picture_is_read(data: bytes, tmp_path: Path) -> None:
    """BGR, height by width by three."""
    path = tmp_path / "photo.jpg"
    path.write_bytes(data)
    pixels = read_image(path)
    assert pixels.shape == (64, 96, 3)
    assert pixels.dtype == np.uint8
    assert pixels[4, 4, 2] > 200 > 60 > pixels[4, 4, 0]


@pytest.mark.parametrize("data", [JPEG, PNG, PROGRESSIVE], ids=["jpeg", "png", "progressive"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9, 0.999])
def test_a_truncated_picture_is_refused(data: bytes, share: float) -> None:
    """Never a face whose lower half is grey."""
    with pytest.raises(ImageUnreadable):
        decode_image(data[: int(len(data) * share)])


def test_opencv_itself_reads_half_a_jpeg_file(tmp_path: Path) -> None:
    """Why pictures are checked and decoded from memory: should OpenCV change its mind, the check may go."""
    path = tmp_path / "half.jpg"
    path.write_bytes(JPEG[: len(JPEG) // 2])
    assert cv2.imread(str(path), cv2.IMREAD_COLOR) is not None
    with pytest.raises(ImageUnreadable, match="truncated"):
        read_image(path)


def test_the_end_of_an_embedded_preview_is_not_the_end_of_the_picture() -> None:
    """EXIF holds a small JPEG with an end marker of its own; trailing data of phones does no harm."""
    preview = b"Exif\x00\x00" + JPEG[:2000] + b"\xff\xd9"
    with_preview = JPEG[:2] + b"\xff\xe1" + struct.pack(">H", len(preview) + 2) + preview + JPEG[2:]
    assert decode_image(with_preview + b"trailing data of the phone").shape == (64, 96, 3)
    with pytest.raises(ImageUnreadable, match="truncated"):
        decode_image(with_preview[: len(with_preview) - 200])


@pytest.mark.parametrize(("orientation", "corner"), [(1, (4, 4)), (3, (-5, -5)), (6, (4, -5)), (8, (-5, 4))])
def test_a_photo_taken_with_the_phone_turned_is_upright(orientation: int, corner: tuple[int, int]) -> None:
    """EXIF orientation (tag 0x0112) is applied."""
    tiff = b"II*\x00\x08\x00\x00\x00\x01\x00" + struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0) + b"\x00" * 4
    segment = b"Exif\x00\x00" + tiff
    data = JPEG[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + JPEG[2:]
    pixels = decode_image(data)
    assert pixels.shape == ((96, 64, 3) if orientation in {6, 8} else (64, 96, 3))
    assert pixels[corner][2] > 200


def _png_announcing(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))


@pytest.mark.parametrize("size", [(60_000, 60_000), (2**31 - 1, 2**31 - 1), (1, 70_000_000)])
def test_a_small_file_that_announces_a_huge_picture_is_refused_before_decoding(size: tuple[int, int]) -> None:
    """A bomb costs its header."""
    with pytest.raises(ImageUnreadable, match="more than this desk decodes"):
        decode_image(_png_announcing(*size) + PNG[33:])


def test_a_jpeg_that_announces_a_huge_picture_is_refused() -> None:
    """As for PNG: the frame header alone is read."""
    at = JPEG.index(b"\xff\xc0") + 5
    with pytest.raises(ImageUnreadable, match="more than this desk decodes"):
        decode_image(JPEG[:at] + struct.pack(">HH", 65_000, 65_000) + JPEG[at + 4 :])


def test_a_png_with_one_byte_changed_is_refused() -> None:
    """Every chunk carries a checksum."""
    middle = len(PNG) // 2
    with pytest.raises(ImageUnreadable, match="damaged"):
        decode_image(PNG[:middle] + bytes([PNG[middle] ^ 1]) + PNG[middle + 1 :])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"name;iin\nA;1\n", "neither"),
        (b"GIF89a" + b"\x00" * 50, "neither"),
        (b"\xff\xd8\xff", "truncated"),
        (b"\x89PNG\r\n\x1a\n", "truncated"),
        (_encoded(".png", _drawn(20, 20)), "too few"),
    ],
    ids=["zero bytes", "text", "gif", "jpeg magic", "png magic", "tiny"],
)
def test_what_is_no_picture_is_refused_with_the_reason(data: bytes, reason: str, tmp_path: Path) -> None:
    """The operator reads which file and why."""
    path = tmp_path / "photo.jpg"
    path.write_bytes(data)
    with pytest.raises(ImageUnreadable, match=rf"photo\.jpg: .*{reason}"):
        read_image(path)


def test_missing_files_folders_and_huge_files_are_refused(tmp_path: Path) -> None:
    """Nothing of the operating system's errors comes through."""
    with pytest.raises(ImageUnreadable, match="cannot be read"):
        read_image(tmp_path / "none.jpg")
    with pytest.raises(ImageUnreadable, match="cannot be read"):
        read_image(tmp_path)
    big = tmp_path / "big.jpg"
    with big.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    with pytest.raises(ImageUnreadable, match="larger than"):
        read_image(big)


@given(st.data())
def test_any_bytes_give_a_picture_or_the_known_failure(data: st.DataObject) -> None:
    """Mutated headers and bodies: nothing else ever comes out."""
    original = data.draw(st.sampled_from([JPEG, PNG, PROGRESSIVE]))
    at = data.draw(st.integers(0, len(original) - 1))
    patch = data.draw(st.binary(min_size=1, max_size=4))
    try:
        pixels = decode_image(original[:at] + patch + original[at + len(patch) :])
    except ImageUnreadable:
        return
    assert pixels.ndim == 3
