"""The health window of a new pack: it proves itself by visits, and is given up when fewer people are recognised."""

import json
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.core.errors import PackChanged
from appliance.core.policy import Policy
from appliance.core.session import State
from appliance.core.snapshot import Snapshot
from appliance.core.trial import LEAST_S, LEAST_SPREAD, LEAST_VISITS
from appliance.core.types import Instant
from appliance.probation import SURVIVED_S, Probation
from models.releases import Wanted
from models.slot_state import Bad, Fault
from models.slots import Slots
from models.store import read_pack
from tests.core.sights import GOOD
from tests.fakes.heads import Asked
from tests.fakes.observer import Sight
from tests.fakes.publishers import make_pack
from tests.station.scene import LIMITS, POLICY, Scene


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

    def start(self) -> Probation:
        """The desk starts."""
        file, trial = self.folder / "visits.json", self.slots.state().trying is not None
        return Probation(self.slots, file, self.pack, lambda: self.now, trial=trial, scored=True, changed=self.changed)

    def real_visits(self, number: int, *, score: float = 70.0, policy: Policy = POLICY) -> None:
        """So many people come to a whole station with this quality network and policy, and are recognised.

        For their first second at the desk they stand in a worse light, of which the default gate takes no notice.
        """
        scene = Scene(limits=LIMITS, policy=policy)
        scene.film.fps = 6.0
        for visit in range(number):
            came = scene.film.now

            def patient(_: Asked, at: float, came: float = came, visit: int = visit) -> Sight:
                light = 0.3 if at - came < 1.7 else 0.5
                return Sight("ali", measures=replace(GOOD, luminance=light), live=0.9, unified=score + visit % 10)

            before = len(scene.snapshots)
            scene.until(State.CONFIRM, patient)
            scene.until(State.IDLE)
            self.now += scene.film.now - came
            for snapshot in scene.snapshots[before:]:
                self.run.see(snapshot)

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


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What is kept of so many visits with a proven pack that it is known what is usual: of each of these, five."""
    desk = Desk(tmp_path_factory.mktemp("known"))
    desk.slots.mark_good(desk.pack)
    desk.run = desk.start()
    desk.real_visits(LEAST_SPREAD // 5)
    kept = json.loads((desk.folder / "visits.json").read_bytes())
    for name, count in kept["proven"].items():
        kept["proven"][name] = [one * 5 for one in count] if isinstance(count, list) else count * 5
    return json.dumps(kept).encode()


@pytest.fixture
def settled(desk: Desk, known: bytes) -> Desk:
    """A desk with a proven pack whose visits are known, and another one on trial."""
    desk.slots.mark_good(desk.pack)
    (desk.folder / "visits.json").write_bytes(known)
    desk.pack = desk.install(2)
    desk.slots.begin()
    desk.run = desk.start()
    return desk


def test_a_pack_whose_quality_model_drifts_is_given_up_though_everybody_is_recognised(settled: Desk) -> None:
    """With a reason of its own; it is listed, and not taken again."""
    with pytest.raises(PackChanged):
        settled.real_visits(LEAST_VISITS, score=50.0)
    assert settled.slots.state().bad == (Bad(settled.pack, Fault.QUALITY),)
    assert settled.slots.unwanted(settled.pack) is not None
    trial = json.loads((settled.folder / "visits.json").read_bytes())["trial"]
    assert trial["visits"] == 0


def test_a_gate_that_lets_fewer_looks_pass_is_given_up_though_everybody_is_recognised(settled: Desk) -> None:
    """Settings are watched by the same class; who comes has to stand there longer, and is let in at last."""
    strict = Policy(gate=replace(Policy().gate, min_luminance=0.4))
    with pytest.raises(PackChanged):
        settled.real_visits(LEAST_VISITS, policy=strict)
    assert settled.slots.state().bad == (Bad(settled.pack, Fault.QUALITY),)


def test_a_pack_with_the_same_quality_is_kept(settled: Desk) -> None:
    """After as many visits, and as long, as ever."""
    settled.real_visits(LEAST_VISITS - 1)
    settled.now += LEAST_S
    settled.real_visits(1)
    settled.now += LEAST_S
    settled.show(State.IDLE)
    state = settled.slots.state()
    assert (state.pack(state.good), state.trying, state.bad) == (settled.pack, None, ())


def test_a_trial_goes_on_when_the_program_is_replaced_in_the_middle(settled: Desk) -> None:
    """Counts of a program that knew nothing of quality are read; what it did not measure is no reason."""
    settled.real_visits(2, score=50.0)
    file = settled.folder / "visits.json"
    kept = json.loads(file.read_bytes())
    for tally in ("proven", "trial"):
        for figure in ("clear", "score"):
            assert sum(kept[tally].pop(figure)) == kept[tally]["visits"]
    file.write_text(json.dumps(kept))
    settled.run = settled.start()
    settled.real_visits(LEAST_VISITS - 2, score=50.0)
    settled.now += LEAST_S
    settled.show(State.IDLE)
    assert settled.slots.state().trying is None
    proven = json.loads(file.read_bytes())["proven"]
    assert (proven["visits"], sum(proven["score"])) == (LEAST_VISITS, LEAST_VISITS - 2)
    proven["score"][0] = -1
    file.write_text(json.dumps({**kept, "proven": proven}))
    settled.run = settled.start()
    settled.recognised()
    assert json.loads(file.read_bytes())["proven"]["visits"] == 1, "impossible counts begin anew"
