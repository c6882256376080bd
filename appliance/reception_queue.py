"""What the reception sees: today's services with who needs help first, and one patient's card.

First name and initial, the last four digits of the IIN, reasons in codes, no score. Who may look is `front_desk`'s to
ask; words are `texts`'s.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from appliance.core.decision import Reason
from appliance.core.errors import IinInvalid, PersonUnknown, TemplateDamaged
from appliance.core.iin import Iin
from appliance.core.policy import ReceptionRule
from appliance.core.standing import Cause, How, Status
from appliance.core.types import PersonId, Sensitive
from appliance.day_book import Attempt, Day, DayBook
from appliance.records.desk import DeskRecords
from appliance.records.help_calls import HelpCall
from appliance.records.services import PlannedService

RECENT = timedelta(minutes=15)
"""How long a stranger's failed try is offered to be told whose it was; as long as a call for help waits."""


@dataclass(frozen=True, slots=True, repr=False)
class QueueRow(Sensitive):
    """One service of today. patient: pseudonym. name: first name and initial. last4: of the IIN.

    name, last4: empty for a patient who is not enrolled, of whom the desk knows a pseudonym only. names: of the service
    by language code. starts: HH:MM. causes: of today's failed tries while the service is open. call: number of the call
    for help that waits; claimed: nothing but the caller's own word says that it is this patient. receipt: event id of
    the confirmation, empty while it is open.
    """

    service: str
    patient: str
    starts: str
    name: str
    last4: str
    names: tuple[tuple[str, str], ...]
    room: str
    status: Status
    causes: tuple[Cause, ...]
    call: int | None
    claimed: bool
    receipt: str


@dataclass(frozen=True, slots=True, repr=False)
class CallRow(Sensitive):
    """A call for help by somebody with no service today, or unknown. claimed: only their word says who they are."""

    call: int
    at: str
    patient: str | None
    claimed: bool


@dataclass(frozen=True, slots=True, repr=False)
class Queue(Sensitive):
    """rows: who needs help first, then open ones, then confirmed ones, each by time. calls: oldest first.

    strangers: failed tries of the last quarter of an hour of whom nobody knows yet whose they were, newest first.
    """

    rows: tuple[QueueRow, ...]
    calls: tuple[CallRow, ...]
    strangers: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True, repr=False)
class ReceiptRow(Sensitive):
    """A confirmation. receipt: event id. at: RFC 3339. how: None for one of an earlier day.

    corrected_by: event id of what took it back; such a receipt is shown struck through. names: as in a `QueueRow`.
    """

    receipt: str
    at: str
    names: tuple[tuple[str, str], ...]
    room: str
    how: How | None
    corrected_by: str | None


@dataclass(frozen=True, slots=True, repr=False)
class Card(Sensitive):
    """What the reception sees of one patient. enrolled: whether the desk knows them by face and name.

    language: of the patient (kk, ru, en), empty where unknown. look_alikes: with how many others a face does not do.
    """

    patient: str
    name: str
    last4: str
    language: str
    enrolled: bool
    look_alikes: int
    services: tuple[QueueRow, ...]
    attempts: tuple[Attempt, ...]
    causes: tuple[Cause, ...]
    receipts: tuple[ReceiptRow, ...]


@dataclass(frozen=True, slots=True, repr=False)
class _Known(Sensitive):
    """Of an enrolled patient. full: what a search looks in."""

    name: str
    last4: str
    language: str
    full: str


_NOBODY = _Known("", "", "", "")
_OPEN = frozenset({Status.NEEDS_HELP, Status.WAITING, Status.NOT_COME})
_HARMLESS = frozenset(
    {Reason.LEFT, Reason.NO_SERVICE_TODAY, Reason.TOO_EARLY, Reason.ALREADY_CONFIRMED, Reason.NO_ANSWER}
)
"""Whoever came for nothing, or went away, does not wait for anybody."""


class ReceptionQueue:
    """Today's patients over one desk's records; lives on the thread that opened the database."""

    def __init__(self, records: DeskRecords, book: DayBook, rule: ReceptionRule) -> None:
        self._records = records
        self._book = book
        self._rule = rule
        self._known: dict[PersonId, _Known] = {}

    def show(self, now: datetime, search: str = "") -> Queue:
        """Today's services. search: part of a name, the last four digits of an IIN, or a whole one.

        A whole IIN also finds a patient who is not enrolled. Raises as `DayBook.read`.
        """
        day, calls = self._book.read(now.date()), self._records.help_calls.waiting(now)
        people = self._people(now)
        of = {call.patient: call for call in reversed(calls) if call.patient is not None}
        failed = _failed(day)
        rows, services = [], self._records.services.on(now.date())
        for planned in services:
            known = self._known.get(people.get(planned.patient, PersonId("")), _NOBODY)
            if self._fits(search, planned.patient, known):
                tries, call = failed.get(planned.patient, ()), of.get(planned.patient)
                rows.append(_row(planned, known, self._status(planned, day, tries, call, now), tries, call))
        rows.sort(key=lambda row: (_RANK[row.status], row.starts))
        shown = {planned.patient for planned in services}
        others = [call for call in calls if call.patient is None or call.patient not in shown]
        return Queue(
            rows=tuple(rows),
            calls=tuple(CallRow(call.number, call.called_at, call.patient, call.claimed) for call in others),
            strangers=tuple(_strangers(day, now)),
        )

    def card(self, patient: str, now: datetime) -> Card:
        """One patient, by pseudonym. Raises as `DayBook.read`."""
        person, day = self._records.people.named(patient), self._book.read(now.date())
        known = _NOBODY if person is None else self._open(person)
        tries = tuple(a for a in day.attempts if patient in (a.patient, day.helped.get(a.event)))
        services = []
        for planned in self._records.services.of_patient(patient, now.date()):
            failed = _failed(day).get(patient, ())
            services.append(_row(planned, known, self._status(planned, day, failed, None, now), failed, None))
        return Card(
            patient=patient,
            name=known.name,
            last4=known.last4,
            language=known.language,
            enrolled=person is not None,
            look_alikes=0 if person is None else len(self._records.look_alikes.of(person)),
            services=tuple(services),
            attempts=tries,
            causes=_counted(tries),
            receipts=tuple(
                ReceiptRow(
                    visit.receipt, visit.at, visit.names, visit.room, day.how.get(visit.receipt), visit.corrected
                )
                for visit in self._records.services.visits(patient)
            ),
        )

    def corrected(self, now: datetime) -> int:
        """How many receipts were taken back today."""
        return self._book.read(now.date()).corrected

    @property
    def names_in_memory(self) -> int:
        """Of how many patients the name is opened just now."""
        return len(self._known)

    def forget_names(self) -> None:
        """Drop the opened names; for when nobody is signed in any more."""
        self._known.clear()

    def _people(self, now: datetime) -> dict[str, PersonId]:
        """Today's enrolled patients by pseudonym, their names opened; any other name is dropped."""
        people = self._records.services.patients(now.date())
        present = set(people.values())
        self._known = {who: known for who, known in self._known.items() if who in present}
        for person in present - self._known.keys():
            self._known[person] = self._open(person)
        return people

    def _open(self, person: PersonId) -> _Known:
        try:
            profile = self._records.people.profile(person)
        except (PersonUnknown, TemplateDamaged):  # erased just now, or to be enrolled again: the service stays
            return _NOBODY
        full = f"{profile.given_name} {profile.family_name} {profile.given_name}"
        return _Known(profile.greeting, profile.iin.digits[-4:], profile.language, full.casefold())

    def _fits(self, search: str, patient: str, known: _Known) -> bool:
        wanted = " ".join(search.split()).casefold()
        if len(wanted.replace(" ", "")) == 12 and wanted.replace(" ", "").isdigit():
            try:
                return self._records.people.pseudonym(Iin.parse(wanted)) == patient
            except IinInvalid:
                return False
        return wanted in known.full or wanted == known.last4

    def _status(
        self, planned: PlannedService, day: Day, tries: Sequence[Attempt], call: HelpCall | None, now: datetime
    ) -> Status:
        if planned.event is not None:
            how = day.how.get(planned.event)
            return Status.CONFIRMED if how is None else Status(how.value)
        if call is not None or tries:
            return Status.NEEDS_HELP
        starts = datetime.fromisoformat(planned.starts_at).replace(tzinfo=now.tzinfo)
        return Status.NOT_COME if now - starts > timedelta(seconds=self._rule.late) else Status.WAITING


_RANK = {status: (0 if status is Status.NEEDS_HELP else 1 if status in _OPEN else 2) for status in Status}


def _row(
    planned: PlannedService, known: _Known, status: Status, tries: Sequence[Attempt], call: HelpCall | None
) -> QueueRow:
    waiting = call if planned.event is None else None
    return QueueRow(
        service=planned.service,
        patient=planned.patient,
        starts=planned.starts_at[11:],
        name=known.name,
        last4=known.last4,
        names=planned.names,
        room=planned.room,
        status=status,
        causes=_counted(tries) if planned.event is None else (),
        call=waiting.number if waiting else None,
        claimed=waiting is not None and waiting.claimed,
        receipt=planned.event or "",
    )


def _failed(day: Day) -> dict[str, tuple[Attempt, ...]]:
    """The tries of each known patient that a person should look at."""
    found: dict[str, list[Attempt]] = {}
    for attempt in day.attempts:
        if attempt.patient is not None and attempt.event not in day.helped and set(attempt.causes) - _HARMLESS:
            found.setdefault(attempt.patient, []).append(attempt)
    return {patient: tuple(tries) for patient, tries in found.items()}


def _strangers(day: Day, now: datetime) -> Iterator[Attempt]:
    for attempt in reversed(day.attempts):
        recent = abs(now - datetime.fromisoformat(attempt.at)) <= RECENT
        if attempt.patient is None and recent and attempt.event not in day.helped:
            yield attempt


def _counted(tries: Sequence[Attempt]) -> tuple[Cause, ...]:
    """Most often first; what happened once in the order it did."""
    counts = Counter(cause for attempt in tries for cause in attempt.causes)
    return tuple(Cause(code, times) for code, times in counts.most_common())
