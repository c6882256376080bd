"""How a device stands: the gravest objection first, and an end is an end to the second."""

from dataclasses import replace
from datetime import timedelta

import pytest

from sync.fund.rows import Device
from sync.fund.standing import Objection, objection
from sync.signing import PublicJwk
from tests.sync_fund.desk import NOON

GOOD = Device("desk-1", "Clinic", "Desk", "file", PublicJwk("x", "y"), certified_until=NOON + timedelta(days=1))


@pytest.mark.parametrize(
    ("device", "expected"),
    [
        (GOOD, None),
        (replace(GOOD, certified_until=NOON), Objection.EXPIRED),
        (replace(GOOD, certified_until=None), Objection.EXPIRED),
        (replace(GOOD, blocked="forked at event 3"), Objection.BLOCKED),
        (replace(GOOD, blocked="forked at event 3", certified_until=None), Objection.BLOCKED),
        (replace(GOOD, revoked="stolen", blocked="forked at event 3", certified_until=None), Objection.REVOKED),
    ],
    ids=["good", "ended", "never certified", "blocked", "blocked and ended", "all of it"],
)
def test_the_gravest_objection_is_told(device: Device, expected: Objection | None) -> None:
    """A revoked desk is told that, whatever else there is."""
    assert objection(device, NOON) is expected


def test_a_certificate_is_good_until_its_end() -> None:
    """The second before, and not the second itself."""
    assert objection(GOOD, NOON + timedelta(days=1, seconds=-1)) is None
    assert objection(GOOD, NOON + timedelta(days=1)) is Objection.EXPIRED


def test_an_objection_says_what_to_do_and_nothing_about_the_reason() -> None:
    """Whoever stole a desk does not learn from it that this is known."""
    for each in Objection:
        assert len(each.message) > 20
    assert objection(replace(GOOD, revoked="stolen"), NOON) is Objection.REVOKED
    assert "stolen" not in Objection.REVOKED.message
