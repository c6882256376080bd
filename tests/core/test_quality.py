"""Each gate gives its hint, one at a time, in order of urgency, long enough to be read."""

from dataclasses import fields, replace
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.core.policy import EnrolmentGate, QualityGate
from appliance.core.quality import HeldHint, Hint, components, judge, near
from appliance.core.types import Instant, Measures
from tests.core.sights import GOOD, observation, seen

GATE = QualityGate()
HOLD = 1.2

A_BIT = 0.02


def _flaws() -> dict[Hint, list[dict[str, float]]]:
    """Each measure a bit outside its gate, by the hint it must give."""
    g = GATE
    posed = [("yaw", g.max_yaw), ("pitch", g.max_pitch), ("roll", g.max_roll)]
    return {
        Hint.ONE_PERSON: [{"second_face": g.max_second_face + A_BIT}],
        Hint.CLOSER: [{"inter_eye_distance": g.min_inter_eye_distance - 1}],
        Hint.BACK: [{"head_size": g.max_head_size + A_BIT}],
        Hint.INTO_OVAL: [
            {"crop_left": g.min_crop_side - A_BIT},
            {"crop_right": -0.2},
            {"crop_above": g.min_crop_above - A_BIT},
            {"crop_below": g.min_crop_below - A_BIT},
        ],
        Hint.MORE_LIGHT: [{"luminance": g.min_luminance - A_BIT}, {"under_exposed": g.max_under_exposed + A_BIT}],
        Hint.LESS_LIGHT: [{"luminance": g.max_luminance + A_BIT}, {"over_exposed": g.max_over_exposed + A_BIT}],
        Hint.EVEN_LIGHT: [{"side_balance": g.min_side_balance - A_BIT}],
        Hint.HEAD_STRAIGHT: [{name: side * (limit + 1)} for name, limit in posed for side in (1, -1)],
        Hint.HOLD_STILL: [{"sharpness": g.min_sharpness - 1}],
        Hint.GLASSES_OFF: [{"eye_light": g.min_eye_light - A_BIT}],
        Hint.MASK_DOWN: [{"mouth_lines": g.min_mouth_lines - A_BIT}],
    }


FLAWS = _flaws()


def test_a_good_face_passes() -> None:
    """No hint; without a quality model the weakest component is the figure."""
    report = judge(observation(GOOD), GATE)
    assert report.passed
    assert (report.hint, report.unified) == (None, None)
    assert report.quality == report.weakest > 50


def test_the_quality_model_has_the_last_word() -> None:
    """Where the pack has one its figure stands for the frame; both numbers are kept apart."""
    report = judge(observation(GOOD), GATE, unified=41.6)
    assert (report.unified, report.quality, report.passed) == (42, 42, True)
    assert report.weakest == judge(observation(GOOD), GATE).weakest


def test_an_enrolment_asks_the_quality_model() -> None:
    """A face that passes everything else and is still hard to recognise is asked to hold still; a check-in lets it."""
    poor = EnrolmentGate().min_unified - 1
    assert judge(observation(GOOD), EnrolmentGate(), unified=poor).hint is Hint.HOLD_STILL
    assert judge(observation(GOOD), EnrolmentGate(), unified=poor + 2).passed
    assert judge(seen(yaw=40.0), EnrolmentGate(), unified=poor).hint is Hint.HEAD_STRAIGHT
    assert judge(observation(GOOD), GATE, unified=poor).passed


def test_the_quality_model_too_is_passed_again_with_a_reserve() -> None:
    """As every other limit."""
    gate = EnrolmentGate()
    just = gate.min_unified + 1
    assert judge(observation(GOOD), gate, unified=just).passed
    assert judge(observation(GOOD), gate, Hint.HOLD_STILL, just).hint is Hint.HOLD_STILL


@pytest.mark.parametrize(("hint", "flaw"), [(hint, flaw) for hint, flaws in FLAWS.items() for flaw in flaws], ids=str)
def test_each_flaw_gives_its_hint(hint: Hint, flaw: dict[str, float]) -> None:
    """One measure out of its gate, one hint."""
    report = judge(seen(**flaw), GATE)
    assert report.hint is hint
    assert not report.passed


def test_every_hint_can_be_given() -> None:
    """Those of a measured face, and the one that asks for a face."""
    assert set(Hint) == {*FLAWS, Hint.LOOK_AT_CAMERA}


@pytest.mark.parametrize(("first", "then"), list(pairwise(FLAWS)))
def test_the_more_urgent_hint_comes_first(first: Hint, then: Hint) -> None:
    """Two flaws at once: the one declared first is told (too near and too dark: first step back)."""
    flaw = FLAWS[then][0] | FLAWS[first][0]
    if (first, then) == (Hint.MORE_LIGHT, Hint.LESS_LIGHT):
        flaw = FLAWS[first][1] | FLAWS[then][1]
    assert judge(seen(**flaw), GATE).hint is first
    order = list(Hint)
    assert order.index(first) < order.index(then)


@pytest.mark.parametrize(
    ("luminance", "hint"), [(GATE.min_luminance / 2 - 0.01, Hint.MORE_LIGHT), (0.3, Hint.LOOK_AT_CAMERA)]
)
def test_without_a_face_the_light_decides(luminance: float, hint: Hint) -> None:
    """In the dark nobody can be seen: more light; else look at the camera."""
    report = judge(observation(None, luminance), GATE)
    assert (report.hint, report.quality, report.components) == (hint, 0, ())


@pytest.mark.parametrize(("distance", "expected"), [(19.9, False), (20.0, True), (35.0, True)])
def test_a_small_face_is_in_the_waiting_room(distance: float, expected: bool) -> None:
    """Nearer than about 1.7 m somebody is at the desk, even where the face is still too small to be used."""
    assert near(seen(inter_eye_distance=distance), GATE) is expected
    assert not near(observation(None), GATE)


MEASURES = st.builds(Measures, **{f.name: st.floats(-1e4 if f.name[:4] == "crop" else 0, 50) for f in fields(Measures)})


@given(MEASURES, st.floats(0, 100))
def test_any_figures_give_components_in_range(measures: Measures, unified: float) -> None:
    """0..100 each, under unique names; the gate never raises."""
    parts = components(measures)
    assert all(0 <= value <= 100 for _, value in parts)
    assert len({name for name, _ in parts}) == len(parts)
    report = judge(observation(measures), GATE, unified=unified)
    assert report.components == parts
    assert report.weakest in {value for _, value in parts}


@given(st.sampled_from([f.name for f in fields(Measures)]), st.sampled_from([-1e6, -1.0, 0.0, 1e6]))
def test_an_impossible_figure_is_no_failure(name: str, value: float) -> None:
    """A detector's slip costs a frame, not the visit."""
    assert 0 <= judge(seen(**{name: value}), GATE).weakest <= 100


WORSE = {
    "inter_eye_distance": -1,
    "crop_left": -1,
    "crop_right": -1,
    "crop_above": -1,
    "crop_below": -1,
    "dynamic_range": -1,
    "under_exposed": 1,
    "over_exposed": 1,
    "uniformity": -1,
    "side_balance": -1,
    "pitch": 1,
    "roll": 1,
    "sharpness": -1,
    "eye_light": -1,
    "mouth_lines": -1,
    "second_face": 1,
}
"""Measures that are better at one end, and the direction of worse."""


@given(MEASURES, st.sampled_from(sorted(WORSE)), st.floats(0, 40))
def test_a_worse_measure_never_helps(measures: Measures, name: str, by: float) -> None:
    """No component rises, nor does a refused frame pass. Angles up to the right angle."""
    worse = replace(measures, **{name: getattr(measures, name) + WORSE[name] * by})
    before, after = judge(observation(measures), GATE), judge(observation(worse), GATE)
    assert all(b[1] <= a[1] for a, b in zip(before.components, after.components, strict=True))
    assert after.weakest <= before.weakest
    assert before.passed or not after.passed


@given(st.floats(0, 0.5), st.floats(0, 0.5))
def test_darker_is_never_better_below_the_middle(one: float, other: float) -> None:
    """And brighter never above it."""
    darker, lighter = sorted((one, other))
    for low, high in ((darker, lighter), (1 - lighter, 1 - darker)):
        values = [dict(components(replace(GOOD, luminance=v)))["luminance_mean"] for v in (low, high)]
        assert values == sorted(values, reverse=low > 0.5 or high > 0.5)


def test_the_mappings_are_those_of_ofiq() -> None:
    """Points computed by hand from the parameters in OFIQ 1.0.3's sources."""
    face = replace(
        GOOD,
        inter_eye_distance=70.0,
        yaw=0.0,
        luminance=0.2,
        luminance_variance=1 / 60,
        dynamic_range=6.0,
        over_exposed=0.01,
        under_exposed=0.92,
        uniformity=0.5,
        pitch=60.0,
        second_face=0.25,
        crop_left=0.9 - 0.63,
        head_size=0.45 * 1.04 / 1.8,
    )
    assert {
        "inter_eye_distance": 50,
        "luminance_mean": 50,
        "luminance_variance": 100,
        "dynamic_range": 75,
        "over_exposure_prevention": 50,
        "under_exposure_prevention": 40,
        "illumination_uniformity": 81,
        "head_pose_yaw": 100,
        "head_pose_pitch": 25,
        "single_face_present": 50,
        "leftward_crop": 50,
        "head_size": 100,
    }.items() <= dict(components(face)).items()


def _limit(name: str) -> tuple[str, float]:
    """Which end of a measure the gate limits ("min" or "max"), where only one is, and the limit."""
    known = {"crop_left": "crop_side", "crop_right": "crop_side"}.get(name, name)
    ((end, limit),) = (
        (end, getattr(GATE, f"{end}_{known}")) for end in ("min", "max") if hasattr(GATE, f"{end}_{known}")
    )
    return end, limit


ONE_END = sorted({name for flaws in FLAWS.values() for flaw in flaws for name in flaw} - {"luminance"})


@pytest.mark.parametrize("name", ONE_END)
def test_a_gate_that_failed_is_passed_again_with_a_reserve(name: str) -> None:
    """Within the reserve of a limit passes who passed before, and not who failed there; other hints change nothing."""
    end, limit = _limit(name)
    inwards = 1 if end == "min" else -1
    hint = judge(seen(**{name: limit * (1 - inwards * GATE.reserve / 2)}), GATE).hint
    inside = seen(**{name: limit * (1 + inwards * GATE.reserve / 2)})
    assert hint is not None
    assert judge(inside, GATE).passed
    assert judge(inside, GATE, hint).hint is hint
    assert judge(inside, GATE, Hint.LOOK_AT_CAMERA).passed
    assert judge(observation(GOOD), GATE, hint).passed


NEAR_LIMITS = st.dictionaries(st.sampled_from(ONE_END), st.floats(0.85, 1.15), max_size=3).map(
    lambda factors: replace(GOOD, **{name: _limit(name)[1] * factor for name, factor in factors.items()})
)


@given(NEAR_LIMITS, st.sampled_from([None, *Hint]))
def test_beyond_the_reserve_no_hint_is_left(measures: Measures, before: Hint | None) -> None:
    """What passes the drawn-in gate passes whatever was wrong a frame ago; and no hint before lets more pass."""
    sight = observation(measures)
    if judge(sight, GATE.with_reserve()).passed:
        assert judge(sight, GATE, before).passed
    assert judge(sight, GATE).passed or not judge(sight, GATE, before).passed


def test_a_hint_stands_long_enough_to_be_read() -> None:
    """Another one waits; success does not; a hint after success waits until the last one had its time."""
    held = HeldHint().follow(Hint.CLOSER, Instant(0.0), HOLD)
    assert held.hint is Hint.CLOSER
    assert held.follow(Hint.BACK, Instant(0.5), HOLD).hint is Hint.CLOSER
    assert held.follow(Hint.BACK, Instant(HOLD), HOLD).hint is Hint.BACK
    passed = held.follow(None, Instant(0.1), HOLD)
    assert passed.hint is None
    assert passed.follow(Hint.CLOSER, Instant(0.2), HOLD).hint is None
    assert passed.follow(Hint.CLOSER, Instant(HOLD), HOLD).hint is Hint.CLOSER


def test_a_hint_knows_how_long_it_has_stood() -> None:
    """From when it was put up; another one, and the same after a break, begin anew; none has not stood at all."""
    held = HeldHint().follow(Hint.CLOSER, Instant(1.0), HOLD)
    assert held.follow(Hint.CLOSER, Instant(8.0), HOLD).stood(Instant(9.0)) == 8.0
    assert held.follow(Hint.BACK, Instant(8.0), HOLD).stood(Instant(9.0)) == 1.0
    passed = held.follow(None, Instant(8.0), HOLD)
    assert (passed.stood(Instant(9.0)), HeldHint().stood(Instant(9.0))) == (0.0, 0.0)
    assert passed.follow(Hint.CLOSER, Instant(8.5), HOLD).stood(Instant(9.0)) == 0.5


@given(st.lists(st.tuples(st.floats(0.01, 0.5), st.sampled_from([None, *Hint])), min_size=1))
def test_hints_never_flicker(steps: list[tuple[float, Hint | None]]) -> None:
    """Between two hints being put up, the same or not, lies the reading time; nothing wanted, nothing shown."""
    held, now, put_up = HeldHint(), 0.0, -HOLD
    for step, wanted in steps:
        now += step
        after = held.follow(wanted, Instant(now), HOLD)
        if after.hint is not None and after.hint is not held.hint:
            assert now - put_up >= HOLD - 1e-9
            put_up = now
        assert after.hint in (held.hint, wanted)
        assert wanted is not None or after.hint is None
        assert after.wanted is wanted
        held = after


@given(st.integers(0, 2**32 - 1), st.floats(0.0, 0.2))
@settings(max_examples=30)
def test_noise_on_a_limit_does_not_make_the_screen_flicker(seed: int, noise: float) -> None:
    """Ten seconds at 15 frames a second, eye distance and light on their limits: at most nine hints are put up."""
    draw, held, put_up = Random(seed), HeldHint(), 0
    for number in range(150):
        eyes = GATE.min_inter_eye_distance * (1 + draw.gauss(0, noise))
        light = GATE.min_luminance * (1 + draw.gauss(0, noise))
        report = judge(seen(inter_eye_distance=eyes, luminance=light), GATE, held.wanted)
        after = held.follow(report.hint, Instant(number / 15), HOLD)
        put_up += after.hint is not None and after.hint is not held.hint
        held = after
    assert put_up <= 10 / HOLD + 1


def test_the_reserve_halves_how_often_a_gate_changes_its_mind() -> None:
    """Noise of 2 % on the eye distance at its limit, a minute at 15 frames a second: pass and fail alternate less."""
    changes = {}
    for gate in (GATE, replace(GATE, reserve=0.0)):
        draw, before, count = Random(1), None, 0
        for _ in range(900):
            sight = seen(inter_eye_distance=gate.min_inter_eye_distance * draw.gauss(1.0, 0.02))
            hint = judge(sight, gate, before).hint
            count += hint is not before
            before = hint
        changes[gate.reserve] = count
    assert changes[GATE.reserve] < changes[0.0] / 2
