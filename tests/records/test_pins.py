"""A PIN is kept as a hash that nobody turns back."""

import pytest

from appliance.core.operators import Pin
from appliance.records.pins import PinHasher

CHEAP = PinHasher(passes=1, memory_kib=64, lanes=1)


def test_a_hash_fits_its_pin_only() -> None:
    """Salted: the same PIN gives another hash each time."""
    kept = CHEAP.hash(Pin("271828"))
    assert CHEAP.fits(kept, Pin("271828"))
    assert not CHEAP.fits(kept, Pin("271829"))
    assert CHEAP.hash(Pin("271828")) != kept
    assert "271828" not in kept


def test_the_usual_cost_is_the_recommended_one() -> None:
    """Argon2id with 64 MiB, 3 passes, 4 lanes (RFC 9106, section 4)."""
    kept = PinHasher().hash(Pin("271828"))
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert CHEAP.fits(kept, Pin("271828")), "a hash carries its own cost"


DAMAGED = ["", "x", "$argon2id$v=19$m=64,t=1,p=1$abc", "$argon2id$v=19$m=0,t=1,p=1$YWJjZGVmZ2g$YWJj"]


@pytest.mark.parametrize("damaged", DAMAGED, ids=range(4))
def test_a_hash_that_cannot_be_read_fits_nothing(damaged: str) -> None:
    """Damage lets nobody in, and stops nothing."""
    assert not CHEAP.fits(damaged, Pin("271828"))
