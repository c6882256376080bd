"""Judges a reading of the clocks against the last event and the last time the fund signed; pure.

Reading clocks is left to `clock`, keeping the last event and the anchor to `ledger`. A doubtful time
is recorded with its doubt and never refuses an event: the fund decides what it is worth.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from sync.envelope import Moment, TimeAnchor, TimeTrust

__all__ = ["STEP_MS", "TimeAnchor", "judge"]

STEP_MS: Final = 2_000
"""A difference between wall and monotonic time that is no step yet: NTP slews at most 0.5 ms/s, and two
processes read their clocks before they queue for the ledger."""

_DRIFT: Final = 100e-6
"""Drift of a PC's crystal, 100 ppm: the usual bound for quartz without temperature control."""


def judge(moment: Moment, last: Moment | None, anchor: TimeAnchor | None) -> Moment:
    """The same instant with the trust it deserves.

    last: the moment of the last recorded event. Agreement with an anchor of this boot gives FUND;
    disagreement, a step against the last event, or a last event under suspicion give SUSPECT, until the
    fund's time clears it. The uncertainty covers the deviation that was seen.
    """
    moment = replace(moment, fund=anchor)
    if anchor is not None and anchor.boot_id == moment.boot_id:
        return _against_anchor(moment, anchor)
    if anchor is not None and (behind := _ms(anchor.wall - moment.wall)) > anchor.uncertainty_ms + STEP_MS:
        # The fund has already signed a later time: an empty battery, or a clock set back while the machine was off.
        return replace(moment, trust=TimeTrust.SUSPECT, uncertainty_ms=max(behind, moment.uncertainty_ms))
    if last is None:
        return moment
    doubt = _step_ms(moment, last)
    if last.trust is TimeTrust.SUSPECT:
        doubt = max(doubt or 0, last.uncertainty_ms)
    if doubt is None:
        return moment
    return replace(moment, trust=TimeTrust.SUSPECT, uncertainty_ms=max(doubt, moment.uncertainty_ms))


def _against_anchor(moment: Moment, anchor: TimeAnchor) -> Moment:
    elapsed = moment.mono_ms - anchor.mono_ms
    deviation = abs(_ms(moment.wall - anchor.wall) - elapsed)
    bound = anchor.uncertainty_ms + round(abs(elapsed) * _DRIFT)
    trust = TimeTrust.FUND if deviation <= bound + STEP_MS else TimeTrust.SUSPECT
    return replace(moment, trust=trust, uncertainty_ms=bound + deviation)


def _step_ms(moment: Moment, last: Moment) -> int | None:
    """How far the wall clock stepped since the last event, or None when it did not."""
    wall = _ms(moment.wall - last.wall)
    if moment.boot_id != last.boot_id:  # nothing measured the time in between: only running backwards shows
        return -wall if wall < -STEP_MS else None
    elapsed = moment.mono_ms - last.mono_ms
    step = abs(wall - elapsed)
    return step if step > STEP_MS + abs(elapsed) * _DRIFT or elapsed < -STEP_MS else None


def _ms(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)
