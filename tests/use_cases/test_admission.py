"""Cameras at the desk's door: refusals and changes are recorded, what stays the same is not."""

from dataclasses import replace

import pytest

from appliance.admission import Admission
from appliance.core.camera import Allowed, Bus, CameraIdentity
from appliance.core.errors import CameraRefused
from tests.core.test_camera import WEBCAM
from tests.fakes.working_desk import SOFTWARE, WorkingDesk

VIRTUAL = CameraIdentity("video0", "OBS Virtual Camera", bus=Bus.VIRTUAL)


def _door(desk: WorkingDesk, *lines: str) -> Admission:
    return Admission(desk.db, desk.ledger, desk.clock, tuple(map(Allowed.parse, lines)), (), SOFTWARE)


def _alarms(desk: WorkingDesk) -> list[tuple[object, object]]:
    return [(event.data["what"], event.data["detail"]) for event in desk.events() if event.kind == "alarm"]


def test_the_first_camera_is_remembered_without_an_event(desk: WorkingDesk) -> None:
    """Nothing changed; it may come back as often as it likes, under any number."""
    door = _door(desk)
    for node in ("video0", "video0", "video2"):
        door.admit(replace(WEBCAM, node=node))
    assert _alarms(desk) == []


def test_a_change_of_camera_is_one_event(desk: WorkingDesk) -> None:
    """Remembered by the database, so that another process notices too; going back is a change again."""
    other = replace(WEBCAM, vendor="0c45", product="6366", serial="")
    _door(desk).admit(WEBCAM)
    for _ in range(3):
        _door(desk).admit(other)
    assert _alarms(desk) == [("camera_changed", "0c45:6366")]
    _door(desk).admit(WEBCAM)
    assert _alarms(desk)[1:] == [("camera_changed", "046d:0825")]
    desk.check_everything()


@pytest.mark.parametrize(
    ("camera", "lines", "detail"),
    [(VIRTUAL, (), "virtual: virtual"), (WEBCAM, ("0c45:6366",), "not_listed: 046d:0825")],
)
def test_a_refusal_is_an_event_and_a_failure(
    desk: WorkingDesk, camera: CameraIdentity, lines: tuple[str, ...], detail: str
) -> None:
    """The event says why; a refused camera is not remembered as the desk's."""
    _door(desk).admit(replace(WEBCAM, serial="the desk's"))
    with pytest.raises(CameraRefused, match="may not be used"):
        _door(desk, *lines).admit(camera)
    assert _alarms(desk) == [("camera_refused", detail)]
    _door(desk).admit(replace(WEBCAM, serial="the desk's"))
    assert len(_alarms(desk)) == 1


def test_an_event_holds_nothing_the_camera_may_choose_freely(desk: WorkingDesk) -> None:
    """A label or a serial number could carry anything, a password in an address too."""
    spoken = replace(VIRTUAL, label="SECRET", serial="SECRET")
    stream = CameraIdentity("stream", bus=Bus.NETWORK, address="http://user:SECRET@camera/")
    for camera in (spoken, stream):
        with pytest.raises(CameraRefused) as told:
            _door(desk).admit(camera)
        assert "SECRET" not in str(told.value)
    assert "SECRET" not in str(_alarms(desk))
