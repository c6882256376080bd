"""Invented operators of a reception, with hashes that cost nothing."""

from appliance.core.operators import Pin, Role
from appliance.core.policy import ReceptionRule
from appliance.core.types import PersonId
from appliance.operators import Operators, set_pin
from appliance.records.pins import PinHasher
from tests.fakes.patients import make_iin, make_profile
from tests.fakes.working_desk import SOFTWARE, WorkingDesk

CHEAP = PinHasher(passes=1, memory_kib=64, lanes=1)
PIN = Pin("271828")


def operators_of(desk: WorkingDesk, rule: ReceptionRule | None = None) -> Operators:
    """The reception of a desk, with nobody signed in."""
    return Operators(desk.records, desk.ledger, desk.clock, rule or ReceptionRule(), SOFTWARE, CHEAP)


def give_pin(
    desk: WorkingDesk, number: int, role: Role = Role.RECEPTIONIST, pin: Pin = PIN, *, named: bool = True
) -> PersonId:
    """Invented person `number` may sign in. named: as somebody who need not be in the register yet."""
    who = make_profile(number) if named else make_iin(number)
    return set_pin(desk.records, desk.ledger, desk.clock, SOFTWARE, who, role, pin, CHEAP).person
