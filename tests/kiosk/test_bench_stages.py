"""The time of a visit is divided between the patient and the appliance, and all of it is counted."""

import pytest

from appliance.core.session import State
from appliance.core.types import Cue
from kiosk_ui.bench_stages import REACTION_S, Shown, Stage, visits, without_thinking

VISIT = (
    Shown(0.0, State.IDLE),
    Shown(2.0, State.ALIGN),
    Shown(2.5, State.HOLD),
    Shown(3.0, State.CHALLENGE, Cue.STRAIGHT),
    Shown(3.4, State.CHALLENGE, Cue.LEFT),
    Shown(4.4, State.CHALLENGE, Cue.STRAIGHT),
    Shown(5.6, State.CHALLENGE, Cue.CLOSER),
    Shown(6.8, State.CHALLENGE, Cue.STRAIGHT),
    Shown(7.0, State.CHALLENGE, Cue.RIGHT),
    Shown(7.2, State.CHECKING),
    Shown(7.3, State.CONFIRM),
    Shown(17.3, State.RECEIPT),
    Shown(20.0, State.IDLE),
)


def test_every_second_from_stepping_up_to_the_receipt_is_counted_once() -> None:
    """But for those in which the question is read; looking ahead answers a cue only after a turn."""
    (visit,) = visits(VISIT)
    assert sum(visit.values()) == pytest.approx(5.3)
    assert visit[Stage.PAUSING] == pytest.approx(0.6)
    assert visit[Stage.REACTING] == pytest.approx(3 * REACTION_S + 0.2)
    assert visit[Stage.MOVING] == pytest.approx(3.4 - 3 * REACTION_S)
    assert without_thinking(visit) == pytest.approx(5.3 - visit[Stage.REACTING])


def test_a_visit_that_came_to_no_receipt_is_not_counted() -> None:
    """Nor is its time added to the next one's."""
    refused = (Shown(0.0, State.IDLE), Shown(1.0, State.ALIGN), Shown(9.0, State.NOT_RECOGNISED))
    (visit,) = visits((*refused, *(Shown(each.at + 20, each.state, each.cue) for each in VISIT)))
    assert sum(visit.values()) == pytest.approx(5.3)
    assert list(visits(refused)) == []
