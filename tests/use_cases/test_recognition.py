"""Probes become one decision: whom they are compared with, and at which threshold."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.core.decision import Reason, Verdict
from appliance.core.policy import Policy
from appliance.core.types import Embedding, LivenessVerdict, MatchMode, PersonId
from appliance.matching.gallery import Gallery
from appliance.matching.matcher import GalleryMatcher
from appliance.recognition import PackThresholds, Probe, Recogniser, agreement, fuse
from tests.fakes.patients import PACK, make_embedding
from tests.fakes.working_desk import FixedThresholds, make_look
from tests.models.manifests import calibration

LIVE = LivenessVerdict.LIVE
NOBODY: frozenset[PersonId] = frozenset()
ANNA, BERIK, CLARA = PersonId("anna"), PersonId("berik"), PersonId("clara")
NUMBERS = {ANNA: 1, BERIK: 2, CLARA: 3}


def recogniser(*people: PersonId, extra: dict[PersonId, Embedding] | None = None) -> Recogniser:
    """A desk where these people are enrolled with two looks each."""
    gallery = Gallery(128, PACK)
    for person in people:
        gallery.add(person, [make_look(NUMBERS[person], variant).embedding for variant in range(2)])
    for person, embedding in (extra or {}).items():
        gallery.add(person, [embedding])
    return Recogniser(GalleryMatcher(gallery), FixedThresholds(), Policy(), PACK)


def grown(_: PersonId) -> bool:
    """Nobody is a child."""
    return False


def looks(number: int) -> list[Probe]:
    """Three frames of a person."""
    return [make_look(number, 100 + variant) for variant in range(3)]


def test_todays_list_is_compared_first() -> None:
    """Who is expected is found among the expected; the event says that so many were compared."""
    decision = recogniser(ANNA, BERIK, CLARA).decide(looks(1), LIVE, None, frozenset((ANNA, BERIK)), grown)
    result = decision.evidence.result
    assert (decision.person, result.mode, result.compared, result.gallery) == (ANNA, MatchMode.LIST, 2, 3)


def test_who_is_not_on_the_list_is_found_in_the_gallery() -> None:
    """A patient who came on the wrong day is recognised, and told so by the records."""
    decision = recogniser(ANNA, BERIK, CLARA).decide(looks(3), LIVE, None, frozenset((ANNA, BERIK)), grown)
    assert (decision.person, decision.evidence.result.mode) == (CLARA, MatchMode.IDENTIFY)


def test_without_a_list_the_gallery_is_searched() -> None:
    """A day without planned services."""
    decision = recogniser(ANNA, BERIK).decide(looks(2), LIVE, None, NOBODY, grown)
    assert (decision.person, decision.evidence.result.mode) == (BERIK, MatchMode.IDENTIFY)


def test_a_claim_is_compared_with_the_claimed_only() -> None:
    """1:1: the right one is accepted, another one is not taken for who they really are."""
    desk = recogniser(ANNA, BERIK)
    accepted = desk.decide(looks(1), LIVE, ANNA, frozenset((BERIK,)), grown)
    refused = desk.decide(looks(1), LIVE, BERIK, frozenset((ANNA,)), grown)
    assert (accepted.person, accepted.evidence.result.mode) == (ANNA, MatchMode.VERIFY)
    assert refused.person is None
    assert Reason.NO_MATCH in refused.reasons


def test_a_claim_of_somebody_without_template_is_no_match() -> None:
    """Enrolled with another pack, or forgotten: refused, not failed."""
    decision = recogniser(BERIK).decide(looks(1), LIVE, ANNA, NOBODY, grown)
    assert (decision.verdict, decision.reasons, decision.score) == (Verdict.REFUSED, (Reason.NO_MATCH,), None)


def test_an_empty_gallery_knows_nobody() -> None:
    """The first day of a desk."""
    decision = recogniser().decide(looks(1), LIVE, None, NOBODY, grown)
    assert decision.reasons == (Reason.NO_MATCH,)


def test_a_look_alike_who_is_not_expected_refuses_too() -> None:
    """The twin without a service today makes the match uncertain, although the list alone is clear."""
    twin = {CLARA: make_look(1, 7).embedding}
    decision = recogniser(ANNA, BERIK, extra=twin).decide(looks(1), LIVE, None, frozenset((ANNA,)), grown)
    assert decision.reasons == (Reason.AMBIGUOUS_MATCH,)


def test_frames_of_two_people_are_not_fused_into_one() -> None:
    """Somebody else stepped in while frames were collected."""
    mixed = [*looks(1)[:2], looks(2)[0]]
    decision = recogniser(ANNA, BERIK).decide(mixed, LIVE, None, NOBODY, grown)
    assert Reason.FRAMES_DISAGREE in decision.reasons


def test_a_decision_needs_a_probe() -> None:
    """Nothing seen is the caller's bug, not a refusal."""
    with pytest.raises(ValueError, match="at least one probe"):
        recogniser(ANNA).decide([], LIVE, None, NOBODY, grown)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 100)), min_size=1, max_size=6))
def test_a_fused_probe_has_length_one(frames: list[tuple[int, int]]) -> None:
    """Whatever the qualities, zero included."""
    fused = fuse([Probe(make_embedding(seed), quality) for seed, quality in frames])
    assert float(np.linalg.norm(fused.vector)) == pytest.approx(1.0, abs=1e-5)


def test_better_frames_weigh_more() -> None:
    """The fused probe lies nearer to the frame of higher quality."""
    good, poor = make_look(1, 0, quality=90), make_look(1, 1, quality=10)
    fused = fuse([good, poor]).vector
    assert fused @ good.embedding.vector > fused @ poor.embedding.vector


def test_agreement_is_that_of_the_worst_pair() -> None:
    """One frame of somebody else shows, however many agree."""
    assert agreement([make_look(1)]) == pytest.approx(1.0)
    assert agreement(looks(1)) > 0.9
    assert agreement([*looks(1), make_look(2)]) < 0.5


def test_a_figure_that_is_no_number_agrees_with_nothing() -> None:
    """A broken vector must not look like the best agreement there is."""
    broken = Probe(Embedding(np.full(128, np.nan, np.float32), PACK), 80)
    assert np.isnan(agreement([make_look(1), broken]))


def test_a_longer_list_asks_for_a_higher_score() -> None:
    """The rate that a patient is taken for another holds for the search, not for each comparison."""
    source, policy = PackThresholds(calibration()), Policy()
    asked = [source.thresholds(MatchMode.IDENTIFY, people, policy).accept for people in (1, 10, 1_000, 100_000)]
    assert all(less <= more for less, more in itertools.pairwise(asked))
    assert asked[0] < asked[-1]


def test_thresholds_follow_the_policy() -> None:
    """A stricter policy asks for more; 1:1 goes by FMR, a search by FPIR, agreement of frames by FMR in both."""
    source = PackThresholds(calibration())
    lax, strict = Policy(fmr=1e-2, fpir=1e-2), Policy(fmr=1e-4, fpir=1e-4)
    for mode in MatchMode:
        assert source.thresholds(mode, 10, strict).accept > source.thresholds(mode, 10, lax).accept
    verify = source.thresholds(MatchMode.VERIFY, 100_000, lax)
    assert verify.accept == source.calibration.threshold_verify(1e-2).value == verify.agree
    searched = source.thresholds(MatchMode.LIST, 50, lax)
    assert searched.accept == source.calibration.threshold_identify(1e-2, 50).value
    assert searched.agree == verify.agree
    assert searched.margin == source.calibration.margin


def test_a_rate_beyond_the_data_is_said_to_be_extrapolated() -> None:
    """Nothing below three over the number of comparisons is claimed as measured."""
    source = PackThresholds(calibration())
    assert source.thresholds(MatchMode.IDENTIFY, 10_000_000, Policy(fpir=1e-6)).extrapolated
    assert not source.thresholds(MatchMode.VERIFY, 1, Policy(fmr=0.1)).extrapolated
