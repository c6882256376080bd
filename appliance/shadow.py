"""Lets a new pack see real visits beside the pack in use, before it decides anything, and says what came of it.

It keeps a few frames of the visit before the camera in memory, hands them to the process that has the new pack when the
visit is over, and forgets them; on the disk are counts. Nothing here decides about a person or writes a template. The
process is `shadow_link`'s, the verdict `core.shadow`'s, the slots `models.slots`'.
"""

import logging
import math
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.core.session import State
from appliance.core.shadow import Agreed, Compared, ShadowTally, ShadowVerdict, judge_shadow
from appliance.core.snapshot import Snapshot
from appliance.core.types import Frame, LivenessVerdict, Observation
from appliance.shadow_link import Broken
from appliance.shadow_wire import Seen, Visit
from appliance.shadow_worker import Link, ShadowWorker
from models import document
from models.document import Fields, Json
from models.errors import PackDamaged, SlotsUnusable
from models.releases import Wanted
from models.slot_state import Fault
from models.slots import Slots
from sync.durable import replace_file
from sync.errors import KnownFailure
from sync.home import Home

_log = logging.getLogger(__name__)

LOOKS: Final = 3
SPACING_S: Final = 0.4
"""Frames of a visit that passed the gate, and seconds between two of them: neighbours would repeat each other."""

LOOK_S: Final = 15.0
"""How often the slots are looked at, while nobody is there."""

KEEP_S: Final = 600.0
"""How often it is kept for how long a pack has been watched, beside every visit: a power cut costs no more."""

_NOTHING: Final = ShadowTally()
_MOST: Final = 10_000
_COUNTS: Final = ("found", "passed", "alike", "live", "taken")


class Glances:
    """The few frames of one visit that a new pack is to see too."""

    def __init__(self) -> None:
        self._looks: list[Seen] = []
        self._others: dict[bool, Seen] = {}

    def look(self, frame: Frame, seen: Observation, passed: bool) -> None:
        """Keep a frame, where it is one of those: good ones apart, the first refused, the last without a face."""
        one = Seen(frame, seen.faces[0].box if seen.faces else None, passed)
        if passed:
            if len(self._looks) < LOOKS and (not self._looks or frame.at - self._looks[-1].frame.at >= SPACING_S):
                self._looks.append(one)
        elif not seen.faces or False not in self._others:
            self._others[not seen.faces] = one

    def take(self, *, live: bool) -> Visit | None:
        """The visit, which is forgotten here; None where nobody was acquired."""
        visit = Visit((*self._looks, *self._others.values()), live) if self._looks else None
        self._looks, self._others = [], {}
        return visit


@dataclass(frozen=True, slots=True)
class Watching:
    """What watching a pack needs. link: as `Link`. prepare: takes a pack into memory before it goes on trial.

    free: whether no settings are on trial; while they are, no pack is watched or goes on trial, or it would be blamed
    for what they did.
    """

    link: Link
    prepare: Callable[[Path], object] = lambda _: None
    free: Callable[[], bool] = lambda: True


@dataclass(frozen=True, slots=True)
class Watched:
    """How far a pack has come that is watched. digest: empty where none is. seconds: the desk ran with it beside."""

    digest: str = ""
    tally: ShadowTally = _NOTHING
    seconds: float = 0.0


class Shadow:
    """One run of a desk. Used on the thread of the station only."""

    def __init__(
        self,
        slots: Slots,
        file: Path,
        monotonic: Callable[[], float],
        watching: Watching,
        changed: Callable[[], object] = lambda: None,
    ) -> None:
        """file: for the counts. changed: called when a pack begins to be watched, goes on trial, or is given up."""
        self._slots, self._file, self._monotonic, self._changed = slots, file, monotonic, changed
        self._watching = watching
        self._preparation: threading.Thread | None = None
        self._looked = float("-inf")
        self._pack: Wanted | None = None
        self._worker: ShadowWorker | None = None
        self._opened = False
        self._tally = _NOTHING
        self._before, self._since, self._kept = 0.0, 0.0, 0.0
        self._glances = Glances()

    @property
    def preparing(self) -> bool:
        """Whether the pack that goes on trial is still being taken into memory."""
        return self._preparation is not None and self._preparation.is_alive()

    def look(self, frame: Frame, seen: Observation, passed: bool) -> None:
        """A frame of the visit, as the pack in use saw it. passed: the gate of a check-in."""
        if self._worker is not None:
            self._glances.look(frame, seen, passed)

    def end(self, liveness: LivenessVerdict) -> None:
        """The visit is over; what it was found to be."""
        visit = self._glances.take(live=liveness is LivenessVerdict.LIVE)
        if visit is not None and self._worker is not None:
            self._worker.offer(visit)

    def see(self, snapshot: Snapshot) -> None:
        """While nobody is there: take what the pack said, and look which pack is to be watched."""
        if snapshot.state is not State.IDLE:
            return
        try:
            self._take_answers()
            now = self._monotonic()
            if now - self._looked >= LOOK_S:
                self._looked = now
                self._follow(now)
                self._go_on(now)
        except SlotsUnusable as failure:
            _log.warning("the slots cannot be used, the desk goes on: %s", failure)

    def close(self) -> None:
        """End the process; the counts stay for the next run."""
        if self._worker is not None and self._pack is not None:
            self._worker.end()
            self._keep(self._pack)
        self._pack, self._worker, self._opened = None, None, False
        self._glances.take(live=False)

    def _follow(self, now: float) -> None:
        waiting = self._slots.waiting() if self._watching.free() else None
        if (waiting and waiting[1]) == self._pack:
            return
        self.close()
        if waiting is not None:
            folder, self._pack = waiting
            before = read_progress(self._file)
            same = before.digest == self._pack.digest
            self._tally, self._before = (before.tally, before.seconds) if same else (_NOTHING, 0.0)
            self._kept = now
            self._worker = ShadowWorker(self._watching.link, folder)
            _log.info("release %d is watched beside the pack in use", self._pack.release)
            self._changed()

    def _go_on(self, now: float) -> None:
        """Time passes also where nobody comes, or where settings were on trial when the last visit was compared."""
        if self._pack is None or not self._opened:
            return  # what nobody could open decides nothing, however long it waits
        if now - self._kept >= KEEP_S:
            self._keep(self._pack)
        self._judge(self._pack)

    @property
    def _seconds(self) -> float:
        return self._before + (self._monotonic() - self._since if self._opened else 0.0)

    def _take_answers(self) -> None:
        while self._worker is not None and self._pack is not None:
            try:
                said = self._worker.answers.get_nowait()
            except queue.Empty:
                return
            if isinstance(said, Broken):
                self._refuse(self._pack, said.fault, said.why)
            elif isinstance(said, Compared):
                self._tally = self._tally.plus(said)
                self._keep(self._pack)
                self._judge(self._pack, said.slowest)
            else:
                self._opened, self._since = True, self._monotonic()

    def _judge(self, pack: Wanted, slowest: float = 0.0) -> None:
        verdict = judge_shadow(self._tally, self._seconds, slowest)
        if verdict is ShadowVerdict.SLOW:
            self._refuse(pack, Fault.SLOW, f"a step took {slowest:.1f} processor seconds")
        elif verdict is ShadowVerdict.DIFFERS:
            self._refuse(pack, Fault.DIFFERS, str(self._tally))
        elif verdict is ShadowVerdict.PASSED and self._watching.free():
            _log.info("release %d goes on trial: %s", pack.release, self._tally)
            waiting = self._slots.waiting()
            self.close()
            self._slots.promote(pack)  # first: a start is counted from now on, whatever becomes of this process
            self._changed()
            if waiting is not None:
                self._prepare(waiting[0])

    def _prepare(self, folder: Path) -> None:
        def prepare() -> None:
            try:
                self._watching.prepare(folder)
            except KnownFailure as failure:
                _log.warning("the new pack was not taken into memory: %s", failure.code)  # opening it will say more

        self._preparation = threading.Thread(target=prepare, name="prepare", daemon=True)
        self._preparation.start()

    def _refuse(self, pack: Wanted, fault: Fault | None, why: str) -> None:
        self.close()
        if fault is None:
            _log.warning("release %d is set aside: %s", pack.release, why)
            self._slots.set_aside(pack)
        else:
            _log.warning("release %d is given up before anybody was recognised by it: %s", pack.release, why)
            self._slots.give_up(pack, fault)
        self._changed()

    def _keep(self, pack: Wanted) -> None:
        self._kept = self._monotonic()
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            replace_file(self._file, _written(Watched(pack.digest, self._tally, self._seconds)), mode=0o640)
        except OSError as error:
            _log.warning("how the new pack sees visits cannot be kept: %s", error.strerror)


def shadow_file(home: Home) -> Path:
    """Where a desk keeps the counts."""
    return home.root / "updates" / "shadow.json"


def _written(progress: Watched) -> bytes:
    value: dict[str, Json] = {"format": 1, "digest": progress.digest, "seconds": round(progress.seconds)}
    for name in _COUNTS:
        count: Agreed = getattr(progress.tally, name)
        value[name] = {"times": count.times, "of": count.of}
    return document.write(value)


def read_progress(file: Path) -> Watched:
    """What is kept of the pack that is watched; nothing where that is damaged, and told in the log."""
    try:
        fields = document.read(file.read_bytes(), file.name)
        fields.whole("format", 1, 1)
        counts = {name: _agreed(fields.object(name)) for name in _COUNTS}
        seconds = fields.number("seconds", 0, math.inf) if fields.has("seconds") else 0.0  # none before this was kept
        return Watched(fields.sha256("digest"), ShadowTally(**counts), seconds)
    except FileNotFoundError:
        return Watched()
    except (OSError, PackDamaged) as error:
        _log.warning("how the new pack saw visits is not known any more: %s", error)
        return Watched()


def _agreed(fields: Fields) -> Agreed:
    of = fields.whole("of", 0, _MOST)
    return Agreed(fields.whole("times", 0, of), of)
