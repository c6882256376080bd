"""Use cases of moving from one model pack to the next: how far it has come, and the end of the old pack.

New templates come from enrolments and confirmed visits (`enrolment`, `checkin`); which packs a desk works with
stands in its configuration.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from appliance.checkin import append
from appliance.core.errors import MigrationUnfinished
from appliance.core.machine_events import PackRetired
from appliance.core.policy import Policy
from appliance.core.types import PackDigest, PersonId
from appliance.enrolment import clear_log
from appliance.records.desk import DeskRecords
from sync.clock import Clock
from sync.database import immediate
from sync.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a desk has come, in people. pack: the one it moves to.

    moved: have templates of it, or of a pack of its form. both: of those, also of another. waiting: have templates of
    another pack only, by pack (who has several counts for each). days: how many got their first template of the pack on
    each day.
    """

    pack: PackDigest
    people: int
    moved: int
    both: int
    waiting: tuple[tuple[PackDigest, int], ...]
    days: tuple[tuple[date, int], ...]

    @property
    def share(self) -> float:
        """Share of the people who have moved; 1 where there are none."""
        return self.moved / self.people if self.people else 1.0


@dataclass(frozen=True, slots=True)
class Retirement:
    """What the end of a pack means.

    people: with templates of it; stranded: with templates of no other pack; staff, staff_stranded: the same of staff.
    share: of the people with any template, who keep one.
    """

    pack: PackDigest
    templates: int
    people: int
    stranded: int
    staff: int
    staff_stranded: int
    share: float


def progress(records: DeskRecords, pack: PackDigest) -> Progress:
    """Where the move to a pack stands; opens no template."""
    held, alike = records.templates.held(), records.pack_forms.alike(pack)
    moved = [packs for packs in held.values() if not alike.isdisjoint(packs)]
    waiting: dict[PackDigest, int] = {}
    for packs in held.values():
        if alike.isdisjoint(packs):
            for each in packs:
                waiting[each] = waiting.get(each, 0) + 1
    return Progress(
        pack=pack,
        people=len(held),
        moved=len(moved),
        both=sum(bool(packs.keys() - alike) for packs in moved),
        waiting=tuple(sorted(waiting.items())),
        days=records.templates.days(pack),
    )


def preview(records: DeskRecords, pack: PackDigest) -> Retirement:
    """What would be lost by retiring a pack now; changes nothing."""
    held, staff = records.templates.held(), records.staff.templates.held()
    theirs, colleagues = _having(held, pack), _having(staff, pack)
    stranded = [packs for packs in theirs if len(packs) == 1]
    return Retirement(
        pack=pack,
        templates=sum(packs[pack] for packs in (*theirs, *colleagues)),
        people=len(theirs),
        stranded=len(stranded),
        staff=len(colleagues),
        staff_stranded=sum(len(packs) == 1 for packs in colleagues),
        share=1 - len(stranded) / len(held) if held else 1.0,
    )


def retire(
    records: DeskRecords,
    ledger: Ledger,
    clock: Clock,
    software: str,
    policy: Policy,
    pack: PackDigest,
    *,
    force: bool = False,
) -> Retirement:
    """Erase all templates of a pack, of patients and staff, and sign it, in one transaction.

    Whoever would be left without a template stops it, unless `force` is given; and that only once the policy's share
    of people has moved or its day has come. Raises MigrationUnfinished, changing nothing.
    """
    with immediate(records.db):
        moment = clock.moment()
        lost = preview(records, pack)
        _permit(lost, policy, moment.wall.date(), force=force)
        if lost.templates:
            records.templates.retire(pack)
            records.staff.templates.retire(pack)
            stranded = lost.stranded + lost.staff_stranded
            event = PackRetired(pack, lost.templates, lost.people, stranded, lost.staff, policy.policy_id, software)
            append(ledger, event, moment)
    clear_log(records)
    return lost


def _permit(lost: Retirement, policy: Policy, today: date, *, force: bool) -> None:
    stranded, rule = lost.stranded + lost.staff_stranded, policy.migration
    if not stranded:
        return
    people = f"{stranded} of {lost.people + lost.staff} people have templates of no other pack and must enrol again"
    due = bool(rule.retire_on) and today >= date.fromisoformat(rule.retire_on)
    if lost.share < rule.retire_share and not due:
        raise MigrationUnfinished(
            f"{people}; {lost.share:.1%} have moved, the policy asks for {rule.retire_share:.1%}"
            + (f" or for {rule.retire_on}" if rule.retire_on else "")
        )
    if not force:
        raise MigrationUnfinished(f"{people}; give --force to lose them")


def _having(held: Mapping[PersonId, Mapping[PackDigest, int]], pack: PackDigest) -> list[Mapping[PackDigest, int]]:
    return [packs for packs in held.values() if pack in packs]
