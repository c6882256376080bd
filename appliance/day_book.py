"""What was signed today about patients: tries that came to nothing, and how each receipt came about.

Read once from the ledger and then as it grows: the events say it already, so no table says it a second time. What a
receptionist is shown of it is `reception_queue`'s.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from appliance.core.decision import Reason
from appliance.core.events import CheckedIn, ConfirmedWithoutFace, Declined, Refused
from appliance.core.quality import Hint
from appliance.core.reception_events import ConfirmedManually, Corrected
from appliance.core.standing import How
from sync.database import Database, known
from sync.drafts import Drafts
from sync.envelope import Event, parse_event
from sync.ledger import Ledger
from sync.strict_json import Json

_PAGE = 200


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try at the kiosk that came to nothing. event: its id. at: RFC 3339. patient: pseudonym; None for a stranger.

    causes: why, the last try's first, each as often as it came; no score is among them.
    """

    event: str
    at: str
    patient: str | None
    causes: tuple[Reason | Hint, ...]


@dataclass(frozen=True, slots=True)
class Day:
    """attempts: oldest first. how: each receipt (event id) came about. helped: whose an attempt was, as told by hand.

    corrected: how many receipts were taken back.
    """

    attempts: tuple[Attempt, ...]
    how: Mapping[str, How]
    helped: Mapping[str, str]
    corrected: int


class DayBook:
    """Follows one desk's ledger; lives on the thread that opened the database."""

    def __init__(self, db: Database, ledger: Ledger) -> None:
        self._drafts = Drafts(db)
        self._ledger = ledger
        self._day = date.min
        self._upto = 0
        self._signed: list[Event] = []
        self._told: Day | None = None

    def read(self, day: date) -> Day:
        """What was signed on a day, or waits for the key. Raises LedgerBroken, EnvelopeInvalid, and as `known`."""
        if day != self._day:
            self._day, self._signed, self._upto, self._told = day, [], self._before(day), None
        while page := self._ledger.entries(self._upto, _PAGE):
            self._signed += [
                parse_event(entry.token).event for entry in page if entry.kind in _KINDS and entry.wall.date() == day
            ]
            self._upto, self._told = page[-1].seq, None
        with known():
            waiting = [e for e in self._drafts.all() if e.kind in _KINDS and e.moment.wall.date() == day]
        if waiting:
            return _told([*self._signed, *waiting])
        self._told = self._told or _told(self._signed)
        return self._told

    def _before(self, day: date) -> int:
        """The number from which on there may be events of a day: back in pages, until one has none of it or later."""
        upto = self._ledger.head().seq
        while upto > 0:
            first = max(0, upto - _PAGE)
            if all(entry.wall.date() < day for entry in self._ledger.entries(first, upto - first)):
                break
            upto = first
        return upto


_CONFIRMED = {CheckedIn.KIND: How.BY_FACE, ConfirmedWithoutFace.KIND: How.BY_CODE, ConfirmedManually.KIND: How.BY_HAND}
_KINDS = frozenset({*_CONFIRMED, Corrected.KIND, Refused.KIND, Declined.KIND})


def _told(events: list[Event]) -> Day:
    attempts: list[Attempt] = []
    how: dict[str, How] = {}
    helped: dict[str, str] = {}
    for event in events:
        data = event.data
        if event.kind in _CONFIRMED:
            how[event.event_id] = How.GUARDIAN if isinstance(data.get("guardian"), str) else _CONFIRMED[event.kind]
            if isinstance(attempt := data.get("attempt"), str):
                helped[attempt] = str(data["patient"])
        elif event.kind == Corrected.KIND:  # what takes its place rests on the same evidence
            how[event.event_id] = how.get(str(data["receipt"]), How.BY_HAND)
        else:
            patient = data.get("patient")
            at = event.moment.wall.isoformat(timespec="seconds")
            attempts.append(Attempt(event.event_id, at, patient if isinstance(patient, str) else None, _causes(data)))
    return Day(tuple(attempts), how, helped, sum(event.kind == Corrected.KIND for event in events))


def _causes(data: Mapping[str, Json]) -> tuple[Reason | Hint, ...]:
    """Reasons of the event and of the earlier tries of the visit; where no face was got, the hint says more."""
    about = data.get("circumstances")
    earlier = about.get("earlier") if isinstance(about, dict) else None
    found = list(_reasons(data.get("reasons")))
    if isinstance(reason := data.get("reason"), str):
        found.append(Reason(reason))
    hint = data.get("hint")
    if Reason.NOT_ACQUIRED in found and isinstance(hint, str):
        return (Hint(hint), *(r for r in (*found, *_reasons(earlier)) if r is not Reason.NOT_ACQUIRED))
    return (*found, *_reasons(earlier))


def _reasons(told: Json) -> Iterator[Reason]:
    for each in told if isinstance(told, list) else ():
        yield Reason(str(each))
