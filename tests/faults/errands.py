"""What a desk does that must be whole or not at all: each errand can be run, and tells whether it was done.

Person number n of errand n: so that errands never get into each other's way.
"""

from collections.abc import Callable
from dataclasses import dataclass

from appliance.core.errors import PersonExists, PersonUnknown, ServiceConfirmed
from tests.fakes.patients import make_iin
from tests.fakes.working_desk import WorkingDesk, make_circumstances

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


ERRANDS = (
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
