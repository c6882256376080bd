"""Judges whether a frame's face is good enough, and which one hint would help the patient most.

Measures come from `face.quality`; thresholds from `Policy.gate`. What the hint says in which
language is the business of `appliance.texts`.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

from appliance.core.policy import QualityGate
from appliance.core.types import Instant, Measures, Observation


class Hint(StrEnum):
    """What the patient can do, most urgent first; the order is the order of the declaration."""

    ONE_PERSON = "one_person"
    LOOK_AT_CAMERA = "look_at_camera"
    CLOSER = "closer"
    BACK = "back"
    INTO_OVAL = "into_oval"
    MORE_LIGHT = "more_light"
    LESS_LIGHT = "less_light"
    EVEN_LIGHT = "even_light"
    HEAD_STRAIGHT = "head_straight"
    HOLD_STILL = "hold_still"


@dataclass(frozen=True, slots=True)
class QualityReport:
    """components: 0..100 by name, 100 best. unified: their weakest, 0..100. hint: None when every gate passes."""

    components: tuple[tuple[str, int], ...]
    unified: int
    hint: Hint | None

    @property
    def passed(self) -> bool:
        """Whether the face may be used."""
        return self.hint is None


def _sigmoid(x: float, centre: float, width: float) -> int:
    """OFIQ's mapping of a native measure to 0..100 (ISO/IEC 29794-5, annex B)."""
    return round(100 / (1 + math.exp(-max(-50.0, min(50.0, (x - centre) / width)))))


def _cos2(degrees: float) -> int:
    """OFIQ's head pose mapping: 100 max(0, cos)^2."""
    return round(100 * max(0.0, math.cos(math.radians(degrees))) ** 2)


def components(m: Measures) -> tuple[tuple[str, int], ...]:
    """Quality components 0..100, named after ISO/IEC 29794-5."""
    margin = min(m.crop_left, m.crop_right, m.crop_above, m.crop_below)
    return (
        ("single_face_present", round(100 * (1 - min(1.0, m.second_face)))),
        ("inter_eye_distance", _sigmoid(m.inter_eye_distance, 35.0, 8.0)),
        ("crop_of_the_face_image", _sigmoid(margin, 0.3, 0.15)),
        ("under_exposure_prevention", round(100 * (1 - min(1.0, m.under_exposed)))),
        ("over_exposure_prevention", round(100 * (1 - min(1.0, m.over_exposed)))),
        ("luminance", _sigmoid(min(m.luminance - 0.1, 0.95 - m.luminance), 0.05, 0.02)),
        ("illumination_uniformity", round(100 * max(0.0, min(1.0, m.uniformity)) ** 0.3)),
        ("head_pose_yaw", _cos2(m.yaw)),
        ("head_pose_pitch", _cos2(m.pitch)),
        ("head_pose_roll", _cos2(m.roll)),
        ("sharpness", _sigmoid(math.log(max(m.sharpness, 1e-3)), math.log(8.0), 0.4)),
    )


def _too_far_or_near(m: Measures, gate: QualityGate) -> Hint | None:
    if m.inter_eye_distance < gate.min_inter_eye_distance:
        return Hint.CLOSER
    if m.head_size > gate.max_head_size:
        return Hint.BACK
    return None


def _off_centre(m: Measures, gate: QualityGate) -> Hint | None:
    cut = min(m.crop_left, m.crop_right) < gate.min_crop_side
    cut = cut or m.crop_above < gate.min_crop_above or m.crop_below < gate.min_crop_below
    return Hint.INTO_OVAL if cut else None


def _light(m: Measures, gate: QualityGate) -> Hint | None:
    if m.luminance < gate.min_luminance or m.under_exposed > gate.max_under_exposed:
        return Hint.MORE_LIGHT
    if m.luminance > gate.max_luminance or m.over_exposed > gate.max_over_exposed:
        return Hint.LESS_LIGHT
    return Hint.EVEN_LIGHT if m.uniformity < gate.min_uniformity else None


def _pose(m: Measures, gate: QualityGate) -> Hint | None:
    turned = abs(m.yaw) > gate.max_yaw or abs(m.pitch) > gate.max_pitch or abs(m.roll) > gate.max_roll
    return Hint.HEAD_STRAIGHT if turned else None


def _still(m: Measures, gate: QualityGate) -> Hint | None:
    return Hint.HOLD_STILL if m.sharpness < gate.min_sharpness else None


def near(seen: Observation, gate: QualityGate) -> bool:
    """Whether somebody is at the desk, rather than passing behind it or waiting."""
    return seen.measures is not None and seen.measures.inter_eye_distance >= gate.near_eye_distance


def judge(seen: Observation, gate: QualityGate) -> QualityReport:
    """Judge one frame: the topmost failing rule gives the hint.

    Without a face the hint is about light when the whole picture is dark, else to look at the camera.
    """
    m = seen.measures
    if m is None:
        dark = seen.scene_luminance < gate.min_luminance / 2
        return QualityReport((), 0, Hint.MORE_LIGHT if dark else Hint.LOOK_AT_CAMERA)
    parts = components(m)
    unified = min(value for _, value in parts)
    if m.second_face > gate.max_second_face:
        return QualityReport(parts, unified, Hint.ONE_PERSON)
    for rule in (_too_far_or_near, _off_centre, _light, _pose, _still):
        hint = rule(m, gate)
        if hint is not None:
            return QualityReport(parts, unified, hint)
    return QualityReport(parts, unified, None)


@dataclass(frozen=True, slots=True)
class HeldHint:
    """The hint on the screen and since when; one at a time, each long enough to be read."""

    hint: Hint | None = None
    since: Instant | None = None

    def follow(self, wanted: Hint | None, at: Instant, hold: float) -> "HeldHint":
        """The hint to show now, given the wanted one: a change waits until the old one stood `hold` seconds.

        Success needs no reading time, so None is followed at once.
        """
        if wanted == self.hint:
            return self
        if wanted is None or self.since is None or self.hint is None or at - self.since >= hold:
            return HeldHint(wanted, at)
        return self
