"""What the reception tells the fund: who worked at the desk, and what was confirmed or corrected by hand.

Operators are pseudonyms as patients are. What somebody wrote in their own words stays at the desk. How events
become JSON is `events`'s.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from appliance.core.decision import Reason, Trial
from appliance.core.events import Event
from appliance.core.operators import Role


class IdentityCheck(StrEnum):
    """How a person at the reception made sure who the patient is."""

    ID_CARD = "id_card"
    """An identity document, its picture compared with the patient."""
    DIGITAL_CODE = "digital_code"
    """The code of a digital document."""
    GUARDIAN = "guardian"
    """The guardian's document; the guardian speaks for the patient."""
    OTHER = "other"


class FaceFailure(StrEnum):
    """Why the face did not do; the reasons the fund counts."""

    CAMERA_FAILURE = "camera_failure"
    LOW_LIGHT = "low_light"
    NO_MATCH = "no_match"
    AMBIGUOUS_MATCH = "ambiguous_match"
    LIVENESS_FAILED = "liveness_failed"
    REFUSED_BIOMETRICS = "refused_biometrics"
    CHILD = "child"
    NOT_ENROLLED = "not_enrolled"
    INJURY = "injury"
    HEAD_COVER = "head_cover"
    OUT_OF_SERVICE = "out_of_service"
    EMERGENCY = "emergency"
    HOME_VISIT = "home_visit"


class CorrectionReason(StrEnum):
    """Why a confirmation does not stand."""

    WRONG_SERVICE = "wrong_service"
    WRONG_PATIENT = "wrong_patient"
    NOT_GIVEN = "not_given"
    CONFIRMED_TWICE = "confirmed_twice"
    OTHER = "other"


class Relation(StrEnum):
    """What an adult who speaks for a child is to it."""

    PARENT = "parent"
    ADOPTIVE_PARENT = "adoptive_parent"
    GUARDIAN = "guardian"
    FOSTER_CARER = "foster_carer"
    OTHER = "other"
    """Another lawful representative, of an institution for instance."""


class SessionEnd(StrEnum):
    """How a session at the reception ended."""

    BY_HAND = "by_hand"
    ANOTHER = "another"
    """Somebody else signed in."""
    SHIFT_OVER = "shift_over"


@dataclass(frozen=True, slots=True)
class ConfirmedManually(Event):
    """Somebody at the reception confirmed a service without the patient's face.

    identity: how they made sure who it is. reason: why the face did not do. second: who agreed, above the shift's
    limit; else None. count: of the operator's manual confirmations this day, this one included; limit: up to which one
    person is enough. attempt: id of the event of the try at the kiosk before it, None where there was none. enrolled:
    whether the patient has templates at this desk.
    """

    KIND: ClassVar[str] = "confirmed_manually"

    patient: str
    service: str
    service_code: str
    provider: str
    identity: IdentityCheck
    reason: FaceFailure
    operator: str
    role: Role
    second: str | None
    count: int
    limit: int
    attempt: str | None
    enrolled: bool
    policy: str
    software: str

    def __post_init__(self) -> None:
        """Raise ValueError when it rests on one person above the limit, or on one person twice."""
        _two_above_the_limit(self.operator, self.second, self.count, self.limit)


@dataclass(frozen=True, slots=True)
class Corrected(Event):
    """A confirmation does not stand: it was taken back, or another service of the patient takes its place.

    receipt: id of the event that confirmed; it stays in the chain. service, service_code, provider: what it confirmed,
    which may be confirmed again. instead, instead_code, instead_provider: what counts in its place, by the evidence of
    that receipt; None where nothing does. second: who agreed, if anybody. count, limit: as in `ConfirmedManually`,
    among which a service in place of another counts; None where nothing takes its place.
    """

    KIND: ClassVar[str] = "corrected"

    receipt: str
    patient: str
    service: str
    service_code: str
    provider: str
    instead: str | None
    instead_code: str | None
    instead_provider: str | None
    reason: CorrectionReason
    operator: str
    second: str | None
    count: int | None
    limit: int | None
    software: str

    def __post_init__(self) -> None:
        """Raise ValueError when a service takes another's place uncounted, or above the limit by one person."""
        if (self.instead is None) != (self.count is None) or (self.count is None) != (self.limit is None):
            raise ValueError("a service in place of another is counted, and nothing else is")
        _two_above_the_limit(self.operator, self.second, self.count, self.limit)


@dataclass(frozen=True, slots=True)
class Invited(Event):
    """Reception asked that whoever stood at the patient's screen might try again.

    patient: whose card was open, by the operator's word; recognition makes no use of it.
    """

    KIND: ClassVar[str] = "invited"

    patient: str
    operator: str
    software: str


@dataclass(frozen=True, slots=True)
class PinSet(Event):
    """Somebody got a PIN and a role, the first or another. by: "terminal", where no operator is signed in."""

    KIND: ClassVar[str] = "pin_set"

    operator: str
    role: Role
    by: str
    software: str


@dataclass(frozen=True, slots=True)
class SignedIn(Event):
    """A session at the reception began. face_enrolled: whether the operator's face would be noticed at the kiosk."""

    KIND: ClassVar[str] = "signed_in"

    operator: str
    role: Role
    face_enrolled: bool
    software: str


@dataclass(frozen=True, slots=True)
class SignedOut(Event):
    """A session at the reception ended. A process that was killed leaves none; then the next `signed_in` follows."""

    KIND: ClassVar[str] = "signed_out"

    operator: str
    how: SessionEnd
    software: str


@dataclass(frozen=True, slots=True)
class GuardianNamed(Event):
    """An enrolled adult speaks for a child at this desk from now on.

    patient, guardian: pseudonyms of both. relation: what the adult is to the child, None where nobody asked. given_by:
    who gave the consent. first: the child became known here by this, with this consent, and without templates.
    operator: at the reception, else None.
    """

    KIND: ClassVar[str] = "guardian_named"
    VERSION: ClassVar[int] = 2

    patient: str
    guardian: str
    relation: Relation | None
    consent: str
    consent_version: str
    consent_language: str
    given_by: str
    first: bool
    policy: str
    software: str
    operator: str | None = None


@dataclass(frozen=True, slots=True)
class EnrolmentTried(Event):
    """Right after an enrolment one look was compared as a check-in's would be; no visit came of it.

    enrolment: id of its event. result: whether the patient was known again; reasons: of what a check-in would refuse,
    with `liveness_not_checked`: that is no part of it. quality: 0..100, of the worst frame.
    """

    KIND: ClassVar[str] = "enrolment_tried"

    patient: str
    enrolment: str
    result: Trial
    reasons: tuple[Reason, ...]
    quality: int
    operator: str | None
    pack: str
    policy: str
    software: str


def _two_above_the_limit(operator: str, second: str | None, count: int | None, limit: int | None) -> None:
    if second == operator or (second is None and count is not None and limit is not None and count > limit):
        raise ValueError("above the limit two people confirm")
