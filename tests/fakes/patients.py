"""Invented people: valid IINs, profiles and templates, the same for the same number."""

from datetime import date, timedelta
from itertools import count

import numpy as np

from appliance.core.iin import Iin, check_digit
from appliance.core.types import Embedding, PackDigest
from appliance.records.profile import Profile

PACK = PackDigest("ab" * 32)
OTHER_PACK = PackDigest("cd" * 32)


def make_iin(number: int) -> Iin:
    """The IIN of invented person `number`, born from 1950 on; different for different numbers below 18,000."""
    born = date(1950, 1, 1) + timedelta(days=number)
    for serial in count(1):
        century = "3" if born.year < 2000 else "5"
        eleven = f"{born:%y%m%d}{century}{serial:04}"
        last = check_digit(eleven)
        if last is not None:
            return Iin(f"{eleven}{last}")
    raise AssertionError("every birthday has an IIN")


def make_profile(number: int) -> Profile:
    """A profile whose parts are easy to search for in files and logs."""
    return Profile(f"Айгүл{number}", f"Серікбаева{number}", make_iin(number), "kk")


def make_embedding(seed: int, dimension: int = 128, pack: PackDigest = PACK) -> Embedding:
    """A random direction."""
    vector = np.random.default_rng(seed).standard_normal(dimension).astype(np.float32)
    return Embedding(vector / np.float32(np.linalg.norm(vector)), pack)
