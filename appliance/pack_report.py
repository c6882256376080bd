"""A desk's signed word about the pack it runs: one event whenever that changes, for desks that follow publishers.

Which pack is opened is `packs_in_use`'s; what the fund makes of the word is its own.
"""

import json
import logging
from dataclasses import dataclass
from typing import Final

from appliance.checkin import sign
from appliance.core.machine_events import PackGivenUp, PackInUse
from appliance.core.types import PackDigest
from appliance.records.desk import DeskRecords
from models.slot_state import State
from sync.clock import Clock
from sync.durable import replace_file
from sync.home import Home
from sync.ledger import Ledger

_log = logging.getLogger(__name__)

_MOST: Final = 20
"""Packs given up that are told of: the latest."""


@dataclass(frozen=True, slots=True)
class PackWord:
    """The pack that was opened. release: None for the delivered one. ring: whose assignments the desk follows."""

    pack: PackDigest
    release: int | None
    trial: bool
    ring: str


def pack_in_use(word: PackWord, state: State, policy: str, software: str) -> PackInUse:
    """The event about it, with what the desk gave up."""
    return PackInUse(
        pack=word.pack,
        release=word.release,
        trial=word.trial,
        ring=word.ring,
        floor=state.floor,
        given_up=tuple(PackGivenUp(one.pack.digest, one.pack.release, one.fault) for one in state.bad[-_MOST:]),
        policy=policy,
        software=software,
    )


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
