"""What the station knows of the visit before it: evidence, whom it met, what was chosen, what was written.

The station owns one and forgets it with the visit; where the visit stands is `core.session`'s.
"""

from dataclasses import dataclass, field

from appliance.attempt import Attempt
from appliance.core.decision import Reason
from appliance.core.ports import Claim, Reception
from appliance.core.session import NOTICES, TABLE, Signal, State, Visit
from appliance.core.snapshot import Intent, IntentKind, Offer
from appliance.core.types import PersonId


@dataclass(slots=True)
class Encounter:
    """One visit's memory.

    attempt: the evidence of this try. claim: who the patient says they are, without a face. reception: what the desk
    knows of whom it recognised, or whose code was right. chosen: the service in
    question. declined: why it was not confirmed. receipt: event id of what was recorded. unsigned: that waits for the
    device's key. failure: code of a known failure. queue: place among those who wait for reception. recorded: what
    was tried is in an event already.
    """

    attempt: Attempt = field(default_factory=Attempt)
    claim: Claim | None = None
    reception: Reception | None = None
    chosen: Offer | None = None
    declined: Reason = Reason.NO_ANSWER
    receipt: str = ""
    unsigned: bool = False
    failure: str = ""
    queue: int = 0
    recorded: bool = False

    @property
    def known(self) -> PersonId | Claim | None:
        """Who the patient is, as far as it goes: recognised, or by their own word."""
        decision = self.attempt.decision
        return self.claim or (decision.person if decision else None)

    @property
    def offers(self) -> tuple[Offer, ...]:
        """What may be confirmed."""
        return self.reception.offers if self.reception else ()

    def go_without_face(self, state: State) -> None:
        """What was gathered of a face is dropped; a try that was begun in a state, or had failed, keeps its reasons."""
        failed = state in (State.CHALLENGE, State.NOT_RECOGNISED)
        before = self.attempt.again() if failed else self.attempt
        self.attempt = Attempt(began=before.began, earlier=before.earlier)

    def meet(self, reception: Reception) -> Signal:
        """Take over what the desk knows of the patient; what follows from it."""
        self.reception = reception
        if len(reception.offers) > 1:
            return Signal.SEVERAL
        if reception.offers:
            self.chosen = reception.offers[0]
            return Signal.FOR_CHILD if self.chosen.child else Signal.MATCHED
        if reception.early:
            return Signal.TOO_EARLY
        self.receipt = reception.confirmed
        return Signal.ALREADY if self.receipt else Signal.NO_SERVICE

    def answer(self, intent: Intent, visit: Visit) -> Signal | None:
        """What an answer means where the visit stands; None where it answers nothing that was asked."""
        state, kind = visit.state, intent.kind
        if kind is IntentKind.CHOOSE:
            return self._choose(intent.service) if state is State.CHOOSE else self._agree(intent, state, State.GUARDIAN)
        if kind is IntentKind.CONFIRM:
            return self._agree(intent, state, State.CONFIRM)
        if kind is IntentKind.CLOSE:
            return Signal.TIMED_OUT if state in NOTICES else _FALLBACK_ENDS.get(state)
        if kind is IntentKind.BACK and len(self.offers) < 2:
            return _FALLBACK_ENDS.get(state)
        meant = _MEANT.get(kind)
        if meant is None or meant.signal not in TABLE[state] or not (meant.anywhere or Signal.DECLINED in TABLE[state]):
            return None
        self.declined = meant.declined
        return meant.signal

    def _choose(self, service: str) -> Signal | None:
        found = next((offer for offer in self.offers if offer.service == service), None)
        if found is None:
            return None
        self.chosen = found
        return Signal.FOR_CHILD if found.child else Signal.CHOSEN

    def _agree(self, intent: Intent, state: State, asked: State) -> Signal | None:
        """Yes to the one service in question, each question by its own answer: a double tap does not answer two."""
        if state is not asked or self.chosen is None or intent.service != self.chosen.service:
            return None
        return Signal.CONFIRMED if asked is State.CONFIRM else Signal.CHOSEN


@dataclass(frozen=True, slots=True)
class _Meant:
    """signal: what an answer means. declined: why nothing was confirmed. anywhere: also where nothing is offered."""

    signal: Signal
    declined: Reason = Reason.NO_ANSWER
    anywhere: bool = True


_MEANT = {
    IntentKind.NOT_ME: _Meant(Signal.DECLINED, Reason.NOT_ME),
    IntentKind.NOT_MY_SERVICE: _Meant(Signal.CALLED, Reason.NOT_MY_SERVICE, anywhere=False),
    IntentKind.HELP: _Meant(Signal.CALLED, Reason.ASKED_FOR_HELP),
    IntentKind.WITHOUT_FACE: _Meant(Signal.WITHOUT_FACE),
    IntentKind.BACK: _Meant(Signal.BACK),
    IntentKind.STAY: _Meant(Signal.STAYED),
}
_FALLBACK_ENDS = {State.FALLBACK: Signal.BACK}
