"""A reception at work on a desk: operators, tries at the kiosk that came to nothing, services."""

from appliance.core.decision import Reason
from appliance.core.operators import Pin, Role
from appliance.core.policy import Policy, ReceptionRule
from appliance.core.quality import Hint
from appliance.core.reception_events import FaceFailure, IdentityCheck
from appliance.core.types import PersonId
from appliance.front_desk import FrontDesk, Manual
from appliance.operators import Voucher
from tests.fakes.reception_staff import PIN, give_pin, operators_of
from tests.fakes.working_desk import SOFTWARE, WorkingDesk, make_circumstances

RULE = ReceptionRule(manual_per_shift=2)
COLLEAGUE = Pin("161803")


def front_of(desk: WorkingDesk, rule: ReceptionRule = RULE) -> FrontDesk:
    """The reception of a desk, with nobody signed in."""
    policy = Policy(reception=rule)
    return FrontDesk(desk.records, desk.ledger, desk.clock, policy, SOFTWARE, operators_of(desk, rule))


def staffed(desk: WorkingDesk, role: Role = Role.RECEPTIONIST) -> FrontDesk:
    """With invented person 900 signed in."""
    front = front_of(desk)
    front.operators.sign_in(give_pin(desk, 900, role), PIN)
    return front


def colleague(desk: WorkingDesk, number: int = 901) -> Voucher:
    """Somebody else who may agree."""
    return Voucher(give_pin(desk, number, pin=COLLEAGUE), COLLEAGUE)


def manual(service: str, attempt: str = "", note: str = "") -> Manual:
    """A confirmation by identity card, because of an injury."""
    return Manual(service, IdentityCheck.ID_CARD, FaceFailure.INJURY, note, attempt)


def fail(desk: WorkingDesk, *reasons: Reason, person: PersonId | None = None, hint: Hint | None = None) -> str:
    """A try at the kiosk that came to nothing; the event's id."""
    return desk.desk.record_refusal(person, reasons, hint and hint.value, None, make_circumstances())
