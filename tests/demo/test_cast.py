"""The cast is invented but for the faces, which lie in installed packages."""

from datetime import datetime, timedelta

import pytest

from appliance.core.errors import ImageUnreadable
from appliance.core.iin import Iin
from appliance.core.types import Embedding, Face, Frame, Observation
from appliance.demo.cast import PATIENTS, STRANGER, Picture, Role, locate, photograph
from appliance.demo.clinic import schedule
from appliance.records.schedule import parse_schedule
from tests.core.sights import observation


class Blind:
    """Implements `core.ports.Observer` and sees nobody."""

    def observe(self, frame: Frame) -> Observation:
        """No face."""
        assert frame.width > 0
        return observation(None)

    def embed(self, frame: Frame, face: Face) -> Embedding:
        """Never reached."""
        raise AssertionError(f"{frame.index} {face}")

    def live_score(self, frame: Frame, face: Face) -> float | None:
        """Never reached."""
        raise AssertionError(f"{frame.index} {face}")

    def unified_quality(self, frame: Frame, face: Face) -> float | None:
        """Never reached."""
        raise AssertionError(f"{frame.index} {face}")


def test_seven_people_are_enrolled() -> None:
    """All different, in three languages, each with a service."""
    assert len(PATIENTS) >= 7
    assert len({role.key for role in PATIENTS}) == len({role.name for role in PATIENTS}) == len(PATIENTS)
    assert len({role.picture for role in PATIENTS}) == len(PATIENTS)
    assert {role.language.value for role in PATIENTS} == {"kk", "ru", "en"}


@pytest.mark.parametrize("role", PATIENTS, ids=lambda role: role.key)
def test_every_iin_is_valid_and_nobodys(role: Role) -> None:
    """The check digit fits; nobody alive was born in the 1800s."""
    assert Iin.parse(role.iin.digits) == role.iin
    assert 1800 <= role.iin.born.year < 1900


@pytest.mark.parametrize(
    "picture", [*(role.picture for role in PATIENTS), STRANGER], ids=lambda p: f"{p.path}:{p.place}"
)
def test_every_picture_is_where_its_package_keeps_it(picture: Picture) -> None:
    """Installed, not copied."""
    assert locate(picture).is_file()
    assert "site-packages" in locate(picture).parts


def test_a_picture_of_a_missing_package_is_named() -> None:
    """The extra was not installed: told, with the package's name."""
    with pytest.raises(ImageUnreadable, match="keldim_pictures"):
        locate(Picture("keldim_pictures", "a.png"))


def test_a_picture_without_the_person_is_named() -> None:
    """Another version of the package might show other people."""
    with pytest.raises(ImageUnreadable, match="shows 0 faces, not 1"):
        photograph(STRANGER, Blind())


def test_the_days_file_of_services_is_one_that_clinics_give() -> None:
    """It goes through the same door as theirs: one service for each, within the hour in which it can be confirmed."""
    now = datetime(2026, 11, 23, 15, 29)  # noqa: DTZ001 - clinic time
    lines = parse_schedule(schedule(PATIENTS, now))
    assert [line.iin for line in lines] == [role.iin for role in PATIENTS]
    assert all(abs(line.starts - now) <= timedelta(hours=1) for line in lines)
    assert {line.starts.minute for line in lines} == {0, 15, 30, 45}
    assert {line.day.isoformat() for line in lines} == {"2026-11-23"}
