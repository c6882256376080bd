"""One evaluation from opened pack and found sets to results: measures once, then asks each protocol.

How results are shown, and what is written where, belongs to the report modules and the command.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from appliance.core.errors import DatasetUnknown
from appliance.core.policy import Policy
from appliance.evaluation import pairs, presentation
from appliance.evaluation.attacks import FRAMES
from appliance.evaluation.comparisons import Comparisons, Ints, compare
from appliance.evaluation.crosscheck import Compared, cross_check
from appliance.evaluation.datasets import DataSet
from appliance.evaluation.fitting import fit_cohort
from appliance.evaluation.fusion import Fuser
from appliance.evaluation.gated import Passing
from appliance.evaluation.identification import Setting, identify
from appliance.evaluation.intervals import counted, supports
from appliance.evaluation.measured import Cohort
from appliance.evaluation.measuring import Instruments, Memory, Progress, measure
from appliance.evaluation.rates import TARGETS, Resampled
from appliance.evaluation.results import Asked, Attacks, Counts, CrossChecked, Evaluation, Observed, Pairs, Searches
from appliance.evaluation.wording import exponent, limit, percent_of
from appliance.face.pack import Pack
from models.calibration import PAD_MODELS, Calibration, PadCalibration

METHOD = (
    "One detection per image, the face the desk would take (in sets cut around a face the one nearest to the middle); "
    "embeddings as the desk makes them; cosine of every image of a cohort with every other; margin over random draws "
    "of one enrolled image per person, the other images as probes"
)
PAD_METHOD = (
    "; live scores of windows of consecutive frames, fused by their median, accept 4 logits above the worst attack "
    "window, 2 above the worst attack picture, never below 1/2, reject at the worst attack window, 2 logits below the "
    "worst living window or 1 below the worst living picture"
)
SETTINGS = tuple(Setting(looks, frames, size) for looks, frames in ((1, 1), (3, 3)) for size in (30, 100, 300, 1000))
CROSS_TARGET = 1e-3
ASKED_FMR = 1e-3
ASKED_PEOPLE = (100, 1000)


class Protocol(StrEnum):
    """What is evaluated."""

    PAIRS = "pairs"
    IDENTIFICATION = "identification"
    PAD = "pad"


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted. measured: date. program: version. calibrate: thresholds from these pictures, not the pack's."""

    protocols: frozenset[Protocol]
    policy: Policy
    measured: str
    program: str
    calibrate: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """A cohort ready to be compared: rows of its pictures, people from 0, and the comparisons."""

    cohort: Cohort
    rows: Ints
    pictures: Compared
    comparisons: Comparisons


def evaluate(
    pack: Pack, sets: Sequence[DataSet], tools: Instruments, memory: Memory, order: Order, progress: Progress
) -> Evaluation:
    """Measure the sets and sum up what the order asks for. Raises DatasetUnknown when the sets hold nothing for it."""
    cohorts = [Cohort(data, measure(data, tools, memory, progress)) for data in sets]
    parts = _parts(cohorts)
    attacked = [c for c in cohorts if c.data.presents and np.isfinite(c.measured.live).any()]
    own = order.calibrate or pack.calibration is None
    calibration = _calibrate(pack, parts, attacked, order.measured) if own else pack.calibration
    summed = _pairs(parts, progress) if Protocol.PAIRS in order.protocols else []
    searches = _searches(parts, pack, progress) if Protocol.IDENTIFICATION in order.protocols else ()
    pad = calibration.pad if calibration is not None else presentation.fit_limits(attacked, FRAMES)
    attacks = _attacks(attacked, pad, calibration, order.policy, pack, own=own) if pad and attacked else None
    if not summed and not searches and attacks is None:
        raise DatasetUnknown("the sets hold nothing that these protocols could measure")
    found = tuple(pairs_of for pairs_of, _ in summed)
    return Evaluation(
        pack=pack.name,
        digest=pack.digest,
        pack_version=pack.manifest.version,
        program=order.program,
        measured=order.measured,
        policy=order.policy.policy_id,
        calibration=calibration,
        own=own,
        counts=tuple(_counts(cohort) for cohort in cohorts),
        pairs=found,
        observed=_observed(calibration, parts, [r for _, r in summed], order.policy) if calibration and summed else (),
        cross_checked=_cross_checked(parts) if summed else (),
        searches=searches,
        attacks=attacks,
        refused=tuple(_refused(found, searches)),
    )


def _parts(cohorts: Sequence[Cohort]) -> list[_Part]:
    """Those cohorts in which people can be compared."""
    found = []
    for cohort in cohorts:
        rows = cohort.comparable()
        numbers, person, counts = np.unique(cohort.measured.person[rows], return_inverse=True, return_counts=True)
        if len(numbers) < 2 or counts.max(initial=0) < 2:
            continue
        measured = cohort.measured
        pictures = Compared(cohort.data.people_name, measured.vectors[rows], person, measured.session[rows])
        comparisons = compare(pictures.vectors, person, pictures.session)
        found.append(_Part(cohort, rows, pictures, comparisons))
    return found


def _calibrate(pack: Pack, parts: Sequence[_Part], attacked: Sequence[Cohort], measured: str) -> Calibration | None:
    """The calibration that follows from these pictures; None without people to compare."""
    if not parts:
        return None
    pad = presentation.fit_limits(attacked, FRAMES)
    digests = pack.manifest.model_digests()
    names = ("detect", "embed", *(PAD_MODELS if pad else ()))
    return Calibration(
        measured=measured,
        method=METHOD + (PAD_METHOD if pad else ""),
        models=tuple((name, digests[name]) for name in names if name in digests),
        cohorts=tuple(
            fit_cohort(
                part.pictures.name,
                part.cohort.data.description,
                part.comparisons,
                part.pictures.vectors,
                part.pictures.person,
            )
            for part in parts
        ),
        pad=pad,
    )


def _pairs(parts: Sequence[_Part], progress: Progress) -> list[tuple[Pairs, Resampled]]:
    found = []
    for number, part in enumerate(parts, 1):
        resampled = Resampled(part.comparisons)
        found.append((pairs.sum_up(part.cohort, part.rows, part.comparisons, resampled), resampled))
        progress("comparing", number, len(parts))
    return found


def _asked(calibration: Calibration, policy: Policy) -> list[Asked]:
    """The thresholds a desk with this calibration would work at."""
    rates = sorted({ASKED_FMR, policy.fmr}, reverse=True)
    wanted = [(f"1:1, FMR {exponent(fmr)}", calibration.threshold_verify(fmr)) for fmr in rates]
    wanted += [
        (f"1:{people}, FPIR {exponent(policy.fpir)}", calibration.threshold_identify(policy.fpir, people))
        for people in ASKED_PEOPLE
    ]
    return [Asked(purpose, t.fmr, t.value, t.cohort, t.extrapolated) for purpose, t in wanted]


def _observed(
    calibration: Calibration, parts: Sequence[_Part], resampled: Sequence[Resampled], policy: Policy
) -> tuple[Observed, ...]:
    passing = [_passing(part) for part in parts]
    return tuple(
        Observed(
            asked,
            part.pictures.name,
            drawn.at(asked.value),
            drawn.fnmr_apart(asked.value) if part.comparisons.apart.any() else None,
            gated.fnmr(asked.value),
            gated.fnmr(asked.value, apart=True),
        )
        for asked in _asked(calibration, policy)
        for part, drawn, gated in zip(parts, resampled, passing, strict=True)
    )


def _passing(part: _Part) -> Passing:
    good = part.cohort.measured.passed[part.rows]
    return Passing(part.pictures.vectors[good], part.pictures.person[good], part.pictures.session[good])


def _cross_checked(parts: Sequence[_Part]) -> tuple[CrossChecked, ...]:
    """Cohorts that are too small to be halved are left out."""
    big = [part.pictures for part in parts if _halvable(part.pictures)]
    return cross_check(big, CROSS_TARGET) if big else ()


def _halvable(pictures: Compared) -> bool:
    return int(np.count_nonzero(np.bincount(pictures.person) > 1)) >= 4


def _searches(parts: Sequence[_Part], pack: Pack, progress: Progress) -> tuple[Searches, ...]:
    found = []
    for part in parts:
        quality = part.cohort.measured.quality[part.rows]
        fuser = Fuser(part.pictures.vectors, quality, pack.digest)
        rows = []
        for number, setting in enumerate(SETTINGS, 1):
            row = identify(part.pictures.vectors, part.pictures.person, fuser, setting)
            rows += [row] if row is not None else []
            progress(f"searching {part.pictures.name}", number, len(SETTINGS))
        found += [Searches(part.pictures.name, tuple(rows))] if rows else []
    return tuple(found)


def _attacks(
    attacked: Sequence[Cohort], pad: PadCalibration, calibration: Calibration | None, policy: Policy, pack: Pack, *,
    own: bool,
) -> Attacks:  # fmt: skip
    threshold = calibration.threshold_verify(policy.fmr).value if calibration is not None else None
    return presentation.sum_up(attacked, pad, threshold, pack.digest, own=own)


def _counts(cohort: Cohort) -> Counts:
    measured, data = cohort.measured, cohort.data
    missed = int(np.count_nonzero(~measured.found))
    return Counts(
        name=data.name,
        description=data.description,
        people=data.people,
        pictures=len(measured.found),
        unreadable=int(np.count_nonzero(~measured.readable)),
        no_face=int(np.count_nonzero(measured.readable & ~measured.found)),
        passed=int(np.count_nonzero(measured.passed)),
        noise=len(data.noise),
        acquire=counted(missed, len(measured.found)),
    )


def _refused(found: Sequence[Pairs], searches: Sequence[Searches]) -> list[str]:
    """What the numbers of comparisons cannot support, in words."""
    told = []
    for cohort in found:
        beyond = [target for target in TARGETS if not supports(target, cohort.impostor)]
        if beyond:
            told.append(
                f"{cohort.cohort}: no rates at an FMR of {', '.join(map(exponent, beyond))}: "
                f"{cohort.impostor:,} impostor comparisons support none below {limit(cohort.impostor)}"
            )
    for searched in searches:
        for row in searched.rows:
            beyond = [at.fpir for at in row.rows if at.fnir is None]
            if beyond:
                who = f"{searched.cohort}, {row.setting.gallery:,} enrolled, looks {row.setting.looks}"
                rates = ", ".join(map(percent_of, beyond))
                told.append(f"{who}: no rates at an FPIR of {rates}: {row.non_mated:,.0f} searches of strangers")
    return told
