"""The health window of a new pack or settings: counts how visits end with it, says when it is proven or has drifted.

It sees what the screen sees, and counts visits, never people. A pack that crashes is given up by `models.slots`, one
that tells nobody apart by `examination`; this finds the one with which fewer visitors are acquired or recognised than
with the pack before. It acts while nobody is before the desk.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

from appliance.core.errors import PackChanged
from appliance.core.session import State
from appliance.core.shadow import at_most
from appliance.core.snapshot import Snapshot
from models import document
from models.document import Fields, Json
from models.errors import PackDamaged, SlotsUnusable
from models.releases import Wanted
from models.slot_state import Bad, Fault
from models.slots import Slots
from sync.durable import replace_file

_log = logging.getLogger(__name__)

LEAST_VISITS: Final = 20
LEAST_S: Final = 1800.0
"""Visits and seconds of one run that a pack needs to prove itself."""

SURVIVED_S: Final = 600.0
"""A run of this length was no crash at the start: the starts are counted anew."""

ALLOWED_DROP: Final = 0.1
DOUBT: Final = 0.01
"""A pack has drifted when a share of visits this much below the one before would give so few with this probability."""

UNKNOWN_SHARE: Final = 0.6
"""Taken for the share before where too few visits are known of it; less than half of the visitors is then drift."""

LOOK_S: Final = 15.0
"""How often the slots are looked at, while nobody is there."""

_MOST: Final = 400
"""Visits of the proven pack that count; of more, older ones fade by half."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How visits ended. acquired: a face was good enough to be looked at. recognised: whose it is was found."""

    visits: int = 0
    acquired: int = 0
    recognised: int = 0

    def plus(self, acquired: bool, recognised: bool) -> "Tally":
        """With one more visit."""
        before = self if self.visits < _MOST else Tally(self.visits // 2, self.acquired // 2, self.recognised // 2)
        return Tally(before.visits + 1, before.acquired + acquired, before.recognised + recognised)


class Verdict(StrEnum):
    """What became of a pack on trial."""

    WAIT = "wait"
    GOOD = "good"
    DRIFT = "drift"


def judge(trial: Tally, before: Tally, seconds: float) -> Verdict:
    """Judge a pack on trial. before: of the proven one. seconds: since this run began."""
    shares = [(trial.acquired, before.acquired), (trial.recognised, before.recognised)]
    for count, count_before in shares:
        known = before.visits >= LEAST_VISITS
        expected = max((count_before / before.visits if known else UNKNOWN_SHARE) - ALLOWED_DROP, 0.0)
        if at_most(count, trial.visits, expected) < DOUBT:
            return Verdict.DRIFT
    return Verdict.GOOD if trial.visits >= LEAST_VISITS and seconds >= LEAST_S else Verdict.WAIT


@dataclass(frozen=True, slots=True)
class _Counts:
    """What is kept on the disk. digest: of the pack on trial, empty without one."""

    proven: Tally = Tally()
    trial: Tally = Tally()
    digest: str = ""


class Probation:
    """One run of a desk. Used on the thread of the station only."""

    def __init__(
        self,
        slots: Slots,
        file: Path,
        running: Wanted | None,
        monotonic: Callable[[], float],
        *,
        trial: bool,
        changed: Callable[[], object] = lambda: None,
    ) -> None:
        """file: for the counts. running: the pack in use, None: the delivered one. trial: it must prove itself.

        changed: called when it has, and when something else was given up.
        """
        self._slots, self._file, self._changed = slots, file, changed
        self._bad: tuple[Bad, ...] = ()
        self._running, self._on_trial = running, running if trial else None
        self._monotonic = monotonic
        self._began = self._looked = monotonic()
        self._counts = _read(file)
        digest = running.digest if running is not None and trial else ""
        if self._counts.digest != digest:
            self._counts = replace(self._counts, trial=Tally(), digest=digest)
        self._states: set[State] = set()
        self._greeted = False

    def see(self, snapshot: Snapshot) -> None:
        """Take what is shown into account. Raises PackChanged, while nobody is there, for another pack."""
        if snapshot.state is not State.IDLE:
            self._states.add(snapshot.state)
            self._greeted = self._greeted or bool(snapshot.greeting)
            return
        if self._states:
            self._end_visit()
        now = self._monotonic()
        if now - self._looked >= LOOK_S:
            self._looked = now
            self._look(now - self._began)

    def _end_visit(self) -> None:
        states, greeted = self._states, self._greeted
        self._states, self._greeted = set(), False
        if not states & {State.ALIGN, State.HOLD} or states & {State.FALLBACK, State.HELP, State.OUT_OF_SERVICE}:
            return  # nobody who was to be recognised by the pack
        acquired = bool(states & {State.HOLD, State.CHALLENGE, State.CHECKING}) or greeted
        if self._on_trial is not None:
            self._counts = replace(self._counts, trial=self._counts.trial.plus(acquired, greeted))
        else:
            self._counts = replace(self._counts, proven=self._counts.proven.plus(acquired, greeted))
        self._keep()

    def _look(self, seconds: float) -> None:
        try:
            if self._on_trial is not None:
                self._decide(self._on_trial, seconds)
            state = self._slots.state()
        except SlotsUnusable as failure:
            _log.warning("the slots cannot be used, the desk goes on: %s", failure)
            return
        wanted = state.pack(state.in_use)
        if (wanted and wanted.digest) != (self._running and self._running.digest):
            raise PackChanged("another pack, or other settings, are to be used from now on")
        if state.bad != self._bad:
            self._bad = state.bad
            self._changed()

    def _decide(self, pack: Wanted, seconds: float) -> None:
        verdict = judge(self._counts.trial, self._counts.proven, seconds)
        if verdict is Verdict.DRIFT:
            _log.warning("release %d is given up: %s against %s", pack.release, self._counts.trial, self._counts.proven)
            self._slots.give_up(pack, Fault.DRIFT)
            self._counts = replace(self._counts, trial=Tally(), digest="")
        elif verdict is Verdict.GOOD:
            _log.info("release %d has proven itself: %s", pack.release, self._counts.trial)
            self._slots.mark_good(pack)
            self._counts = _Counts(proven=self._counts.trial)
            self._on_trial = None
            self._changed()
        elif seconds >= SURVIVED_S:
            self._slots.survived(pack)
            return
        else:
            return
        self._keep()

    def _keep(self) -> None:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            replace_file(self._file, _written(self._counts))
        except OSError as error:
            _log.warning("how visits ended cannot be kept: %s", error.strerror)


def _written(counts: _Counts) -> bytes:
    value: dict[str, Json] = {"format": 1, "proven": _tally_json(counts.proven), "trial": _tally_json(counts.trial)}
    return document.write({**value, "digest": counts.digest} if counts.digest else value)


def _tally_json(tally: Tally) -> dict[str, Json]:
    return {"visits": tally.visits, "acquired": tally.acquired, "recognised": tally.recognised}


def _read(file: Path) -> _Counts:
    try:
        fields = document.read(file.read_bytes(), file.name)
        fields.whole("format", 1, 1)
        return _Counts(
            _tally(fields.object("proven")),
            _tally(fields.object("trial")),
            fields.sha256("digest") if fields.has("digest") else "",
        )
    except FileNotFoundError:
        return _Counts()
    except (OSError, PackDamaged) as error:
        _log.warning("how visits ended is not known any more: %s", error)
        return _Counts()


def _tally(fields: Fields) -> Tally:
    visits = fields.whole("visits", 0, _MOST)
    return Tally(visits, fields.whole("acquired", 0, visits), fields.whole("recognised", 0, visits))
