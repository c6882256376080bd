"""What the desk may tell the fund: one class per kind of event, each with a version.

An event carries who received which service from whom, where and when, and the evidence it rests on. It
never carries a name, a full IIN, an image or a template: a patient is a pseudonym that only the fund can
resolve. The envelope around it (sequence, chain, clocks, signature) belongs to `sync`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from typing import ClassVar

from appliance.core.decision import Decision, Reason
from appliance.core.types import Cue, LivenessVerdict

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]


class LivenessMethod(StrEnum):
    """How liveness was checked."""

    NONE = "none"
    PASSIVE = "passive"
    CHALLENGE = "challenge"
    PASSIVE_AND_CHALLENGE = "passive_and_challenge"


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What was the case at the desk, whatever the outcome.

    pack, policy: digests of what decided. software: version. camera: name of the frame source. attempts: tries used.
    earlier: why the tries before the last one failed. quality: unified quality 0..100 of the worst frame used, None
    when none was. began: RFC 3339 time of arrival. liveness_cause: how the challenge ended, None without one.
    liveness_score: what the pack's passive models gave the held face, 0..1; liveness_accept, liveness_reject: from
    where on, and below what, that score decides; None where the pack has none. liveness_steps: what the challenge asked
    for, in order.
    """

    pack: str
    policy: str
    software: str
    camera: str
    began: str
    attempts: int
    earlier: tuple[Reason, ...]
    quality: int | None
    liveness: LivenessVerdict
    liveness_method: LivenessMethod
    liveness_cause: str | None
    liveness_score: float | None = None
    liveness_accept: float | None = None
    liveness_reject: float | None = None
    liveness_steps: tuple[Cue, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """The figures of the comparison that decided; cosine similarities rounded to 4 digits.

    pack: digest of the one whose scores these are. second: of the best other person, on the list that decided or
    anywhere in the gallery. compared, gallery: people. templates: of the compared people. elsewhere: people who were
    searched by another pack, during a migration.
    """

    pack: str
    mode: str
    score: float | None
    second: float | None
    threshold: float
    margin: float
    agreement: float
    compared: int
    gallery: int
    templates: int
    elsewhere: int
    extrapolated: bool

    @classmethod
    def of(cls, decision: Decision) -> "Comparison":
        """Take the figures over from a decision."""
        e = decision.evidence
        best = e.result.candidates[0].person if e.result.candidates else None
        rivals = [c.score for r in (e.result, e.gallery) for c in r.candidates if c.person != best]
        return cls(
            pack=e.pack,
            mode=e.result.mode.value,
            score=None if decision.score is None else round(decision.score, 4),
            second=round(max(rivals), 4) if rivals else None,
            threshold=round(e.thresholds.accept, 4),
            margin=round(e.thresholds.margin, 4),
            agreement=round(e.agreement, 4),
            compared=e.result.compared,
            gallery=e.result.gallery,
            templates=e.result.templates,
            elsewhere=sum(other.result.compared for other in e.elsewhere),
            extrapolated=e.thresholds.extrapolated,
        )


def _json(value: object) -> Json:
    """Dataclasses become objects, tuples lists, enums their text; anything else must be JSON already."""
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("an event cannot carry a figure that is no number")
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, tuple):
        return [_json(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _json(getattr(value, f.name)) for f in fields(value)}
    raise TypeError(f"an event cannot carry {type(value).__name__}")


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all events. KIND and VERSION name the format; readers ignore fields they do not know."""

    KIND: ClassVar[str] = ""
    VERSION: ClassVar[int] = 1

    def data(self) -> Mapping[str, Json]:
        """The event as a JSON object. Raises ValueError for NaN and infinity, which JSON does not have."""
        return {f.name: _json(getattr(self, f.name)) for f in fields(self)}


@dataclass(frozen=True, slots=True)
class CheckedIn(Event):
    """A patient, or a child's guardian, was recognised alive and confirmed a service.

    patient: pseudonym. consent, template: of whose face it was; template: keyed hash of the one that matched.
    provider: who gives the service. guardian: pseudonym of who was recognised in place of the child; else None.
    """

    KIND: ClassVar[str] = "checked_in"
    VERSION: ClassVar[int] = 3

    patient: str
    service: str
    service_code: str
    provider: str
    consent: str
    template: str
    reasons: tuple[Reason, ...]
    comparison: Comparison
    circumstances: Circumstances
    guardian: str | None = None

    def __post_init__(self) -> None:
        """Raise ValueError unless the evidence says live: no other visit is confirmed by face."""
        if self.circumstances.liveness is not LivenessVerdict.LIVE:
            raise ValueError("only a live person checks in by face")


class WithoutFace(StrEnum):
    """How a patient was identified who was not recognised by face."""

    IIN_CODE = "iin_code"
    """The IIN, and the code that the clinic gave to the patient for a visit of that day."""


@dataclass(frozen=True, slots=True)
class ConfirmedWithoutFace(Event):
    """A patient identified otherwise confirmed a service. reasons: why not by face. Fields else as of `CheckedIn`."""

    KIND: ClassVar[str] = "confirmed_without_face"

    patient: str
    service: str
    service_code: str
    provider: str
    method: WithoutFace
    reasons: tuple[Reason, ...]
    circumstances: Circumstances

    def __post_init__(self) -> None:
        """Raise ValueError without a reason: a face is never passed over in silence."""
        if not self.reasons:
            raise ValueError("a visit without a face has reasons")


@dataclass(frozen=True, slots=True)
class Refused(Event):
    """The desk did not recognise somebody, or there was nothing to confirm. patient: only where it was recognised."""

    KIND: ClassVar[str] = "refused"
    VERSION: ClassVar[int] = 2

    patient: str | None
    reasons: tuple[Reason, ...]
    hint: str | None
    comparison: Comparison | None
    circumstances: Circumstances

    def __post_init__(self) -> None:
        """Raise ValueError for a refusal without reasons."""
        if not self.reasons:
            raise ValueError("a refusal has reasons")


@dataclass(frozen=True, slots=True)
class Declined(Event):
    """A patient said "not me" or "not my service", or gave no answer. comparison: None without a face."""

    KIND: ClassVar[str] = "declined"
    VERSION: ClassVar[int] = 3

    patient: str
    reason: Reason
    services: tuple[str, ...]
    comparison: Comparison | None
    circumstances: Circumstances


@dataclass(frozen=True, slots=True)
class Enrolled(Event):
    """A patient gave consent and templates.

    source: camera or photo. duplicates_checked: people searched. look_alikes: how many people with this face were
    known of and are flagged with the patient. operator: at the reception, else None. supervisor: who overruled there.
    spare: templates by `spare_pack`, to which the desk goes back if its pack on trial is given up.
    """

    KIND: ClassVar[str] = "enrolled"
    VERSION: ClassVar[int] = 2

    patient: str
    consent: str
    consent_version: str
    consent_language: str
    given_by: str
    templates: tuple[str, ...]
    pack: str
    policy: str
    software: str
    source: str
    quality: int
    duplicates_checked: int
    duplicate_overruled: bool
    look_alikes: int
    operator: str | None = None
    supervisor: str | None = None
    spare: tuple[str, ...] = ()
    spare_pack: str | None = None


@dataclass(frozen=True, slots=True)
class ReTemplated(Event):
    """A confirmed visit gave templates of a new pack; those of the old one stay until that pack is retired.

    visit: id of the event of that visit. pack: of the new templates. matched_by: the pack that recognised the patient.
    """

    KIND: ClassVar[str] = "re_templated"

    patient: str
    consent: str
    visit: str
    templates: tuple[str, ...]
    pack: str
    matched_by: str
    policy: str
    software: str


@dataclass(frozen=True, slots=True)
class LookAlike(Event):
    """Two patients were flagged as look-alikes, or the flag was taken back. how: declared, or found at an enrolment."""

    KIND: ClassVar[str] = "look_alike"

    patients: tuple[str, str]
    flagged: bool
    how: str
    software: str


@dataclass(frozen=True, slots=True)
class StaffEnrolled(Event):
    """Somebody who works here gave consent and templates, to be told from the patients. Fields as of `Enrolled`."""

    KIND: ClassVar[str] = "staff_enrolled"

    operator: str
    consent: str
    consent_version: str
    consent_language: str
    templates: tuple[str, ...]
    pack: str
    policy: str
    software: str
    source: str
    quality: int
    spare: tuple[str, ...] = ()
    spare_pack: str | None = None


@dataclass(frozen=True, slots=True)
class StaffForgotten(Event):
    """Templates, data key and profile of somebody who worked here were erased. reason: as given."""

    KIND: ClassVar[str] = "staff_forgotten"

    operator: str
    consent: str | None
    templates: int
    reason: str
    software: str


@dataclass(frozen=True, slots=True)
class Forgotten(Event):
    """A patient's templates, key and profile were erased. reason: as given. operator: at the reception, else None."""

    KIND: ClassVar[str] = "forgotten"
    VERSION: ClassVar[int] = 2

    patient: str
    consent: str | None
    templates: int
    reason: str
    software: str
    operator: str | None = None


@dataclass(frozen=True, slots=True)
class Alarm(Event):
    """Something an auditor should see. what: a code. detail: no personal data, nothing a camera may choose freely.

    who: pseudonyms of those concerned.

    camera_failure: no pictures, frozen or black ones; detail: code. visit_failed: a visit could not be recorded;
    detail: code. camera_refused: made by a program, not listed, or swapped while the desk ran; detail: why, with USB
    ids, or code. camera_changed: another camera than last time; detail: its USB ids. staff_face: the face of somebody
    of the staff was presented for a patient, or as one (who: the operator, then the patient where there is one).
    one_face_several_people: a face that is enrolled was enrolled, or tried to be, under another number.
    several_faces_one_person: pictures of different people were given under one number. many_wards: somebody speaks for
    more children than a family has (who: the adult, the child); detail: how many. frames_frozen, frames_looping:
    the pictures of a visit stood still, or came again; replayed_face: a face of an earlier visit at this desk, too
    alike to be captured again. Each at most once a visit, which then is not live. impossible_pace: more visits in
    an hour than a provider or the desk can serve, at most once an hour for each; detail: whose, and how many.
    operator_locked: wrong PINs in a row at the reception, from the one on that makes the operator (who) wait; detail:
    how many. rolled_back: the desk was started from an older copy of its records; detail: how many events it took over
    from the journal, or code when it could not and signs nothing any more.
    """

    KIND: ClassVar[str] = "alarm"

    what: str
    detail: str
    software: str
    who: tuple[str, ...] = ()
