"""A desk's signed word about its pack and settings: one event whenever they change, for desks that follow publishers.

Which pack is opened is `packs_in_use`'s, which settings hold `settings_in_use`'s; what the fund makes of the word is
its own.
"""

import json
import logging
from dataclasses import dataclass
from typing import Final

from appliance.checkin import sign
from appliance.core.machine_events import PackBeside, PackGivenUp, PackInUse, SettingsGivenUp, SettingsInUse
from appliance.core.types import PackDigest
from appliance.records.desk import DeskRecords
from models.releases import Wanted
from models.slot_state import State
from sync.clock import Clock
from sync.durable import replace_file
from sync.home import Home
from sync.ledger import Ledger

_log = logging.getLogger(__name__)

_MOST: Final = 20
"""Packs given up that are told of: the latest."""


@dataclass(frozen=True, slots=True)
class Run:
    """What was opened. release: None for the delivered pack. settings: None for the desk's own file alone.

    ring: whose assignments the desk follows. configuration: digest. policy: id.
    """

    pack: PackDigest
    release: Wanted | None
    settings: Wanted | None
    ring: str
    configuration: str
    policy: str
    software: str


def pack_in_use(run: Run, packs: State, settings: State) -> PackInUse:
    """The event about it, with what the desk gave up. packs, settings: of their slots, now."""
    return PackInUse(
        pack=run.pack,
        release=None if run.release is None else run.release.release,
        trial=_on_trial(packs, run.release),
        ring=run.ring,
        floor=packs.floor,
        given_up=tuple(PackGivenUp(one.pack.digest, one.pack.release, one.fault) for one in packs.bad[-_MOST:]),
        settings=SettingsInUse(
            settings=None if run.settings is None else run.settings.digest,
            release=None if run.settings is None else run.settings.release,
            trial=_on_trial(settings, run.settings),
            floor=settings.floor,
            given_up=tuple(
                SettingsGivenUp(one.pack.digest, one.pack.release, one.fault) for one in settings.bad[-_MOST:]
            ),
        ),
        configuration=run.configuration,
        policy=run.policy,
        software=run.software,
        beside=None if packs.waiting is None else PackBeside(packs.waiting.digest, packs.waiting.release),
    )


def _on_trial(state: State, running: Wanted | None) -> bool:
    return running is not None and state.on_trial == running


def tell_pack(records: DeskRecords, ledger: Ledger, clock: Clock, home: Home, word: PackInUse) -> bool:
    """Sign it unless it is what was said last; gives whether it was signed.

    What was said last is a file: where that is lost, the same is said twice. Raises DatabaseFailure.
    """
    file, said = home.root / "updates" / "told.json", json.dumps(word.data(), sort_keys=True).encode()
    try:
        if file.read_bytes() == said:
            return False
    except OSError as error:
        _log.info("what was said of the pack last is not known: %s", error.strerror)
    sign(records, ledger, clock, word)
    try:
        replace_file(file, said)
    except OSError as error:
        _log.warning("what was said of the pack cannot be kept: %s", error.strerror)
    return True
