"""How a rate is written: with its interval, and never as less than its trials support.

The rule of three is applied here for everything that people read: no error in n trials is written `< 3/n`, and one or
two errors are written as counts with an upper bound, not as a rate.
"""

import math

from appliance.evaluation.intervals import LEAST_ERRORS, Rate


def percent(value: float) -> str:
    """Three digits that count: 12.3 %, 0.456 %, 0.0012 %."""
    if not math.isfinite(value):
        return "-"
    scaled = value * 100
    if scaled == 0:
        return "0 %"
    digits = max(0, 2 - math.floor(math.log10(abs(scaled))))
    return f"{scaled:.{min(digits, 6)}f} %"


def count(value: float) -> str:
    """A whole number with its thousands, or one decimal for a mean."""
    return f"{value:,.0f}" if abs(value - round(value)) < 1e-9 else f"{value:,.1f}"


def written(rate: Rate) -> str:
    """The rate with its interval, or what can be said instead."""
    if not rate.trials:
        return "no trials"
    if rate.errors == 0:
        return f"< {percent(rate.at_most)} (0 of {count(rate.trials)})"
    if not rate.supported:
        return f"at most {percent(rate.at_most)} ({count(rate.errors)} of {count(rate.trials)})"
    return f"{percent(rate.value)} ({_span(rate.low, rate.high)})"


def accepted(rate: Rate) -> str:
    """The share of genuine trials that pass, from their error rate."""
    if not rate.trials:
        return "no trials"
    if rate.errors == 0:
        return f"> {_share(1 - rate.at_most)} ({count(rate.trials)} of {count(rate.trials)})"
    if not rate.supported:
        return f"at least {_share(1 - rate.at_most)} ({count(rate.trials - rate.errors)} of {count(rate.trials)})"
    return f"{_share(1 - rate.value)} ({100 * (1 - rate.high):.2f}-{100 * (1 - rate.low):.2f})"


def share(rate: Rate) -> str:
    """A share that is no error rate and may be all or nothing: counts, unless it lies well between the two."""
    if min(rate.errors, rate.trials - rate.errors) < LEAST_ERRORS:
        return f"{count(rate.errors)} of {count(rate.trials)}"
    return f"{percent(rate.value)} ({_span(rate.low, rate.high)})"


def _share(value: float) -> str:
    return f"{100 * value:.2f} %"


def _span(low: float, high: float) -> str:
    return f"{percent(low)[:-2]}-{percent(high)[:-2]}"


def exponent(rate: float) -> str:
    """A rate that is asked for: 1e-4, 0.03."""
    power = round(math.log10(rate))
    return f"1e{power}" if math.isclose(rate, 10.0**power, rel_tol=1e-9) else f"{rate:g}"


def percent_of(rate: float) -> str:
    """A rate that is asked for, in percent: 1 %, 0.3 %."""
    return f"{100 * rate:g} %"


def limit(trials: float) -> str:
    """3 / n, the lowest rate that n trials support: 3.6e-7."""
    return f"{LEAST_ERRORS / trials:.1e}".replace("e-0", "e-")
