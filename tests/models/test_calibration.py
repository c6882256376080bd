"""Calibration: thresholds follow from rates, never loosen where data end, and the strictest cohort decides."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.calibration import Calibration, PadCalibration, PadCohort, parse_calibration, write_calibration
from models.errors import PackDamaged
from tests.models.manifests import calibration

CALIBRATION = calibration()
DATA = write_calibration(CALIBRATION)
RATES = st.floats(1e-12, 0.5)
PAD = PadCalibration(
    accept=0.62,
    reject=0.35,
    frames=20,
    cohorts=(
        PadCohort("desk", attack=False, windows=60, clips=7, quantiles=((0.01, 0.4), (0.5, 0.97))),
        PadCohort("print", attack=True, windows=80, clips=8, quantiles=((0.5, 0.01), (0.99, 0.3), (1.0, 0.5))),
    ),
)
WITH_PAD = replace(CALIBRATION, models=(*CALIBRATION.models, ("pad", "2" * 64), ("pad-2", "3" * 64)), pad=PAD)


def test_a_calibration_reads_back_as_it_was_written() -> None:
    """Writing and reading lose nothing."""
    assert parse_calibration(DATA) == CALIBRATION
    assert CALIBRATION.pad is None
    assert parse_calibration(write_calibration(WITH_PAD)) == WITH_PAD


@given(RATES, RATES)
def test_a_lower_rate_never_gives_a_lower_threshold(one: float, other: float) -> None:
    """Over observed and extrapolated rates alike."""
    low, high = sorted((one, other))
    assert CALIBRATION.threshold_verify(low).value >= CALIBRATION.threshold_verify(high).value


@given(RATES)
def test_the_strictest_cohort_decides(rate: float) -> None:
    """No cohort alone would ask for more, and the threshold names the one that asked."""
    asked = CALIBRATION.threshold_verify(rate)
    alone = [replace(CALIBRATION, cohorts=(cohort,)).threshold_verify(rate) for cohort in CALIBRATION.cohorts]
    assert asked.value == max(threshold.value for threshold in alone)
    assert asked in alone


@given(st.floats(1e-6, 0.1), st.integers(1, 10_000_000), st.integers(1, 10_000_000))
def test_a_larger_gallery_never_gives_a_lower_threshold(fpir: float, one: int, other: int) -> None:
    """The rate asked of each comparison falls with the number of comparisons."""
    few, many = sorted((one, other))
    small, large = CALIBRATION.threshold_identify(fpir, few), CALIBRATION.threshold_identify(fpir, many)
    assert large.value >= small.value
    assert large.fmr <= small.fmr


@given(st.floats(1e-6, 0.1), st.integers(1, 1_000_000))
def test_the_rate_of_a_search_is_the_rate_of_its_comparisons(fpir: float, people: int) -> None:
    """1 - (1 - FMR)^people gives the FPIR back, also where a naive formula loses its digits."""
    fmr = CALIBRATION.threshold_identify(fpir, people).fmr
    assert math.isclose(-math.expm1(people * math.log1p(-fmr)), fpir, rel_tol=1e-9)


def test_a_search_among_one_is_a_verification() -> None:
    """Both thresholds agree."""
    one, same = CALIBRATION.threshold_identify(1e-3, 1), CALIBRATION.threshold_verify(1e-3)
    assert one.fmr == pytest.approx(same.fmr)
    assert one.value == pytest.approx(same.value)


def test_a_rate_below_the_data_is_flagged() -> None:
    """Three errors in n is the least n comparisons can show; below, the threshold says that it is a model's."""
    wide = replace(CALIBRATION, cohorts=CALIBRATION.cohorts[:1])
    assert not wide.threshold_verify(3 / 60000).extrapolated
    assert wide.threshold_verify(2.9 / 60000).extrapolated
    assert wide.threshold_verify(3 / 60000).value == pytest.approx(0.66)
    assert wide.threshold_verify(1e-9).value <= 1.0


def test_observed_rates_give_observed_scores() -> None:
    """At a stored point its score; between two, a score between theirs."""
    scores = CALIBRATION.cohorts[0].impostor
    assert scores.score_at(60 / 60000) == pytest.approx(0.5)
    assert 0.5 < scores.score_at(30 / 60000) < 0.66
    assert scores.score_at(0.5) == pytest.approx(0.3), "beyond the stored tail: its lowest score, which errs upwards"


def test_a_tail_may_start_at_its_third_score() -> None:
    """Three is the least that n comparisons can show, so nothing above it is needed."""
    short = _with_impostors(tail=((3.0, 0.66), (60.0, 0.5)))
    read = parse_calibration(write_calibration(short))
    assert read.cohorts[0].impostor.score_at(3 / 60000) == pytest.approx(0.66)


def test_a_calibration_of_a_later_format_says_so() -> None:
    """An older program names the reason instead of misreading."""
    with pytest.raises(PackDamaged, match="'format' is not 2"):
        parse_calibration(DATA.replace(b'"format": 2', b'"format": 3', 1))


@given(st.floats(-1, 1), st.floats(-1, 1))
def test_fewer_genuine_pass_a_higher_threshold(one: float, other: float) -> None:
    """The false non-match rate rises with the threshold and stays a rate."""
    low, high = sorted((one, other))
    genuine = CALIBRATION.cohorts[0].genuine
    assert 0 <= genuine.fnmr_at(low) <= genuine.fnmr_at(high) <= 1
    assert genuine.fnmr_at(0.7) == pytest.approx(0.5)
    assert genuine.fnmr_at(1.0) == 1


def test_the_margin_is_the_largest_any_cohort_needs() -> None:
    """Like the threshold."""
    assert CALIBRATION.margin == 0.06


@pytest.mark.parametrize("rate", [0.0, 1.0, -1.0, 2.0])
def test_an_impossible_rate_is_a_bug(rate: float) -> None:
    """Not a known failure: the policy has checked it."""
    with pytest.raises(ValueError, match="rate"):
        CALIBRATION.threshold_verify(rate)
    with pytest.raises(ValueError, match="rate"):
        CALIBRATION.threshold_identify(rate, 5)
    with pytest.raises(ValueError, match="at least one"):
        CALIBRATION.threshold_identify(0.01, 0)


def _with_impostors(
    count: int | None = None, tail: tuple[tuple[float, float], ...] | None = None, power: float | None = None
) -> Calibration:
    first, second = CALIBRATION.cohorts
    was = first.impostor
    changed = replace(
        was,
        count=was.count if count is None else count,
        tail=was.tail if tail is None else tail,
        power=was.power if power is None else power,
    )
    return replace(CALIBRATION, cohorts=(replace(first, impostor=changed), second))


def _with_genuine(*quantiles: tuple[float, float]) -> Calibration:
    first, second = CALIBRATION.cohorts
    return replace(CALIBRATION, cohorts=(first, replace(second, genuine=replace(second.genuine, quantiles=quantiles))))


@pytest.mark.parametrize(
    "wrong",
    [
        replace(CALIBRATION, cohorts=()),
        _with_impostors(tail=((1.0, 0.7),)),
        _with_impostors(tail=((5.0, 0.7), (9.0, 0.6))),
        _with_impostors(tail=((1.0, 0.6), (3.0, 0.7))),
        _with_impostors(tail=((1.0, 1.7), (3.0, 0.7))),
        _with_impostors(tail=((1.0, 0.7), (1e6, 0.6))),
        _with_impostors(count=10),
        _with_impostors(power=0.0),
        _with_genuine(),
        _with_genuine((0.5, 0.6), (0.4, 0.7)),
        _with_genuine((0.4, 0.8), (0.5, 0.7)),
        _with_genuine((0.4, 0.8), (1.5, 0.9)),
    ],
)
def test_an_impossible_calibration_is_refused(wrong: Calibration) -> None:
    """Unordered, empty, or beyond what a cosine or a count can be."""
    with pytest.raises(PackDamaged):
        parse_calibration(write_calibration(wrong))


def _with_live(**changed: object) -> Calibration:
    live = PadCohort("desk", attack=False, windows=60, clips=7, quantiles=((0.01, 0.4), (0.5, 0.97)))
    return replace(WITH_PAD, pad=replace(PAD, cohorts=(replace(live, **changed), PAD.cohorts[1])))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [
        replace(WITH_PAD, pad=None),
        replace(CALIBRATION, pad=PAD),
        replace(WITH_PAD, pad=replace(PAD, accept=0.3)),
        replace(WITH_PAD, pad=replace(PAD, accept=1.2)),
        replace(WITH_PAD, pad=replace(PAD, frames=0)),
        replace(WITH_PAD, pad=replace(PAD, cohorts=PAD.cohorts[:1])),
        replace(WITH_PAD, pad=replace(PAD, cohorts=PAD.cohorts[1:])),
        replace(WITH_PAD, pad=replace(PAD, cohorts=())),
        _with_live(windows=0),
        _with_live(clips=61),
        _with_live(quantiles=()),
        _with_live(quantiles=((0.5, 0.9), (0.9, 0.8))),
        _with_live(quantiles=((0.5, -0.1),)),
    ],
)
def test_an_impossible_calibration_of_attack_detection_is_refused(wrong: Calibration) -> None:
    """Limits that contradict each other, one side only, models without scores or scores without models."""
    with pytest.raises(PackDamaged):
        parse_calibration(write_calibration(wrong))


@given(st.data())
def test_no_altered_byte_goes_unnoticed(data: st.DataObject) -> None:
    """Other bytes are refused or mean something else."""
    at = data.draw(st.integers(0, len(DATA) - 1))
    altered = DATA[:at] + bytes([data.draw(st.integers(0, 255))]) + DATA[at + 1 :]
    try:
        read = parse_calibration(altered)
    except PackDamaged:
        return
    assert (read == CALIBRATION) == (altered == DATA)
