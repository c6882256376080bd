"""What the screen shows at one moment: the visit and its memory become a snapshot.

It owns what must not flicker, the hint and the lamp. What happens next is `core.session`'s, how it looks and what it
says in which language the front end's.
"""

from dataclasses import replace

from appliance.attempt import Attempt
from appliance.core import session
from appliance.core.lamp import Lamp
from appliance.core.policy import Policy
from appliance.core.quality import HeldHint, Hint, QualityReport, near
from appliance.core.session import State, Visit
from appliance.core.snapshot import Offer, Snapshot
from appliance.core.types import Box, Instant, Observation
from appliance.encounter import Encounter
from appliance.proof import Prover

_LOOKING = frozenset({*session.ACQUIRING, State.CHALLENGE})
_ABOUT_ONE = frozenset({State.GUARDIAN, State.CONFIRM, State.RECEIPT})
_FOR_WHOM = frozenset({State.GUARDIAN, State.CONFIRM})
_KNOWN = frozenset({State.CHOOSE, State.GUARDIAN, State.CONFIRM})


class Screen:
    """One patient's screen. wanted: the hint that the last frame asked for."""

    def __init__(self, policy: Policy, prover: Prover, *, training: bool) -> None:
        """training: nothing is recorded, and the screen says so."""
        self._policy, self._prover, self._training = policy, prover, training
        self._hint, self._lamp = HeldHint(), Lamp()
        self._visits = 0

    @property
    def wanted(self) -> Hint | None:
        """The hint that the last frame asked for, to be judged against with the gate's reserve."""
        return self._hint.wanted

    def clear(self, state: State) -> None:
        """The visit is over: no hint, no lamp, and whoever comes is another one; but who is to try again stays."""
        self._hint, self._lamp = HeldHint(), Lamp()
        self._visits += state is not State.ALIGN

    def bare(self, state: State, at: Instant, failure: str = "") -> Snapshot:
        """A screen without a visit."""
        return Snapshot(at=at, state=state, failure=failure, training=self._training, visit=self._visits)

    def show(self, visit: Visit, met: Encounter, seen: Observation, report: QualityReport) -> Snapshot:
        """The screen after this frame."""
        state, now, policy = visit.state, seen.at, self._policy
        wanted = report.hint if state in session.ACQUIRING else None
        self._hint = self._hint.follow(wanted, now, policy.timing.hint_hold)
        self._lamp = self._lamp.follow(seen, policy.gate) if state in _LOOKING else Lamp()
        asked = met.attempt.challenge if state is State.CHALLENGE else None
        known = met.reception if state in _KNOWN else None
        return Snapshot(
            at=now,
            state=state,
            hint=self._hint.hint,
            cue=asked.cue if asked else None,
            dot=asked.dot(now) if asked else None,
            progress=self._progress(state, met.attempt),
            greeting=known.greeting if known else "",
            offers=_offers(state, met),
            receipt=met.receipt if state in (State.RECEIPT, State.ALREADY) else "",
            failure=met.failure,
            refused=met.attempt.reasons() if state is State.NOT_RECOGNISED else (),
            seconds_left=session.time_left(visit, now, policy),
            unsigned=met.unsigned and state is State.RECEIPT,
            early=met.reception.early if met.reception and state is State.TOO_EARLY else "",
            before=met.reception.at if met.reception and state is State.ALREADY else "",
            child=met.chosen.child if met.chosen and state in _FOR_WHOM else "",
            choice=known is not None and len(known.offers) > 1,
            wrong=visit.wrong if state is State.FALLBACK else 0,
            queue=met.queue if state is State.HELP else 0,
            face=self._face(state, met.attempt, seen),
            lamp=self._lamp.on,
            pictured=self._hint.stood(now) >= policy.timing.hint_picture,
            in_vain=session.in_vain(visit, now, policy),
            training=self._training,
            passed=report.passed if state in session.ACQUIRING and seen.faces else None,
            quality=met.attempt.quality,
            visit=self._visits,
        )

    def _progress(self, state: State, attempt: Attempt) -> float:
        if state is State.HOLD:
            return self._prover.held_share(attempt)
        if state is State.CHALLENGE and attempt.challenge:
            return attempt.challenge.progress
        return 0.0

    def _face(self, state: State, attempt: Attempt, seen: Observation) -> tuple[float, float, float, float] | None:
        """The face that is looked at, or steps up: by the time it is held, the oval is there.

        In the challenge its own, also beside a larger one.
        """
        box: Box | None = None
        arriving = state is State.IDLE and near(seen, self._policy.gate)
        if (arriving or state in session.ACQUIRING) and seen.faces:
            box = seen.faces[0].box
        if state is State.CHALLENGE and attempt.challenge:
            box = attempt.challenge.last.box
        if box is None:
            return None
        width, height = seen.frame_width, seen.frame_height
        return box.x / width, box.y / height, box.w / width, box.h / height


def _offers(state: State, met: Encounter) -> tuple[Offer, ...]:
    if state is State.CHOOSE:
        return met.offers
    if met.chosen is None or state not in _ABOUT_ONE:
        return ()
    return (replace(met.chosen, child="") if state is State.RECEIPT else met.chosen,)  # the name goes, the room stays
