"""What the clinic and the fund ask of a check-in: error rates, limits, time-outs.

A policy holds no score threshold: those follow from the pack's calibration for the rates asked for
here. Its id goes into every event, so an auditor knows which rules a decision was made under.
"""

import hashlib
import json
import math
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class QualityGate:
    """What a frame must fulfil before its face is used; units as in `Measures`.

    The floors start from the parameters of OFIQ 1.0 (ISO/IEC 29794-5), relaxed to what a webcam at a desk
    gives: below 40 px between the eyes the embedders' input is enlarged, not measured. near_eye_distance: a smaller
    face (pixels; about 1.7 m away in 640 x 480) is somebody in the waiting room and starts no visit.
    """

    near_eye_distance: float = 20.0
    min_inter_eye_distance: float = 40.0
    max_head_size: float = 0.45
    min_crop_side: float = 0.3
    min_crop_above: float = 0.4
    min_crop_below: float = 0.3
    min_luminance: float = 0.12
    max_luminance: float = 0.85
    max_under_exposed: float = 0.5
    max_over_exposed: float = 0.35
    min_uniformity: float = 0.35
    max_yaw: float = 16.0
    max_pitch: float = 22.0
    max_roll: float = 18.0
    min_sharpness: float = 12.0
    max_second_face: float = 0.35


class LivenessMode(StrEnum):
    """When a challenge is asked for; a pack without calibrated anti-spoofing models always asks for one."""

    PASSIVE = "passive"
    PASSIVE_THEN_CHALLENGE = "passive_then_challenge"
    ALWAYS_CHALLENGE = "always_challenge"


@dataclass(frozen=True, slots=True)
class LivenessRule:
    """How liveness is proved: when a challenge is asked for, how it is drawn and judged.

    window: seconds of held face that passive models judge.

    least_steps, most_steps, least_pause, most_pause: what is drawn at random between (`liveness_steps.drawn`); seconds
    of looking ahead before each cue, in which any motion is too early. min_parallax, min_growth: from here a turn, or
    coming closer, counts. centred, settled_growth: below this the head is back. Parallax is told in widths of the face
    between the lines from eye to mouth corner (about 0.9 eye distances). The nose tip stands 0.35 to 0.5 eye distances
    before that plane, so a turn of 20 degrees gives 0.135 to 0.19, and a flat picture 0 at any tilt. Growth is the
    logarithm of the size ratio: 0.18 is 20 % larger, from 60 cm to 50. All figures are medians over `smoothing`
    sightings, relative to the sightings before the first cue.

    planar_parallax, planar_foreshortening, planar_frames: a face that much slimmer (eye distance over eye-to-mouth
    distance, relative to before the cue; cos of the angle, so 28 degrees) without parallax, in that many medians, moved
    like a flat picture. max_speed, max_growth_speed: a second; faster (beyond 400 degrees, or four times larger) is no
    head but another picture. Times in seconds. reaction: no person answers a cue faster; a motion before it was not an
    answer. turn_timeout: for one turn, and again for the way back.
    """

    mode: LivenessMode = LivenessMode.PASSIVE_THEN_CHALLENGE
    window: float = 1.5
    least_steps: int = 2
    most_steps: int = 3
    least_pause: float = 0.3
    most_pause: float = 1.0
    min_parallax: float = 0.125
    centred: float = 0.05
    planar_parallax: float = 0.05
    planar_foreshortening: float = 0.88
    planar_frames: int = 5
    min_growth: float = 0.18
    settled_growth: float = 0.09
    smoothing: int = 7
    max_speed: float = 3.0
    max_growth_speed: float = 1.5
    reaction: float = 0.15
    turn_timeout: float = 6.0
    max_gap: float = 0.6
    min_overlap: float = 0.25


MOST_STEPS = 4
"""As many cues there are to ask for, none twice."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds a patient is given in each state, and how long presence and absence must last to count."""

    presence: float = 0.7
    absence: float = 1.2
    acquire: float = 20.0
    confirm: float = 35.0
    receipt: float = 10.0
    notice: float = 6.0
    leaving: float = 30.0
    hint_hold: float = 1.2


@dataclass(frozen=True, slots=True)
class MigrationRule:
    """When a visit's own frames become the templates of a new model pack, and when the old pack may go.

    caution: the match must be so good that it would pass with so many times the templates compared, too. min_quality:
    unified quality of each frame kept. templates: how many of the best frames are kept. retire_share: share of the
    enrolled who must have templates of a newer pack before the old pack's are erased without force.
    """

    caution: int = 10
    min_quality: int = 40
    templates: int = 3
    retire_share: float = 0.98


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of one desk.

    fmr: false match rate asked of a 1:1 comparison. fpir: false positive identification rate asked of one search over
    the whole gallery (or list). tries: attempts before the fallback is offered. hold_frames: good frames collected
    before the challenge. identify_min_age: below it no 1:N, a guardian confirms.
    """

    name: str = "default"
    fmr: float = 1e-4
    fpir: float = 1e-3
    tries: int = 2
    hold_frames: int = 5
    identify_min_age: int = 7
    gate: QualityGate = field(default_factory=QualityGate)
    liveness: LivenessRule = field(default_factory=LivenessRule)
    timing: Timing = field(default_factory=Timing)
    migration: MigrationRule = field(default_factory=MigrationRule)

    def __post_init__(self) -> None:
        """Raise ValueError for rates outside (0, 0.1], counts below one, and limits that contradict each other."""
        for rate in ("fmr", "fpir"):
            if not 0 < getattr(self, rate) <= 0.1:
                raise ValueError(f"policy {rate} must be above 0 and at most 0.1")
        if min(self.tries, self.hold_frames, self.liveness.smoothing) < 1:
            raise ValueError("policy tries, hold_frames and liveness smoothing must be at least 1")
        if min(self.migration.templates, self.migration.caution) < 1 or not 0 <= self.migration.retire_share <= 1:
            raise ValueError(
                "policy migration templates and caution must be at least 1, its retire_share between 0 and 1"
            )
        for part in (self.gate, self.liveness, self.timing, self.migration):
            numbers = [f.name for f in fields(part) if not isinstance(getattr(part, f.name), StrEnum)]
            impossible = [name for name in numbers if not 0 <= getattr(part, name) < math.inf]
            if impossible:
                raise ValueError(f"policy {impossible[0]} must be a number and not negative")
        _check_liveness(self.liveness)

    @property
    def policy_id(self) -> str:
        """First 16 hex digits of SHA-256 over the canonical JSON of all values."""
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def _check_liveness(rule: LivenessRule) -> None:
    if not 1 <= rule.least_steps <= rule.most_steps <= MOST_STEPS:
        raise ValueError(f"policy least_steps must be at least 1, most_steps not below it and at most {MOST_STEPS}")
    if rule.least_pause > rule.most_pause:
        raise ValueError("policy least_pause must not be above most_pause")
    if max(rule.centred, rule.planar_parallax) >= rule.min_parallax:
        raise ValueError("policy centred and planar_parallax must be below min_parallax")
    if rule.settled_growth >= rule.min_growth:
        raise ValueError("policy settled_growth must be below min_growth")
