"""How pictures resemble earlier ones: measured on drawn noise, coded pictures, and real films."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.capture.recurrence import PictureMemory
from appliance.capture.replay import VideoFile
from appliance.core.policy import ReplayRule
from appliance.core.replay import Repeats, Repetition
from appliance.core.types import Frame, Instant, Recurrence
from appliance.opencv import cv2

Pixels = NDArray[np.uint8]
FPS = 15.0


def _look(memory: PictureMemory, pixels: Pixels, number: int, fps: float = FPS) -> Recurrence:
    return memory.look(Frame(pixels, Instant(number / fps), "camera", number))


def _memory(pictures: int = 2048) -> PictureMemory:
    rule = ReplayRule()
    return PictureMemory(rule.gap, rule.stride, pictures)


def _walk(seconds: float, seed: int = 1) -> list[Pixels]:
    """A bright disc that wanders over a grey wall before a noisy sensor."""
    rng = np.random.default_rng(seed)
    wall = cv2.resize(rng.integers(60, 180, (6, 8, 3), np.uint8), (320, 240), interpolation=cv2.INTER_CUBIC)
    way = np.cumsum(rng.normal(0, 6, (round(seconds * FPS), 2)), axis=0) + np.array((160, 120))
    pictures = []
    for x, y in way:
        clean = cv2.circle(wall.copy(), (round(x), round(y)), 60, (200, 210, 220), -1).astype(np.float64)
        pictures.append(np.clip(clean + rng.normal(0.5, 2, clean.shape), 0, 255).astype(np.uint8))
    return pictures


def test_a_repeated_picture_is_the_same_at_once_and_seen_after_the_gap() -> None:
    """Equal in every sampled pixel; one changed pixel on the grid is another picture."""
    memory, picture = _memory(), _walk(1 / FPS)[0]
    looks = [_look(memory, picture, n) for n in range(20)]
    assert [look.same for look in looks] == [False] + [True] * 19
    assert [look.seen for look in looks] == [n >= FPS for n in range(20)]
    changed = picture.copy()
    changed[2, 2, 1] ^= 1
    other = _look(memory, changed, 20)
    assert (other.same, other.seen) == (False, False)
    assert other.nearest < 0.03


def test_distances_are_in_grey_levels() -> None:
    """Half the picture lighter by 20 is 10 off the mean everywhere; the same light everywhere is nothing."""
    memory, picture = _memory(), _walk(1 / FPS)[0] // 2
    _look(memory, picture, 0)
    half = picture.copy()
    half[:, :160] += 20
    look = _look(memory, half, 30)
    assert look.nearest == pytest.approx(10, abs=0.1)
    assert look.moved == pytest.approx(10, abs=0.1)
    assert _look(memory, picture + 20, 60).nearest == pytest.approx(0, abs=0.1)


def test_only_pictures_older_than_the_gap_are_earlier_ones() -> None:
    """A head that moves slowly is always near where it was just now."""
    memory, pictures = _memory(), _walk(1.0)
    looks = [_look(memory, picture, n) for n, picture in enumerate(pictures)]
    assert all(look.nearest == np.inf for look in looks)
    assert looks[3].moved == 0.0
    assert looks[12].moved > 0


def test_a_full_memory_forgets_the_oldest() -> None:
    """And finds what it still holds, exactly as one that never was full."""
    small, large, pictures = _memory(40), _memory(4096), _walk(6.0)
    for n, picture in enumerate(pictures):
        few, many = _look(small, picture, n), _look(large, picture, n)
        assert few.nearest >= many.nearest - 1e-3
    last = len(pictures)
    assert _look(small, pictures[0], last).nearest > 0.5, "forgotten"
    assert _look(large, pictures[0], last).nearest < 0.03
    assert _look(small, pictures[-20], last + 1).nearest < 0.03


def test_a_memory_smaller_than_the_gap_knows_no_earlier_picture() -> None:
    """Rather nothing than a wrong figure."""
    memory, pictures = _memory(5), _walk(3.0)
    assert {_look(memory, picture, n).nearest for n, picture in enumerate(pictures)} == {np.inf}


def test_a_flat_picture_resembles_nothing() -> None:
    """A covered lens or an overexposed frame is the camera's matter, not a film."""
    memory, dark = _memory(), np.zeros((240, 320, 3), np.uint8)
    assert {(_look(memory, dark, n).same, _look(memory, dark, n + 100).seen) for n in range(40)} == {(False, False)}


def _verdict(pictures: list[Pixels], fps: float) -> Repetition | None:
    memory, found, rule = _memory(), Repeats(), ReplayRule()
    for n, picture in enumerate(pictures):
        found = found.follow(_look(memory, picture, n, fps), rule)
    return found.found


def _coded(picture: Pixels, quality: int) -> Pixels:
    written = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(written, cv2.IMREAD_COLOR), np.uint8)


def _halved(picture: Pixels) -> Pixels:
    return np.asarray(cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)


def test_a_drawn_film_is_told_when_it_comes_again_and_not_before() -> None:
    """In a loop, to and fro, and coded anew each time."""
    pictures = _walk(4.0)
    assert _verdict(pictures, FPS) is None
    assert _verdict(pictures * 2, FPS) is Repetition.LOOPING
    assert _verdict(pictures + pictures[::-1], FPS) is Repetition.LOOPING
    assert _verdict([_coded(p, q) for q in (70, 80) for p in pictures], FPS) is Repetition.LOOPING
    assert _verdict([*pictures, *[pictures[-1]] * 20], FPS) is Repetition.FROZEN


@pytest.mark.evaluation
@pytest.mark.parametrize("name", ["les_real", "les_fake", "mani_fake"])
def test_a_real_film_is_told_when_it_comes_again_and_not_before(evaluation: Path, name: str) -> None:
    """A live face and two telephone replays, by the source that plays recordings."""
    source = VideoFile(evaluation / "replay" / f"{name}.mp4")
    pictures = [_halved(frame.pixels) for frame in iter(source.read, None)]
    fps = source.fps
    source.close()
    again = pictures[: round(2.5 * fps)]
    assert _verdict(pictures, fps) is None
    assert _verdict(pictures + again, fps) is Repetition.LOOPING
    anew = [_coded(p, 75) for p in pictures] + [_coded(p, 82) for p in again]
    assert _verdict(anew, fps) is Repetition.LOOPING
