"""Over a real fund, in a file and on PostgreSQL: claims against events that desks signed, and rates by whom."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from appliance.core.decision import Reason
from appliance.core.events import Alarm, Declined, Event, Refused
from sync.fund.allowed import Decider, write_list
from sync.fund.office import block_device
from sync.fund.rates import By
from sync.fund.reconciliation import Claim, Verdict
from sync.fund.reconciling import number_before, rates, reconcile
from sync.fund.rows import EventRow, NewEvent
from sync.fund.visits import Evidence
from sync.strict_json import load
from tests.core.test_events import ABOUT, CHECKED_IN, CORRECTED, MANUAL, WHO
from tests.sync_fund.blocking import Gateway
from tests.sync_fund.conftest import Fund
from tests.sync_fund.desk import NOON, FakeDesk, batch

TODAY = NOON.date()
CLAIM = Claim("c-1", "Clinic 7", "cd" * 32, "A02.1", "doctor-7", TODAY)


def send(gateway: Gateway, desk: FakeDesk, *events: Event, at: datetime = NOON) -> None:
    """Sign events of one moment and deliver them."""
    tokens = [desk.next(kind=event.KIND, data=load(json.dumps(event.data()).encode()), at=at) for event in events]
    gateway.receive(desk.device, batch(tokens))


def verdicts(fund: Fund, *claims: Claim) -> list[Verdict]:
    """What becomes of them."""
    return [one.verdict for one in reconcile(fund.root, claims).judged]


def test_claims_meet_what_desks_delivered(fund: Fund, gateway: Gateway, tmp_path: Path) -> None:
    """Waiting until the desk has sent something of a later day, or is closed; the proof is the event's place."""
    desk = fund.desk(tmp_path)
    padded = replace(CLAIM, name="c-2", patient="ab" * 32)
    send(gateway, desk, CHECKED_IN)
    assert verdicts(fund, CLAIM, padded) == [Verdict.CONFIRMED, Verdict.WAITING]
    (late,) = reconcile(fund.root, [padded]).late
    assert (late.device, late.upto) == (desk.device, TODAY)
    send(gateway, desk, Alarm("camera_failure", "E-CAM-01", "0.1.0"), at=NOON + timedelta(1))
    assert verdicts(fund, padded) == [Verdict.WAITING], "a clock that runs ahead delivers nothing more"
    block_device(fund.root, desk.device, "by_hand")
    seen: list[int] = []
    report = reconcile(fund.root, [CLAIM, padded], seen.append)
    assert [one.verdict for one in report.judged] == [Verdict.CONFIRMED, Verdict.UNCONFIRMED]
    by = report.judged[0].by
    assert by is not None
    assert (by.device, by.seq, by.evidence) == (desk.device, 1, Evidence.FACE)
    assert sum(seen) == 2
    assert verdicts(fund) == []


def test_the_next_day_settles_what_was_waiting(fund: Fund, gateway: Gateway, tmp_path: Path) -> None:
    """Of yesterday's claims, since the desk has spoken today."""
    desk = fund.desk(tmp_path)
    send(gateway, desk, CHECKED_IN, at=NOON - timedelta(1))
    send(gateway, desk, CHECKED_IN)
    yesterday = replace(CLAIM, day=TODAY - timedelta(1))
    found = verdicts(fund, yesterday, replace(yesterday, patient="ab" * 32), replace(CLAIM, clinic="Clinic 9"))
    assert found == [Verdict.CONFIRMED, Verdict.UNCONFIRMED, Verdict.NO_DESK]


def test_rates_are_counted_by_whom(fund: Fund, gateway: Gateway, tmp_path: Path) -> None:
    """A clinic, a desk, an operator; what is done by hand with its reasons, beside all confirmations of these days."""
    desk = fund.desk(tmp_path)
    other = replace(MANUAL, operator="88" * 32, second=WHO, count=11)
    tried = (
        Refused(None, (Reason.NO_MATCH,), "closer", None, ABOUT),
        Declined("cd" * 32, Reason.NOT_ME, ("s1",), None, ABOUT),
    )
    alarm = Alarm("staff_face", "check-in", "0.1.0")
    send(gateway, desk, CHECKED_IN, CHECKED_IN, replace(CHECKED_IN, guardian="ab" * 32), MANUAL, other, CORRECTED)
    send(gateway, desk, *tried, alarm)
    send(gateway, desk, CHECKED_IN, at=NOON - timedelta(40))
    (clinic,) = rates(fund.root, By.CLINIC, TODAY - timedelta(29), TODAY)
    assert (clinic.who, clinic.confirmed, clinic.by_hand) == ("Clinic 7", 6, 0.5)
    assert [clinic.evidence[kind] for kind in Evidence] == [2, 1, 0, 2, 1]
    assert clinic.reasons == {"injury": 2, "wrong_service": 1}
    assert (clinic.agreed, clinic.taken_back) == (1, 1)
    assert (clinic.tries, clinic.declined, clinic.alarms) == (1, 1, 1)
    (at_desk,) = rates(fund.root, By.DESK, TODAY, TODAY)
    assert at_desk == replace(clinic, who=f"Clinic 7, Reception ({desk.device})")
    people = rates(fund.root, By.OPERATOR, TODAY, TODAY)
    assert [(one.who, one.confirmed, one.agreed, one.taken_back, one.alarms) for one in people] == [
        ("Clinic 7, 888888888888", 1, 1, 0, 0),
        (f"Clinic 7, {WHO[:12]}", 2, 0, 1, 0),
    ]
    assert rates(fund.root, By.CLINIC, TODAY + timedelta(1), TODAY + timedelta(2)) == ()


def test_what_the_fund_refused_supports_nothing(fund: Fund, gateway: Gateway, tmp_path: Path) -> None:
    """The event of a pack that is not on the list: told with the reason, and counted as refused."""
    desk = fund.desk(tmp_path)
    write_list(fund.root, Decider.PACK, frozenset({"00" * 32}))
    send(gateway, desk, CHECKED_IN)
    (judged,) = reconcile(fund.root, [CLAIM]).judged
    assert judged.verdict is Verdict.REFUSED
    assert judged.by is not None
    assert judged.by.refused == "pack_not_allowed"
    (clinic,) = rates(fund.root, By.CLINIC, TODAY, TODAY)
    assert (clinic.confirmed, clinic.by_hand, clinic.refused) == (0, None, 1)


class Arrived:
    """A store of which only the times of arrival matter; numbers may be missing, as PostgreSQL leaves them out."""

    def __init__(self, numbers: list[int]) -> None:
        self.rows = [
            EventRow(number, NOON + timedelta(hours=number), NewEvent("d", number, "", "", "", ""))
            for number in sorted(numbers)
        ]
        self.asked = 0

    def events(self, after: int, limit: int) -> tuple[EventRow, ...]:
        """As `OfficeStore.events`."""
        self.asked += 1
        return tuple(row for row in self.rows if row.number > after)[:limit]


@given(numbers=st.sets(st.integers(1, 200), max_size=40), hour=st.integers(0, 210))
def test_reading_begins_with_the_first_event_of_a_moment(numbers: set[int], hour: int) -> None:
    """Whatever is there; without looking at all of it."""
    store = Arrived(sorted(numbers))
    before = number_before(store.events, NOON + timedelta(hours=hour))
    assert [row.number for row in store.events(before, 99)] == sorted(n for n in numbers if n >= hour)
    assert store.asked <= 20
