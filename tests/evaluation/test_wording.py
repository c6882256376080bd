"""Wording: what may be claimed is written as a rate, what may not as a bound."""

import pytest

from appliance.evaluation.intervals import Rate, counted
from appliance.evaluation.wording import accepted, count, exponent, limit, percent, percent_of, share, written


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.123, "12.3 %"),
        (0.00456, "0.456 %"),
        (1.0, "100 %"),
        (0.0, "0 %"),
        (3.6e-7, "0.000036 %"),
        (float("nan"), "-"),
    ],
)
def test_three_digits_count(value: float, text: str) -> None:
    """From percents down to millionths."""
    assert percent(value) == text


def test_a_rate_of_three_errors_is_written_with_its_interval() -> None:
    """And the share accepted, with the interval turned round."""
    rate = Rate(30, 1000, 0.02, 0.042)
    assert written(rate) == "3.00 % (2.00-4.20)"
    assert accepted(rate) == "97.00 % (95.80-98.00)"


def test_no_error_is_written_as_a_bound() -> None:
    """3 / n, on both sides."""
    assert written(counted(0, 3000)) == "< 0.100 % (0 of 3,000)"
    assert accepted(counted(0, 3000)) == "> 99.90 % (3,000 of 3,000)"


def test_one_or_two_errors_are_counts_with_a_bound() -> None:
    """Never a rate."""
    assert written(counted(2, 1000)).startswith("at most 0.72")
    assert accepted(counted(1, 1000)).startswith("at least 99.44 % (999 of")
    assert written(Rate(0, 0, 0, 1)) == accepted(Rate(0, 0, 0, 1)) == "no trials"


def test_shares_near_all_or_nothing_are_counts() -> None:
    """Two of three living people is no rate to be claimed, nor an error to be bounded."""
    assert share(counted(2, 3)) == "2 of 3"
    assert share(counted(81, 81)) == "81 of 81"
    assert share(Rate(50, 100, 0.4, 0.6)) == "50.0 % (40.0-60.0)"


def test_asked_rates_are_written_short() -> None:
    """As one says them."""
    assert [exponent(rate) for rate in (1e-4, 0.03)] == ["1e-4", "0.03"]
    assert percent_of(0.003) == "0.3 %"
    assert limit(8_368_140) == "3.6e-7"
    assert (count(1234.0), count(2.5)) == ("1,234", "2.5")
