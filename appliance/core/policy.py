"""What the clinic and the fund ask of a check-in: error rates, limits, time-outs.

A policy holds no score threshold: those follow from the pack's calibration for the rates asked for
here. Its id goes into every event, so an auditor knows which rules a decision was made under.
"""

import hashlib
import json
import math
from dataclasses import asdict, dataclass, field, fields


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


@dataclass(frozen=True, slots=True)
class LivenessRule:
    """How the head-turn challenge is set and judged.

    Parallax is told in widths of the face between the lines from eye to mouth corner (about 0.9 eye distances). The
    nose tip stands 0.35 to 0.5 eye distances before that plane, so a turn of 20 degrees gives 0.135 to 0.19, and a flat
    picture 0 at any tilt. All figures are medians over `smoothing` sightings, relative to the sightings before the cue.

    turns: how many random turns; a film that does not know them fits with 1 / 2**turns. min_parallax: from here a turn
    counts. centred: below this the head is back. planar_parallax, planar_foreshortening, planar_frames: a face that
    much slimmer (eye distance over eye-to-mouth distance, relative to before the cue; cos of the angle, so 28 degrees)
    without parallax, in that many medians, moved like a flat picture. max_speed: face widths per second; faster (beyond
    400 degrees per second) is no head but another picture. Times in seconds. reaction: no person answers a cue
    faster; a motion before it was not an answer. turn_timeout: for one turn and the way back.

    Simulated (tests/fakes/heads.py; two random turns, Gaussian noise of each landmark in eye distances, 30 frames
    a second): heads that turn 20 to 30 degrees are live in 99.8 % of 2,000 challenges at noise 0.02, 99.5 % at 0.03,
    98.9 % at 0.02 and 10 frames a second; in 97.4 % when they turn 15 to 20 degrees only. Pictures tilted by up to 40
    degrees, as asked or at random in both axes, are live in 0 of 10,000 at noise 0.02 and 0.03; turned 35 to 40 degrees
    89 % are told as spoofs. With a min_parallax of 0.11 and 5 sightings up to 0.25 % of the pictures were live at noise
    0.03. A picture bent around a cylinder passes below a radius of about 1 eye distance; pictures swapped between two
    frames pass in about 15 % at 30 frames a second, 85 % at 15; a film of the right turns passes.
    """

    turns: int = 2
    min_parallax: float = 0.125
    centred: float = 0.05
    planar_parallax: float = 0.05
    planar_foreshortening: float = 0.88
    planar_frames: int = 5
    smoothing: int = 7
    max_speed: float = 3.0
    reaction: float = 0.15
    turn_timeout: float = 6.0
    max_gap: float = 0.6
    min_overlap: float = 0.25


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
        if min(self.tries, self.hold_frames, self.liveness.turns, self.liveness.smoothing) < 1:
            raise ValueError("policy tries, hold_frames, liveness turns and smoothing must be at least 1")
        if min(self.migration.templates, self.migration.caution) < 1 or not 0 <= self.migration.retire_share <= 1:
            raise ValueError(
                "policy migration templates and caution must be at least 1, its retire_share between 0 and 1"
            )
        for part in (self.gate, self.liveness, self.timing, self.migration):
            impossible = [f.name for f in fields(part) if not 0 <= getattr(part, f.name) < math.inf]
            if impossible:
                raise ValueError(f"policy {impossible[0]} must be a number and not negative")
        if max(self.liveness.centred, self.liveness.planar_parallax) >= self.liveness.min_parallax:
            raise ValueError("policy centred and planar_parallax must be below min_parallax")

    @property
    def policy_id(self) -> str:
        """First 16 hex digits of SHA-256 over the canonical JSON of all values."""
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]
