"""Probes become one decision: whom they are compared with, and at which threshold."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.core.decision import Reason, Thresholds, Verdict
from appliance.core.policy import MigrationRule, Policy
from appliance.core.types import (
    Box,
    Embedding,
    Face,
    Frame,
    Instant,
    LivenessVerdict,
    MatchMode,
    Observation,
    PackDigest,
    PersonId,
)
from appliance.matching.gallery import Gallery
from appliance.matching.matcher import GalleryMatcher
from appliance.recognition import Known, PackSide, PackThresholds, Probe, Recogniser, agreement, fuse, take
from tests.fakes.patients import OTHER_PACK, PACK, make_embedding
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


BOTH = (PACK, OTHER_PACK)


def moving(new: dict[PersonId, int], old: dict[PersonId, int], policy: Policy | None = None) -> Recogniser:
    """A desk that moves to PACK: some people have templates of it, others of OTHER_PACK only."""
    sides = []
    for place, (pack, people) in enumerate(((PACK, new), (OTHER_PACK, old))):
        gallery = Gallery(128, pack)
        for person, number in people.items():
            made = [make_look(number, variant, packs=BOTH) for variant in range(2)]
            gallery.add(person, [(look.embedding, *look.earlier)[place] for look in made])
        sides.append(PackSide(GalleryMatcher(gallery), FixedThresholds(), pack))
    newest, *earlier = sides
    return Recogniser(newest.matcher, newest.calibration, policy or Policy(), newest.pack, tuple(earlier))


def both(number: int, quality: int = 80) -> list[Probe]:
    """Three frames of a person, seen by both packs."""
    return [make_look(number, 100 + variant, quality, BOTH) for variant in range(3)]


@pytest.mark.parametrize("claimed", [None, BERIK])
@pytest.mark.parametrize("expected", [NOBODY, frozenset((ANNA, BERIK))])
def test_who_has_templates_of_the_old_pack_only_is_recognised_by_it(
    claimed: PersonId | None, expected: frozenset[PersonId]
) -> None:
    """Claimed, on the list, or in the gallery; the evidence names the pack, and fresh embeddings of the new one."""
    desk = moving({ANNA: 1}, {BERIK: 2, CLARA: 3})
    decision = desk.decide(both(2), LIVE, claimed, expected, grown)
    evidence = decision.evidence
    assert (decision.person, evidence.pack, evidence.probe.pack) == (BERIK, OTHER_PACK, OTHER_PACK)
    assert {embedding.pack for embedding in evidence.fresh} == {PACK}
    assert len(evidence.fresh) == 3
    assert [other.result.compared for other in evidence.elsewhere] == [1]


def test_who_has_templates_of_the_new_pack_is_recognised_by_it_and_gets_no_others() -> None:
    """Most visits of a migration that has gone on for a while."""
    decision = moving({ANNA: 1}, {BERIK: 2}).decide(both(1), LIVE, None, frozenset((ANNA,)), grown)
    assert (decision.person, decision.evidence.pack, decision.evidence.fresh) == (ANNA, PACK, ())


def test_a_stranger_is_a_stranger_to_both_packs() -> None:
    """Two searches, one refusal; nothing of it becomes a template."""
    decision = moving({ANNA: 1}, {BERIK: 2}).decide(both(9), LIVE, None, NOBODY, grown)
    assert decision.reasons == (Reason.NO_MATCH,)
    assert decision.evidence.fresh == ()


def test_a_twin_in_the_other_pack_is_a_rival() -> None:
    """Whichever of the two was re-templated first, and whoever of them comes."""
    for number, desk in ((1, moving({ANNA: 1}, {BERIK: 1})), (2, moving({ANNA: 2}, {BERIK: 2}))):
        assert desk.decide(both(number), LIVE, None, NOBODY, grown).reasons == (Reason.AMBIGUOUS_MATCH,)


class Counted:
    """Implements `ThresholdSource`; remembers how many comparisons it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[MatchMode, int]] = []

    def thresholds(self, mode: MatchMode, compared: int, policy: Policy) -> Thresholds:
        """Low enough for one's own face."""
        self.asked.append((mode, compared))
        return FixedThresholds().thresholds(mode, compared, policy)


def test_each_pack_is_asked_for_the_templates_of_both() -> None:
    """One stranger, two searches: the rate holds for the two together."""
    counted = Counted()
    desk = moving({ANNA: 1}, {BERIK: 2, CLARA: 3})
    desk = replace(
        desk, calibration=counted, earlier=tuple(replace(side, calibration=counted) for side in desk.earlier)
    )
    desk.decide(both(9), LIVE, None, NOBODY, grown)
    assert {count for mode, count in counted.asked if mode is MatchMode.IDENTIFY} == {6}


def test_a_frame_that_the_old_pack_missed_is_not_vouched_for() -> None:
    """Somebody else could be in it: no acceptance by that pack; by the new one, which saw all, there is."""
    first, *others = both(2)
    probes = [Probe(first.embedding, first.quality), *others]
    desk = moving({ANNA: 1}, {BERIK: 2})
    assert desk.decide(probes, LIVE, None, NOBODY, grown).reasons == (Reason.FRAMES_DISAGREE,)
    unseen = [Probe(probe.embedding, probe.quality) for probe in both(2)]
    assert desk.decide(unseen, LIVE, None, NOBODY, grown).reasons == (Reason.NO_MATCH,)
    assert moving({BERIK: 2}, {ANNA: 1}).decide(probes, LIVE, None, NOBODY, grown).person == BERIK


def test_only_frames_fit_for_an_enrolment_become_templates() -> None:
    """The best of them, no more than the policy keeps."""
    policy = Policy(migration=MigrationRule(templates=2))
    probes = [make_look(2, 100 + n, quality, BOTH) for n, quality in enumerate((61, 99, 90, 75))]
    probes[1] = replace(probes[1], fit=False)
    fresh = moving({}, {BERIK: 2}, policy).decide(probes, LIVE, None, NOBODY, grown).evidence.fresh
    assert [e.vector.tobytes() for e in fresh] == [probes[n].embedding.vector.tobytes() for n in (2, 3)]
    unfit = [replace(probe, fit=False) for probe in both(2)]
    decision = moving({}, {BERIK: 2}).decide(unfit, LIVE, None, NOBODY, grown)
    assert (decision.person, decision.evidence.fresh) == (BERIK, ())


class Steep:
    """Implements `ThresholdSource`; what it asks for rises with the comparisons, out of reach from some number on."""

    def thresholds(self, mode: MatchMode, compared: int, policy: Policy) -> Thresholds:  # noqa: ARG002 - the port's
        """0.5 for a few, 0.99 for many."""
        return Thresholds(0.5 if compared < 10 else 0.99, 0.5, 0.1)


def test_a_match_that_is_only_just_good_enough_becomes_no_template() -> None:
    """A wrong visit is one wrong event; a wrong template would let the wrong person in for years."""
    desk = moving({}, {BERIK: 2})
    desk = replace(desk, earlier=tuple(replace(side, calibration=Steep()) for side in desk.earlier))
    decision = desk.decide(both(2), LIVE, None, NOBODY, grown)
    assert (decision.person, decision.evidence.fresh) == (BERIK, ())


def test_a_duplicate_is_found_in_both_packs() -> None:
    """An enrolment compares with everybody, whatever pack they were enrolled by."""
    desk = moving({ANNA: 1}, {BERIK: 2, CLARA: 3})
    for number, person in ((1, ANNA), (3, CLARA)):
        known = desk.known(desk.patients, both(number))
        assert (known.people, known.searched) == ((person,), 3)
    assert desk.known(desk.patients, both(9)).people == ()
    assert desk.known((), both(1)) == Known((), 0)
    assert [desk.differs(BERIK, both(number)) for number in (2, 3)] == [False, True]
    assert not desk.differs(PersonId("unknown"), both(1))


class Eyes:
    """Implements `Observer` for one pack that sees a face where it was told. unified: of a quality network."""

    unified: float | None = None

    def __init__(self, pack: PackDigest, *boxes: Box) -> None:
        self._pack = pack
        self._faces = tuple(Face(box, np.zeros((5, 2), np.float32), 0.9) for box in boxes)

    def observe(self, frame: Frame) -> Observation:
        """Its faces, whatever the frame."""
        return Observation(frame.at, frame.width, frame.height, self._faces, None, 0.5)

    def embed(self, frame: Frame, face: Face) -> Embedding:  # noqa: ARG002 - the port's
        """A direction that tells which face it was."""
        return make_embedding(int(face.box.x), pack=self._pack)

    def live_score(self, frame: Frame, face: Face) -> float | None:  # noqa: ARG002 - the port's
        """It cannot tell."""
        return None

    def unified_quality(self, frame: Frame, face: Face) -> float | None:  # noqa: ARG002 - the port's
        """What it was told."""
        return self.unified


def test_every_pack_finds_the_face_by_its_own_detector() -> None:
    """The one that lies where the desk's pack saw it; a pack that finds none there leaves no embedding."""
    frame = Frame(np.zeros((48, 64, 3), np.uint8), Instant(0.0), "film", 0)
    face = Face(Box(10, 10, 20, 20), np.zeros((5, 2), np.float32), 0.9)
    own = Eyes(PACK, face.box)
    near = Eyes(OTHER_PACK, Box(40, 10, 20, 20), Box(12, 10, 20, 20))
    probe = take(own, (near,), frame, face, 70)
    assert probe.quality == 70
    assert probe.embedding.vector.tobytes() == make_embedding(10).vector.tobytes()
    assert [e.vector.tobytes() for e in probe.earlier] == [make_embedding(12).vector.tobytes()]
    for blind in (Eyes(OTHER_PACK), Eyes(OTHER_PACK, Box(40, 10, 20, 20))):
        assert take(own, (blind,), frame, face, 70).by(OTHER_PACK) is None
    own.unified = 55.4
    assert (take(own, (), frame, face, 70).quality, take(own, (), frame, face, 70).fit) == (55, False)
    asked: list[float | None] = []

    def fit(unified: float | None) -> bool:
        asked.append(unified)
        return True

    assert take(own, (), frame, face, 70, fit).fit
    assert asked == [55.4]


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
    verify = source.thresholds(MatchMode.VERIFY, 1, lax)
    assert verify.accept == pytest.approx(source.calibration.threshold_verify(1e-2).value)
    assert verify.agree == source.calibration.threshold_verify(1e-2).value
    searched = source.thresholds(MatchMode.LIST, 50, lax)
    assert searched.accept == source.calibration.threshold_identify(1e-2, 50).value
    assert searched.agree == verify.agree
    assert searched.margin == source.calibration.margin


def test_the_best_of_several_templates_has_to_score_more_than_a_single_one() -> None:
    """Each template is another chance to be taken for the person, 1:1 as in a search."""
    source, policy = PackThresholds(calibration()), Policy(fmr=1e-2, fpir=1e-2)
    for mode in MatchMode:
        asked = [source.thresholds(mode, templates, policy) for templates in (1, 3, 9)]
        assert asked[0].accept < asked[1].accept < asked[2].accept
        assert len({thresholds.agree for thresholds in asked}) == 1


@pytest.mark.parametrize("mode", list(MatchMode))
def test_three_templates_a_person_keep_the_rate(mode: MatchMode) -> None:
    """The threshold for the templates compared holds the rate; the one for so many people does not.

    Simulated: a stranger's scores with three looks of one person have a correlation of 0.6.
    """
    rng, people, looks, searches, rate = np.random.default_rng(3), 20, 3, 40_000, 0.05
    common = rng.standard_normal((searches, people, 1))
    scores = np.sqrt(0.6) * common + np.sqrt(0.4) * rng.standard_normal((searches, people, looks))
    single = np.sort(scores[..., 0].ravel())
    if mode is MatchMode.VERIFY:
        scores, people = scores[:, :1], 1
    best = scores.reshape(searches, -1).max(axis=1)

    def at(comparisons: int) -> float:
        fmr = -np.expm1(np.log1p(-rate) / comparisons)
        return float((best >= single[int((1 - fmr) * len(single))]).mean())

    assert at(people * looks) <= rate < at(people)


def test_a_rate_beyond_the_data_is_said_to_be_extrapolated() -> None:
    """Nothing below three over the number of comparisons is claimed as measured."""
    source = PackThresholds(calibration())
    assert source.thresholds(MatchMode.IDENTIFY, 10_000_000, Policy(fpir=1e-6)).extrapolated
    assert not source.thresholds(MatchMode.VERIFY, 1, Policy(fmr=0.1)).extrapolated
