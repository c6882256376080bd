"""The cast is invented but for the faces, which lie in installed packages."""

from datetime import datetime, timedelta

import pytest

from appliance.core.errors import ImageUnreadable
from appliance.core.iin import Iin
from appliance.core.types import Embedding, Face, Frame, Observation
from appliance.demo.cast import CHILD, EVERYBODY, PATIENTS, STRANGER, UNSEEN, Person, Picture, locate, photograph
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


@pytest.mark.parametrize("who", EVERYBODY, ids=lambda who: who.key)
def test_every_iin_is_valid_and_nobodys(who: Person) -> None:
    """The check digit fits; nobody alive was born in the 1800s or, as the child, in 2099."""
    assert Iin.parse(who.iin.digits) == who.iin
    assert who.iin.born.year == 2099 if who is CHILD else 1800 <= who.iin.born.year < 1900


def test_somebody_has_two_services_and_somebody_a_code() -> None:
    """The choice and the way without a face are played by people whose day asks for them."""
    assert any(len(who.errands) > 1 for who in PATIENTS)
    assert [who.key for who in EVERYBODY if who.code] == [UNSEEN.key]
    assert not {CHILD.key, UNSEEN.key} & {who.key for who in PATIENTS}


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
    """It goes through the same door as theirs: each service, within the hour in which it is confirmed."""
    now = datetime(2026, 11, 23, 15, 29)  # noqa: DTZ001 - clinic time
    lines = parse_schedule(schedule(EVERYBODY, now))
    assert [line.iin for line in lines] == [who.iin for who in EVERYBODY for _ in who.errands]
    assert all(abs(line.starts - now) <= timedelta(hours=1) for line in lines)
    assert {line.visit_code for line in lines} == {"", UNSEEN.code}
    assert {line.starts.minute for line in lines} == {0, 15, 30, 45}
    assert {line.day.isoformat() for line in lines} == {"2026-11-23"}
