"""The health window of a new pack: it proves itself by visits, and is given up when fewer people are recognised."""

import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.core.errors import PackChanged
from appliance.core.session import State
from appliance.core.snapshot import Snapshot
from appliance.core.types import Instant
from appliance.probation import LEAST_S, LEAST_VISITS, SURVIVED_S, Probation, Tally, Verdict, judge
from models.releases import Wanted
from models.slot_state import Bad, Fault
from models.slots import Slots
from models.store import read_pack
from tests.fakes.publishers import make_pack

GOOD_DAYS = Tally(100, 95, 90)


class Desk:
    """A desk with a slot on trial, whose visits a test lets end."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.now = folder, 0.0
        self.slots = Slots(folder / "slots")
        self.changes = 0
        self.pack = self.install(1)
        self.slots.begin()
        self.run = self.start()

    def install(self, number: int) -> Wanted:
        """A new release comes."""
        path = make_pack(self.folder / f"pack-{number}", f"# {number}\n".encode())
        pack = Wanted(number, read_pack(path).digest)
        self.slots.install(path, pack)
        return pack

    def start(self, *, trial: bool = True) -> Probation:
        """The desk starts."""
        file = self.folder / "visits.json"
        return Probation(self.slots, file, self.pack, lambda: self.now, trial=trial, changed=self.changed)

    def changed(self) -> None:
        """Something is to be told to the fund."""
        self.changes += 1

    def show(self, state: State, greeting: str = "") -> None:
        """The screen shows this, a second later."""
        self.now += 1.0
        self.run.see(Snapshot(Instant(self.now), state, greeting=greeting))

    def visit(self, *states: State, greeting: str = "") -> None:
        """Somebody comes and goes."""
        for state in states:
            self.show(state, greeting if state is State.CONFIRM else "")
        self.show(State.IDLE)

    def recognised(self) -> None:
        """A visit as it should be."""
        self.visit(State.ALIGN, State.HOLD, State.CHALLENGE, State.CONFIRM, State.RECEIPT, greeting="A. B.")

    def refused(self) -> None:
        """Nobody is found."""
        self.visit(State.ALIGN, State.HOLD, State.CHALLENGE, State.NOT_RECOGNISED)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk whose first release is on trial."""
    return Desk(tmp_path)


def test_a_pack_proves_itself_by_visits_and_time(desk: Desk) -> None:
    """Enough of both; then its share is what the next one is measured by."""
    for _ in range(LEAST_VISITS):
        desk.recognised()
    desk.show(State.IDLE)
    assert desk.slots.state().trying is not None
    desk.now += LEAST_S
    desk.show(State.IDLE)
    state = desk.slots.state()
    assert (state.trying, state.pack(state.good)) == (None, desk.pack)
    desk.recognised()
    assert '"visits": 21' in (desk.folder / "visits.json").read_text()


def test_a_pack_that_recognises_fewer_is_given_up_by_itself(desk: Desk) -> None:
    """The desk is told to open the one before while nobody is there, and the fault is listed."""
    for _ in range(3):
        desk.refused()
    for _ in range(4):
        desk.refused()
    desk.now += 20
    with pytest.raises(PackChanged):
        desk.show(State.IDLE)
    assert desk.slots.state().bad == (Bad(desk.pack, Fault.DRIFT),)


def test_what_is_given_up_before_it_was_ever_used_is_told_too(desk: Desk) -> None:
    """Settings that were refused on arrival change nothing at the desk, but the fund learns of it; once."""
    desk.slots.give_up(Wanted(9, "ab" * 32), Fault.INVALID)
    for _ in range(2):
        desk.now += 20
        desk.show(State.IDLE)
    assert desk.changes == 1


def test_counts_outlive_a_restart_but_not_the_pack(desk: Desk) -> None:
    """Visits of one pack are never counted for another."""
    for _ in range(3):
        desk.refused()
    again = desk.start()
    desk.run = again
    desk.refused()
    assert '"visits": 4' in (desk.folder / "visits.json").read_text()
    desk.pack = desk.install(2)
    desk.run = desk.start()
    desk.recognised()
    assert '"visits": 1' in (desk.folder / "visits.json").read_text()


def test_quiet_days_use_up_no_starts(desk: Desk) -> None:
    """A run that lasted was no crash."""
    for _ in range(5):
        desk.slots.begin()
        desk.run = desk.start()
        desk.now += SURVIVED_S
        desk.show(State.IDLE)
        assert desk.slots.state().tries == 0
    assert desk.slots.state().pack(desk.slots.state().trying) == desk.pack


def test_visits_that_say_nothing_of_the_pack_do_not_count(desk: Desk) -> None:
    """Another way in, a call for help, somebody who only passes."""
    desk.visit(State.ALIGN, State.FALLBACK, State.CONFIRM, greeting="A. B.")
    desk.visit(State.ALIGN, State.HELP)
    desk.visit(State.LEAVING)
    assert not (desk.folder / "visits.json").exists()


def test_a_new_release_is_opened_while_nobody_is_there(desk: Desk) -> None:
    """Never during a visit."""
    desk.install(2)
    desk.now += 60
    for state in (State.ALIGN, State.HOLD, State.CONFIRM):
        desk.show(state)
    with pytest.raises(PackChanged):
        desk.show(State.IDLE)


def test_damaged_slots_stop_no_visit(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """They are told in the log."""
    (desk.folder / "slots" / "state.json").write_text("{")
    desk.now += 60
    with caplog.at_level(logging.WARNING):
        desk.show(State.IDLE)
    assert "the desk goes on" in caplog.text


def test_damaged_counts_begin_anew(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody's visit is worth a desk."""
    (desk.folder / "visits.json").write_text("{")
    with caplog.at_level(logging.WARNING):
        desk.run = desk.start()
    desk.recognised()
    assert "not known any more" in caplog.text


@pytest.mark.parametrize(
    ("trial", "before", "seconds", "verdict"),
    [
        (Tally(20, 19, 18), GOOD_DAYS, LEAST_S, Verdict.GOOD),
        (Tally(20, 19, 18), GOOD_DAYS, LEAST_S - 1, Verdict.WAIT),
        (Tally(19, 19, 19), GOOD_DAYS, LEAST_S, Verdict.WAIT),
        (Tally(20, 19, 8), GOOD_DAYS, LEAST_S, Verdict.DRIFT),
        (Tally(20, 8, 8), Tally(100, 90, 45), LEAST_S, Verdict.DRIFT),
        (Tally(6, 0, 0), Tally(), 0.0, Verdict.WAIT),
        (Tally(7, 0, 0), Tally(), 0.0, Verdict.DRIFT),
        (Tally(), Tally(), 0.0, Verdict.WAIT),
    ],
)
def test_the_verdict(trial: Tally, before: Tally, seconds: float, verdict: Verdict) -> None:
    """By an exact binomial test against the share before, less the allowed drop."""
    assert judge(trial, before, seconds) is verdict


@given(st.integers(0, 200), st.data())
def test_a_pack_as_good_as_the_one_before_has_never_drifted(visits: int, data: st.DataObject) -> None:
    """Whatever the counts are."""
    recognised = data.draw(st.integers(0, visits))
    same = Tally(visits, visits, recognised)
    assert judge(same, Tally(visits * 2, visits * 2, recognised * 2), 0.0) is not Verdict.DRIFT or visits < LEAST_VISITS
