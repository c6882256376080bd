"""Two slots: whatever is installed, crashes or is damaged, the next start finds a pack that may be used."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import NoHealthyPack, PackDamaged, SlotsUnusable, UpdateNoRoom, UpdateUnwanted
from models.releases import Wanted
from models.slot_state import MAX_TRIES, Bad, Fault, Slot, State, parse_state, write_state
from models.slots import MARGIN, Chosen, Slots
from models.store import read_pack
from tests.fakes.publishers import make_pack


@pytest.fixture
def slots(tmp_path: Path) -> Slots:
    """Two empty slots."""
    return Slots(tmp_path / "slots")


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, Wanted]]:
    """Releases 1 to 5."""
    folder = tmp_path_factory.mktemp("packs")
    made = [make_pack(folder / str(number), f"# release {number}\n".encode()) for number in range(1, 6)]
    return [(path, Wanted(number, read_pack(path).digest)) for number, path in enumerate(made, 1)]


def _proven(slots: Slots, source: Path, pack: Wanted) -> Chosen:
    slots.install(source, pack)
    chosen = slots.begin()
    assert chosen is not None
    assert chosen.pack == pack
    slots.mark_good(pack)
    return chosen


def _next(slots: Slots) -> Wanted | None:
    chosen = slots.begin()
    return None if chosen is None else chosen.pack


def test_a_desk_without_updates_runs_what_it_was_delivered_with(slots: Slots) -> None:
    """No slot, no state, no file."""
    assert slots.begin() is None


def test_a_new_pack_is_on_trial_until_it_is_marked_good(slots: Slots, packs: list[tuple[Path, Wanted]]) -> None:
    """The one before it stays whole beside it."""
    _proven(slots, *packs[0])
    slots.install(*packs[1])
    chosen = slots.begin()
    assert chosen is not None
    assert chosen.trial
    assert chosen.earlier is not None
    assert read_pack(chosen.earlier).digest == packs[0][1].digest
    slots.mark_good(packs[1][1])
    again = slots.begin()
    assert again is not None
    assert not again.trial


def test_a_pack_that_crashes_every_start_is_given_up_by_itself(slots: Slots, packs: list[tuple[Path, Wanted]]) -> None:
    """Nobody has to come: the try was counted before the pack was used."""
    _proven(slots, *packs[0])
    slots.install(*packs[1])
    assert [_next(slots) for _ in range(MAX_TRIES + 1)] == [packs[1][1]] * MAX_TRIES + [packs[0][1]]
    assert slots.state().bad == (Bad(packs[1][1], Fault.CRASHED),)
    with pytest.raises(UpdateUnwanted, match="failed here before"):
        slots.install(*packs[1])


def test_the_first_pack_that_crashes_leads_back_to_the_delivered_one(
    slots: Slots, packs: list[tuple[Path, Wanted]]
) -> None:
    """There is no slot to fall back to, and none is needed."""
    slots.install(*packs[0])
    assert [_next(slots) for _ in range(MAX_TRIES + 1)][-1] is None


def test_a_pack_that_fails_its_test_is_never_tried_again(slots: Slots, packs: list[tuple[Path, Wanted]]) -> None:
    """Its fault is kept for the report."""
    _proven(slots, *packs[0])
    slots.install(*packs[1])
    slots.begin()
    slots.give_up(packs[1][1], Fault.SELF_TEST)
    assert _next(slots) == packs[0][1]
    assert slots.state().bad == (Bad(packs[1][1], Fault.SELF_TEST),)


def test_a_proven_pack_that_drifts_leads_back_to_the_one_before(slots: Slots, packs: list[tuple[Path, Wanted]]) -> None:
    """The way back stays open, also after the health window."""
    _proven(slots, *packs[0])
    _proven(slots, *packs[1])
    slots.give_up(packs[1][1], Fault.DRIFT)
    assert _next(slots) == packs[0][1]


def test_the_floor_rises_to_the_pack_before(slots: Slots, packs: list[tuple[Path, Wanted]]) -> None:
    """Two steps back are not possible, for a thief neither."""
    for source, pack in packs[:3]:
        _proven(slots, source, pack)
    assert slots.state().floor == 2
    with pytest.raises(UpdateUnwanted, match="oldest that may be used is 2"):
        slots.install(*packs[0])


def test_a_withdrawn_pack_is_left(slots: Slots, packs: list[tuple[Path, Wanted]]) -> None:
    """Also one that had proven itself."""
    _proven(slots, *packs[0])
    _proven(slots, *packs[1])
    slots.obey(0, (packs[1][1].digest,))
    assert _next(slots) == packs[0][1]
    assert slots.state().bad == (Bad(packs[1][1], Fault.WITHDRAWN),)


def test_below_the_publishers_floor_nothing_is_used(slots: Slots, packs: list[tuple[Path, Wanted]]) -> None:
    """Not even the delivered pack; the failure says what to do."""
    _proven(slots, *packs[0])
    slots.obey(2, ())
    with pytest.raises(NoHealthyPack):
        slots.begin()
    slots.install(*packs[2])
    assert _next(slots) == packs[2][1]


def test_a_damaged_proven_pack_gives_way_to_the_other(slots: Slots, packs: list[tuple[Path, Wanted]]) -> None:
    """A bad sector: the files of the two slots are copies, not links; the pack may be fetched again."""
    chosen = _proven(slots, *packs[0])
    _proven(slots, *packs[1])
    for path in (chosen.path.parent / chosen.path.name).iterdir():
        assert path.stat().st_nlink == 1
    newest = slots.begin()
    assert newest is not None
    (newest.path / "card.md").write_bytes(b"x")
    assert _next(slots) == packs[0][1]
    assert slots.state().bad == ()
    slots.install(*packs[1])


def test_a_pack_replaced_while_on_trial_is_not_marked_good(slots: Slots, packs: list[tuple[Path, Wanted]]) -> None:
    """The running program speaks for the pack it has in memory, not for the one that came in the meantime."""
    slots.install(*packs[0])
    slots.begin()
    slots.install(*packs[1])
    slots.mark_good(packs[0][1])
    assert slots.state().good is None


def test_a_pack_that_is_not_whole_is_not_installed(
    slots: Slots, packs: list[tuple[Path, Wanted]], tmp_path: Path
) -> None:
    """What was proven is still there."""
    _proven(slots, *packs[0])
    broken = shutil.copytree(packs[1][0], tmp_path / "broken")
    (broken / "card.md").write_bytes(b"x")
    with pytest.raises(PackDamaged):
        slots.install(broken, packs[1][1])
    with pytest.raises(PackDamaged, match="another pack"):
        slots.install(packs[2][0], packs[1][1])
    assert _next(slots) == packs[0][1]


def test_without_room_nothing_is_written(tmp_path: Path, packs: list[tuple[Path, Wanted]]) -> None:
    """And the proven pack stays in use; the one before it, which would be overwritten, stays its way back."""
    folder = tmp_path / "slots"
    for number in (0, 1):
        _proven(Slots(folder), *packs[number])
    with pytest.raises(UpdateNoRoom):
        Slots(folder, free=lambda _: 1000).install(*packs[2])
    assert _next(Slots(folder)) == packs[1][1]
    Slots(folder).give_up(packs[1][1], Fault.DRIFT)
    assert _next(Slots(folder)) == packs[0][1]


def test_what_the_older_pack_frees_is_room_for_the_new_one(tmp_path: Path) -> None:
    """A disk that has no room for three packs is not too small for two slots."""
    sources = [make_pack(tmp_path / str(number), b"# %d\n" % number, weights=100_000) for number in range(3)]
    packs = [(path, Wanted(number, read_pack(path).digest)) for number, path in enumerate(sources, 1)]
    slots = Slots(tmp_path / "slots", free=lambda _: MARGIN + 1000)
    roomy = Slots(tmp_path / "slots")
    for number in (0, 1):
        _proven(roomy, *packs[number])
    slots.install(*packs[2])
    assert _next(slots) == packs[2][1]


def test_a_full_disk_keeps_the_proven_pack_and_tries_no_other(
    slots: Slots, packs: list[tuple[Path, Wanted]], tmp_path: Path
) -> None:
    """What cannot be counted is not tried; the desk opens all the same."""
    _proven(slots, *packs[0])
    slots.install(*packs[1])
    (tmp_path / "slots" / ".lock").unlink()
    (tmp_path / "slots" / ".lock").mkdir()  # whoever runs the tests may write anywhere, but not into this
    assert [_next(slots) for _ in range(2)] == [packs[0][1]] * 2
    with pytest.raises(SlotsUnusable):
        slots.mark_good(packs[1][1])


def test_a_damaged_state_is_a_known_failure(tmp_path: Path) -> None:
    """It is not taken for an empty one: that would forget the floor."""
    (tmp_path / "state.json").write_bytes(b"{")
    with pytest.raises(SlotsUnusable):
        Slots(tmp_path).begin()


def test_only_what_was_proven_itself_is_fallen_back_on() -> None:
    """The proven pack's sector died while another was on trial, a third came and was proven, and is withdrawn."""
    first, second, third = (Wanted(number, f"{number:064x}") for number in (1, 2, 3))
    state = State().installed(Slot.A, first).marked_good(first).installed(Slot.B, second)
    state = state.given_up(first, None).installed(Slot.A, third).marked_good(third)
    state = state.obeyed(0, (third.digest,))
    assert (state.good, state.trying) == (None, None), "the second would run untried"


WANTED = st.builds(Wanted, st.integers(1, 9), st.integers(0, 9).map(lambda number: f"{number:064x}"))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("install"), WANTED),
        st.tuples(st.just("good"), WANTED),
        st.tuples(st.just("bad"), WANTED),
        st.tuples(st.just("obey"), WANTED),
    ),
    max_size=30,
)


@given(STEPS)
def test_no_order_of_events_leads_below_the_floor_or_back_to_a_bad_pack(steps: list[tuple[str, Wanted]]) -> None:
    """And every state that can be reached is written and read back as it was."""
    state = State()
    for step, pack in steps:
        floor = state.floor
        if step == "install" and not state.is_bad(pack.digest) and pack.release >= state.floor:
            state = state.installed(Slot.B if state.good is Slot.A else Slot.A, pack)
        elif step == "good":
            state = state.marked_good(pack)
        elif step == "bad":
            state = state.given_up(pack, Fault.CRASHED)
        elif step == "obey":
            state = state.obeyed(pack.release, (pack.digest,))
        used = state.pack(state.in_use)
        assert state.floor >= floor
        assert used is None or (used.release >= state.floor and not state.is_bad(used.digest))
        assert parse_state(write_state(state)) == state
