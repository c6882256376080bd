"""What desks' events say about services: which were confirmed, on what evidence, and which were taken back.

Pure. What claims are compared with them is `reconciliation`'s, how often which evidence was used `rates`'s. The members
of an event belong to its kind (PROTOCOL.md, section 9; `appliance.core.events`); whoever signed one may have been
anybody's desk, so that one without what a kind has says nothing here.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from sync.envelope import Event
from sync.fund.rows import NewEvent
from sync.strict_json import Json, JsonObject


class Evidence(StrEnum):
    """On what a confirmation rests, the strongest first."""

    FACE = "face"
    GUARDIAN = "guardian"
    """The face of an adult who speaks for a child."""
    CODE = "code"
    BY_HAND = "by_hand"
    CORRECTED = "corrected"
    """The reception put it in the place of another service of that patient and day."""


BY_PEOPLE: Final = frozenset({Evidence.BY_HAND, Evidence.CORRECTED})
"""Evidence that is an operator's word."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A service that a desk confirmed. event_id, device, seq: where its proof is. patient: pseudonym. at: desk's time.

    operator, second: pseudonyms of who did it by hand and who agreed, empty where nobody did. reason: why the face did
    not do, or why it was corrected. refused: the fund's own reason why the event does not count, or None.
    """

    event_id: str
    device: str
    seq: int
    clinic: str
    patient: str
    code: str
    provider: str
    at: datetime
    evidence: Evidence
    operator: str = ""
    second: str = ""
    reason: str = ""
    refused: str | None = None

    @property
    def day(self) -> date:
        """By the clinic's clock."""
        return self.at.date()


@dataclass(frozen=True, slots=True)
class TakenBack:
    """A confirmation that does not stand. receipt: its event's id. clinic: whose desk says so. operator: who did it."""

    receipt: str
    clinic: str
    operator: str = ""


KINDS: Final = frozenset({"checked_in", "confirmed_without_face", "confirmed_manually", "corrected"})
"""Of events that confirm a service or take one back."""


def found(row: NewEvent, event: Event, clinic: str) -> tuple[Confirmation | TakenBack, ...]:
    """What an event of a clinic's desk says about services: nothing, one thing, or two (a correction).

    row: as it is stored; event: what its token holds.
    """
    if row.kind not in KINDS:
        return ()
    if row.kind == "corrected":
        back = TakenBack(_text(event.data, "receipt"), clinic, _text(event.data, "operator"))
        return (*((back,) if row.refused is None else ()), *_confirmation(row, event, clinic, Evidence.CORRECTED))
    evidence = {"confirmed_without_face": Evidence.CODE, "confirmed_manually": Evidence.BY_HAND}.get(row.kind)
    if evidence is None:
        evidence = Evidence.GUARDIAN if _text(event.data, "guardian") else Evidence.FACE
    return _confirmation(row, event, clinic, evidence)


def _confirmation(row: NewEvent, event: Event, clinic: str, evidence: Evidence) -> tuple[Confirmation, ...]:
    corrected, by_people, data = evidence is Evidence.CORRECTED, evidence in BY_PEOPLE, event.data
    patient, code = _text(data, "patient"), _text(data, "instead_code" if corrected else "service_code")
    if not patient or not code:
        return ()
    return (
        Confirmation(
            event_id=row.event_id,
            device=row.device,
            seq=row.seq,
            clinic=clinic,
            patient=patient,
            code=code,
            provider=_text(data, "instead_provider" if corrected else "provider"),
            at=event.moment.wall,
            evidence=evidence,
            operator=_text(data, "operator") if by_people else "",
            second=_text(data, "second") if by_people else "",
            reason=_text(data, "reason") if by_people else "",
            refused=row.refused,
        ),
    )


def _text(data: JsonObject, name: str) -> str:
    value: Json = data.get(name)
    return value if isinstance(value, str) else ""
