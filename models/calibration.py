"""What a pack's scores mean: score distributions by cohort, and the thresholds that follow from an error rate.

Scores are cosine similarities. A threshold for a false match rate (FMR) is read from the impostor scores of every
cohort and the highest one is taken, since a desk cannot know which cohort the next person belongs to. Which rate
is asked for is the policy's business (`appliance.core.policy`); measuring is `appliance.evaluation`'s, and how the
frames of a window become one score of liveness is `appliance.core.liveness`'s.
"""

import math
from dataclasses import dataclass

from models import document
from models.document import Fields, Json
from models.errors import PackDamaged

FORMAT = 2
CALIBRATION_NAME = "calibration.json"
PAD_MODELS = ("pad", *(f"pad-{n}" for n in range(2, 10)))
"""What the models of presentation attack detection are called, in the order of the ensemble."""
_MAX_COUNT = 1 << 53


@dataclass(frozen=True, slots=True)
class Threshold:
    """A score from which a comparison counts as a match.

    fmr: the false match rate of one comparison it stands for. extrapolated: the cohort has fewer than 3 / fmr impostor
    comparisons, so the rate is a model's claim, not an observation. cohort: the one that asked for the highest score.
    """

    value: float
    fmr: float
    extrapolated: bool
    cohort: str


@dataclass(frozen=True, slots=True)
class ImpostorScores:
    """Upper tail of the scores of different people.

    count: comparisons, n. tail: (k, score of the k-th highest), k ascending.
    Above `above`, where a share `share` of the scores lies, the model of extrapolation is
    P(score > s) = share * ((1 - s) / (1 - above)) ** power: the generalised Pareto tail whose end is cosine 1, since
    1 - s is half the squared distance of two unit vectors and the chance to lie that near falls as a power of it.
    Checked on LFW: fitted to the top 1 % of 8.4 million scores, it asks for 0.9643 at a rate of 1e-6 (observed
    0.9636). From cohorts of 20 people it is right on average, each one within about 0.01.
    """

    count: int
    tail: tuple[tuple[float, float], ...]
    above: float
    share: float
    power: float

    @property
    def smallest_rate(self) -> float:
        """3 / n: the lowest rate that n comparisons can support (rule of three, 95 % confidence)."""
        return 3 / self.count

    def score_at(self, rate: float) -> float:
        """The score exceeded by a share `rate` of the impostors; higher for a lower rate, never above 1.

        Observed where `rate` >= 3 / n, linear in the logarithm of the rate between the stored points. Below, the model
        or the score at 3 / n, whichever is higher.
        """
        observed = self._observed(max(rate, self.smallest_rate))
        if rate >= self.smallest_rate:
            return observed
        modelled = 1 - (1 - self.above) * math.exp(math.log(rate / self.share) / self.power)
        return max(observed, modelled)

    def _observed(self, rate: float) -> float:
        k = rate * self.count
        below = self.tail[0]
        for point in self.tail:
            if point[0] >= k:
                if point[0] == below[0]:
                    return point[1]
                part = math.log(k / below[0]) / math.log(point[0] / below[0])
                return below[1] + part * (point[1] - below[1])
            below = point
        return below[1]


@dataclass(frozen=True, slots=True)
class GenuineScores:
    """Scores of the same person on different images. quantiles: (probability, score), both ascending."""

    count: int
    quantiles: tuple[tuple[float, float], ...]

    def fnmr_at(self, threshold: float) -> float:
        """Share of genuine comparisons below a threshold, linear between the stored quantiles."""
        below = (0.0, -1.0)
        for point in (*self.quantiles, (1.0, 1.0)):
            if point[1] > threshold:
                part = (threshold - below[1]) / (point[1] - below[1])
                return below[0] + max(0.0, part) * (point[0] - below[0])
            below = point
        return 1.0


@dataclass(frozen=True, slots=True)
class Cohort:
    """A group of people who resemble each other more than they resemble others, and how they were photographed.

    margin: lead of the best over the second best person that `MARGIN_SHARE` of the searches which named a wrong person
    best did not reach.
    """

    name: str
    description: str
    people: int
    images: int
    impostor: ImpostorScores
    genuine: GenuineScores
    margin: float


MARGIN_SHARE = 0.9
"""Share of wrong first ranks that the margin turns into "not certain"."""


@dataclass(frozen=True, slots=True)
class PadCohort:
    """Live people, or one type of attack, before a camera: fused live scores of windows of consecutive frames.

    attack: whether all of them were presentation attacks. clips: recordings (or photo series of one person and session)
    that the windows come from; windows of one clip are not independent. quantiles: (probability, score), ascending.
    """

    name: str
    attack: bool
    windows: int
    clips: int
    quantiles: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class PadCalibration:
    """What the live scores of a pack's presentation attack detection mean, 0..1.

    The fused score of a window of `frames` frames or more: from `accept` on live, below `reject` a presentation attack,
    between them inconclusive. 0 <= reject <= accept <= 1.
    """

    accept: float
    reject: float
    frames: int
    cohorts: tuple[PadCohort, ...]


@dataclass(frozen=True, slots=True)
class Calibration:
    """The measurement of one pack.

    models: (name, SHA-256 of the model file) it was made with: `detect`, `embed`, and where `pad` is there the
    `PAD_MODELS` of its ensemble. pad: None when the pack has no presentation attack detection or it was not
    measured; then no score of it means anything.
    """

    measured: str
    method: str
    models: tuple[tuple[str, str], ...]
    cohorts: tuple[Cohort, ...]
    pad: PadCalibration | None = None

    def threshold_verify(self, fmr: float) -> Threshold:
        """The threshold of one 1:1 comparison for a false match rate, 0 < fmr < 1; the strictest cohort decides."""
        if not 0 < fmr < 1:
            raise ValueError("a false match rate lies between 0 and 1")
        asked = [Threshold(c.impostor.score_at(fmr), fmr, fmr < c.impostor.smallest_rate, c.name) for c in self.cohorts]
        return max(asked, key=lambda threshold: threshold.value)

    def threshold_identify(self, fpir: float, people: int) -> Threshold:
        """The threshold of one search among `people` for a false positive identification rate, 0 < fpir < 1.

        With independent comparisons FPIR = 1 - (1 - FMR)^people (ISO/IEC 19795-1), solved for the FMR.
        """
        if not 0 < fpir < 1:
            raise ValueError("a false positive identification rate lies between 0 and 1")
        if people < 1:
            raise ValueError("a search needs at least one person")
        return self.threshold_verify(-math.expm1(math.log1p(-fpir) / people))

    @property
    def margin(self) -> float:
        """The lead a best candidate needs over the second best; the largest any cohort asks for."""
        return max(cohort.margin for cohort in self.cohorts)


def parse_calibration(data: bytes) -> Calibration:
    """Read a calibration. Raises PackDamaged unless it is complete, ordered and in its one canonical form."""
    top = document.read(data, CALIBRATION_NAME)
    if top.whole("format", 0, 1 << 16) != FORMAT:
        raise top.fault("format", f"is not {FORMAT}")
    measured, method = top.text("measured"), top.text("method")
    digests = _models(top.object("models"))
    cohorts = tuple(_cohort(fields) for fields in top.objects("cohorts"))
    pad = _pad(top.object("pad")) if top.has("pad") else None
    top.end()
    if not cohorts:
        raise top.fault("cohorts", "is empty")
    if (pad is not None) != any(name in PAD_MODELS for name, _ in digests):
        raise top.fault("pad", "and the models it was measured with go together")
    calibration = Calibration(measured, method, digests, cohorts, pad)
    if write_calibration(calibration) != data:
        raise PackDamaged(f"{CALIBRATION_NAME}: not in canonical form")
    return calibration


def _models(fields: Fields) -> tuple[tuple[str, str], ...]:
    digests = tuple((name, fields.sha256(name)) for name in ("detect", "embed", *PAD_MODELS) if fields.has(name))
    fields.end()
    return digests


def _pad(fields: Fields) -> PadCalibration:
    pad = PadCalibration(
        accept=fields.number("accept", 0, 1),
        reject=fields.number("reject", 0, 1),
        frames=fields.whole("frames", 1, 1000),
        cohorts=tuple(_pad_cohort(cohort) for cohort in fields.objects("cohorts")),
    )
    fields.end()
    if pad.reject > pad.accept:
        raise fields.fault("reject", "is above accept")
    if {cohort.attack for cohort in pad.cohorts} != {True, False}:
        raise fields.fault("cohorts", "does not hold both live people and attacks")
    return pad


def _pad_cohort(fields: Fields) -> PadCohort:
    cohort = PadCohort(
        name=fields.slug("name"),
        attack=fields.flag("attack"),
        windows=fields.whole("windows", 1, _MAX_COUNT),
        clips=fields.whole("clips", 1, _MAX_COUNT),
        quantiles=fields.points("quantiles"),
    )
    fields.end()
    _check_quantiles(fields, cohort.quantiles, 0)
    if cohort.clips > cohort.windows:
        raise fields.fault("clips", "is above the number of windows")
    return cohort


def _check_quantiles(fields: Fields, quantiles: tuple[tuple[float, float], ...], least: float) -> None:
    shares = [share for share, _ in quantiles]
    rising = [score for _, score in quantiles]
    if not shares or shares != sorted(set(shares)) or rising != sorted(rising):
        raise fields.fault("quantiles", "is empty or not ordered")
    if not (0 <= shares[0] <= shares[-1] <= 1 and least <= rising[0] <= rising[-1] <= 1):
        raise fields.fault("quantiles", "holds an impossible value")


def _cohort(fields: Fields) -> Cohort:
    cohort = Cohort(
        name=fields.slug("name"),
        description=fields.text("description"),
        people=fields.whole("people", 2, _MAX_COUNT),
        images=fields.whole("images", 2, _MAX_COUNT),
        impostor=_impostor(fields.object("impostor")),
        genuine=_genuine(fields.object("genuine")),
        margin=fields.number("margin", 0, 1),
    )
    fields.end()
    return cohort


def _impostor(fields: Fields) -> ImpostorScores:
    scores = ImpostorScores(
        count=fields.whole("count", 30, _MAX_COUNT),
        tail=fields.points("tail"),
        above=fields.number("above", -1, 1),
        share=fields.number("share", 1e-9, 1),
        power=fields.number("power", 0.5, 200),
    )
    fields.end()
    ranks = [k for k, _ in scores.tail]
    falling = [score for _, score in scores.tail]
    ordered = ranks == sorted(set(ranks)) and falling == sorted(falling, reverse=True)
    if not ordered or len(ranks) < 2 or not (1 <= ranks[0] <= 3 and ranks[-1] <= scores.count):
        raise fields.fault("tail", "is not ordered, starts above rank 3, or goes beyond the count")
    if not -1 <= falling[-1] <= falling[0] <= 1:
        raise fields.fault("tail", "holds a score that is no cosine")
    return scores


def _genuine(fields: Fields) -> GenuineScores:
    scores = GenuineScores(fields.whole("count", 1, _MAX_COUNT), fields.points("quantiles"))
    fields.end()
    _check_quantiles(fields, scores.quantiles, -1)
    return scores


def write_calibration(calibration: Calibration) -> bytes:
    """The canonical bytes of a calibration; `parse_calibration` gives the same one back."""
    written: dict[str, Json] = {
        "format": FORMAT,
        "measured": calibration.measured,
        "method": calibration.method,
        "models": dict(calibration.models),
        "cohorts": [_cohort_json(cohort) for cohort in calibration.cohorts],
    }
    if calibration.pad is not None:
        written["pad"] = _pad_json(calibration.pad)
    return document.write(written)


def _pad_json(pad: PadCalibration) -> Json:
    return {
        "accept": pad.accept,
        "reject": pad.reject,
        "frames": pad.frames,
        "cohorts": [
            {
                "name": cohort.name,
                "attack": cohort.attack,
                "windows": cohort.windows,
                "clips": cohort.clips,
                "quantiles": [[share, score] for share, score in cohort.quantiles],
            }
            for cohort in pad.cohorts
        ],
    }


def _cohort_json(cohort: Cohort) -> Json:
    impostor, genuine = cohort.impostor, cohort.genuine
    return {
        "name": cohort.name,
        "description": cohort.description,
        "people": cohort.people,
        "images": cohort.images,
        "impostor": {
            "count": impostor.count,
            "tail": [[k, score] for k, score in impostor.tail],
            "above": impostor.above,
            "share": impostor.share,
            "power": impostor.power,
        },
        "genuine": {"count": genuine.count, "quantiles": [[share, score] for share, score in genuine.quantiles]},
        "margin": cohort.margin,
    }
