"""Tells where the time of a visit went: which of it was the patient's own, and which the appliance made them wait for.

What the screen showed when is all it is given; the window, the drawn patient and the clock are `bench`'s.

A visit begins when somebody is told to stand before the camera and ends with the receipt. Of it,
- *thinking* is the patient's: reading the question (`confirm`, `choose`), and from a new cue of the challenge to the
  first motion. That reaction is drawn with the patient (`Temper.reaction`); each cue is counted with the mean of it;
- *moving* is the rest of the time for which a turn, coming closer or the way back was asked for: the motion, and the
  frames in which the appliance makes sure of it. Both are counted against the goal;
- *pausing* is the time of looking ahead before a cue, which the appliance alone makes;
- *holding*, *aligning* and *checking* are the states of these names.
"""

import statistics
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from appliance.capture.scene_script import Temper
from appliance.core.session import State
from appliance.core.types import Cue

REACTION_S = statistics.fmean(Temper().reaction)
"""Mean seconds from a new cue to the drawn patient's first motion."""


class Stage(StrEnum):
    """What the time of a visit went to."""

    ALIGNING = "aligning"
    HOLDING = "holding"
    PAUSING = "challenge: pausing"
    MOVING = "challenge: moving, and making sure of it"
    REACTING = "challenge: the patient's reaction"
    CHECKING = "checking"


_STATES = {State.ALIGN: Stage.ALIGNING, State.HOLD: Stage.HOLDING, State.CHECKING: Stage.CHECKING}


@dataclass(frozen=True, slots=True)
class Shown:
    """What the screen showed from a moment on, in seconds."""

    at: float
    state: State
    cue: Cue | None = None


def visits(shown: Iterable[Shown]) -> Iterator[dict[Stage, float]]:
    """Seconds of each stage of every visit that came to a receipt, in order."""
    spent = dict.fromkeys(Stage, 0.0)
    before: Cue | None = None
    for now, then in pairwise(shown):
        seconds = then.at - now.at
        if now.state is State.IDLE:
            spent = dict.fromkeys(Stage, 0.0)
        elif now.state is State.CHALLENGE:
            for stage, share in _challenge(before, now.cue, seconds):
                spent[stage] += share
        elif now.state in _STATES:
            spent[_STATES[now.state]] += seconds
        before = now.cue
        if then.state is State.RECEIPT and now.state is not State.RECEIPT:
            yield spent
            spent = dict.fromkeys(Stage, 0.0)


def _challenge(before: Cue | None, cue: Cue | None, seconds: float) -> Iterator[tuple[Stage, float]]:
    """How the time of one cue is divided; looking ahead is an answer only after a turn."""
    if cue is Cue.STRAIGHT and before not in (Cue.LEFT, Cue.RIGHT, Cue.DOT):
        yield Stage.PAUSING, seconds
        return
    reacting = min(REACTION_S, seconds)
    yield Stage.REACTING, reacting
    yield Stage.MOVING, seconds - reacting


def without_thinking(visit: dict[Stage, float]) -> float:
    """Seconds of a visit that the goal counts: all but the patient's reaction to cues."""
    return sum(seconds for stage, seconds in visit.items() if stage is not Stage.REACTING)
