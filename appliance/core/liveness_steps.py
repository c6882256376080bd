"""What a challenge may ask for: its steps, drawn by chance, and where the dot of a step is on the screen.

Chance comes from the caller (`below`), so that nobody can foresee a challenge and every test can.
"""

from collections.abc import Callable
from dataclasses import dataclass

from appliance.core.policy import LivenessRule
from appliance.core.types import Cue

Below = Callable[[int], int]
"""A whole number from 0 to one less than the given, each as likely."""

LEFTWARDS, RIGHTWARDS = 1, -1
"""Sign of the nose's motion along x of the unmirrored frame, for the person's own left and right."""

DOT_SECONDS = 0.8
"""How long the dot takes from the middle to one side of the screen; the pursuit of eyes and head keeps up."""

_WAYS = {Cue.LEFT: ((LEFTWARDS,),), Cue.RIGHT: ((RIGHTWARDS,),), Cue.CLOSER: ((),)}
_DOT_WAYS = ((LEFTWARDS,), (RIGHTWARDS,), (LEFTWARDS, RIGHTWARDS), (RIGHTWARDS, LEFTWARDS))
WAYS: dict[Cue, tuple[tuple[int, ...], ...]] = {**_WAYS, Cue.DOT: _DOT_WAYS}
"""What a step may ask for: for each cue the turns it may consist of, one after the other without a stop."""

_REACH = 0.42  # of the screen's width, from its middle
_FINE = 1000  # pauses are drawn in thousandths of their range


@dataclass(frozen=True, slots=True)
class Step:
    """cue: what is asked for. ways: the turns it takes, none to come closer. pause: seconds of looking ahead before."""

    cue: Cue
    ways: tuple[int, ...]
    pause: float


def drawn(rule: LivenessRule, below: Below) -> tuple[Step, ...]:
    """A challenge drawn by chance: how many steps, which, in which order, after which pauses.

    No cue comes twice, and at least one step asks for a turn: a flat picture can be brought closer, but has no nose to
    turn.
    """
    count = rule.least_steps + below(rule.most_steps - rule.least_steps + 1)
    left = [cue for cue in WAYS if count > 1 or cue is not Cue.CLOSER]
    steps = []
    for _ in range(count):
        cue = left.pop(below(len(left)))
        ways = WAYS[cue][below(len(WAYS[cue]))]
        share = below(_FINE + 1) / _FINE
        steps.append(Step(cue, ways, rule.least_pause + share * (rule.most_pause - rule.least_pause)))
    return tuple(steps)


def dot_at(start: int, end: int, since: float) -> tuple[float, float]:
    """Where the dot is `since` seconds after it set out: 0..1 from the left and from the top of the screen.

    start, end: the turns it comes from and asks for, 0 in the middle; own left is the left of the screen one looks at.
    The motion begins and ends smoothly (minimum jerk, Flash & Hogan 1985), as fast to the far side as to the near.
    """
    s = min(max(since / (DOT_SECONDS * max(abs(end - start), 1)), 0.0), 1.0)
    return 0.5 - _REACH * (start + (end - start) * s**3 * (10 - 15 * s + 6 * s * s)), 0.5
