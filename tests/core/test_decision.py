"""The yes or no: fails closed, monotone in every figure, never without reasons."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.core.decision import (
    Decision,
    Elsewhere,
    Evidence,
    Reason,
    StaffSearch,
    Thresholds,
    Trial,
    Verdict,
    decide,
    trial,
)
from appliance.core.types import (
    Candidate,
    Embedding,
    LivenessVerdict,
    MatchMode,
    MatchResult,
    PackDigest,
    PersonId,
)

PEOPLE = [PersonId(name) for name in ("ali", "bota", "dana")]
PROBE = Embedding(np.array([1, 0], np.float32), PackDigest("ab" * 32))

scores = st.floats(-1, 1)
margins = st.floats(0, 1)


@st.composite
def results(draw: st.DrawFn) -> MatchResult:
    """Any result a matcher may give: candidates best first, at most one per person."""
    found = draw(st.dictionaries(st.sampled_from(PEOPLE), scores))
    ranked = sorted((Candidate(person, score) for person, score in found.items()), key=lambda c: -c.score)
    return MatchResult(draw(st.sampled_from(MatchMode)), tuple(ranked), len(ranked), len(PEOPLE))


NURSE = PersonId("nurse")


@st.composite
def elsewheres(draw: st.DrawFn) -> Elsewhere:
    """Any search among the people of another pack."""
    return Elsewhere(draw(results()), Thresholds(draw(scores), draw(scores), draw(margins)))


@st.composite
def staff_searches(draw: st.DrawFn) -> StaffSearch:
    """Any search among the staff."""
    found = draw(st.lists(scores, max_size=1))
    return StaffSearch(tuple(Candidate(NURSE, score) for score in found), draw(scores), draw(st.booleans()))


@st.composite
def evidences(draw: st.DrawFn) -> Evidence:
    """Any evidence, each single ground for refusal now and then."""
    return Evidence(
        probe=PROBE,
        liveness=draw(st.sampled_from([LivenessVerdict.LIVE, *LivenessVerdict])),
        agreement=draw(scores),
        result=draw(results()),
        gallery=draw(results()),
        thresholds=Thresholds(draw(scores), draw(scores), draw(margins), calibrated=draw(st.booleans())),
        pack=PROBE.pack,
        policy_id="p",
        under_age=frozenset(draw(st.sets(st.sampled_from(PEOPLE)))),
        look_alikes=frozenset(draw(st.sets(st.sampled_from(PEOPLE), max_size=1))),
        elsewhere=tuple(draw(st.lists(elsewheres(), max_size=1))),
        staff=tuple(draw(st.lists(staff_searches(), max_size=1))),
        own=frozenset(draw(st.sets(st.just(NURSE)))),
    )


def candidates(*scores_of: float) -> tuple[Candidate, ...]:
    """Candidates in the order of PEOPLE."""
    return tuple(Candidate(person, score) for person, score in zip(PEOPLE, scores_of, strict=False))


def clear() -> Evidence:
    """Evidence that is accepted: live, agreeing, well above the threshold, no rival near."""
    result = MatchResult(MatchMode.LIST, candidates(0.9, 0.3), 2, 3)
    return Evidence(PROBE, LivenessVerdict.LIVE, 0.9, result, result, Thresholds(0.6, 0.7, 0.1), PROBE.pack, "p")


@given(evidences())
def test_acceptance_needs_everything(e: Evidence) -> None:
    """Accepted means live, calibrated, agreeing, above the threshold, unrivalled here and in the whole gallery."""
    decision = decide(e)
    if decision.verdict is not Verdict.ACCEPTED:
        return
    best = e.result.candidates[0]
    assert e.liveness is LivenessVerdict.LIVE
    assert e.thresholds.calibrated
    assert e.agreement >= e.thresholds.agree
    assert best.score >= e.thresholds.accept
    rivals = [c.score for c in (*e.result.candidates, *e.gallery.candidates) if c.person != best.person]
    assert all(best.score - rival >= e.thresholds.margin for rival in rivals)
    assert e.result.mode is MatchMode.VERIFY or best.person not in e.under_age
    assert decision.person == best.person
    assert best.person not in e.look_alikes
    for other in e.elsewhere:
        assert all(c.score < other.thresholds.accept for c in other.result.candidates if c.person != best.person)
    presented = e.staff_presented()
    assert e.own.issuperset(presented)
    assert decision.reasons == (Reason.MATCH, Reason.LIVE, *([Reason.STAFF_AS_PATIENT] if presented else []))


@given(evidences())
def test_a_decision_has_reasons_and_names_only_the_accepted(e: Evidence) -> None:
    """Reasons are never empty nor repeated, and never of both kinds."""
    decision = decide(e)
    assert decision.reasons
    assert len(set(decision.reasons)) == len(decision.reasons)
    accepted = decision.verdict is Verdict.ACCEPTED
    assert accepted == ({Reason.MATCH, Reason.LIVE} <= set(decision.reasons))
    assert accepted == (decision.person is not None)
    assert decision.score == (e.result.candidates[0].score if e.result.candidates else None)


def _raised(e: Evidence, by: float) -> Evidence:
    """The best candidate scores more; its rivals stay."""
    best, *rest = e.result.candidates
    return replace(e, result=replace(e.result, candidates=(replace(best, score=best.score + by), *rest)))


@given(evidences(), st.floats(0, 1), st.data())
def test_better_evidence_never_turns_a_yes_into_a_no(e: Evidence, by: float, data: st.DataObject) -> None:
    """Accepted stays accepted when any one figure moves to the patient's favour; so refused stays refused otherwise."""
    if decide(e).verdict is not Verdict.ACCEPTED:
        return
    t, everybody = e.thresholds, e.gallery.candidates
    better = data.draw(
        st.sampled_from(
            [
                _raised(e, by),
                replace(e, agreement=e.agreement + by),
                replace(e, thresholds=replace(t, accept=t.accept - by)),
                replace(e, thresholds=replace(t, agree=t.agree - by)),
                replace(e, thresholds=replace(t, margin=max(0.0, t.margin - by))),
                replace(e, gallery=replace(e.gallery, candidates=everybody[: len(everybody) // 2])),
                replace(e, under_age=frozenset()),
                replace(e, look_alikes=frozenset()),
                replace(e, elsewhere=()),
                replace(e, staff=()),
            ]
        )
    )
    assert decide(better).verdict is Verdict.ACCEPTED


@given(evidences(), st.data())
def test_a_figure_that_is_no_number_is_never_in_favour(e: Evidence, data: st.DataObject) -> None:
    """NaN as score, rival, agreement or threshold refuses."""
    nan = float("nan")
    spoilt = data.draw(
        st.sampled_from(
            [
                replace(e, agreement=nan),
                replace(e, result=replace(e.result, candidates=(Candidate(PEOPLE[0], nan),))),
                replace(e, gallery=replace(e.gallery, candidates=(Candidate(PersonId("rival"), nan),))),
                replace(e, thresholds=replace(e.thresholds, accept=nan)),
                replace(e, thresholds=replace(e.thresholds, agree=nan)),
                replace(
                    e,
                    elsewhere=(
                        Elsewhere(
                            MatchResult(MatchMode.IDENTIFY, (Candidate(PersonId("rival"), nan),), 1, 1), e.thresholds
                        ),
                    ),
                ),
                replace(e, own=frozenset(), staff=(StaffSearch((Candidate(NURSE, nan),), 0.5, comparable=True),)),
            ]
        )
    )
    assert decide(spoilt).verdict is Verdict.REFUSED


def test_clear_evidence_is_accepted() -> None:
    """The everyday case."""
    decision = decide(clear())
    assert (decision.verdict, decision.person, decision.score) == (Verdict.ACCEPTED, PEOPLE[0], 0.9)


def elsewhere(score: float) -> Elsewhere:
    """Somebody else with templates of another pack, whose threshold is 0.5 and margin 0.1."""
    return Elsewhere(MatchResult(MatchMode.IDENTIFY, candidates(0.0, score), 2, 2), Thresholds(0.5, 0.5, 0.1))


def nurse(score: float, *, comparable: bool = True) -> StaffSearch:
    """Somebody of the staff with this score; from 0.6 on it is them."""
    return StaffSearch((Candidate(NURSE, score),), 0.6, comparable)


@pytest.mark.parametrize(
    ("spoilt", "reason"),
    [
        (replace(clear(), liveness=LivenessVerdict.SPOOF), Reason.LIVENESS_SPOOF),
        (replace(clear(), liveness=LivenessVerdict.INCONCLUSIVE), Reason.LIVENESS_INCONCLUSIVE),
        (replace(clear(), liveness=LivenessVerdict.NOT_CHECKED), Reason.LIVENESS_NOT_CHECKED),
        (replace(clear(), agreement=0.69), Reason.FRAMES_DISAGREE),
        (replace(clear(), thresholds=Thresholds(0.6, 0.7, 0.1, calibrated=False)), Reason.NOT_CALIBRATED),
        (replace(clear(), thresholds=Thresholds(0.91, 0.7, 0.1)), Reason.NO_MATCH),
        (replace(clear(), result=MatchResult(MatchMode.VERIFY, (), 0, 3)), Reason.NO_MATCH),
        (replace(clear(), thresholds=Thresholds(0.6, 0.7, 0.61)), Reason.AMBIGUOUS_MATCH),
        (replace(clear(), under_age=frozenset(PEOPLE[:1])), Reason.UNDER_AGE),
        (replace(clear(), look_alikes=frozenset(PEOPLE[:1])), Reason.LOOK_ALIKE),
        (replace(clear(), elsewhere=(elsewhere(0.5),)), Reason.AMBIGUOUS_MATCH),
        (replace(clear(), thresholds=Thresholds(0.85, 0.7, 0.1), elsewhere=(elsewhere(0.46),)), Reason.AMBIGUOUS_MATCH),
        (replace(clear(), staff=(nurse(0.81),)), Reason.STAFF_FACE),
        (replace(clear(), staff=(nurse(0.61, comparable=False),)), Reason.STAFF_FACE),
    ],
    ids=lambda value: value.value if isinstance(value, Reason) else "",
)
def test_each_single_flaw_refuses_with_its_reason(spoilt: Evidence, reason: Reason) -> None:
    """And with no other."""
    decision = decide(spoilt)
    assert decision.verdict is Verdict.REFUSED
    assert decision.reasons == (reason,)


def test_all_flaws_are_told_together() -> None:
    """An auditor sees every ground, not the first one."""
    e = replace(
        clear(),
        liveness=LivenessVerdict.SPOOF,
        agreement=0.0,
        under_age=frozenset(PEOPLE),
        thresholds=Thresholds(0.6, 0.7, 0.65, calibrated=False),
    )
    assert decide(e).reasons == (
        Reason.NOT_CALIBRATED,
        Reason.LIVENESS_SPOOF,
        Reason.FRAMES_DISAGREE,
        Reason.AMBIGUOUS_MATCH,
        Reason.UNDER_AGE,
    )


def test_a_twin_without_a_service_today_makes_the_match_ambiguous() -> None:
    """Today's list knows one of them only; the whole gallery knows both."""
    e = replace(clear(), gallery=MatchResult(MatchMode.IDENTIFY, candidates(0.9, 0.85), 3, 3))
    assert decide(e).reasons == (Reason.AMBIGUOUS_MATCH,)


def test_a_child_is_only_compared_with_a_claim() -> None:
    """No search finds a child, in a list or in the gallery; one claimed identity does."""
    for mode in MatchMode:
        e = replace(clear(), under_age=frozenset(PEOPLE[:1]), result=replace(clear().result, mode=mode))
        assert (decide(e).verdict is Verdict.ACCEPTED) == (mode is MatchMode.VERIFY)


def test_a_flagged_look_alike_is_refused_in_every_mode() -> None:
    """Also 1:1, for the claim is what a twin would make; another flagged person in the gallery changes nothing."""
    for mode in MatchMode:
        e = replace(clear(), result=replace(clear().result, mode=mode), look_alikes=frozenset(PEOPLE[:1]))
        assert decide(e).reasons == (Reason.LOOK_ALIKE,)
    assert decide(replace(clear(), look_alikes=frozenset(PEOPLE[1:]))).verdict is Verdict.ACCEPTED


def test_who_is_below_the_other_packs_threshold_is_no_rival() -> None:
    """Below it, and by the margin when the match itself is a close one; the same person in both packs rivals nobody."""
    assert decide(replace(clear(), elsewhere=(elsewhere(0.49),))).verdict is Verdict.ACCEPTED
    close = replace(clear(), thresholds=Thresholds(0.85, 0.7, 0.1), elsewhere=(elsewhere(0.44),))
    assert decide(close).verdict is Verdict.ACCEPTED
    same = Elsewhere(MatchResult(MatchMode.IDENTIFY, candidates(0.99), 1, 1), Thresholds(0.5, 0.5, 0.1))
    assert decide(replace(clear(), elsewhere=(same,))).verdict is Verdict.ACCEPTED


def test_staff_who_only_resemble_the_patient_a_little_alarm_nobody() -> None:
    """Below their own threshold, or well behind the patient in the same pack."""
    for score in (0.59, 0.79):
        assert decide(replace(clear(), staff=(nurse(score),))).reasons == (Reason.MATCH, Reason.LIVE)


def test_staff_as_the_patient_they_are_pass_with_a_mark() -> None:
    """The same document number in both registers; a colleague who comes as near as they do refuses all the same."""
    own = replace(clear(), staff=(nurse(0.9),), own=frozenset((NURSE,)))
    assert decide(own).reasons == (Reason.MATCH, Reason.LIVE, Reason.STAFF_AS_PATIENT)
    colleague = StaffSearch((Candidate(NURSE, 0.9), Candidate(PersonId("colleague"), 0.85)), 0.6, comparable=True)
    assert decide(replace(own, staff=(colleague,))).reasons == (Reason.STAFF_FACE,)


def test_a_claim_tried_with_a_staff_face_is_noticed_although_it_fails() -> None:
    """Presented for the claimed patient; before the camera without a claim, staff are presented for nobody."""
    for mode in MatchMode:
        result = MatchResult(mode, candidates(0.2), 1, 3)
        reasons = decide(replace(clear(), result=result, staff=(nurse(0.9),))).reasons
        assert (Reason.STAFF_FACE in reasons) == (mode is MatchMode.VERIFY)
        assert Reason.NO_MATCH in reasons


def test_another_try_is_offered_unless_it_could_only_end_the_same_way() -> None:
    """A flagged look-alike and a staff face go to the second factor at once; bad luck may try again."""
    assert decide(replace(clear(), look_alikes=frozenset(PEOPLE[:1]))).final
    assert decide(replace(clear(), staff=(nurse(0.9),))).final
    assert not decide(replace(clear(), thresholds=Thresholds(0.91, 0.7, 0.1))).final
    assert not decide(clear()).final


def test_a_decision_without_reasons_cannot_be_made() -> None:
    """Nor one that accepts nobody, nor one that refuses somebody by name."""
    for verdict, reasons, person in (
        (Verdict.REFUSED, (), None),
        (Verdict.ACCEPTED, (Reason.MATCH,), None),
        (Verdict.REFUSED, (Reason.NO_MATCH,), PEOPLE[0]),
    ):
        with pytest.raises(ValueError, match="decision"):
            Decision(verdict, reasons, person, None, clear())


@pytest.mark.parametrize(
    ("evidence", "person", "result"),
    [
        (clear(), 0, Trial.RECOGNISED),
        (replace(clear(), liveness=LivenessVerdict.NOT_CHECKED), 0, Trial.RECOGNISED),
        (clear(), 1, Trial.NOT_RECOGNISED),
        (replace(clear(), thresholds=Thresholds(0.91, 0.7, 0.1)), 0, Trial.NOT_RECOGNISED),
        (replace(clear(), agreement=0.69), 0, Trial.NOT_RECOGNISED),
        (replace(clear(), look_alikes=frozenset(PEOPLE[:1])), 0, Trial.SECOND_FACTOR),
        (replace(clear(), thresholds=Thresholds(0.1, 0.7, 0.7)), 1, Trial.SECOND_FACTOR),
        (replace(clear(), thresholds=Thresholds(0.1, 0.7, 0.1)), 1, Trial.NOT_RECOGNISED),
    ],
    ids=[
        "known",
        "looked at by a person",
        "somebody else",
        "too low",
        "two faces",
        "twin",
        "near",
        "taken for another",
    ],
)
def test_a_trial_tells_what_a_check_in_will_do(evidence: Evidence, person: int, result: Trial) -> None:
    """Known again, known with a second factor, or not; whether the face lives was seen by whoever enrols."""
    assert trial(decide(evidence), PEOPLE[person]) is result
