"""What the clinic and the fund ask of a check-in: error rates, limits, time-outs.

A policy holds no score threshold: those follow from the pack's calibration for the rates asked for
here. Its id goes into every event, so an auditor knows which rules a decision was made under.
"""

import hashlib
import json
import math
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date
from enum import StrEnum
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class QualityGate:
    """What a frame must fulfil before its face is used; units as in `Measures`. These are the limits of a check-in.

    Loose: nobody is turned away for vanity; what is in doubt the matcher decides. Below 40 px between the eyes the
    embedders' input is enlarged, not measured. near_eye_distance: a smaller face (pixels; about 1.7 m away in
    640 x 480) is somebody in the waiting room and starts no visit. min_unified: of the pack's quality model, where it
    has one and was asked; 0 asks nothing. reserve: share by which a limit that was just missed must be kept, so that a
    measure on the limit does not make a hint come and go.

    The limits of light, sharpness, eyes and mouth were set on 1,500 photos of LFW, 97 of CASIA and 112 live webcam
    frames of NUAA (half of them overexposed by a window), so that about 1 % of good ones are refused. Refused of
    each set: for light 0.6 / 0 / 0 %, for sharpness 0 / 0 / 0 %, for dark glasses 0.7 / 0 / 0 % (all of those wear dark
    or tinted ones), for a covered mouth 0.3 / 0 / 0 % (a hand, a microphone, profiles). Refused of 537 of them spoilt:
    95 % blurred by 0.06 eye distances, 93 % with 0.3 of the light on one half, 98 % with drawn lenses that take 70 % of
    the light, 95 % with a drawn black mask, 69 % with a white, blue or green one; and all three real masks at hand. A
    mask with horizontal folds can pass. Colour does not tell a mask: the faces with the least red below the nose were
    men with beards. Closed eyes are not told: nothing in 40 pixels told a lowered lid from a narrow eye, and nobody is
    to be told to open eyes that are open. The head's pose is known to some 5 degrees.
    """

    near_eye_distance: float = 20.0
    min_inter_eye_distance: float = 40.0
    max_head_size: float = 0.45
    min_crop_side: float = 0.3
    min_crop_above: float = 0.4
    min_crop_below: float = 0.3
    min_luminance: float = 0.12
    max_luminance: float = 0.94
    max_under_exposed: float = 0.5
    max_over_exposed: float = 0.65
    min_side_balance: float = 0.5
    max_yaw: float = 18.0
    max_pitch: float = 22.0
    max_roll: float = 18.0
    min_sharpness: float = 3.4
    min_eye_light: float = 0.72
    min_mouth_lines: float = 0.9
    max_second_face: float = 0.35
    min_unified: float = 0.0
    reserve: float = 0.06

    def __post_init__(self) -> None:
        """Raise ValueError for limits that are no numbers, negative, or contradict each other."""
        for limit in fields(self):
            if not 0 <= getattr(self, limit.name) < math.inf:
                raise ValueError(f"{limit.name} must be a number and not negative")
        if self.reserve >= 0.5:
            raise ValueError("reserve must be below 0.5")
        more, less = 1 + self.reserve, 1 - self.reserve
        if self.min_luminance * more >= self.max_luminance * less:
            raise ValueError("min_luminance must be below max_luminance by more than the reserve")
        if self.near_eye_distance > self.min_inter_eye_distance:
            raise ValueError("near_eye_distance must not be above min_inter_eye_distance")
        if self.min_unified * more > 100:
            raise ValueError("min_unified must be at most 100 with its reserve")

    def with_reserve(self) -> "QualityGate":
        """The same gate with every limit drawn closer by the reserve, and none left."""
        factor = {"min": 1 + self.reserve, "max": 1 - self.reserve}
        changed = {
            limit.name: getattr(self, limit.name) * factor[limit.name[:3]]
            for limit in fields(self)
            if limit.name[:3] in factor
        }
        return replace(self, **changed, reserve=0.0)


@dataclass(frozen=True, slots=True)
class EnrolmentGate(QualityGate):
    """The limits of an enrolment: a template is compared for years, and there is time to take it well.

    Light between OFIQ's 0.2 and 0.8. Refused of LFW: 2 % lit from one side, 4 % blurred, 1 % for glasses or mouth.
    min_unified: of LightQNet, whose 50 lies at its own 0.544, where a gate lifted EdgeFace's TAR at FMR 1e-3 on CASIA
    from 97.4 to 99.7 %; refuses 3.6 % of 500 photos of LFW, none of CASIA's that pass a check-in, 12 % of NUAA's live
    frames, and half of LFW's blurred by 0.06 eye distances. Yaw as at a check-in: two of the three looks are from a
    little to the side.
    """

    min_luminance: float = 0.2
    max_luminance: float = 0.8
    max_under_exposed: float = 0.15
    max_over_exposed: float = 0.2
    min_side_balance: float = 0.6
    max_pitch: float = 16.0
    max_roll: float = 12.0
    min_sharpness: float = 5.0
    min_eye_light: float = 0.8
    min_mouth_lines: float = 1.0
    max_second_face: float = 0.25
    min_unified: float = 50.0


class LivenessMode(StrEnum):
    """When a challenge is asked for; a pack without calibrated anti-spoofing models always asks for one."""

    PASSIVE = "passive"
    PASSIVE_THEN_CHALLENGE = "passive_then_challenge"
    ALWAYS_CHALLENGE = "always_challenge"


@dataclass(frozen=True, slots=True)
class LivenessRule:
    """How liveness is proved: when a challenge is asked for, how it is drawn and judged.

    window: seconds of held face that passive models judge.

    least_steps, most_steps, least_pause, most_pause: what is drawn at random between (`liveness_steps.drawn`);
    seconds of looking ahead before each cue, in which any motion is too early. The shortest is 0, because a hold or a
    way back has just passed looking ahead; the spread of 0.7 s is what cannot be foreseen. min_parallax, min_growth:
    from here a turn, or coming closer, counts. min_depth: least parallax for the sine of the angle the face looks
    turned by. centred: below this the head is back. Parallax is told in widths of the face between the lines from eye
    to mouth corner (about 0.9 eye distances). The nose tip stands 0.35 to 0.5 eye distances before that plane, so a
    turn of 20 degrees gives 0.135 to 0.19, and a flat picture 0 at any tilt. Growth is the logarithm of the size
    ratio: 0.18 is 20 % larger, from 60 cm to 50. All figures are medians over `smoothing` sightings, relative to the
    sightings before the challenge; growth to those before the current cue.

    planar_parallax, planar_foreshortening, planar_frames: a face that much slimmer (eye distance over eye-to-mouth
    distance, relative to before the cue; cos of the angle, so 28 degrees) without parallax, in that many medians, moved
    like a flat picture. max_speed, max_growth_speed: a second; faster (beyond 400 degrees, or four times larger) is no
    head but another picture. Times in seconds. reaction: no person answers a cue faster; a motion before it was not an
    answer. turn_timeout: for one turn, and again for a way back, which is asked for where the next step does not
    lead back by itself.

    Simulated (tests/fakes/heads.py; drawn challenges, Gaussian noise of each landmark in eye distances, 300 each):
    heads that turn 20 to 30 degrees are live in 99 % at noise 0.02 and 15 frames a second, 97 % at 0.03; in 94 % when
    they turn 15 to 20 degrees only. A challenge takes 7 seconds. Of 2,700 pictures tilted by up to 40 degrees, as
    asked or at random, or held still, at noise 0.01 to 0.03, none was live; nor of 40 drawn prints turned as asked
    before CenterFace, YuNet and SCRFD, of which none passed a single turn. A film of a head that turns and comes
    closer at random, with pauses, answers 6 % of challenges of two or three steps, 3 % of three.

    Measured: the landmarks of YuNet jitter by 0.014 to 0.017 eye distances from frame to frame, those of SCRFD by
    0.004. Detectors see a little depth in a tilted print, because they have learnt faces: in prints drawn at 22 to 40
    degrees 0.03 to 0.05 at the median, in single ones up to 0.23 (SCRFD), 0.3 to 0.36 for the sine of the angle. Turned
    faces of LFW against the same person ahead show 0.33 and more in 98 % (YuNet), 95 % (SCRFD) and 92 % (CenterFace) of
    the pictures, half of them 0.53 to 0.66. Hence min_depth; it does not part all prints from all heads. A picture bent
    around a cylinder passes below a radius of about 1 eye distance.
    """

    mode: LivenessMode = LivenessMode.PASSIVE_THEN_CHALLENGE
    window: float = 1.5
    least_steps: int = 2
    most_steps: int = 3
    least_pause: float = 0.0
    most_pause: float = 0.7
    min_parallax: float = 0.13
    min_depth: float = 0.33
    centred: float = 0.05
    planar_parallax: float = 0.05
    planar_foreshortening: float = 0.88
    planar_frames: int = 5
    min_growth: float = 0.18
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
class ReplayRule:
    """When pictures or faces count as shown before; distances in grey levels as in `core.replay`, times in seconds.

    gap: from here a picture is an earlier one. stride: over which motion is told. frozen_frames, frozen_seconds: both
    must pass with equal pixels. exact_frames: so many pictures of a visit that came before, pixel for pixel. near,
    near_seconds: pictures that come so close to the past for so long, `moving_frames` of them while the picture moved
    by `moving` within the stride: a loop that was coded anew.

    Measured on three clips (a live face and two telephone replays, 2.6 to 14.5 s): played twice they come back at 0.04
    to 0.30 grey levels (median of VP8 to 95th percentile of JPEG 50) when coded anew or with noise of 1 to 3 levels
    added; played once, the steadiest never comes closer than 0.51 to anything a second older. Loops told: 18 of 18
    coded anew (MPEG-4, VP8, JPEG 50 and 80, two noises) 0.5 to 1.2 s after the second turn began, 6 of 6 exact ones
    (round, to and fro) within 0.9 s, JPEG 30 0 of 3; of the clips played once none.

    face: a face is told as shown before when its distance (1 - cosine) to one of an earlier visit is at most this
    share of the distance at which two looks are one person (1:1 at the policy's rate), so it suits any pack. 807 pairs
    of live captures of one person in one NUAA session (`builtin`) stay above 0.06 of it, 449 of two sessions above 0.6;
    the same frame coded anew as JPEG 80 is at 0.013 in the median. seen_hours: how long faces are remembered, in memory
    only; 0 turns it off.
    """

    gap: float = 1.0
    stride: float = 0.5
    frozen_frames: int = 8
    frozen_seconds: float = 1.0
    exact_frames: int = 5
    near: float = 0.3
    near_seconds: float = 1.0
    moving: float = 0.6
    moving_frames: int = 8
    face: float = 0.03
    seen_hours: float = 4.0


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds a patient is given in each state, and how long presence and absence must last to count.

    look: least time between two looks for a face; between one interval of a camera of 30 frames a second and two, so
    that of those every other is searched, and each of 20 and fewer. answer: without a touch, until somebody who was
    asked something is asked whether they are still there; still_there: until that is over, too. receipt: whatever is
    to be read, remembered or photographed; notice: an apology. early: longest time before a service at which it can be
    confirmed. again: after a restart, the youngest visit's receipt is shown again for so long. hint_hold: before
    another hint replaces one. hint_picture: after which a hint that still stands is drawn, too. way_out: of looking for
    a face in vain, after which the way without one is offered larger.
    """

    look: float = 0.045
    presence: float = 0.7
    absence: float = 1.2
    acquire: float = 20.0
    answer: float = 15.0
    still_there: float = 20.0
    receipt: float = 10.0
    notice: float = 6.0
    help: float = 60.0
    leaving: float = 30.0
    early: float = 3600.0
    again: float = 120.0
    hint_hold: float = 1.2
    hint_picture: float = 8.0
    way_out: float = 15.0


@dataclass(frozen=True, slots=True)
class PaceRule:
    """More visits in an hour than people can be served, for one provider and for one desk.

    The doctor who "saw" 1,442 patients in a day (Kazakhstan, 2025) had 180 an hour for eight hours; a room that draws
    blood takes about one a minute. A check-in takes 15 seconds at best, a busy desk has 600 a day.
    """

    provider_per_hour: int = 60
    desk_per_hour: int = 180


@dataclass(frozen=True, slots=True)
class ReceptionRule:
    """What an operator at the reception may do alone, and for how long; times in seconds.

    manual_per_shift: services one operator may confirm by hand in a day before a second one has to agree; a busy desk
    has 600 visits, and what nobody counts becomes the rule. idle: until a session locks. shift: its longest. tries:
    wrong PINs before the first pause; pause: that first one, each further twice as long, up to most_pause. late: after
    the start of a service that nobody confirmed, until the patient counts as not come. wards: for how many children
    one adult speaks before each further one is an alarm; more than that below seven are an institution's, or nobody's.
    """

    manual_per_shift: int = 10
    idle: float = 300.0
    shift: float = 28_800.0
    tries: int = 5
    pause: float = 30.0
    most_pause: float = 3600.0
    late: float = 3600.0
    wards: int = 10


@dataclass(frozen=True, slots=True)
class MigrationRule:
    """When a visit's own frames become the templates of a new model pack, and when the old pack may go.

    Frames that pass the gate of an enrolment become templates. caution: the match must be so good that it would pass
    with so many times the templates compared, too. templates: how many of the best frames are kept. retire_share: share
    of the enrolled who must keep a template before those of an old pack may be erased by force. retire_on: day
    (YYYY-MM-DD) from which they may whatever the share; empty for never.
    """

    caution: int = 10
    templates: int = 3
    retire_share: float = 0.98
    retire_on: str = ""

    def __post_init__(self) -> None:
        """Raise ValueError for a count below one, a share or quality out of range, and for what is no day."""
        if min(self.templates, self.caution) < 1:
            raise ValueError("templates and caution must be at least 1")
        if not 0 <= self.retire_share <= 1:
            raise ValueError("retire_share must be between 0 and 1")
        if self.retire_on:
            date.fromisoformat(self.retire_on)


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of one desk.

    fmr: false match rate asked of a 1:1 comparison. fpir: false positive identification rate asked of one search over
    the whole gallery (or list). tries: attempts before the fallback is offered. entries: of a number and code, before
    reception is called. hold_frames: good frames collected
    before the challenge. identify_min_age: below it no 1:N, a guardian confirms. gate, enrolment_gate: what a face must
    fulfil at a check-in, and at an enrolment.
    """

    name: str = "default"
    fmr: float = 1e-4
    fpir: float = 1e-3
    tries: int = 2
    entries: int = 3
    hold_frames: int = 5
    identify_min_age: int = 7
    gate: QualityGate = field(default_factory=QualityGate)
    enrolment_gate: EnrolmentGate = field(default_factory=EnrolmentGate)
    liveness: LivenessRule = field(default_factory=LivenessRule)
    timing: Timing = field(default_factory=Timing)
    migration: MigrationRule = field(default_factory=MigrationRule)
    replay: ReplayRule = field(default_factory=ReplayRule)
    pace: PaceRule = field(default_factory=PaceRule)
    reception: ReceptionRule = field(default_factory=ReceptionRule)

    def __post_init__(self) -> None:
        """Raise ValueError for rates outside (0, 0.1], counts below one, and limits that contradict each other."""
        for rate in ("fmr", "fpir"):
            if not 0 < getattr(self, rate) <= 0.1:
                raise ValueError(f"policy {rate} must be above 0 and at most 0.1")
        if min(self.tries, self.entries, self.hold_frames, self.liveness.smoothing) < 1:
            raise ValueError("policy tries, entries, hold_frames and liveness smoothing must be at least 1")
        for part in (self.liveness, self.timing, self.replay, self.pace, self.reception):
            numbers = [f.name for f in fields(part) if not isinstance(getattr(part, f.name), StrEnum)]
            impossible = [name for name in numbers if not 0 <= getattr(part, name) < math.inf]
            if impossible:
                raise ValueError(f"policy {impossible[0]} must be a number and not negative")
        if self.reception.tries < 1:
            raise ValueError("policy reception tries must be at least 1")
        _check_liveness(self.liveness)

    @property
    def policy_id(self) -> str:
        """First 16 hex digits of SHA-256 over the canonical JSON of all values."""
        return _identity(self)


@lru_cache(maxsize=64)
def _identity(policy: Policy) -> str:
    text = json.dumps(asdict(policy), sort_keys=True, separators=(",", ":"))  # a millisecond: not at every decision
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _check_liveness(rule: LivenessRule) -> None:
    if not 1 <= rule.least_steps <= rule.most_steps <= MOST_STEPS:
        raise ValueError(f"policy least_steps must be at least 1, most_steps not below it and at most {MOST_STEPS}")
    if rule.least_pause > rule.most_pause:
        raise ValueError("policy least_pause must not be above most_pause")
    if max(rule.centred, rule.planar_parallax) >= rule.min_parallax:
        raise ValueError("policy centred and planar_parallax must be below min_parallax")
