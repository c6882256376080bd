"""Whoever breaks an enrolment off waits for nothing but what is being written at that moment."""

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from appliance.composition import OpenDesk, SeeingDesk
from appliance.core.errors import CameraUnavailable
from appliance.core.ports import FrameSource
from appliance.enrolment import ConsentGiven, EnrolledBy
from kiosk_ui.enrolling import Asked, Enroller, Outcome, Sitting
from tests.fakes.patients import make_profile

ASKED = Asked(make_profile(1), ConsentGiven("v1", "kk"), EnrolledBy())
WAIT_S = 60.0


class SlowPack:
    """A desk whose pack takes as long to open as the test wants, and then has no camera."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.go_on = threading.Event()

    def eyes(self) -> contextlib.AbstractContextManager[SeeingDesk]:
        """Opens when it is told to."""
        self.begun.release()
        assert self.go_on.wait(WAIT_S)
        raise CameraUnavailable("no camera in this test")

    def source(self, desk: OpenDesk) -> contextlib.AbstractContextManager[FrameSource]:
        """Never."""
        raise CameraUnavailable(f"no camera in this test {desk.home.root.name}")


def test_a_break_off_while_a_pack_opens_is_at_once_and_nothing_is_told_of_it() -> None:
    """The next one follows when the first has let go; of it alone something is told."""
    pack, told, heard = SlowPack(), list[Outcome](), threading.Event()

    def ended(outcome: Outcome) -> None:
        told.append(outcome)
        heard.set()

    enroller = Enroller(pack, lambda _: None, ended)
    enroller.begin(ASKED)
    assert pack.begun.acquire(timeout=WAIT_S)
    assert enroller.break_off()
    enroller.test()
    assert not pack.begun.acquire(blocking=False), "the first still opens its pack"
    assert told == []
    pack.go_on.set()
    assert pack.begun.acquire(timeout=WAIT_S)
    assert heard.wait(WAIT_S)
    enroller.close()
    assert [(outcome.tested, type(outcome.failure)) for outcome in told] == [(True, CameraUnavailable)]


@pytest.mark.parametrize("kept", [True, False])
def test_who_gives_up_while_it_is_written_learns_what_became_of_it(kept: bool) -> None:
    """Neither forgotten though it is kept, nor told as kept though it failed."""
    sitting = Sitting()
    assert sitting.claim()
    with ThreadPoolExecutor() as beside:
        given_up = beside.submit(sitting.give_up)
        while not sitting.stopped():
            pass
        assert not given_up.done()
        sitting.settle(kept=kept)
        assert given_up.result(WAIT_S) is not kept


def test_what_was_given_up_is_never_kept() -> None:
    """However far the looks were."""
    sitting = Sitting()
    assert sitting.give_up()
    assert not sitting.claim()
    assert sitting.stopped()
