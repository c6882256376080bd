"""The health window of a new pack or settings: counts how visits end with it, says when it is proven or has drifted.

It sees what the screen sees, and counts visits, never people. A pack that crashes is given up by `models.slots`, one
that tells nobody apart by `examination`; this finds the one with which fewer visitors are acquired or recognised than
with the pack before, or by worse looks (`core.trial`). It acts while nobody is before the desk.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from appliance.core.errors import PackChanged
from appliance.core.session import State
from appliance.core.snapshot import Snapshot
from appliance.core.trial import MOST_VISITS, STEPS, Spread, Tally, Verdict, judge
from models import document
from models.document import Fields, Json
from models.errors import PackDamaged, SlotsUnusable
from models.releases import Wanted
from models.slot_state import Bad, Fault
from models.slots import Slots
from sync.durable import replace_file

_log = logging.getLogger(__name__)

SURVIVED_S: Final = 600.0
"""A run of this length was no crash at the start: the starts are counted anew."""

LOOK_S: Final = 15.0
"""How often the slots are looked at, while nobody is there."""

_NOTHING: Final = Tally()
_FAULTS: Final = {Verdict.DRIFT: Fault.DRIFT, Verdict.QUALITY: Fault.QUALITY}


@dataclass(frozen=True, slots=True)
class _Counts:
    """What is kept on the disk. digest: of the pack on trial, empty without one."""

    proven: Tally = _NOTHING
    trial: Tally = _NOTHING
    digest: str = ""


@dataclass(slots=True)
class _Visit:
    """What was shown of one. looks: at a face that was to be acquired. passed: of them, the gate. score: the last."""

    states: set[State] = field(default_factory=set)
    greeted: bool = False
    looks: int = 0
    passed: int = 0
    score: int | None = None

    def see(self, snapshot: Snapshot) -> None:
        """One snapshot of it."""
        self.states.add(snapshot.state)
        self.greeted = self.greeted or bool(snapshot.greeting)
        self.looks += snapshot.passed is not None
        self.passed += snapshot.passed is True
        self.score = self.score if snapshot.quality is None else snapshot.quality


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
        scored: bool = False,
        changed: Callable[[], object] = lambda: None,
    ) -> None:
        """file: for the counts. running: the pack in use, None: the delivered one. trial: it must prove itself.

        scored: the desk's pack has a quality model. changed: called when it has, and when something else was given up.
        """
        self._slots, self._file, self._changed = slots, file, changed
        self._bad: tuple[Bad, ...] = ()
        self._running, self._on_trial = running, running if trial else None
        self._scored = scored
        self._monotonic = monotonic
        self._began = self._looked = monotonic()
        self._counts = _read(file)
        digest = running.digest if running is not None and trial else ""
        if self._counts.digest != digest:
            self._counts = replace(self._counts, trial=_NOTHING, digest=digest)
        self._visit = _Visit()

    def see(self, snapshot: Snapshot) -> None:
        """Take what is shown into account. Raises PackChanged, while nobody is there, for another pack."""
        if snapshot.state is not State.IDLE:
            self._visit.see(snapshot)
            return
        if self._visit.states:
            self._end_visit()
        now = self._monotonic()
        if now - self._looked >= LOOK_S:
            self._looked = now
            self._look(now - self._began)

    def _end_visit(self) -> None:
        visit, self._visit = self._visit, _Visit()
        states = visit.states
        if not states & {State.ALIGN, State.HOLD} or states & {State.FALLBACK, State.HELP, State.OUT_OF_SERVICE}:
            return  # nobody who was to be recognised by the pack
        acquired = bool(states & {State.HOLD, State.CHALLENGE, State.CHECKING}) or visit.greeted
        clear = 100 * visit.passed / visit.looks if acquired and visit.looks else None
        score = visit.score if self._scored else None
        if self._on_trial is not None:
            self._counts = replace(self._counts, trial=self._counts.trial.plus(acquired, visit.greeted, clear, score))
        else:
            self._counts = replace(self._counts, proven=self._counts.proven.plus(acquired, visit.greeted, clear, score))
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
        if verdict in _FAULTS:
            now, before = self._counts.trial, self._counts.proven
            _log.warning("release %d is given up for %s: %s against %s", pack.release, verdict, now, before)
            self._slots.give_up(pack, _FAULTS[verdict])
            self._counts = replace(self._counts, trial=_NOTHING, digest="")
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
    counts: dict[str, Json] = {"visits": tally.visits, "acquired": tally.acquired, "recognised": tally.recognised}
    return {**counts, "clear": list(tally.clear.steps), "score": list(tally.score.steps)}


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
    visits = fields.whole("visits", 0, MOST_VISITS)
    acquired, recognised = fields.whole("acquired", 0, visits), fields.whole("recognised", 0, visits)
    return Tally(visits, acquired, recognised, _spread(fields, "clear", visits), _spread(fields, "score", visits))


def _spread(fields: Fields, name: str, visits: int) -> Spread:
    """Of these visits at the most; nothing where a program before this one kept the counts."""
    if not fields.has(name):
        return Spread()
    spread = Spread(tuple(int(count) for count in fields.numbers(name, STEPS)))
    if min(spread.steps) < 0 or spread.of > visits:
        raise fields.fault(name, f"is no spread of {visits} visits")
    return spread
