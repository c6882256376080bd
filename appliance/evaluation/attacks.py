"""Presentation attack detection: APCER of each type of attack, BPCER of each session, by frame and by decision.

After ISO/IEC 30107-3: APCER, attacks classified as live, for each species of instrument on its own, since an average
over species hides the one that works; BPCER, living people classified as attacks. No single figure of both is given. A
decision rests on a window of consecutive frames, fused and judged by `core.liveness_passive` as at the desk; windows
of one series share frames, so intervals come from a bootstrap over series.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.core.liveness_passive import PassiveLimits, Window
from appliance.core.types import Instant, LivenessVerdict
from appliance.evaluation.comparisons import Ints, Scores
from appliance.evaluation.intervals import Rate, by_person, people_weights
from models.calibration import PadCalibration, PadCohort

FRAMES = 8
"""Least frames of a decision; at a desk they take half a second to two, by the speed of camera and machine."""
ABOVE_ATTACKS = 4.0
"""Logits: a window counts as live when its odds are 55 times those of the worst attack window seen."""
BELOW_LIVE = 2.0
"""Logits: nobody is refused without a challenge unless the odds are 7 times lower than of any living person seen."""
ABOVE_PICTURES, BELOW_PICTURES = 2.0, 1.0
"""Logits: the same for single pictures, which are noisier than windows, and of which there are more."""
_DRAWS = 400
_EDGE = 1e-6
_QUANTILES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 1.0)
_DIGITS = 5


@dataclass(frozen=True, slots=True)
class Windows:
    """Fused scores of windows. score: (n,). series: (n,) which series each is of. last: row of its last frame (n,)."""

    score: NDArray[np.float64]
    series: Ints
    rows: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What was said of one group. frames, windows: how many; series: recordings or photo series they come from.

    live, refused: share of windows judged live, or attacks; the rest is inconclusive and gets a challenge where the
    policy asks for one. frame_live: share of single frames at or above the limit for live.
    """

    name: str
    attack: bool
    frames: int
    windows: int
    series: int
    live: Rate
    refused: Rate
    frame_live: Rate


def windows(live: Scores, rows: Ints, series: Ints, frames: int = FRAMES) -> Windows:
    """Every window of `frames` consecutive frames of each series; a shorter series is one window.

    live: score of each row, 0..1; NaN, no face, is left out. rows: those to look at, in order of time within a series.
    """
    scores: list[float] = []
    owners: list[int] = []
    members: list[tuple[int, ...]] = []
    for number in np.unique(series[rows]):
        own = [int(row) for row in rows[series[rows] == number] if np.isfinite(live[row])]
        size = min(frames, len(own))
        for start in range(len(own) - size + 1 if own else 0):
            part = own[start : start + size]
            fused = _window(live, part).fused
            if fused is not None:
                scores.append(fused)
                owners.append(int(number))
                members.append(tuple(part))
    return Windows(np.array(scores), np.array(owners, np.int64), tuple(members))


def _window(live: Scores, rows: list[int]) -> Window:
    window = Window()
    for at, row in enumerate(rows):
        window = window.follow(Instant(float(at)), float(live[row]), max_gap=2.0)
    return window


def judge(score: float, limits: PassiveLimits) -> LivenessVerdict:
    """What the desk says of a fused score of enough frames."""
    return Window(scores=(score,)).judge(PassiveLimits(limits.accept, limits.reject, 1))


def verdicts(name: str, live: Scores, rows: Ints, series: Ints, limits: PassiveLimits, *, attack: bool) -> Verdicts:
    """The verdicts on one group of rows."""
    found = windows(live, rows, series, limits.frames)
    said = [judge(score, limits) for score in found.score]
    frames = live[rows][np.isfinite(live[rows])]
    owners = series[rows][np.isfinite(live[rows])]
    return Verdicts(
        name=name,
        attack=attack,
        frames=len(frames),
        windows=len(said),
        series=len(np.unique(found.series)),
        live=share(np.array([s is LivenessVerdict.LIVE for s in said], bool), found.series),
        refused=share(np.array([s is LivenessVerdict.SPOOF for s in said], bool), found.series),
        frame_live=share(frames >= limits.accept, owners),
    )


def share(hits: NDArray[np.bool_], series: Ints) -> Rate:
    """The rate of hits among windows or frames (n,) that hang together by series (n,)."""
    numbers, place = np.unique(series, return_inverse=True)
    total = np.bincount(place, minlength=len(numbers)).astype(np.float64)
    wrong = np.bincount(place, weights=hits, minlength=len(numbers)).astype(np.float64)
    weights = people_weights(len(numbers), _DRAWS, 1) if len(numbers) else np.zeros((0, 0), np.float32)
    return by_person(wrong, total, weights)


@dataclass(frozen=True, slots=True)
class Presented:
    """Windows of one kind of attack, or of living people in one session. pictures: the same rows, one at a time."""

    name: str
    attack: bool
    windows: Windows
    pictures: Windows


def fit(groups: Sequence[Presented], frames: int = FRAMES) -> PadCalibration | None:
    """The limits that follow from living people and attacks; None without both.

    In logits: accept = max(highest attack window + ABOVE_ATTACKS, highest attack picture + ABOVE_PICTURES, 0), so never
    below 1/2; reject = min(highest attack window, lowest living window - BELOW_LIVE, lowest living picture -
    BELOW_PICTURES). Single pictures count too, with less distance: a print held still, or a person in poor light, gives
    a whole window of frames like its worst picture, which windows over unlike pictures of a set do not show. What lies
    between is inconclusive and gets a challenge where the policy asks for one.
    """
    if len({group.attack for group in groups if group.windows.score.size}) < 2:
        return None

    attacks, people = [g for g in groups if g.attack], [g for g in groups if not g.attack]
    highest = _logits(g.windows for g in attacks).max()
    above = max(highest + ABOVE_ATTACKS, _logits(g.pictures for g in attacks).max() + ABOVE_PICTURES, 0.0)
    lowest, darkest = _logits(g.windows for g in people).min(), _logits(g.pictures for g in people).min()
    below = min(highest, lowest - BELOW_LIVE, darkest - BELOW_PICTURES)
    return PadCalibration(
        accept=round(_sigmoid(float(above)), _DIGITS),
        reject=round(_sigmoid(float(below)), _DIGITS),
        frames=frames,
        cohorts=tuple(_cohort(g.name, g.windows, attack=g.attack) for g in groups if g.windows.score.size),
    )


def _cohort(name: str, found: Windows, *, attack: bool) -> PadCohort:
    values = np.quantile(found.score, _QUANTILES)
    quantiles = tuple((q, round(float(v), _DIGITS)) for q, v in zip(_QUANTILES, values, strict=True))
    return PadCohort(name, attack, len(found.score), len(np.unique(found.series)), quantiles)


def _logits(found: Iterable[Windows]) -> NDArray[np.float64]:
    return _logit(np.concatenate([each.score for each in found]))


def _logit(p: NDArray[np.float64]) -> NDArray[np.float64]:
    clipped = np.clip(p, _EDGE, 1 - _EDGE)
    return np.asarray(np.log(clipped / (1 - clipped)))


def _sigmoid(x: float) -> float:
    return float(1 / (1 + np.exp(-x)))
