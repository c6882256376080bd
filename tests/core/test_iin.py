"""The twelve digits: what is accepted, what is caught, what is shown."""

import random
from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from appliance.core.errors import IinInvalid
from appliance.core.iin import Iin, check_digit
from tests.core.numbers import bodies, iins

KNOWN = "900101300017"
"""Test vector of the package idnumbers 1.22 (MIT)."""


def _valid(digits: str) -> bool:
    try:
        Iin(digits)
    except IinInvalid:
        return False
    return True


@given(iins())
def test_a_well_formed_number_is_accepted_and_told_back(digits: str) -> None:
    """Digits, birth date and mask come from the number itself."""
    iin = Iin.parse(digits)
    assert iin.digits == digits
    assert f"{iin.born:%y%m%d}" == digits[:6]
    assert iin.born.year // 100 == 18 + (int(digits[6]) - 1) // 2
    assert iin.masked == "•" * 8 + digits[8:]


@given(iins(), st.data())
def test_spaces_and_hyphens_do_not_matter(digits: str, data: st.DataObject) -> None:
    """People group the digits as they like."""
    typed = "".join(digit + data.draw(st.sampled_from(["", " ", "-", "\u00a0", "\t"])) for digit in digits)
    assert Iin.parse(f"  {typed}\n") == Iin(digits)


@given(iins())
def test_no_text_of_it_shows_the_number(digits: str) -> None:
    """`str` masks, repr tells the type only."""
    iin = Iin(digits)
    assert digits not in f"{iin} {iin!r} {[iin]}"
    assert str(iin) == iin.masked
    assert digits[:8] not in str(iin)


@given(bodies())
def test_exactly_one_last_digit_fits_or_none(body: str) -> None:
    """None where the second sum is 10 as well: such a number is never issued."""
    fitting = [last for last in range(10) if _valid(f"{body}{last}")]
    expected = check_digit(body)
    assert fitting == ([] if expected is None else [expected])


def test_the_published_number_is_valid() -> None:
    """A man born on 1 January 1990."""
    assert Iin(KNOWN).born == date(1990, 1, 1)


def test_the_second_weights_are_used_when_the_first_sum_is_ten() -> None:
    """And a second ten gives no number; by hand: 1*10 = 10, then 1*1 = 1."""
    assert check_digit("00000000010") == 1
    never = next(f"{n:011}" for n in range(10**6) if check_digit(f"{n:011}") is None)
    assert _ten(never, (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11))
    assert _ten(never, (3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2))


def _ten(body: str, weights: tuple[int, ...]) -> bool:
    return sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 11 == 10


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "90010130001",
        "9001013000177",
        "90010130001x",
        "٩٠٠١٠١٣٠٠٠١٧",
        "900101300018",
        "901301300017",
        "900230300017",
        "900101000017",
        "900101700017",
        "900101300017.0",
        "+90010130001",
    ],
)
def test_what_is_no_iin_is_refused_with_a_remedy(typed: str) -> None:
    """Wrong length, letters, digits of other scripts, impossible dates and centuries, a wrong last digit."""
    with pytest.raises(IinInvalid) as caught:
        Iin.parse(typed)
    assert caught.value.remedy
    assert not typed or typed not in str(caught.value)


def test_the_29th_of_february_follows_the_century() -> None:
    """2000 had one, 1900 had none."""
    body = "000229"
    for century, exists in (("3", False), ("5", True)):
        eleven = next(e for n in range(99) if check_digit(e := f"{body}{century}{n:04}") is not None)
        assert _valid(f"{eleven}{check_digit(eleven)}") is exists


@given(iins(), st.dates(date(1800, 1, 1), date(2200, 1, 1)))
def test_age_counts_birthdays(digits: str, day: date) -> None:
    """It grows by one on each birthday, is never off by a day, and is negative before birth."""
    iin = Iin(digits)
    age = iin.age_on(day)
    assert (age < 0) == (day < iin.born)
    assume((iin.born.month, iin.born.day) != (2, 29))
    assert iin.born.replace(year=iin.born.year + age) <= day < iin.born.replace(year=iin.born.year + age + 1)


def test_a_leap_day_child_is_older_on_the_first_of_march() -> None:
    """In a common year there is no 29 February to have a birthday on."""
    eleven = next(e for n in range(99) if check_digit(e := f"2002295{n:04}") is not None)
    child = Iin(f"{eleven}{check_digit(eleven)}")
    assert (child.age_on(date(2027, 2, 28)), child.age_on(date(2027, 3, 1))) == (6, 7)
    assert child.age_on(date(2024, 2, 29)) == 4


def _sample(count: int) -> list[str]:
    rng = random.Random(2026)
    found: list[str] = []
    while len(found) < count:
        born = date(rng.randrange(1900, 2030), rng.randrange(1, 13), rng.randrange(1, 29))
        century = 2 * (born.year // 100 - 18) + rng.randrange(1, 3)
        eleven = f"{born:%y%m%d}{century}{rng.randrange(10**4):04}"
        last = check_digit(eleven)
        if last is not None:
            found.append(f"{eleven}{last}")
    return found


def test_most_misread_digits_are_caught() -> None:
    """Single wrong digits above 90 %: weight 11 leaves the 11th unprotected; the date catches some more."""
    caught = tried = 0
    for iin in _sample(100):
        for place in range(12):
            for digit in set("0123456789") - {iin[place]}:
                tried += 1
                caught += not _valid(iin[:place] + digit + iin[place + 1 :])
    assert caught / tried > 0.9


def test_most_swapped_neighbours_are_caught() -> None:
    """Above 95 %."""
    caught = tried = 0
    for iin in _sample(400):
        for place in range(11):
            swapped = iin[:place] + iin[place + 1] + iin[place] + iin[place + 2 :]
            if swapped != iin:
                tried += 1
                caught += not _valid(swapped)
    assert caught / tried > 0.95
