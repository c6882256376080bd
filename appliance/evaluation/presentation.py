"""The protocol `pad`: attacks and living people through liveness, and through liveness and comparison together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.core.liveness_passive import PassiveLimits
from appliance.core.types import LivenessVerdict, PackDigest, Sensitive
from appliance.evaluation.attacks import Presented, Verdicts, Windows, fit, judge, share, verdicts, windows
from appliance.evaluation.comparisons import Ints
from appliance.evaluation.fusion import Fuser
from appliance.evaluation.measured import Cohort
from appliance.evaluation.results import Attacks, EndToEnd, PadScores
from models.calibration import PadCalibration

LOOKS = 3
"""Templates of the person an attack imitates: what enrolment takes."""
BINS = 40


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class _Group(Sensitive):
    """One type of attack, or the living people of one session: rows of a cohort."""

    name: str
    attack: bool
    cohort: Cohort
    rows: Ints

    def windows(self, frames: int) -> Windows:
        return windows(self.cohort.measured.live, self.rows, self.cohort.measured.series, frames)


def fit_limits(cohorts: Sequence[Cohort], frames: int) -> PadCalibration | None:
    """The limits that follow from these cohorts; None without both living people and attacks."""
    return fit([Presented(g.name, g.attack, g.windows(frames), g.windows(1)) for g in _groups(cohorts)], frames)


def sum_up(
    cohorts: Sequence[Cohort], pad: PadCalibration, threshold: float | None, pack: PackDigest, *, own: bool
) -> Attacks:
    """Everything the report says about attacks. threshold: of one comparison; None when there is none to go by."""
    limits = PassiveLimits(pad.accept, pad.reject, pad.frames)
    groups = list(_groups(cohorts))
    edges = np.linspace(0, 1, BINS + 1)
    return Attacks(
        accept=pad.accept,
        reject=pad.reject,
        frames=pad.frames,
        own=own,
        groups=tuple(_verdicts(group, limits) for group in groups),
        end_to_end=() if threshold is None else tuple(_end_to_end(groups, limits, threshold, pack)),
        edges=tuple(edges.tolist()),
        scores=tuple(_scores(group, pad.frames, edges) for group in groups),
    )


def _groups(cohorts: Sequence[Cohort]) -> Iterator[_Group]:
    for cohort in cohorts:
        measured, name = cohort.measured, cohort.data.name
        for species in np.unique(measured.species):
            rows = np.flatnonzero(measured.species == species)
            if species != "live":
                yield _Group(f"{species}-{name}", True, cohort, rows)
                continue
            for number in np.unique(measured.session[rows]):
                session = f"-{measured.sessions[number]}" if number >= 0 else ""
                yield _Group(f"live-{name}{session}", False, cohort, rows[measured.session[rows] == number])


def _verdicts(group: _Group, limits: PassiveLimits) -> Verdicts:
    measured = group.cohort.measured
    return verdicts(group.name, measured.live, group.rows, measured.series, limits, attack=group.attack)


def _scores(group: _Group, frames: int, edges: NDArray[np.float64]) -> PadScores:
    scores = group.windows(frames).score
    shares = np.histogram(scores, edges)[0] / max(len(scores), 1)
    return PadScores(group.name, group.attack, tuple(shares.tolist()))


def _end_to_end(
    groups: Sequence[_Group], limits: PassiveLimits, threshold: float, pack: PackDigest
) -> Iterator[EndToEnd]:
    """Where the person an attack imitates is known, and enrolled with looks of the first session."""
    for group in groups:
        measured = group.cohort.measured
        people = np.unique(measured.person[group.rows]).tolist()
        templates = {person: _looks(group.cohort, person) for person in people}
        found = group.windows(limits.frames)
        fuse = Fuser(measured.vectors, measured.quality, pack)
        matched, live, series = [], [], []
        for score, owner, rows in zip(found.score, found.series, found.rows, strict=True):
            enrolled = templates.get(int(measured.person[rows[0]]))
            if enrolled is None or not len(enrolled) or set(rows) & set(enrolled.tolist()):
                continue
            best = float((measured.vectors[enrolled] @ fuse(np.array(rows))).max())
            matched.append(best >= threshold)
            live.append(judge(score, limits) is LivenessVerdict.LIVE)
            series.append(owner)
        if matched:
            hits, alive, owners = np.array(matched), np.array(live), np.array(series)
            yield EndToEnd(group.name, group.attack, threshold, share(hits, owners), share(hits & alive, owners))


def _looks(cohort: Cohort, person: int) -> Ints:
    """Rows of a person's templates, evenly chosen from the first session with a living face; none if unknown."""
    measured = cohort.measured
    rows = np.flatnonzero(measured.bona_fide & (measured.person == person) & (measured.person >= 0))
    if not len(rows):
        return rows
    rows = rows[measured.session[rows] == measured.session[rows].min()]
    return np.asarray(rows[np.unique(np.linspace(0, len(rows) - 1, LOOKS).round().astype(np.int64))])
