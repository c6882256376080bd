"""Turns the probe frames of one attempt into one decision: fuse, compare, look up the thresholds, decide.

Who may be compared with whom is told by the caller; the yes or no is `core.decision`'s.

While a desk moves from one model pack to the next it has two galleries, and nobody is in both. A probe is embedded by
both packs and searched in both; each score is judged by the calibration of its own pack. A stranger has as many chances
to be taken for somebody as there are templates in both galleries together: each calibration is asked for that number.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from appliance.core.decision import Decision, Elsewhere, Evidence, StaffSearch, Thresholds, decide
from appliance.core.policy import Policy
from appliance.core.ports import Matcher, Observer
from appliance.core.types import (
    Embedding,
    Face,
    Frame,
    LivenessVerdict,
    MatchMode,
    MatchResult,
    PackDigest,
    PersonId,
    Sensitive,
)
from models.calibration import Calibration

SAME_FACE = 0.5
"""Intersection over union from which two detectors mean the same face of a frame."""

UNVOUCHED = -1.0
"""Agreement of frames one of which the pack did not see: below any threshold."""


@dataclass(frozen=True, slots=True, repr=False)
class Probe(Sensitive):
    """One frame's embedding with its quality, 0..100.

    earlier: by packs that the desk is moving away from. fit: the frame would do for an enrolment.
    """

    embedding: Embedding
    quality: int
    earlier: tuple[Embedding, ...] = ()
    fit: bool = False

    def by(self, pack: PackDigest) -> Embedding | None:
        """The embedding that a pack made of this frame."""
        return next((each for each in (self.embedding, *self.earlier) if each.pack == pack), None)


class ThresholdSource(Protocol):
    """A pack's calibration, asked under a policy."""

    def thresholds(self, mode: MatchMode, compared: int, policy: Policy) -> Thresholds:
        """The thresholds for a comparison with this many templates."""


def _unfit(_: float | None) -> bool:
    return False


def take(
    observer: Observer,
    earlier: Sequence[Observer],
    frame: Frame,
    face: Face,
    quality: int,
    fit: Callable[[float | None], bool] = _unfit,
) -> Probe:
    """Make a probe of one face of a frame. earlier: the packs that the desk is moving away from.

    quality: what its measures are worth, 0..100, where the pack has no quality network to say how well it will match.
    fit: whether it would do for an enrolment, given what that network says.
    An earlier pack finds the face by its own detector, as it did when its scores were measured; where it does not find
    it, the probe has no embedding of that pack.
    """
    others = []
    for other in earlier:
        found = max(other.observe(frame).faces, key=lambda f: f.box.iou(face.box), default=None)
        if found is not None and found.box.iou(face.box) >= SAME_FACE:
            others.append(other.embed(frame, found))
    unified = observer.unified_quality(frame, face)
    worth = quality if unified is None else round(unified)
    return Probe(observer.embed(frame, face), worth, tuple(others), fit(unified))


def fuse(probes: Sequence[Probe]) -> Embedding:
    """Quality-weighted mean of unit vectors, scaled back to length 1."""
    return _fused([p.embedding for p in probes], [p.quality for p in probes])


def _fused(embeddings: Sequence[Embedding], qualities: Sequence[int]) -> Embedding:
    weights = np.asarray([max(quality, 1) for quality in qualities], np.float32)
    mean = weights @ np.stack([e.vector for e in embeddings])
    return Embedding((mean / np.linalg.norm(mean)).astype(np.float32), embeddings[0].pack)


def agreement(probes: Sequence[Probe]) -> float:
    """Least cosine similarity between any two probes; 1 for a single one, NaN when a vector holds one."""
    return _agreement([p.embedding for p in probes])


def _agreement(embeddings: Sequence[Embedding]) -> float:
    stack = np.stack([e.vector for e in embeddings])
    return float(np.minimum(1.0, (stack @ stack.T).min()))  # not min(), which would take NaN for 1


@dataclass(frozen=True, slots=True)
class PackSide:
    """One pack at work: who has templates of it, and what its scores mean."""

    matcher: Matcher
    calibration: ThresholdSource
    pack: PackDigest


@dataclass(frozen=True, slots=True)
class _Search:
    """What one pack finds. agreement: of the probes by this pack, UNVOUCHED where it missed one. everybody: found."""

    side: PackSide
    probe: Embedding
    agreement: float
    everybody: MatchResult


def _searches(sides: Sequence[PackSide], probes: Sequence[Probe]) -> tuple[_Search, ...]:
    """Search every pack's gallery with the frames in which the pack saw the face; the desk's own pack first.

    Raises PackMismatch for probes that are not of that pack.
    """
    first = _Search(sides[0], fuse(probes), agreement(probes), sides[0].matcher.identify(fuse(probes)))
    return (first, *(found for found in (_search(side, probes) for side in sides[1:]) if found is not None))


def _search(side: PackSide, probes: Sequence[Probe]) -> _Search | None:
    seen = [(e, p.quality) for e, p in ((p.by(side.pack), p) for p in probes) if e is not None]
    if not seen:
        return None
    embeddings = [e for e, _ in seen]
    fused = _fused(embeddings, [quality for _, quality in seen])
    agree = _agreement(embeddings) if len(seen) == len(probes) else UNVOUCHED
    return _Search(side, fused, agree, side.matcher.identify(fused))


@dataclass(frozen=True, slots=True)
class Known:
    """Who has a face, best first within each pack; searched: how many people were compared."""

    people: tuple[PersonId, ...]
    searched: int


def _nobody(*_: PersonId) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Recogniser:
    """Compares with the enrolled under a policy.

    matcher, calibration, pack: of the desk's pack. earlier: packs that the desk is moving away from; their galleries
    hold only people without a template of a newer one. staff: a side for each pack. flagged: whether a person has a
    look-alike. same_person: whether a member of the staff and a patient are one, by the number of their document.
    spare: the pack that the desk goes back to if the one on trial is given up.
    """

    matcher: Matcher
    calibration: ThresholdSource
    policy: Policy
    pack: PackDigest
    earlier: tuple[PackSide, ...] = ()
    staff: tuple[PackSide, ...] = ()
    flagged: Callable[[PersonId], bool] = _nobody
    same_person: Callable[[PersonId, PersonId], bool] = _nobody
    spare: PackSide | None = None

    def decide(
        self,
        probes: Sequence[Probe],
        liveness: LivenessVerdict,
        claimed: PersonId | None,
        expected: frozenset[PersonId],
        under_age: Callable[[PersonId], bool],
    ) -> Decision:
        """Decide on an attempt's probes. Raises ValueError without a probe.

        claimed: compare 1:1 with this person only. expected: today's list; the whole gallery is searched too, as a
        helper for who is not on it and as a check that nobody else fits as well. under_age: asked about the best
        candidate, on today's list or not.
        """
        if not probes:
            raise ValueError("a decision needs at least one probe")
        searches = _searches(self.patients, probes)
        chosen, result, thresholds = self._compare(searches, claimed, expected)
        total = sum(search.everybody.comparisons for search in searches)
        best = [c.person for c in result.candidates[:1]]
        staff = self._staff(probes, chosen.side.pack)
        shown = {c.person for search in staff for c in search.candidates}
        return decide(
            Evidence(
                probe=chosen.probe,
                liveness=liveness,
                agreement=chosen.agreement,
                result=result,
                gallery=chosen.everybody,
                thresholds=thresholds,
                pack=chosen.side.pack,
                policy_id=self.policy.policy_id,
                under_age=frozenset(person for person in best if under_age(person)),
                look_alikes=frozenset(person for person in best if self.flagged(person)),
                elsewhere=tuple(
                    Elsewhere(
                        other.everybody,
                        self._asked(other.side, MatchMode.IDENTIFY, total),
                    )
                    for other in searches
                    if other is not chosen
                ),
                staff=staff,
                own=frozenset(who for who in shown for person in best if self.same_person(who, person)),
                fresh=self._fresh(chosen.side, result, probes),
            )
        )

    @property
    def patients(self) -> tuple[PackSide, ...]:
        """A side for each pack in use, newest first."""
        return (PackSide(self.matcher, self.calibration, self.pack), *self.earlier)

    def known(self, sides: Sequence[PackSide], looks: Sequence[Probe]) -> Known:
        """Who of `patients` or `staff` has this face, at the policy's FPIR for all their templates: a duplicate search.

        Raises PackMismatch for looks of another pack.
        """
        searches = _searches(sides, looks) if sides else ()
        total = sum(search.everybody.comparisons for search in searches)
        found = [
            candidate.person
            for search in searches
            for candidate in search.everybody.candidates
            if candidate.score >= self._asked(search.side, MatchMode.IDENTIFY, total).accept
        ]
        return Known(tuple(found), sum(search.everybody.compared for search in searches))

    def compare(self, looks: Sequence[Probe], claimed: PersonId | None = None) -> tuple[MatchResult, Thresholds]:
        """What the scores alone say, 1:1 or against everybody: no decision, and no visit comes of it."""
        _, result, thresholds = self._compare(_searches(self.patients, looks), claimed, frozenset())
        return result, thresholds

    def differs(self, person: PersonId, looks: Sequence[Probe]) -> bool:
        """Whether these are not the looks of an enrolled person; False where there is nothing to compare with."""
        result, thresholds = self.compare(looks, person)
        return bool(result.candidates) and not result.candidates[0].score >= thresholds.accept

    def agree(self, looks: Sequence[Probe]) -> bool:
        """Whether looks are of one and the same person."""
        return agreement(looks) >= self.alike

    def to_spare(self, looks: Sequence[Probe]) -> tuple[Embedding, ...]:
        """Of an enrolment's looks, the templates by the pack that the desk may go back to.

        None where that pack does not take them for one person: its own word is needed, the new one's is on trial.
        """
        if self.spare is None:
            return ()
        found = [e for e in (look.by(self.spare.pack) for look in looks) if e is not None]
        agree = bool(found) and _agreement(found) >= self._asked(self.spare, MatchMode.VERIFY, 1).agree
        return tuple(found) if agree else ()

    @property
    def alike(self) -> float:
        """Least cosine similarity of two frames of one person, by the desk's pack and this policy."""
        return self._asked(self.patients[0], MatchMode.VERIFY, 1).agree

    def _asked(self, side: PackSide, mode: MatchMode, comparisons: int) -> Thresholds:
        return side.calibration.thresholds(mode, comparisons, self.policy)

    def _compare(
        self, searches: Sequence[_Search], claimed: PersonId | None, expected: frozenset[PersonId]
    ) -> tuple[_Search, MatchResult, Thresholds]:
        """The comparison that decides: 1:1 against a claim; else today's list, where somebody on it is found; else all.

        Of several packs the newest that finds somebody decides; a rival by another one is noticed by `core.decision`.
        """
        if claimed is not None:
            theirs = [(search, search.side.matcher.verify(search.probe, claimed)) for search in searches]
            search, result = next((pair for pair in theirs if pair[1].candidates), theirs[0])
            return search, result, self._asked(search.side, MatchMode.VERIFY, result.comparisons)
        if expected:
            listed = self._found([(search, search.side.matcher.among(search.probe, expected)) for search in searches])
            if listed[1].candidates and listed[1].candidates[0].score >= listed[2].accept:
                return listed
        return self._found([(search, search.everybody) for search in searches])

    def _found(self, results: Sequence[tuple[_Search, MatchResult]]) -> tuple[_Search, MatchResult, Thresholds]:
        """The first result that reaches its threshold, else the first; each is asked for the comparisons of all."""
        total = sum(result.comparisons for _, result in results)
        asked = [(search, result, self._asked(search.side, result.mode, total)) for search, result in results]
        reached = (a for a in asked if a[1].candidates and a[1].candidates[0].score >= a[2].accept)
        return next(reached, asked[0])

    def _staff(self, probes: Sequence[Probe], pack: PackDigest) -> tuple[StaffSearch, ...]:
        searches = _searches(self.staff, probes) if self.staff else ()
        total = sum(search.everybody.comparisons for search in searches)
        return tuple(
            StaffSearch(
                search.everybody.candidates,
                self._asked(search.side, MatchMode.LIST, total).accept,
                comparable=search.side.pack == pack,
            )
            for search in searches
            if search.everybody.candidates
        )

    def _fresh(self, side: PackSide, result: MatchResult, probes: Sequence[Probe]) -> tuple[Embedding, ...]:
        """The best frames by the desk's pack, as templates for who has none of it.

        None for a match that would not also pass a threshold for `caution` times as many templates: a wrong visit is
        one wrong event, a wrong template would let the wrong person in for years.
        """
        rule = self.policy.migration
        if side.pack == self.pack or not result.candidates:
            return ()
        if not result.candidates[0].score >= self._asked(side, result.mode, result.comparisons * rule.caution).accept:
            return ()
        good = sorted((p for p in probes if p.fit), key=lambda p: -p.quality)[: rule.templates]
        return tuple(p.embedding for p in good) if good and self.agree(good) else ()


@dataclass(frozen=True, slots=True)
class PackThresholds:
    """The thresholds of a pack's own calibration."""

    calibration: Calibration

    def thresholds(self, mode: MatchMode, compared: int, policy: Policy) -> Thresholds:
        """The threshold at which the best of `compared` scores is somebody else's with the policy's rate.

        That rate is its FMR for one claimed identity, its FPIR for a list or gallery. The best of several templates of
        one person is as many chances as there are templates: counting them, not the people, keeps the rate whatever
        the templates have in common (Boole's inequality).
        """
        rate = policy.fmr if mode is MatchMode.VERIFY else policy.fpir
        accept = self.calibration.threshold_identify(rate, max(compared, 1))
        same = self.calibration.threshold_verify(policy.fmr)
        return Thresholds(accept.value, same.value, self.calibration.margin, accept.extrapolated)
