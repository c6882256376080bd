"""The live camera: newest frame only, reopening, faults, the end of its thread."""

import threading
import time
from collections.abc import Callable, Iterator
from itertools import count, pairwise, repeat

import pytest

from appliance.capture.camera import Camera, CameraLimits
from appliance.capture.camera_health import HealthLimits
from appliance.core.errors import CameraFrozen, CameraUnavailable
from sync.clock import SystemClock
from tests.fakes.camera import Bench, ListedDevice, MjpegCamera, Pixels, number_of, picture

QUICK = CameraLimits(first_frame=2.0, frame=0.5, stop=2.0, backoff=0.02, backoff_cap=0.08)
WATCHFUL = HealthLimits(frozen_frames=5, frozen_seconds=0.05, black_seconds=0.05)

Start = Callable[..., Camera]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts cameras; closes them afterwards and fails when a camera's thread is left."""
    cameras: list[Camera] = []

    def begin(bench: Bench, limits: CameraLimits = QUICK) -> Camera:
        cameras.append(Camera(0, SystemClock(), limits=limits, health=WATCHFUL, open_with=bench.open))
        return cameras[-1]

    yield begin
    for camera in cameras:
        camera.close()
    assert [t.name for t in threading.enumerate() if t.name == "camera"] == []


def _numbers(level: int = 120) -> Iterator[Pixels]:
    return (picture(n, level) for n in count())


def test_a_slow_reader_gets_the_newest_frame_and_none_twice(start: Start) -> None:
    """What is shown is now: frames that passed while nobody read are gone."""
    camera = start(Bench(ListedDevice(_numbers(), interval=0.002)))
    seen = []
    for _ in range(8):
        frame = camera.read()
        assert frame is not None
        assert number_of(frame.pixels) == frame.index
        seen.append(frame.index)
        time.sleep(0.03)
    assert all(later - earlier >= 4 for earlier, later in pairwise(seen))


def test_a_quick_reader_waits_for_the_next_frame(start: Start) -> None:
    """A frame is never given twice, however fast one asks."""
    camera = start(Bench(ListedDevice(_numbers(), interval=0.01)))
    frames = [camera.read() for _ in range(10)]
    indices = [f.index for f in frames if f is not None]
    assert indices == sorted(set(indices))
    assert all(a.at < b.at for a, b in pairwise(frames) if a and b)


def test_a_camera_that_cannot_be_opened_says_so_and_is_tried_again_with_growing_pauses(start: Start) -> None:
    """The pauses double up to the cap; plugged in, it gives frames without a restart."""
    bench = Bench(None, None, None, None, None, ListedDevice(_numbers()))
    camera = start(bench)
    with pytest.raises(CameraUnavailable):
        camera.read()
    deadline = time.monotonic() + 3
    while len(bench.opened_at) < 6 and time.monotonic() < deadline:
        time.sleep(0.01)
    pauses = [b - a for a, b in pairwise(bench.opened_at)]
    floor = [0.02, 0.04, 0.08, 0.08, 0.08]
    assert all(p >= f for p, f in zip(pauses, floor, strict=True))
    while True:  # problems told before it was opened may still be waiting
        try:
            assert camera.read() is not None
            break
        except CameraUnavailable:
            assert time.monotonic() < deadline


def test_single_lost_frames_do_not_matter(start: Start) -> None:
    """A damaged JPEG from the camera costs one frame, not the camera."""
    frames = [picture(0), None, None, picture(1), None, *(picture(n) for n in range(2, 60))]
    bench = Bench(ListedDevice(frames, interval=0.005))
    camera = start(bench)
    for _ in range(10):
        camera.read()
    assert len(bench.opened_at) == 1


def test_a_camera_that_is_pulled_out_is_opened_anew(start: Start) -> None:
    """Unplugged and plugged in again, it goes on; indices go on too."""
    first = ListedDevice((picture(n) for n in range(10)), interval=0.002)
    camera = start(Bench(first, None, ListedDevice(_numbers(), interval=0.002)))
    indices, problems = [], 0
    for _ in range(400):
        try:
            frame = camera.read()
        except CameraUnavailable:
            problems += 1
            continue
        assert frame is not None
        indices.append(frame.index)
        if frame.index > 20:
            break
    assert indices[-1] > 20
    assert problems >= 1
    assert indices == sorted(set(indices))
    assert first.released == 1


def test_a_picture_that_stands_still_is_told_and_the_camera_reopened(start: Start) -> None:
    """A hung camera looks fine but shows the past."""
    still = picture(7)
    hung = ListedDevice(repeat(still), interval=0.003)
    camera = start(Bench(hung, ListedDevice(repeat(still), interval=0.003), ListedDevice(_numbers(), interval=0.003)))
    told = _until_fault(camera)
    assert isinstance(told, CameraFrozen)
    assert "still" in str(told)
    assert hung.released == 1
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        try:
            frame = camera.read()
        except CameraFrozen:
            continue
        if frame is not None and number_of(frame.pixels) > 10:
            return
    pytest.fail("the reopened camera gives no moving picture")


def test_a_hung_camera_gets_no_second_grace_after_reopening(start: Start) -> None:
    """The same frame after reopening is still the same frame."""
    still = picture(7)
    devices = [ListedDevice(repeat(still), interval=0.003) for _ in range(4)]
    camera = start(Bench(*devices))
    _until_fault(camera)
    for _ in range(3):
        with pytest.raises(CameraFrozen):
            camera.read()


def test_a_covered_lens_is_told_and_uncovering_it_is_enough(start: Start) -> None:
    """Black frames carry noise, so they are not frozen; the device stays open."""
    dark = (picture(n % 2, level=0) // 200 for n in range(60))
    camera = start(Bench(ListedDevice([*dark, *(picture(n) for n in range(2000))], interval=0.003)))
    told = _until_fault(camera)
    assert isinstance(told, CameraFrozen)
    assert "black" in str(told)
    for _ in range(200):
        try:
            frame = camera.read()
        except CameraFrozen:
            continue
        assert frame is not None
        if float(frame.pixels.mean()) > 50:
            return
    pytest.fail("no light picture came")


def _until_fault(camera: Camera) -> CameraFrozen | None:
    for _ in range(500):
        try:
            camera.read()
        except CameraFrozen as failure:
            return failure
    return None


def test_a_camera_that_gives_nothing_is_told_within_the_deadline(start: Start) -> None:
    """The reader is never left hanging on a driver."""
    camera = start(Bench(_Stuck()), CameraLimits(first_frame=0.1, frame=0.1, stop=2.0))
    began = time.monotonic()
    with pytest.raises(CameraUnavailable, match="no frame within"):
        camera.read()
    assert time.monotonic() - began < 0.5


def test_a_driver_that_does_not_return_does_not_hold_up_closing(caplog: pytest.LogCaptureFixture) -> None:
    """Closing has a deadline; what is left behind is logged, and ends with the driver's call."""
    camera = Camera(0, SystemClock(), limits=CameraLimits(stop=0.1), open_with=Bench(_Stuck()).open)
    began = time.monotonic()
    camera.close()
    assert time.monotonic() - began < 0.5
    assert "did not return" in caplog.text
    left = next(t for t in threading.enumerate() if t.name == "camera")
    left.join(2)
    assert not left.is_alive()


class _Stuck:
    """A driver that does not return for a while."""

    def read(self) -> tuple[bool, Pixels | None]:
        time.sleep(0.6)
        return False, None

    def release(self) -> None:
        pass


def test_closing_frees_the_device_wakes_the_reader_and_ends_the_thread(start: Start) -> None:
    """Whoever waits for a frame is told; closing twice is harmless."""
    device = ListedDevice([picture(0)], interval=0.001)
    camera = start(Bench(device), CameraLimits(first_frame=5, frame=5, stop=2, backoff=5, backoff_cap=5))
    camera.read()
    told: list[str] = []

    def wait() -> None:
        for _ in range(3):  # the device is lost first, then the camera closed
            try:
                camera.read()
            except CameraUnavailable as failure:
                told.append(str(failure))

    reader = threading.Thread(target=wait)
    reader.start()
    time.sleep(0.1)
    camera.close()
    camera.close()
    reader.join(1)
    assert not reader.is_alive()
    assert told[-1] == "the camera is closed"
    assert device.released == 1


def test_a_real_time_stream_is_read_through_opencv_without_falling_behind() -> None:
    """A reader ten times slower than the stream still sees a frame of this moment (naive reading is seconds behind)."""
    with MjpegCamera(picture, fps=30) as webcam:
        camera = Camera(webcam.url, SystemClock())
        try:
            assert camera.name == "stream"
            behind = []
            for _ in range(6):
                frame = camera.read()
                assert frame is not None
                behind.append(webcam.now() - number_of(frame.pixels))
                time.sleep(0.3)
            assert max(behind[1:]) <= 6
        finally:
            camera.close()


def _read_until_it_fails(camera: Camera) -> None:
    for _ in range(200):
        camera.read()


def test_a_stream_that_breaks_is_found_again() -> None:
    """Through the real decoder: cut, refused, back."""
    with MjpegCamera(picture, fps=30) as webcam:
        camera = Camera(webcam.url, SystemClock(), limits=QUICK)
        try:
            assert camera.read() is not None
            webcam.unplug()
            with pytest.raises(CameraUnavailable):
                _read_until_it_fails(camera)
            webcam.plug_in()
            deadline = time.monotonic() + 8
            while time.monotonic() < deadline:
                try:
                    assert camera.read() is not None
                    break
                except CameraUnavailable:
                    continue
            else:
                pytest.fail("the stream was not found again")
        finally:
            camera.close()


def _buggy() -> Iterator[Pixels]:
    yield picture(0)
    raise ValueError("a bug")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_bug_in_the_thread_ends_the_reader_too(start: Start) -> None:
    """Bugs are never hidden behind a camera that seems to be away: the supervisor must see the process end."""
    camera = start(Bench(ListedDevice(_buggy())))
    with pytest.raises(RuntimeError, match="bug"):
        list(iter(camera.read, None))
