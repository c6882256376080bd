"""A policy that contradicts itself is refused; its id tells policies apart."""

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import asdict, fields, replace

import pytest

from appliance.core.policy import (
    EnrolmentGate,
    LivenessMode,
    LivenessRule,
    MigrationRule,
    Policy,
    QualityGate,
    ReceptionRule,
    Timing,
)

Part = QualityGate | LivenessRule | Timing | ReceptionRule
PARTS: dict[str, Part] = {
    "gate": QualityGate(),
    "enrolment_gate": EnrolmentGate(),
    "liveness": LivenessRule(),
    "timing": Timing(),
    "reception": ReceptionRule(),
}
NUMBERS = [(part, f.name) for part, value in PARTS.items() for f in fields(value) if f.name != "mode"]


def policy_with(part: str, name: str, value: float) -> Policy:
    """The default policy with one number of one part changed."""
    settings = {field: PARTS[field] for field in PARTS}
    settings[part] = replace(PARTS[part], **{name: value})  # type: ignore[arg-type]  # names come from fields()
    return Policy(**settings)  # type: ignore[arg-type]  # as above


@pytest.mark.parametrize("value", [0.0, -1e-3, 0.11, 1.0, math.nan])
def test_an_error_rate_is_a_small_share(value: float) -> None:
    """Above 0, at most one in ten."""
    with pytest.raises(ValueError, match="fmr"):
        Policy(fmr=value)
    with pytest.raises(ValueError, match="fpir"):
        Policy(fpir=value)


def test_counts_are_at_least_one() -> None:
    """No try, or no frame, is no check-in."""
    with pytest.raises(ValueError, match="at least 1"):
        Policy(tries=0)
    with pytest.raises(ValueError, match="reception tries"):
        Policy(reception=ReceptionRule(tries=0))
    with pytest.raises(ValueError, match="at least 1"):
        Policy(hold_frames=0)


@pytest.mark.parametrize("count", ["least_steps", "smoothing"])
def test_a_challenge_asks_for_something(count: str) -> None:
    """At least one step, judged on at least one sighting."""
    with pytest.raises(ValueError, match="at least 1"):
        policy_with("liveness", count, 0)


@pytest.mark.parametrize(("part", "name"), NUMBERS)
@pytest.mark.parametrize("value", [-1, math.nan, math.inf])
def test_every_limit_is_a_number_and_not_negative(part: str, name: str, value: float) -> None:
    """The message names the setting."""
    with pytest.raises(ValueError, match=rf"{name}|at least 1"):
        policy_with(part, name, value)


@pytest.mark.parametrize(("least", "most"), [(3, 2), (2, 5)])
def test_as_many_steps_can_be_asked_for_as_there_are(least: int, most: int) -> None:
    """And not fewer at most than at least."""
    with pytest.raises(ValueError, match="most_steps"):
        Policy(liveness=LivenessRule(least_steps=least, most_steps=most))


def test_limits_of_chance_do_not_contradict_each_other() -> None:
    """The longest pause is not below the shortest."""
    with pytest.raises(ValueError, match="least_pause"):
        policy_with("liveness", "least_pause", 9.0)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"reserve": 0.5}, "reserve must be below 0.5"),
        ({"min_luminance": 0.9}, "min_luminance must be below max_luminance"),
        ({"near_eye_distance": 41.0}, "near_eye_distance must not be above"),
        ({"min_unified": 95.0}, "min_unified must be at most 100"),
    ],
)
@pytest.mark.parametrize("gate", [QualityGate, EnrolmentGate])
def test_a_gate_that_nobody_can_pass_is_refused(gate: type[QualityGate], changed: dict[str, float], says: str) -> None:
    """Limits that contradict each other, or do once the reserve is asked for."""
    with pytest.raises(ValueError, match=says):
        gate(**changed)


def test_an_enrolment_asks_at_least_what_a_check_in_asks() -> None:
    """No limit of the defaults is looser."""
    loose, strict = QualityGate(), EnrolmentGate()
    assert strict != loose
    for limit in fields(loose):
        one, other = getattr(loose, limit.name), getattr(strict, limit.name)
        assert {"min": other >= one, "max": other <= one}.get(limit.name[:3], other == one), limit.name


def test_the_reserve_draws_every_limit_in() -> None:
    """By its share, to the stricter side; and leaves nothing to draw in again."""
    gate = QualityGate()
    drawn = gate.with_reserve()
    assert drawn.min_sharpness == pytest.approx(gate.min_sharpness * 1.06)
    assert drawn.max_yaw == pytest.approx(gate.max_yaw * 0.94)
    assert drawn.near_eye_distance == gate.near_eye_distance
    assert drawn.with_reserve() == drawn


@pytest.mark.parametrize("name", ["centred", "planar_parallax"])
def test_a_head_cannot_be_turned_and_straight_at_once(name: str) -> None:
    """What counts as straight, or as flat, lies below what counts as a turn."""
    with pytest.raises(ValueError, match="below min_parallax"):
        policy_with("liveness", name, LivenessRule().min_parallax)


def test_equal_policies_have_equal_ids() -> None:
    """Made twice, the id is the same."""
    assert Policy().policy_id == Policy(gate=QualityGate()).policy_id


def test_the_id_is_what_the_documentation_says() -> None:
    """An auditor can compute it from the values with any JSON and SHA-256."""
    canonical = json.dumps(asdict(Policy()), sort_keys=True, separators=(",", ":"))
    assert Policy().policy_id == hashlib.sha256(canonical.encode()).hexdigest()[:16]


def test_any_other_value_gives_another_id() -> None:
    """Each single setting counts."""
    changed = [Policy(name="other"), Policy(fmr=1e-5), Policy(fpir=1e-4)]
    changed += [Policy(tries=9), Policy(hold_frames=9), Policy(identify_min_age=9)]
    changed += [Policy(liveness=LivenessRule(mode=mode)) for mode in set(LivenessMode) - {LivenessRule().mode}]
    for part, name in NUMBERS:
        value = getattr(PARTS[part], name)
        changed.append(policy_with(part, name, value + (1 if value >= 1 else 1e-3)))
    assert len({policy.policy_id for policy in [Policy(), *changed]}) == len(changed) + 1


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: MigrationRule(templates=0),
        lambda: MigrationRule(caution=0),
        lambda: MigrationRule(retire_share=1.01),
        lambda: MigrationRule(retire_share=-0.1),
        lambda: MigrationRule(retire_on="soon"),
    ],
)
def test_a_migration_that_could_not_be_is_refused(wrong: Callable[[], MigrationRule]) -> None:
    """Counts from one on, a share, and a day; a day is optional."""
    assert MigrationRule(retire_on="2027-01-31").retire_on
    with pytest.raises(ValueError, match=r"must be|isoformat"):
        wrong()
