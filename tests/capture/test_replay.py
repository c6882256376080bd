"""Recordings, folders and pacing: every frame once, in order, with the right times; damage is told."""

from pathlib import Path

import numpy as np
import pytest

from appliance.capture.replay import ImageFolder, Paced, VideoFile
from appliance.core.errors import CameraUnavailable, ImageUnreadable
from appliance.core.types import Frame, Instant
from appliance.opencv import cv2
from tests.fakes.camera import picture
from tests.fakes.clock import ManualClock


def _video(path: Path, frames: int = 30, codec: str = "MJPG", fps: float = 10.0) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*codec), fps, (64, 48))
    assert writer.isOpened()
    for n in range(frames):
        writer.write(picture(0, level=8 * n % 250))
    writer.release()
    return path


def _all(source: VideoFile | ImageFolder) -> list[Frame]:
    frames = []
    while (frame := source.read()) is not None:
        frames.append(frame)
    source.close()
    source.close()
    assert source.read() is None
    return frames


def test_a_recording_gives_every_frame_in_order_with_its_media_time(tmp_path: Path) -> None:
    """Start plus index over the rate of the file."""
    source = VideoFile(_video(tmp_path / "visit.avi"), Instant(5.0))
    frames = _all(source)
    assert [f.index for f in frames] == list(range(30))
    assert [f.at for f in frames] == pytest.approx([5.0 + n / 10 for n in range(30)])
    levels = [int(f.pixels[24, 40, 0]) for f in frames]
    assert levels == pytest.approx([8 * n % 250 for n in range(30)], abs=3)
    assert {f.source for f in frames} == {"recording"} == {source.name}
    assert not source.truncated


@pytest.mark.parametrize("share", [0.4, 0.7])
def test_a_truncated_recording_gives_what_it_has_and_says_so(
    tmp_path: Path, share: float, caplog: pytest.LogCaptureFixture
) -> None:
    """An AVI announces its frames at the start."""
    whole = _video(tmp_path / "whole.avi", frames=60).read_bytes()
    path = tmp_path / "cut.avi"
    path.write_bytes(whole[: int(len(whole) * share)])
    source = VideoFile(path)
    frames = _all(source)
    assert 0.3 * 60 * share < len(frames) < 60
    assert source.truncated
    assert "ends after" in caplog.text


def test_an_mp4_cut_before_its_index_is_unreadable(tmp_path: Path) -> None:
    """Its index stands at the end: nothing can be read without it."""
    whole = _video(tmp_path / "whole.mp4", codec="mp4v").read_bytes()
    path = tmp_path / "cut.mp4"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ImageUnreadable, match=r"cut\.mp4"):
        VideoFile(path)


@pytest.mark.parametrize("content", [b"", b"not a video\n" * 20], ids=["zero bytes", "text"])
def test_what_is_no_video_is_unreadable(tmp_path: Path, content: bytes) -> None:
    """Whatever its name."""
    path = tmp_path / "visit.mp4"
    path.write_bytes(content)
    with pytest.raises(ImageUnreadable):
        VideoFile(path)


def test_a_missing_recording_is_unavailable(tmp_path: Path) -> None:
    """As a camera that is not there."""
    with pytest.raises(CameraUnavailable):
        VideoFile(tmp_path / "none.avi")


def test_a_folder_is_played_in_order_of_names(tmp_path: Path) -> None:
    """Other files are passed over."""
    for n in (2, 0, 1):
        cv2.imwrite(str(tmp_path / f"{n}.png"), picture(n))
    (tmp_path / "notes.txt").write_text("no picture")
    frames = _all(ImageFolder(tmp_path, fps=4, start=Instant(1.0)))
    assert [int(f.pixels[4, 4, 0]) for f in frames] == [0, 1, 2]
    assert [f.at for f in frames] == [1.0, 1.25, 1.5]


def test_a_damaged_picture_in_a_folder_is_told_and_the_next_one_given(tmp_path: Path) -> None:
    """One bad file does not end the sequence."""
    (tmp_path / "0.jpg").write_bytes(b"")
    cv2.imwrite(str(tmp_path / "1.jpg"), picture(1))
    folder = ImageFolder(tmp_path)
    with pytest.raises(ImageUnreadable):
        folder.read()
    frame = folder.read()
    assert frame is not None
    assert frame.index == 1
    assert folder.read() is None


def test_a_folder_without_pictures_is_unavailable(tmp_path: Path) -> None:
    """Also one that is not there; a rate of zero is a mistake of the caller."""
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(CameraUnavailable):
            ImageFolder(path)
    with pytest.raises(ValueError, match="positive"):
        ImageFolder(tmp_path, fps=0)


class _Counting:
    """Frames at 10 a second from 100 on (where a ManualClock begins); each takes `cost` seconds to make."""

    name = "counting"

    def __init__(self, clock: ManualClock, cost: float = 0.0, count: int = 50) -> None:
        self._clock, self._cost, self._left, self._index = clock, cost, count, 0
        self.closed = False

    def read(self) -> Frame | None:
        """The next one."""
        if self._index >= self._left:
            return None
        self._clock.advance(self._cost)
        index, self._index = self._index, self._index + 1
        return Frame(np.zeros((4, 4, 3), np.uint8), Instant(100 + index / 10), self.name, index)

    def close(self) -> None:
        """Remember."""
        self.closed = True


def test_paced_frames_come_when_their_time_has_come() -> None:
    """Not earlier; the end and closing pass through."""
    clock = ManualClock()
    source = _Counting(clock, count=5)
    paced = Paced(source, clock)
    for index in range(5):
        frame = paced.read()
        assert frame is not None
        assert frame.index == index
        assert clock.monotonic() == pytest.approx(frame.at)
    assert paced.read() is None
    paced.close()
    assert source.closed
    assert paced.name == "counting"


def test_paced_frames_that_are_long_past_are_skipped() -> None:
    """After a pause of the reader the next frame is one of now, as with a camera."""
    clock = ManualClock()
    paced = Paced(_Counting(clock), clock)
    paced.read()
    clock.advance(2.0)
    frame = paced.read()
    assert frame is not None
    assert abs(frame.at - clock.monotonic()) <= 0.25


def test_a_source_slower_than_real_time_still_gives_frames() -> None:
    """Skipping is bounded."""
    clock = ManualClock()
    paced = Paced(_Counting(clock, cost=0.5, count=200), clock)
    assert paced.read() is not None
    assert paced.read() is not None
