"""Which settings a desk works by: those of its slot over its own file, or its own file alone.

Settings on trial are examined first, with the desk's pack, and given up by themselves when with them the desk would
take strangers for each other or know nobody. How they come belongs to `updating`, what may stand in them to `managed`,
how visits end with them to `probation`.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from appliance.config import Config, load, parse, read
from appliance.core.errors import ConfigInvalid, ImageUnreadable, PackUnfit
from appliance.core.policy import Policy
from appliance.core.ports import Observer
from appliance.examination import examine
from appliance.managed import over
from models.calibration import Calibration
from models.errors import NoHealthyPack, PackDamaged, SlotsUnusable
from models.releases import Wanted
from models.settings_file import read_settings, settings_slots
from models.slot_state import Fault, State
from models.slots import Chosen, Slots
from sync.home import Home

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Managed:
    """release: of the settings in force; None: the desk's own file alone. trial: they have yet to prove themselves."""

    release: Wanted | None = None
    trial: bool = False


OWN_SETTINGS: Final = Managed()


def slots_of_settings(home: Home) -> Slots:
    """The two slots of a desk's settings."""
    return settings_slots(home.root / "updates" / "settings")


def in_force(home: Home, *, counted: bool = False) -> tuple[Config, Managed]:
    """The desk's configuration. counted: as `Slots.begin`.

    Slots that cannot be used leave the desk's own file: settings from afar never keep a desk from opening. Raises
    ConfigInvalid for the desk's own file.
    """
    own, slots = read(home.config), slots_of_settings(home)
    alone = parse(own)
    try:
        while (chosen := _chosen(slots, counted=counted)) is not None:
            found = _merged(slots, own, chosen)
            if found is not None:
                return found, Managed(chosen.pack, chosen.trial)
    except SlotsUnusable as failure:
        _log.warning("settings from afar cannot be used, the desk's own hold: %s", failure)
    return alone, OWN_SETTINGS


def in_force_untried(home: Home) -> tuple[Config, Managed]:
    """As `in_force`, without settings on trial: also where a full disk kept them from being given up."""
    config, managed = in_force(home)
    return (load(home.config), OWN_SETTINGS) if managed.trial else (config, managed)


def known_of_settings(home: Home) -> State:
    """The state of the slots, for the desk's report; nothing is known where it cannot be read."""
    try:
        return slots_of_settings(home).state()
    except SlotsUnusable as failure:
        _log.warning("nothing is known of settings from afar: %s", failure)
        return State()


def _chosen(slots: Slots, *, counted: bool) -> Chosen | None:
    try:
        return slots.begin(counted=counted)
    except NoHealthyPack as failure:  # unlike a pack, a policy of its own is always there
        _log.warning("no settings from afar are new enough, the desk's own hold: %s", failure)
        return None


def _merged(slots: Slots, own: bytes, chosen: Chosen) -> Config | None:
    """The configuration with the chosen settings; None: they were given up."""
    try:
        return over(own, read_settings(chosen.path))
    except ConfigInvalid as failure:
        _log.warning("settings %d are given up: %s", chosen.pack.release, failure)
        slots.give_up(chosen.pack, Fault.INVALID)
    except PackDamaged as failure:
        _log.warning("settings %d are set aside: %s", chosen.pack.release, failure)
        slots.set_aside(chosen.pack)
    return None


def are_fit(
    slots: Slots,
    release: Wanted,
    observer: Observer,
    calibration: Calibration,
    policy: Policy,
    monotonic: Callable[[], float],
) -> bool:
    """Whether settings on trial leave the desk's pack telling people apart; if not they are given up."""
    try:
        try:
            examine(observer, calibration, policy, monotonic)
        except PackUnfit as failure:
            _log.warning("settings %d are given up: %s", release.release, failure)
            slots.give_up(release, Fault.SELF_TEST)
        except ImageUnreadable as failure:
            _log.warning("settings %d are set aside: %s", release.release, failure)
            slots.set_aside(release)
        else:
            return True
    except SlotsUnusable as failure:
        _log.warning("settings %d are not used, and that cannot be noted: %s", release.release, failure)
    return False
