"""What a desk does that must be whole or not at all: each errand can be run, and tells whether it was done.

Person number n of errand n: so that errands never get into each other's way.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from appliance.core.errors import DuplicateFace, PersonExists, PersonUnknown, ServiceConfirmed
from appliance.core.policy import MigrationRule, Policy
from appliance.core.types import PersonId
from appliance.enrolment import flag_look_alikes
from appliance.migration import preview, retire
from appliance.staff import forget_staff
from tests.fakes.patients import OTHER_PACK, PACK, make_iin, make_profile
from tests.fakes.working_desk import CONSENT, SOFTWARE, WorkingDesk, make_circumstances, make_look, make_twin

PACKS_IN_USE = (PACK, OTHER_PACK)
"""The desk is moving from one pack to another: every errand works with both."""

TWIN = 9_000
"""Added to a person's number: their twin's, sibling's or impostor's."""

PATIENT = 1_000
"""The person of all visits and alarms."""


@dataclass(frozen=True)
class Errand:
    """prepare: what must be there before. run: gives the event's id. done: whether its effect is in the database.

    again: what running it anew raises once it is done; None where it may be done any number of times.
    """

    name: str
    prepare: Callable[[WorkingDesk, int], object]
    run: Callable[[WorkingDesk, int], str]
    done: Callable[[WorkingDesk, int], bool]
    again: type[Exception] | None


def _service(desk: WorkingDesk, number: int) -> str:
    code = f"A{number:05d}"
    return next(s.service for s in desk.records.services.on(desk.clock.moment().wall.date()) if s.code == code)


def _first_of(desk: WorkingDesk, number: int) -> str:
    """The only service of a person today."""
    person = desk.find(number)
    assert person is not None
    return desk.records.services.of(person, desk.clock.moment().wall.date())[0].service


def _plan(desk: WorkingDesk, number: int) -> None:
    if desk.find(PATIENT) is None:
        desk.enrol(PATIENT)
    desk.plan(PATIENT, first=number)


def _confirmed(desk: WorkingDesk, number: int) -> bool:
    return desk.records.services.get(_service(desk, number)).event is not None


def _refuse(desk: WorkingDesk, number: int) -> str:
    decision = desk.decide(number)
    return desk.desk.record_refusal(None, decision.reasons, f"try {number}", decision, make_circumstances())


def _refused(desk: WorkingDesk, number: int) -> bool:
    return any(event.data.get("hint") == f"try {number}" for event in desk.events())


def _plan_old(desk: WorkingDesk, number: int) -> None:
    """A patient of the old pack with one service."""
    old = WorkingDesk(desk.home, desk.clock, packs=(OTHER_PACK,))
    old.enrol(number)
    old.plan(number)
    old.close()


def _re_templated(desk: WorkingDesk, number: int) -> bool:
    person = desk.find(number)
    assert person is not None
    made = bool(desk.records.templates.of(person, PACK))
    assert made == any(s.event for s in desk.records.services.of(person, desk.clock.moment().wall.date()))
    return made


def _enrol_twin(desk: WorkingDesk, number: int) -> str:
    """A twin of person `number`, by a supervisor's word."""
    look = make_twin(number, packs=desk.packs)
    return desk.enrolment.enrol(make_profile(TWIN + number), CONSENT, [look], "camera", overrule_duplicate=True).event


def _look_again(desk: WorkingDesk, number: int) -> str:
    """New looks of person `number` in the place of those that a test did not find; they are never without any."""
    old = desk.find(number)
    assert old is not None, "a patient without templates"
    if _looked_again(desk, number):
        raise AlreadyDone
    looks = [make_look(number, variant, packs=desk.packs) for variant in (60, 61)]
    return desk.enrolment.enrol(make_profile(number), CONSENT, looks, "camera", instead=old).event


def _looked_again(desk: WorkingDesk, number: int) -> bool:
    patient = desk.records.people.pseudonym(make_iin(number))
    told = [event.kind for event in desk.events() if event.data.get("patient") == patient]
    assert told in (["enrolled"], ["enrolled", "forgotten", "enrolled"])
    return len(told) == 3


def _flagged(desk: WorkingDesk, one: int, other: int) -> bool:
    people = desk.find(one), desk.find(other)
    return None not in people and people[1] in desk.records.look_alikes.of(PersonId(str(people[0])))


def _declare(desk: WorkingDesk, number: int) -> str:
    """Persons `number` and TWIN + `number` are siblings."""
    one, other = make_iin(number), make_iin(TWIN + number)
    event = flag_look_alikes(desk.records, desk.ledger, desk.clock, SOFTWARE, one, other)
    if event is None:
        raise AlreadyDone
    return event


def _try_duplicate(desk: WorkingDesk, number: int) -> str:
    """The same face under another number: refused, and the alarm is what remains."""
    look = make_look(number, 50, packs=desk.packs)
    with pytest.raises(DuplicateFace):
        desk.enrolment.enrol(make_profile(TWIN + number), CONSENT, [look], "camera")
    return desk.events()[-1].event_id


def _alarmed(desk: WorkingDesk, number: int) -> bool:
    applicant = desk.records.people.pseudonym(make_iin(TWIN + number))
    assert desk.find(TWIN + number) is None
    return any(event.kind == "alarm" and applicant in str(event.data["who"]) for event in desk.events())


def _employed(desk: WorkingDesk, number: int) -> bool:
    return desk.records.staff.people.find(make_iin(number)) is not None


def _retire(desk: WorkingDesk, number: int) -> str:  # noqa: ARG001 - one pack for all
    """The end of the old pack, though people need it."""
    if not preview(desk.records, OTHER_PACK).templates:
        raise AlreadyDone
    policy = Policy(migration=MigrationRule(retire_share=0.0))
    retire(desk.records, desk.ledger, desk.clock, SOFTWARE, policy, OTHER_PACK, force=True)
    return desk.events()[-1].event_id


class AlreadyDone(Exception):
    """The use case said that there is nothing left to do."""


DAILY = (
    Errand(
        "visit",
        _plan,
        lambda desk, number: desk.visit(PATIENT, _service(desk, number)),
        _confirmed,
        ServiceConfirmed,
    ),
    Errand("refusal", lambda desk, number: None, _refuse, _refused, None),  # noqa: ARG005 - nothing to prepare
    Errand(
        "enrolment",
        lambda desk, number: None,  # noqa: ARG005 - nothing to prepare
        lambda desk, number: desk.enrol(number).event,
        lambda desk, number: desk.find(number) is not None,
        PersonExists,
    ),
    Errand(
        "erasure",
        lambda desk, number: desk.enrol(number),
        lambda desk, number: desk.enrolment.forget(make_iin(number), "consent_withdrawn"),
        lambda desk, number: desk.find(number) is None,
        PersonUnknown,
    ),
)
"""What happens all day: tried with every fault."""

RARE = (
    Errand(
        "re-templating visit",
        _plan_old,
        lambda desk, number: desk.visit(number, _first_of(desk, number)),
        _re_templated,
        ServiceConfirmed,
    ),
    Errand(
        "twin",
        lambda desk, number: desk.enrol(number),
        _enrol_twin,
        lambda desk, number: _flagged(desk, number, TWIN + number),
        PersonExists,
    ),
    Errand("new looks", lambda desk, number: desk.enrol(number), _look_again, _looked_again, AlreadyDone),
    Errand(
        "siblings",
        lambda desk, number: (desk.enrol(number), desk.enrol(TWIN + number)),
        _declare,
        lambda desk, number: _flagged(desk, number, TWIN + number),
        AlreadyDone,
    ),
    Errand("duplicate", lambda desk, number: desk.enrol(number), _try_duplicate, _alarmed, None),
    Errand(
        "employment",
        lambda desk, number: None,  # noqa: ARG005 - nothing to prepare
        lambda desk, number: desk.employ(number).event,
        _employed,
        PersonExists,
    ),
    Errand(
        "leaving staff",
        lambda desk, number: desk.employ(number),
        lambda desk, number: forget_staff(desk.records, desk.ledger, desk.clock, SOFTWARE, make_iin(number), "left"),
        lambda desk, number: not _employed(desk, number),
        PersonUnknown,
    ),
    Errand(
        "retirement",
        _plan_old,
        _retire,
        lambda desk, number: not preview(desk.records, OTHER_PACK).templates,  # noqa: ARG005 - of all
        AlreadyDone,
    ),
)
"""Tried with the hardest fault at every statement, and with one that comes after the event was stored."""
