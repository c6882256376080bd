"""How often a face did not do, by clinic, desk or operator: confirmations by evidence, reasons, tries and alarms.

Pure. A fallback that nobody counts becomes the system: each kind stands beside the number of all confirmations. What
an event says of a service is `visits`'s.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from sync.envelope import parse_event
from sync.fund.rows import Device, NewEvent
from sync.fund.visits import BY_PEOPLE, KINDS, Confirmation, Evidence, found

_BESIDE: Final = {"refused": "tries", "declined": "declined", "alarm": "alarms"}
"""Other events that are counted, and as what."""

COUNTED: Final = KINDS | _BESIDE.keys()
"""Kinds of events to be handed in."""


class By(StrEnum):
    """Whose figures are put together."""

    CLINIC = "clinic"
    DESK = "desk"
    OPERATOR = "operator"
    """Of a clinic, by pseudonym; only what was done by hand has one."""


@dataclass(frozen=True, slots=True)
class Rates:
    """The figures of one clinic, desk or operator.

    evidence: confirmations that count, by what they rest on. reasons: why they were put on record by hand. agreed: how
    many of those a second person agreed to. refused: confirmations that the fund does not count. taken_back:
    corrections. tries: visits that came to nothing; declined: that the patient did not confirm; alarms.
    """

    who: str
    evidence: Mapping[Evidence, int]
    reasons: Mapping[str, int]
    agreed: int
    refused: int
    taken_back: int
    tries: int
    declined: int
    alarms: int

    @property
    def confirmed(self) -> int:
        """All confirmations that count."""
        return sum(self.evidence.values())

    @property
    def by_people(self) -> int:
        """Confirmations that are an operator's word."""
        return sum(self.evidence[kind] for kind in BY_PEOPLE)

    @property
    def by_hand(self) -> float | None:
        """Their share of all confirmations, 0 to 1; None without any."""
        return self.by_people / self.confirmed if self.confirmed else None


@dataclass(slots=True)
class RateBook:
    """Counts events of some days. first, last: by the desks' clocks, both included."""

    by: By
    first: date
    last: date
    _evidence: dict[str, Counter[Evidence]] = field(default_factory=lambda: defaultdict(Counter))
    _reasons: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    _other: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def add(self, row: NewEvent, device: Device) -> None:
        """Count an event of a registered device. Raises EnvelopeInvalid for a token that is no event."""
        if row.kind not in COUNTED:
            return
        event = parse_event(row.token).event
        if not self.first <= event.moment.wall.date() <= self.last:
            return
        if row.kind in _BESIDE:
            if self.by is not By.OPERATOR:
                self._other[self._who(device, "")][_BESIDE[row.kind]] += 1
            return
        for each in found(row, event, device.clinic):
            if isinstance(each, Confirmation):
                self._confirm(each, self._who(device, each.operator))
            else:
                self._other[self._who(device, each.operator)]["taken_back"] += 1

    def rates(self) -> tuple[Rates, ...]:
        """In order of who it is."""
        everybody = sorted({*self._evidence, *self._other})
        return tuple(
            Rates(
                who=who,
                evidence={kind: self._evidence[who][kind] for kind in Evidence},
                reasons=dict(self._reasons[who].most_common()),
                agreed=self._other[who]["agreed"],
                refused=self._other[who]["refused"],
                taken_back=self._other[who]["taken_back"],
                tries=self._other[who]["tries"],
                declined=self._other[who]["declined"],
                alarms=self._other[who]["alarms"],
            )
            for who in everybody
        )

    def _who(self, device: Device, operator: str) -> str:
        if self.by is By.DESK:
            return f"{device.clinic}, {device.desk} ({device.device})"
        return f"{device.clinic}, {operator[:_SHOWN]}" if self.by is By.OPERATOR else device.clinic

    def _confirm(self, each: Confirmation, who: str) -> None:
        if self.by is By.OPERATOR and not each.operator:
            return
        if each.refused is not None:
            self._other[who]["refused"] += 1
            return
        self._evidence[who][each.evidence] += 1
        if each.evidence in BY_PEOPLE:
            self._reasons[who][each.reason] += 1
            self._other[who]["agreed"] += bool(each.second)


_SHOWN: Final = 12
"""Hex digits of a pseudonym; the same operator is the same one at every desk."""
