"""Which settings a desk works by, and how bad ones are left by themselves."""

import logging
from itertools import count
from pathlib import Path

import pytest

from appliance.core.errors import ConfigInvalid
from appliance.core.policy import Policy
from appliance.face.pack import Pack, open_pack
from appliance.face.pipeline import FacePipeline
from appliance.settings_in_use import (
    OWN_SETTINGS,
    are_fit,
    in_force,
    in_force_untried,
    known_of_settings,
    slots_of_settings,
)
from models.releases import Wanted
from models.settings_file import SETTINGS_NAME, settings_digest
from models.slot_state import MAX_TRIES, Bad, Fault, State
from models.slots import Slots
from sync.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A desk's home with a file of its own."""
    made = Home(tmp_path / "desk")
    made.config.parent.mkdir(parents=True)
    made.config.write_text("[policy]\ntries = 3\n")
    return made


def _install(home: Home, release: int, data: bytes) -> Wanted:
    folder = home.root / "incoming" / str(release)
    folder.mkdir(parents=True)
    (folder / SETTINGS_NAME).write_bytes(data)
    wanted = Wanted(release, settings_digest(data))
    slots_of_settings(home).install(folder, wanted)
    return wanted


def _slots(home: Home) -> Slots:
    return slots_of_settings(home)


def test_without_settings_from_afar_the_own_file_holds(home: Home) -> None:
    """And what is wrong with it is a known failure."""
    config, managed = in_force(home, counted=True)
    assert (config.policy.tries, managed) == (3, OWN_SETTINGS)
    home.config.write_text("[policy]\ntries = 0\n")
    with pytest.raises(ConfigInvalid):
        in_force(home)


def test_settings_on_trial_hold_and_are_counted_before(home: Home) -> None:
    """A command beside the desk uses the same, and counts nothing."""
    wanted = _install(home, 1, b"[policy]\nfmr = 1e-5\n")
    config, managed = in_force(home, counted=True)
    assert (config.policy, managed.release, managed.trial) == (Policy(fmr=1e-5), wanted, True)
    in_force(home)
    assert _slots(home).state().tries == 1


def test_settings_under_which_the_desk_crashes_are_left(home: Home) -> None:
    """After so many starts the ones before hold again, by themselves."""
    first = _install(home, 1, b"[policy]\nfmr = 1e-5\n")
    _slots(home).mark_good(first)
    second = _install(home, 2, b"[policy]\nfmr = 2e-5\n")
    for _ in range(MAX_TRIES):
        assert in_force(home, counted=True)[1].release == second
    assert in_force(home, counted=True)[1].release == first
    assert _slots(home).state().bad == (Bad(second, Fault.CRASHED),)


def test_settings_that_this_program_does_not_accept_are_given_up(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    """With their fault; a fault of the desk's own file is not blamed on them."""
    wanted = _install(home, 1, b"[policy]\nfmr = 0.9\n")
    home.config.write_text("[policy]\ntries = 0\n")
    with pytest.raises(ConfigInvalid):
        in_force(home)
    assert _slots(home).state().bad == ()
    home.config.write_text("")
    with caplog.at_level(logging.WARNING):
        assert in_force(home)[1] == OWN_SETTINGS
    assert "fmr" in caplog.text
    assert _slots(home).state().bad == (Bad(wanted, Fault.INVALID),)


def test_slots_that_cannot_be_used_close_no_desk(home: Home) -> None:
    """A damaged state, and a floor that nothing here reaches: the own file holds."""
    wanted = _install(home, 1, b"[policy]\nfmr = 1e-5\n")
    _slots(home).obey(5, (wanted.digest,))
    assert _slots(home).state().floor == 5
    assert in_force(home)[1] == OWN_SETTINGS
    assert known_of_settings(home).floor == 5
    (home.root / "updates" / "settings" / "state.json").write_text("{")
    assert in_force(home)[1] == OWN_SETTINGS
    assert known_of_settings(home) == State()


def test_unfit_settings_that_cannot_be_given_up_are_not_used_either(home: Home, pack: Pack, tmp_path: Path) -> None:
    """A disk that is full, or gone: the own file holds, and the desk opens."""
    wanted = _install(home, 1, b"[policy]\nfmr = 1e-300\n")
    policy, ticks = in_force(home)[0].policy, count()
    (tmp_path / "full").write_text("")
    full = slots_of_settings(Home(tmp_path / "full"))
    assert not are_fit(full, wanted, FacePipeline(pack), pack.measured, policy, lambda: next(ticks) * 0.01)
    assert in_force(home)[1].trial
    config, managed = in_force_untried(home)
    assert (config.policy.tries, managed) == (3, OWN_SETTINGS)
    _slots(home).mark_good(wanted)
    assert in_force_untried(home)[1].release == wanted


@pytest.fixture(scope="module")
def pack(pack_path: Path) -> Pack:
    """The builtin pack."""
    return open_pack(pack_path)


@pytest.mark.parametrize(("fmr", "fit"), [(1e-4, True), (1e-300, False)], ids=["sound", "refuses everybody"])
def test_a_policy_under_which_nobody_is_recognised_is_given_up(home: Home, pack: Pack, fmr: float, fit: bool) -> None:
    """The examination of packs asks the pack in use, under the new policy, before a patient meets it."""
    wanted = _install(home, 1, b"[policy]\nfmr = %r\n" % fmr)
    ticks, policy = count(), in_force(home)[0].policy
    found = are_fit(_slots(home), wanted, FacePipeline(pack), pack.measured, policy, lambda: next(ticks) * 0.01)
    assert found is fit
    assert _slots(home).state().bad == (() if fit else (Bad(wanted, Fault.SELF_TEST),))
    assert (in_force(home)[1] == OWN_SETTINGS) is not fit
