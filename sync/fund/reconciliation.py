"""What a clinic claims against what its patients confirmed: one verdict a claim, with the event that proves it.

Pure. Which events there are is `visits`'s and the store's; how claims are written down belongs to whoever reads them.
A claim without a confirmation is held against a clinic only when every desk of it has delivered that day: a desk signs
in order and delivers in order, so whoever has sent something of a later day has sent everything before.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from sync.fund.visits import Confirmation, TakenBack


class Verdict(StrEnum):
    """What becomes of a claim."""

    CONFIRMED = "confirmed"
    OTHER_PROVIDER = "other_provider"
    """Confirmed that day for another provider than the claim names."""
    DUPLICATE = "duplicate"
    """The service was confirmed less often than it is claimed."""
    REFUSED = "refused"
    """Confirmed by an event that the fund refused."""
    TAKEN_BACK = "taken_back"
    """Confirmed, and taken back by the reception."""
    WAITING = "waiting"
    """Not confirmed, and a desk of the clinic has not delivered that day to its end."""
    NO_DESK = "no_desk"
    """No desk of such a clinic is registered here."""
    UNCONFIRMED = "unconfirmed"


@dataclass(frozen=True, slots=True)
class Claim:
    """A service that a clinic wants to be paid for. name: the clinic's own number of it. patient: pseudonym.

    clinic: as its desks are registered. day: by the clinic's clock.
    """

    name: str
    clinic: str
    patient: str
    code: str
    provider: str
    day: date


@dataclass(frozen=True, slots=True)
class Judged:
    """A claim with its verdict. by: the confirmation that supports it, or that would if it stood; None without any."""

    claim: Claim
    verdict: Verdict
    by: Confirmation | None = None


@dataclass(frozen=True, slots=True)
class Delivered:
    """How far a desk has delivered. upto: the day of its newest event; None: it never sent one.

    closed: blocked or revoked, so that nothing more will come.
    """

    device: str
    clinic: str
    upto: date | None
    closed: bool = False

    def may_still_send(self, day: date) -> bool:
        """Whether an event of a day may be on its way. A desk that never sent anything may have been cut off so far."""
        return not self.closed and (self.upto is None or self.upto <= day)


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a file of claims.

    judged: in the order of the claims. unclaimed: standing confirmations, of the clinics and days claimed, that no
    claim needed, by clinic. late: the desks for which claims wait.
    """

    judged: tuple[Judged, ...]
    unclaimed: Mapping[str, int]
    late: tuple[Delivered, ...]


_Key = tuple[str, str, str, date]
"""Clinic, patient, service code, day."""


@dataclass(slots=True)
class Reconciliation:
    """Takes what the events say in any order, then judges the claims."""

    claims: Sequence[Claim]
    _found: dict[_Key, list[Confirmation]] = field(default_factory=lambda: defaultdict(list))
    _back: set[tuple[str, str]] = field(default_factory=set)
    _wanted: frozenset[tuple[str, date]] = frozenset()

    def __post_init__(self) -> None:
        """Which days of which clinics matter."""
        self._wanted = frozenset((claim.clinic, claim.day) for claim in self.claims)

    @property
    def first_day(self) -> date | None:
        """The oldest day claimed; None without claims."""
        return min((claim.day for claim in self.claims), default=None)

    def add(self, said: Iterable[Confirmation | TakenBack]) -> None:
        """Take what an event says into account."""
        for each in said:
            if isinstance(each, TakenBack):
                self._back.add((each.receipt, each.clinic))
            elif (each.clinic, each.day) in self._wanted:
                self._found[_key(each)].append(each)

    def report(self, desks: Sequence[Delivered]) -> Report:
        """Judge every claim. desks: all that are registered, as they had delivered before the events were read."""
        by_clinic: dict[str, list[Delivered]] = defaultdict(list)
        for desk in desks:
            by_clinic[desk.clinic].append(desk)
        claimed: dict[_Key, list[int]] = defaultdict(list)
        for place, claim in enumerate(self.claims):
            claimed[_key(claim)].append(place)
        judged: dict[int, Judged] = {}
        unclaimed: Counter[str] = Counter()
        for key in claimed | self._found:
            left = [each for each in self._found.get(key, ()) if self._stands(each)]
            others = []
            for place in claimed.get(key, ()):
                claim = self.claims[place]
                if (by := self._take(left, claim.provider)) is not None:
                    judged[place] = Judged(claim, Verdict.CONFIRMED, by)
                else:
                    others.append(place)
            for place in others:
                judged[place] = self._without(self.claims[place], left, by_clinic[key[0]])
            unclaimed[key[0]] += len(left)
        late = {
            desk
            for one in judged.values()
            if one.verdict is Verdict.WAITING
            for desk in by_clinic[one.claim.clinic]
            if desk.may_still_send(one.claim.day)
        }
        in_order = tuple(judged[place] for place in range(len(self.claims)))
        return Report(in_order, +unclaimed, tuple(sorted(late, key=lambda desk: desk.device)))

    def _stands(self, each: Confirmation) -> bool:
        return each.refused is None and (each.event_id, each.clinic) not in self._back

    @staticmethod
    def _take(left: list[Confirmation], provider: str) -> Confirmation | None:
        """One of this provider's confirmations, out of those left: it supports no other claim."""
        for each in left:
            if each.provider == provider:
                left.remove(each)
                return each
        return None

    def _without(self, claim: Claim, left: list[Confirmation], desks: Sequence[Delivered]) -> Judged:
        """A claim for which no confirmation of its provider is left."""
        if left:
            return Judged(claim, Verdict.OTHER_PROVIDER, left.pop(0))
        known = self._found.get(_key(claim), ())
        for verdict, such in (
            (Verdict.DUPLICATE, [each for each in known if self._stands(each)]),
            (Verdict.TAKEN_BACK, [each for each in known if each.refused is None]),
            (Verdict.REFUSED, list(known)),
        ):
            if such:
                return Judged(claim, verdict, such[-1])
        if not desks:
            return Judged(claim, Verdict.NO_DESK)
        waits = any(desk.may_still_send(claim.day) for desk in desks)
        return Judged(claim, Verdict.WAITING if waits else Verdict.UNCONFIRMED)


def _key(each: Claim | Confirmation) -> _Key:
    return each.clinic, each.patient, each.code, each.day
