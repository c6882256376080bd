"""Figures of a benchmark: their ratio, their goal, their JSON."""

import json

import pytest

from appliance.bench.report import Bound, Figure, Goal, Report


def test_a_ratio_says_how_many_times_less_ours_takes() -> None:
    """8 ms against 0.2 ms: 40 times; without a reference there is none."""
    assert Figure("search", 0.2, "ms", 8.0).ratio == pytest.approx(40.0)
    assert Figure("search", 0.2, "ms").ratio is None
    assert Figure("search", 0.0, "ms", 8.0).ratio == float("inf")


@pytest.mark.parametrize(
    ("figure", "met"),
    [
        (Figure("speed", 1.0, "ms", 25.0, Goal(Bound.AT_LEAST, 20, of_ratio=True)), True),
        (Figure("speed", 1.0, "ms", 19.9, Goal(Bound.AT_LEAST, 20, of_ratio=True)), False),
        (Figure("removal", 0.2, "ms", None, Goal(Bound.AT_MOST, 1)), True),
        (Figure("removal", 1.1, "ms", None, Goal(Bound.AT_MOST, 1)), False),
        (Figure("removal", 1.1, "ms"), None),
    ],
)
def test_a_goal_is_met_or_not(figure: Figure, met: bool | None) -> None:
    """On the ratio or on the value, from below or from above."""
    assert figure.met is met


def test_a_goal_on_a_ratio_nobody_measured_is_a_bug() -> None:
    """It is not met by silence."""
    with pytest.raises(ValueError, match="nothing to compare with"):
        _ = Figure("speed", 1.0, "ms", goal=Goal(Bound.AT_LEAST, 20, of_ratio=True)).met


def test_a_report_is_json() -> None:
    """Every figure with its ratio, its goal and whether it is met."""
    goal = Goal(Bound.AT_LEAST, 20, of_ratio=True)
    report = Report("search", "IndexFlatIP", {"threads": 1}, (Figure("100k", 0.5, "ms", 20.0, goal),))
    read = json.loads(json.dumps(report.document()))
    assert read["facts"] == {"threads": 1}
    assert read["figures"] == [
        {
            "what": "100k",
            "value": 0.5,
            "unit": "ms",
            "reference": 20.0,
            "ratio": 40.0,
            "goal": "at least 20x",
            "met": True,
        }
    ]
