"""What one evaluation found: values only, as the JSON and the report show them."""

from dataclasses import dataclass

from appliance.evaluation.attacks import Verdicts
from appliance.evaluation.discard import ErrorVersusDiscard
from appliance.evaluation.identification import Identification
from appliance.evaluation.intervals import Rate
from appliance.evaluation.protocol import Accuracy
from appliance.evaluation.rates import AtTarget, Curve, OperatingPoint
from models.calibration import Calibration


@dataclass(frozen=True, slots=True)
class Counts:
    """Pictures of a set (frames of its clips too) and what could not be measured on them.

    acquire: failures to acquire, unreadable or without a face, in all of them. passed: pictures that pass the gate for
    a check-in. noise: known label errors left out.
    """

    name: str
    description: str
    people: int
    pictures: int
    unreadable: int
    no_face: int
    passed: int
    noise: int
    acquire: Rate


@dataclass(frozen=True, slots=True)
class Histogram:
    """Shares of scores by bin; `edges` has one more entry than the shares."""

    edges: tuple[float, ...]
    genuine: tuple[float, ...]
    impostor: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Every picture of a cohort with every other. apart: as `targets`, genuine pairs of different sessions only."""

    cohort: str
    people: int
    genuine: int
    impostor: int
    targets: tuple[AtTarget, ...]
    apart: tuple[AtTarget, ...]
    curve: Curve
    accuracy: Accuracy | None
    discards: tuple[ErrorVersusDiscard, ...]
    histogram: Histogram


@dataclass(frozen=True, slots=True)
class Asked:
    """A threshold of a calibration: why it is asked for, its value, the cohort that decided, whether extrapolated."""

    purpose: str
    fmr: float
    value: float
    cohort: str
    extrapolated: bool


@dataclass(frozen=True, slots=True)
class Observed:
    """What a cohort shows at an asked threshold.

    apart: FNMR of pictures of different sessions. gated, gated_apart: the same of pictures that pass the desk's gate.
    """

    asked: Asked
    cohort: str
    point: OperatingPoint
    apart: Rate | None
    gated: Rate | None
    gated_apart: Rate | None


@dataclass(frozen=True, slots=True)
class CrossChecked:
    """Thresholds from one half of the people, rates on the other, both ways, for several random halves.

    fmr, fnmr: mean over the tests, with the interval of one of them. worst_fmr, worst_fnmr: highest of a single test.
    """

    cohort: str
    target: float
    tests: int
    fmr: Rate
    fnmr: Rate
    worst_fmr: float
    worst_fnmr: float
    highest_threshold: float
    lowest_threshold: float


@dataclass(frozen=True, slots=True)
class Searches:
    """Open-set identification on one cohort."""

    cohort: str
    rows: tuple[Identification, ...]


@dataclass(frozen=True, slots=True)
class EndToEnd:
    """Windows of attacks on known people, and of these people themselves, through liveness and comparison.

    matched: windows whose fused embedding matches the person (for attacks: IAPMR). accepted: judged live and matched.
    """

    name: str
    attack: bool
    threshold: float
    matched: Rate
    accepted: Rate


@dataclass(frozen=True, slots=True)
class PadScores:
    """Shares of fused window scores by bin, for the histogram; `edges` has one more entry."""

    name: str
    attack: bool
    shares: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Attacks:
    """Presentation attack detection. accept, reject, frames: limits judged by; own: fitted to these very pictures."""

    accept: float
    reject: float
    frames: int
    own: bool
    groups: tuple[Verdicts, ...]
    end_to_end: tuple[EndToEnd, ...]
    edges: tuple[float, ...]
    scores: tuple[PadScores, ...]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Everything one run found.

    own: whether `calibration`, whose thresholds are reported, was fitted to these very pictures. refused: claims that
    the data do not support, in words. measured: date; digest: of the pack; program: version.
    """

    pack: str
    digest: str
    pack_version: str
    program: str
    measured: str
    policy: str
    calibration: Calibration | None
    own: bool
    counts: tuple[Counts, ...]
    pairs: tuple[Pairs, ...]
    observed: tuple[Observed, ...]
    cross_checked: tuple[CrossChecked, ...]
    searches: tuple[Searches, ...]
    attacks: Attacks | None
    refused: tuple[str, ...]
