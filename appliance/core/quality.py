"""Judges whether a frame's face is good enough, and which one hint would help the patient most.

Measures come from `face.quality`; thresholds from `Policy.gate` and `Policy.enrolment_gate`. What the hint says in
which language is the business of `appliance.texts`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from appliance.core.policy import QualityGate
from appliance.core.types import FACE_ABOVE, FACE_ASIDE, FACE_BELOW, Instant, Measures, Observation


class Hint(StrEnum):
    """What the patient can do, most urgent first; the order is the order of the declaration.

    No hint is about hair, headscarf or looks: a headscarf stays on.
    """

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
    GLASSES_OFF = "glasses_off"
    MASK_DOWN = "mask_down"


@dataclass(frozen=True, slots=True)
class QualityReport:
    """What one frame is worth.

    components: 0..100 by name, 100 best. weakest: the least of those that tell how well the face can be read, 0..100;
    0 without a face. unified: the pack's quality model, 0..100; None when it has none or was not asked. hint: None when
    every gate passes.
    """

    components: tuple[tuple[str, int], ...]
    weakest: int
    unified: int | None
    hint: Hint | None

    @property
    def passed(self) -> bool:
        """Whether the face may be used."""
        return self.hint is None

    @property
    def quality(self) -> int:
        """The one figure for this frame, 0..100: the quality model's where there is one, else the weakest component."""
        return self.weakest if self.unified is None else self.unified


def _share(value: float) -> int:
    """A share of 0..1 as 0..100."""
    return round(100 * max(0.0, min(1.0, value)))


def _sigmoid(x: float, centre: float, width: float) -> float:
    """OFIQ's mapping of a native measure to 0..1."""
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, (x - centre) / width))))


def _cos2(degrees: float) -> int:
    """OFIQ's head pose mapping: max(0, cos)^2."""
    return _share(max(0.0, math.cos(math.radians(degrees))) ** 2)


_EYE_TO_MOUTH = 1.04
"""In eye distances, of the average face; the chin is at FACE_BELOW."""


def _portrait(m: Measures) -> tuple[tuple[str, int], ...]:
    """How the face lies in the frame, by the rules for portraits in documents; a desk needs less, see `QualityGate`.

    Parameters of OFIQ 1.0.3: head size |eye to chin / height - 0.45| on 200 (1 - sigmoid(0, 0.05)); room from the outer
    eye in eye distances (0.9, 0.1), above and below the eyes in eye-to-chin distances (1.4 and 1.8, 0.1).
    """
    head = m.head_size * FACE_BELOW / _EYE_TO_MOUTH
    return (
        ("head_size", _share(2 * _sigmoid(-abs(head - 0.45), 0.0, 0.05))),
        ("leftward_crop", _share(_sigmoid(m.crop_left + FACE_ASIDE - 0.5, 0.9, 0.1))),
        ("rightward_crop", _share(_sigmoid(m.crop_right + FACE_ASIDE - 0.5, 0.9, 0.1))),
        ("crop_above", _share(_sigmoid((m.crop_above + FACE_ABOVE) / FACE_BELOW, 1.4, 0.1))),
        ("crop_below", _share(_sigmoid((m.crop_below + FACE_BELOW) / FACE_BELOW, 1.8, 0.1))),
    )


def _legibility(m: Measures) -> tuple[tuple[str, int], ...]:
    """How well the face can be read.

    Mappings of OFIQ 1.0.3 where the measure is OFIQ's: single face 1 - sqrt(area ratio); eye distance over cos(yaw) on
    sigmoid(70, 20); exposure 1.2 (0.832 - sigmoid(0.92, 0.05)) and 0.01 / (share + 0.01); mean brightness between 0.2
    and 0.8; variance v on sin(pi 60v / (60v + 1)); dynamic range entropy / 8; uniformity ^0.3; pose cos^2. Sharpness,
    eyes and mouth are measured otherwise than there: 50 at the limits of a check-in (`QualityGate`), about 90 at the
    weakest 5 % of the photos of LFW.
    """
    variance = 60 * max(0.0, m.luminance_variance)
    eyes = m.inter_eye_distance / max(math.cos(math.radians(m.yaw)), 0.5)
    return (
        ("single_face_present", _share(1 - math.sqrt(max(0.0, m.second_face)))),
        ("inter_eye_distance", _share(_sigmoid(eyes, 70.0, 20.0))),
        ("under_exposure_prevention", _share(1.2 * (0.832 - _sigmoid(m.under_exposed, 0.92, 0.05)))),
        ("over_exposure_prevention", _share(0.01 / (max(0.0, m.over_exposed) + 0.01))),
        ("luminance_mean", _share(_sigmoid(m.luminance, 0.2, 0.05) * (1 - _sigmoid(m.luminance, 0.8, 0.05)))),
        ("luminance_variance", _share(math.sin(math.pi * variance / (variance + 1)))),
        ("dynamic_range", _share(m.dynamic_range / 8)),
        ("illumination_uniformity", _share(max(0.0, m.uniformity) ** 0.3)),
        ("head_pose_yaw", _cos2(m.yaw)),
        ("head_pose_pitch", _cos2(m.pitch)),
        ("head_pose_roll", _cos2(m.roll)),
        ("sharpness", _share(_sigmoid(math.log(max(m.sharpness, 1e-3)), math.log(3.4), 0.2))),
        ("eyes_visible", _share(_sigmoid(m.eye_light, 0.72, 0.09))),
        ("mouth_occlusion_prevention", _share(_sigmoid(m.mouth_lines, 0.9, 0.27))),
    )


def components(m: Measures) -> tuple[tuple[str, int], ...]:
    """Quality components 0..100, named after ISO/IEC 29794-5, for evidence and for the bars on a screen.

    Not told, since five landmarks and pixels do not tell them honestly: eyes open, mouth closed, expression, head
    coverings, background, the occluded share of the whole face.
    """
    return _portrait(m) + _legibility(m)


def _alone(m: Measures, gate: QualityGate) -> Hint | None:
    return Hint.ONE_PERSON if m.second_face > gate.max_second_face else None


def _too_far_or_near(m: Measures, gate: QualityGate) -> Hint | None:
    if m.inter_eye_distance < gate.min_inter_eye_distance:
        return Hint.CLOSER
    return Hint.BACK if m.head_size > gate.max_head_size else None


def _off_centre(m: Measures, gate: QualityGate) -> Hint | None:
    cut = min(m.crop_left, m.crop_right) < gate.min_crop_side
    cut = cut or m.crop_above < gate.min_crop_above or m.crop_below < gate.min_crop_below
    return Hint.INTO_OVAL if cut else None


def _light(m: Measures, gate: QualityGate) -> Hint | None:
    if m.luminance < gate.min_luminance or m.under_exposed > gate.max_under_exposed:
        return Hint.MORE_LIGHT
    if m.luminance > gate.max_luminance or m.over_exposed > gate.max_over_exposed:
        return Hint.LESS_LIGHT
    return Hint.EVEN_LIGHT if m.side_balance < gate.min_side_balance else None


def _pose(m: Measures, gate: QualityGate) -> Hint | None:
    turned = abs(m.yaw) > gate.max_yaw or abs(m.pitch) > gate.max_pitch or abs(m.roll) > gate.max_roll
    return Hint.HEAD_STRAIGHT if turned else None


def _still(m: Measures, gate: QualityGate) -> Hint | None:
    return Hint.HOLD_STILL if m.sharpness < gate.min_sharpness else None


def _covered(m: Measures, gate: QualityGate) -> Hint | None:
    if m.eye_light < gate.min_eye_light:
        return Hint.GLASSES_OFF
    return Hint.MASK_DOWN if m.mouth_lines < gate.min_mouth_lines else None


_RULES: tuple[Callable[[Measures, QualityGate], Hint | None], ...] = (
    _alone,
    _too_far_or_near,
    _off_centre,
    _light,
    _pose,
    _still,
    _covered,
)


def near(seen: Observation, gate: QualityGate) -> bool:
    """Whether somebody is at the desk, rather than passing behind it or waiting."""
    return seen.measures is not None and seen.measures.inter_eye_distance >= gate.near_eye_distance


def judge(
    seen: Observation, gate: QualityGate, before: Hint | None = None, unified: float | None = None
) -> QualityReport:
    """Judge one frame: the topmost failing rule gives the hint.

    before: the hint of the frame before; its rule is passed again only with the gate's reserve. unified: the pack's
    quality model on this face, 0..100; below the gate's floor a face that passes all else is asked to hold still.
    Without a face the hint is about light when the whole picture is dark, else to look at the camera.
    """
    m = seen.measures
    if m is None:
        dark = seen.scene_luminance < gate.min_luminance / 2
        return QualityReport((), 0, None, Hint.MORE_LIGHT if dark else Hint.LOOK_AT_CAMERA)
    hint = _first_hint(m, gate, before)
    if hint is None and unified is not None:
        floor = (gate.with_reserve() if before is Hint.HOLD_STILL else gate).min_unified
        hint = Hint.HOLD_STILL if unified < floor else None
    weakest = min(value for _, value in _legibility(m))
    return QualityReport(components(m), weakest, None if unified is None else round(unified), hint)


def _first_hint(m: Measures, gate: QualityGate, before: Hint | None) -> Hint | None:
    stricter = gate if before is None else gate.with_reserve()
    for rule in _RULES:
        hint = rule(m, gate)
        if hint is None and before is not None and rule(m, stricter) is before:
            hint = before
        if hint is not None:
            return hint
    return None


@dataclass(frozen=True, slots=True)
class HeldHint:
    """The hint on the screen; one at a time, each long enough to be read.

    hint: shown now. since: when the last hint was put up, also after it went. wanted: what the last frame asked for.
    """

    hint: Hint | None = None
    since: Instant | None = None
    wanted: Hint | None = None

    def follow(self, wanted: Hint | None, at: Instant, hold: float) -> "HeldHint":
        """The hint to show now, given the wanted one.

        A hint goes at once when nothing is wanted any more: success needs no reading time. A hint is put up no sooner
        than `hold` seconds after the last one was, be it another one or the same: nothing flickers.
        """
        if wanted is None or wanted is self.hint:
            return HeldHint(wanted, self.since, wanted)
        if self.since is None or at - self.since >= hold:
            return HeldHint(wanted, at, wanted)
        return HeldHint(self.hint, self.since, wanted)

    def stood(self, at: Instant) -> float:
        """Seconds for which this hint has been on the screen without a break; 0 without one."""
        return 0.0 if self.hint is None or self.since is None else at - self.since
