"""Whatever kiosk and reception do, in whatever order: each service stands confirmed by one event, or is open."""

import contextlib
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from appliance.core.errors import ReceiptUnknown, SecondPersonNeeded, ServiceConfirmed, ServiceUnknown
from appliance.core.reception_events import CorrectionReason
from appliance.front_desk import Correction
from tests.fakes.clock import ManualClock
from tests.fakes.working_desk import WorkingDesk, make_circumstances, make_home
from tests.use_cases.front import colleague, manual, staffed

PLACES = st.integers(0, 4)
"""Four services of the enrolled patient 1, and one of patient 2, who is not enrolled."""


class Reception(RuleBasedStateMachine):
    """The model: which receipt each service stands by, and which receipts ever were."""

    @initialize()
    def open(self) -> None:
        """A desk with a receptionist signed in."""
        self.folder = Path(tempfile.mkdtemp())
        self.desk = WorkingDesk(make_home(self.folder), ManualClock())
        self.desk.enrol(1)
        self.services = (*self.desk.plan(1, 4), *self.desk.plan(2))
        self.front, self.colleague = staffed(self.desk), colleague(self.desk)
        self.standing: dict[str, str] = {}
        self.receipts: list[str] = ["00" * 16]
        self.by_hand = 0

    @rule(place=st.integers(0, 3))
    def visit(self, place: int) -> None:
        """The patient confirms by face."""
        service = self.services[place]
        if service in self.standing:
            with contextlib.suppress(ServiceConfirmed):
                self.desk.desk.record_visit(self.desk.decide(1), service, make_circumstances())
                raise AssertionError("a service was confirmed twice")
            return
        self._stands(service, self.desk.visit(1, service))

    @rule(place=PLACES, agreed=st.booleans())
    def confirm(self, place: int, agreed: bool) -> None:
        """The receptionist confirms, alone or with a colleague; two a day may be alone."""
        service = self.services[place]
        try:
            receipt = self.front.confirm(manual(service), self.colleague if agreed else None)
        except ServiceConfirmed:
            assert service in self.standing
        except SecondPersonNeeded:
            assert not agreed
            assert self.by_hand >= 2
        else:
            assert agreed or self.by_hand < 2
            self.by_hand += 1
            self._stands(service, receipt)

    @rule(which=st.integers(0, 30), place=st.none() | PLACES, agreed=st.booleans())
    def correct(self, which: int, place: int | None, agreed: bool) -> None:
        """A receipt is taken back; another service may take its place, and counts as confirmed by hand then."""
        receipt = self.receipts[which % len(self.receipts)]
        service = next((s for s, standing in self.standing.items() if standing == receipt), None)
        instead = "" if place is None else self.services[place]
        try:
            correction = Correction(receipt, CorrectionReason.WRONG_SERVICE, instead)
            event = self.front.correct(correction, self.colleague if agreed else None)
        except ReceiptUnknown:
            assert service is None
        except ServiceUnknown:
            assert (instead == self.services[4]) != (service == self.services[4])
        except ServiceConfirmed:
            assert instead in self.standing
        except SecondPersonNeeded:
            assert instead
            assert not agreed
            assert self.by_hand >= 2
        else:
            assert service is not None
            del self.standing[service]
            if instead:
                assert agreed or self.by_hand < 2
                self.by_hand += 1
                self._stands(instead, event)

    @invariant()
    def agrees(self) -> None:
        """Each row stands by the receipt of the model."""
        day = self.desk.clock.moment().wall.date()
        rows = {row.service: row.event for row in self.desk.records.services.on(day)}
        assert {service: event for service, event in rows.items() if event} == self.standing

    def _stands(self, service: str, receipt: str) -> None:
        assert service not in self.standing
        self.standing[service] = receipt
        self.receipts.append(receipt)

    def teardown(self) -> None:
        """The chain, its journal and every table agree."""
        self.desk.check_everything()
        self.desk.close()
        shutil.rmtree(self.folder)


TestReception = Reception.TestCase
TestReception.settings = settings(max_examples=5, stateful_step_count=20, deadline=None)
