"""What the desk needs from the outside worlds; each port has one named door that implements it.

A port guarantees its error types whatever library works behind it.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from appliance.core.decision import Decision, Reason
from appliance.core.events import Circumstances
from appliance.core.snapshot import Offer
from appliance.core.types import Embedding, Face, Frame, LivenessVerdict, MatchResult, Observation, PersonId, Sensitive


class FrameSource(Protocol):
    """Frames of one camera, recording or scripted scene, in order of time."""

    @property
    def name(self) -> str:
        """Stable name of the source, as recorded in events."""

    def read(self) -> Frame | None:
        """The newest frame not given before; None when a recording has ended.

        A live source waits for the next frame and never gives one twice.
        Raises CameraUnavailable or CameraFrozen; may be called again afterwards.
        """

    def close(self) -> None:
        """Release the device; harmless when called twice."""


class Observer(Protocol):
    """The measuring side: one model pack, opened."""

    def observe(self, frame: Frame) -> Observation:
        """Find and measure the faces of a frame."""

    def embed(self, frame: Frame, face: Face) -> Embedding:
        """Compute the embedding of one face of this frame."""

    def live_score(self, frame: Frame, face: Face) -> float | None:
        """How live one face of this frame looks: mean probability of the pack's attack detectors, 0..1.

        None: the pack has none.
        """

    def unified_quality(self, frame: Frame, face: Face) -> float | None:
        """How well one face of this frame will be recognised, 0..100 (ISO/IEC 29794-5). None: the pack cannot tell."""


class Beside(Protocol):
    """Whoever sees visits beside the pack in use, and decides nothing."""

    def look(self, frame: Frame, seen: Observation, passed: bool) -> None:
        """A frame of the visit, as the pack in use saw it. passed: the gate of a check-in."""

    def end(self, liveness: LivenessVerdict) -> None:
        """The visit is over; what it was found to be."""


class Matcher(Protocol):
    """Comparison of a probe with enrolled templates of the same pack."""

    def verify(self, probe: Embedding, person: PersonId) -> MatchResult:
        """1:1. A person without a template gives a result without candidates."""

    def among(self, probe: Embedding, people: frozenset[PersonId]) -> MatchResult:
        """1:few, against the templates of these people only."""

    def identify(self, probe: Embedding, limit: int = 5) -> MatchResult:
        """1:N, against the whole gallery: the best `limit` people."""


@dataclass(frozen=True, slots=True, repr=False)
class Reception(Sensitive):
    """What the desk knows of a recognised patient today.

    greeting: first name and initial. offers: services that can be confirmed now, the next first. confirmed: event id of
    a visit confirmed today, else empty. early: RFC 3339 start of the next service where all that is left is too far off
    to be confirmed yet, else empty. at: RFC 3339, when that visit was confirmed.
    """

    greeting: str
    offers: tuple[Offer, ...]
    confirmed: str
    early: str = ""
    at: str = ""


class Proof(StrEnum):
    """What somebody's word who they are rests on."""

    CODE = "code"
    """The code of today's visit, which the clinic gave to the patient."""
    WRONG = "wrong"
    """Number and code do not belong together."""
    NONE = "none"
    """No code, or none that helps any more."""


@dataclass(frozen=True, slots=True, repr=False)
class Claim(Sensitive):
    """Who somebody says they are, without a face.

    patient: pseudonym; empty where the number is nobody's. reception: exactly with the right code.
    """

    proof: Proof
    patient: str
    reception: Reception | None = None


class Desk(Protocol):
    """The records of the desk: who is expected, and where every outcome becomes one signed event.

    Each `record_` method is one durable transaction and returns the event's id; when it raises a KnownFailure,
    nothing was recorded.
    """

    def expected(self) -> frozenset[PersonId]:
        """The enrolled people who have a service today."""

    def under_age(self, person: PersonId) -> bool:
        """Whether an enrolled person is below the policy's age for 1:N."""

    def receive(self, person: PersonId) -> Reception:
        """What to greet with and to offer."""

    def claim(self, iin: str, code: str) -> Claim:
        """Judge a number and a code as they were typed; an empty code is none. Raises KnownFailure."""

    def call(self, known: PersonId | Claim | None) -> int:
        """Call reception, once this returns for good. known: who was recognised, or who somebody says they are.

        Gives the place among those who wait. Raises KnownFailure.
        """

    def invited(self) -> bool:
        """Whether reception asked just now that whoever stands there tries again; told once.

        Raises KnownFailure.
        """

    def just_confirmed(self) -> tuple[str, Offer] | None:
        """Event id and service of the youngest visit at this screen, while the policy shows it again after a restart.

        Raises KnownFailure.
        """

    def unsigned(self) -> int:
        """How many recorded events wait for the device's key."""

    def record_visit(self, decision: Decision, service: str, about: Circumstances) -> str:
        """The patient confirmed this service."""

    def record_without_face(self, claim: Claim, service: str, reasons: tuple[Reason, ...], about: Circumstances) -> str:
        """A patient with the right code confirmed this service. reasons: why not by face."""

    def record_refusal(
        self,
        known: PersonId | Claim | None,
        reasons: tuple[Reason, ...],
        hint: str | None,
        decision: Decision | None,
        about: Circumstances,
    ) -> str:
        """Nobody was recognised, or there was nothing to confirm."""

    def record_decline(self, known: Decision | Claim, reason: Reason, about: Circumstances) -> str:
        """The patient, recognised or with the right code, said no, or gave no answer."""

    def record_alarm(self, what: str, detail: str) -> str:
        """Something an auditor should see."""
