"""Each gate gives its hint, one at a time, in order of urgency, long enough to be read."""

from dataclasses import fields, replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.core.policy import QualityGate
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
        Hint.EVEN_LIGHT: [{"uniformity": g.min_uniformity - A_BIT}],
        Hint.HEAD_STRAIGHT: [{name: side * (limit + 1)} for name, limit in posed for side in (1, -1)],
        Hint.HOLD_STILL: [{"sharpness": g.min_sharpness - 1}],
    }


FLAWS = _flaws()


def test_a_good_face_passes() -> None:
    """No hint, and the weakest component is the unified figure."""
    report = judge(observation(GOOD), GATE)
    assert report.passed
    assert report.hint is None
    assert report.unified == min(value for _, value in report.components) > 50


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
    assert (report.hint, report.unified, report.components) == (hint, 0, ())


@pytest.mark.parametrize(("distance", "expected"), [(19.9, False), (20.0, True), (35.0, True)])
def test_a_small_face_is_in_the_waiting_room(distance: float, expected: bool) -> None:
    """Nearer than about 1.7 m somebody is at the desk, even where the face is still too small to be used."""
    assert near(seen(inter_eye_distance=distance), GATE) is expected
    assert not near(observation(None), GATE)


SHARES = {"under_exposed", "over_exposed", "uniformity", "luminance", "second_face", "head_size", "sharpness"}
MEASURES = st.builds(
    Measures, **{f.name: st.floats(0, 50) if f.name in SHARES else st.floats(-1e4, 1e4) for f in fields(Measures)}
)


@given(MEASURES)
def test_any_figures_give_components_in_range(measures: Measures) -> None:
    """0..100 each, under unique names; the gate never raises."""
    parts = components(measures)
    assert all(0 <= value <= 100 for _, value in parts)
    assert len({name for name, _ in parts}) == len(parts)
    assert judge(observation(measures), GATE).unified == min(value for _, value in parts)


WORSE = {
    "inter_eye_distance": -1,
    "crop_left": -1,
    "crop_right": -1,
    "crop_above": -1,
    "crop_below": -1,
    "under_exposed": 1,
    "over_exposed": 1,
    "uniformity": -1,
    "sharpness": -1,
    "second_face": 1,
    "head_size": 1,
}
"""Measures that are better at one end, and the direction of worse."""


@given(MEASURES, st.sampled_from(sorted(WORSE)), st.floats(0, 100))
def test_a_worse_measure_never_helps(measures: Measures, name: str, by: float) -> None:
    """Neither does the unified figure rise, nor does a refused frame pass."""
    worse = replace(measures, **{name: getattr(measures, name) + WORSE[name] * by})
    before, after = judge(observation(measures), GATE), judge(observation(worse), GATE)
    assert after.unified <= before.unified
    assert before.passed or not after.passed


def test_a_hint_stands_long_enough_to_be_read() -> None:
    """Another one waits; success does not; a new hint after success comes at once."""
    held = HeldHint().follow(Hint.CLOSER, Instant(0.0), HOLD)
    assert held.hint is Hint.CLOSER
    assert held.follow(Hint.BACK, Instant(0.5), HOLD).hint is Hint.CLOSER
    assert held.follow(Hint.BACK, Instant(HOLD), HOLD).hint is Hint.BACK
    passed = held.follow(None, Instant(0.1), HOLD)
    assert passed.hint is None
    assert passed.follow(Hint.BACK, Instant(0.2), HOLD).hint is Hint.BACK


@given(st.lists(st.tuples(st.floats(0.01, 0.5), st.sampled_from([None, *Hint])), min_size=1))
def test_hints_never_flicker(steps: list[tuple[float, Hint | None]]) -> None:
    """Between two different hints that follow each other directly lies at least the reading time."""
    held, now, shown_since = HeldHint(), 0.0, 0.0
    for step, wanted in steps:
        now += step
        after = held.follow(wanted, Instant(now), HOLD)
        if after.hint is not held.hint:
            if after.hint is not None and held.hint is not None:
                assert now - shown_since >= HOLD
            shown_since = now
        assert after.hint in (held.hint, wanted)
        held = after
