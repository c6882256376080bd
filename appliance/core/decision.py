"""The one place that says yes or no to a face, always with reasons.

Scores, thresholds and verdicts come from the measuring side and the pack's calibration; what follows
for the visit is `session`, what is recorded is `events`.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

from appliance.core.types import (
    Candidate,
    Embedding,
    LivenessVerdict,
    MatchMode,
    MatchResult,
    PackDigest,
    PersonId,
)


class Verdict(StrEnum):
    """Accepted by face, or refused: the patient is offered another way."""

    ACCEPTED = "accepted"
    REFUSED = "refused"


class Reason(StrEnum):
    """Coded reasons, as the fund counts them; an accepted decision carries `match` and `live`."""

    MATCH = "match"
    LIVE = "live"
    NOT_CALIBRATED = "not_calibrated"
    LIVENESS_SPOOF = "liveness_spoof"
    LIVENESS_INCONCLUSIVE = "liveness_inconclusive"
    LIVENESS_NOT_CHECKED = "liveness_not_checked"
    FRAMES_DISAGREE = "frames_disagree"
    NO_MATCH = "no_match"
    AMBIGUOUS_MATCH = "ambiguous_match"
    LOOK_ALIKE = "look_alike"
    """Flagged with a twin or sibling: no face alone decides between them, whatever the scores."""
    STAFF_FACE = "staff_face"
    """The face of somebody who works here was presented for a patient."""
    STAFF_AS_PATIENT = "staff_as_patient"
    """Somebody who works here was accepted as the patient they themselves are."""
    UNDER_AGE = "under_age"
    NOT_ACQUIRED = "not_acquired"
    LOW_LIGHT = "low_light"
    MORE_THAN_ONE_PERSON = "more_than_one_person"
    LEFT = "left"
    NO_SERVICE_TODAY = "no_service_today"
    TOO_EARLY = "too_early"
    ALREADY_CONFIRMED = "already_confirmed"
    NOT_ME = "not_me"
    NOT_MY_SERVICE = "not_my_service"
    NO_ANSWER = "no_answer"
    ASKED_FOR_HELP = "asked_for_help"
    WITHOUT_FACE = "without_face"
    """The patient chose to be identified otherwise."""
    WRONG_CODE = "wrong_code"
    """A number and code were typed that do not belong together, or a number alone."""


_LIVENESS = {
    LivenessVerdict.SPOOF: Reason.LIVENESS_SPOOF,
    LivenessVerdict.INCONCLUSIVE: Reason.LIVENESS_INCONCLUSIVE,
    LivenessVerdict.NOT_CHECKED: Reason.LIVENESS_NOT_CHECKED,
}


_FINAL = frozenset({Reason.LOOK_ALIKE, Reason.STAFF_FACE})


class Trial(StrEnum):
    """What a look right after an enrolment shows of the check-ins to come."""

    RECOGNISED = "recognised"
    SECOND_FACTOR = "second_factor"
    """Known, but not told from a look-alike by the face alone."""
    NOT_RECOGNISED = "not_recognised"


_NOT_TRIED = frozenset({Reason.MATCH, Reason.LIVE, Reason.STAFF_AS_PATIENT, Reason.LIVENESS_NOT_CHECKED})
_SECOND_FACTOR = frozenset({Reason.LOOK_ALIKE, Reason.AMBIGUOUS_MATCH})


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What the pack's calibration answers for this comparison and policy; cosine similarities, -1..1.

    accept: least score of the best candidate. agree: least similarity between any two probe frames.
    margin: least distance between the best and the second best person. extrapolated: the data did not
    reach the rate asked for. calibrated: False for a pack that may only be evaluated.
    """

    accept: float
    agree: float
    margin: float
    extrapolated: bool = False
    calibrated: bool = True


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The same frames against people who have templates of another pack only, by that pack's own thresholds."""

    result: MatchResult
    thresholds: Thresholds


@dataclass(frozen=True, slots=True)
class StaffSearch:
    """The same frames against the staff who have templates of one pack.

    threshold: from which score it is a member of the staff. comparable: whether the scores are of the pack that the
    patient was compared by.
    """

    candidates: tuple[Candidate, ...]
    threshold: float
    comparable: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a decision rests on.

    probe: the fused embedding that was compared.
    result: the comparison that decides (claimed person or today's list, else the gallery).
    gallery: the same probe against everybody, as a check that nobody else fits better.
    agreement: least cosine similarity between two probe frames. under_age: people below the age for 1:N.
    look_alikes: people flagged with a look-alike. elsewhere: what a migration between packs adds. staff: the staff
    galleries. own: staff who are the best candidate themselves, by the number of their document. fresh: embeddings of
    the newest pack, good enough to become templates; empty where the person has templates of it.
    """

    probe: Embedding
    liveness: LivenessVerdict
    agreement: float
    result: MatchResult
    gallery: MatchResult
    thresholds: Thresholds
    pack: PackDigest
    policy_id: str
    under_age: frozenset[PersonId] = frozenset()
    look_alikes: frozenset[PersonId] = frozenset()
    elsewhere: tuple[Elsewhere, ...] = ()
    staff: tuple[StaffSearch, ...] = ()
    own: frozenset[PersonId] = frozenset()
    fresh: tuple[Embedding, ...] = ()

    def staff_presented(self) -> tuple[PersonId, ...]:
        """Staff whose face this is, best first, where a patient was claimed or matched.

        The score reaches the staff's threshold and comes within the margin of the patient's, where the two can be
        compared. Who is nobody's match, unclaimed, was presented for nobody.
        """
        best = self.result.candidates[0] if self.result.candidates else None
        matched = best is not None and best.score >= self.thresholds.accept
        if not matched and self.result.mode is not MatchMode.VERIFY:
            return ()
        near = best.score - self.thresholds.margin if best is not None and matched else -math.inf
        return tuple(
            candidate.person
            for search in self.staff
            for candidate in search.candidates
            if not (candidate.score < search.threshold or (search.comparable and candidate.score < near))
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """verdict with reasons (never empty). person: only when accepted. score: of the best candidate, if there is one."""

    verdict: Verdict
    reasons: tuple[Reason, ...]
    person: PersonId | None
    score: float | None
    evidence: Evidence

    def __post_init__(self) -> None:
        """Raise ValueError for a decision without reasons, or acceptance without a person."""
        if not self.reasons:
            raise ValueError("a decision has reasons")
        if (self.verdict is Verdict.ACCEPTED) != (self.person is not None):
            raise ValueError("exactly an accepted decision names a person")

    @property
    def final(self) -> bool:
        """Whether another try with the same face could only end the same way."""
        return not _FINAL.isdisjoint(self.reasons)


def _match_reasons(e: Evidence) -> list[Reason]:
    t = e.thresholds
    if not e.result.candidates or not e.result.candidates[0].score >= t.accept:
        return [Reason.NO_MATCH]
    best = e.result.candidates[0]
    rivals = [c.score for r in (e.result, e.gallery) for c in r.candidates if c.person != best.person]
    found = []
    if not all(best.score - rival >= t.margin for rival in rivals) or _rivalled_elsewhere(e, best):
        found.append(Reason.AMBIGUOUS_MATCH)
    if best.person in e.look_alikes:
        found.append(Reason.LOOK_ALIKE)
    if best.person in e.under_age and e.result.mode is not MatchMode.VERIFY:
        found.append(Reason.UNDER_AGE)
    return found


def _rivalled_elsewhere(e: Evidence, best: Candidate) -> bool:
    """Whether somebody with templates of another pack would do as well, or nearly.

    Scores of two packs have no common scale; what can be compared is on which side of its own threshold each
    lies. A rival who reaches theirs is one whatever the lead; below it the lead over the thresholds must be the larger
    margin.
    """
    lead = best.score - e.thresholds.accept
    return any(
        not (over < 0 and lead - over >= max(e.thresholds.margin, other.thresholds.margin))
        for other in e.elsewhere
        for over in (c.score - other.thresholds.accept for c in other.result.candidates if c.person != best.person)
    )


def decide(evidence: Evidence) -> Decision:
    """Accept only a live, agreeing, clear and unrivalled match; otherwise refuse with every reason found.

    A look-alike anywhere in the gallery within the margin refuses too, also when that person
    has no service today: twins need a second factor. Who is flagged with a look-alike is refused in every mode, also
    1:1: the claim is what a twin would make. A score that is no number meets no threshold.
    """
    presented = evidence.staff_presented()
    reasons: list[Reason] = []
    if not evidence.thresholds.calibrated:
        reasons.append(Reason.NOT_CALIBRATED)
    if evidence.liveness is not LivenessVerdict.LIVE:
        reasons.append(_LIVENESS[evidence.liveness])
    if not evidence.agreement >= evidence.thresholds.agree:
        reasons.append(Reason.FRAMES_DISAGREE)
    reasons += _match_reasons(evidence)
    if not evidence.own.issuperset(presented):
        reasons.append(Reason.STAFF_FACE)
    best = evidence.result.candidates[0] if evidence.result.candidates else None
    score = best.score if best else None
    if reasons or best is None:
        return Decision(Verdict.REFUSED, tuple(reasons), None, score, evidence)
    marked = (Reason.STAFF_AS_PATIENT,) if presented else ()
    return Decision(Verdict.ACCEPTED, (Reason.MATCH, Reason.LIVE, *marked), best.person, score, evidence)


def trial(decision: Decision, person: PersonId) -> Trial:
    """Whether a check-in would know this person again, by a decision on a look that nobody checked for a living face.

    The look is taken under the eyes of whoever enrols; what is tried are the templates, not the patient's honesty.
    """
    evidence, wrong = decision.evidence, set(decision.reasons) - _NOT_TRIED
    reached = [c.person for c in evidence.result.candidates if c.score >= evidence.thresholds.accept]
    if person not in reached or wrong - _SECOND_FACTOR:
        return Trial.NOT_RECOGNISED
    if wrong:
        return Trial.SECOND_FACTOR
    return Trial.RECOGNISED if reached[0] == person else Trial.NOT_RECOGNISED
