"""Lets a new pack see real visits beside the pack in use, before it decides anything, and says what came of it.

It keeps a few frames of the visit before the camera in memory, hands them to the process that has the new pack when the
visit is over, and forgets them; on the disk are counts. Nothing here decides about a person or writes a template. The
process is `shadow_link`'s, the verdict `core.shadow`'s, the slots `models.slots`'.
"""

import logging
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
    """What watching a pack needs. link: as `Link`. prepare: takes a pack into memory before it goes on trial."""

    link: Link
    prepare: Callable[[Path], object] = lambda _: None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a pack has come that is watched. digest: empty where none is."""

    digest: str = ""
    tally: ShadowTally = _NOTHING


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
        self._tally = _NOTHING
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
                self._follow()
        except SlotsUnusable as failure:
            _log.warning("the slots cannot be used, the desk goes on: %s", failure)

    def close(self) -> None:
        """End the process; the counts stay for the next run."""
        if self._worker is not None:
            self._worker.end()
        self._pack, self._worker = None, None
        self._glances.take(live=False)

    def _follow(self) -> None:
        waiting = self._slots.waiting()
        if (waiting and waiting[1]) == self._pack:
            return
        self.close()
        if waiting is not None:
            folder, self._pack = waiting
            before = read_progress(self._file)
            self._tally = before.tally if before.digest == self._pack.digest else _NOTHING
            self._worker = ShadowWorker(self._watching.link, folder)
            _log.info("release %d is watched beside the pack in use", self._pack.release)
            self._changed()

    def _take_answers(self) -> None:
        while self._worker is not None and self._pack is not None:
            try:
                said = self._worker.answers.get_nowait()
            except queue.Empty:
                return
            if isinstance(said, Broken):
                self._refuse(self._pack, said.fault, said.why)
            elif isinstance(said, Compared):
                self._judge(self._pack, said)

    def _judge(self, pack: Wanted, visit: Compared) -> None:
        self._tally = self._tally.plus(visit)
        self._keep(pack)
        verdict = judge_shadow(self._tally, visit.slowest)
        if verdict is ShadowVerdict.SLOW:
            self._refuse(pack, Fault.SLOW, f"a step took {visit.slowest:.1f} processor seconds")
        elif verdict is ShadowVerdict.DIFFERS:
            self._refuse(pack, Fault.DIFFERS, str(self._tally))
        elif verdict is ShadowVerdict.PASSED:
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
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            replace_file(self._file, _written(Progress(pack.digest, self._tally)))
        except OSError as error:
            _log.warning("how the new pack sees visits cannot be kept: %s", error.strerror)


def shadow_file(home: Home) -> Path:
    """Where a desk keeps the counts."""
    return home.root / "updates" / "shadow.json"


def _written(progress: Progress) -> bytes:
    value: dict[str, Json] = {"format": 1, "digest": progress.digest}
    for name in _COUNTS:
        count: Agreed = getattr(progress.tally, name)
        value[name] = {"times": count.times, "of": count.of}
    return document.write(value)


def read_progress(file: Path) -> Progress:
    """What is kept of the pack that is watched; nothing where that is damaged, and told in the log."""
    try:
        fields = document.read(file.read_bytes(), file.name)
        fields.whole("format", 1, 1)
        counts = {name: _agreed(fields.object(name)) for name in _COUNTS}
        return Progress(fields.sha256("digest"), ShadowTally(**counts))
    except FileNotFoundError:
        return Progress()
    except (OSError, PackDamaged) as error:
        _log.warning("how the new pack saw visits is not known any more: %s", error)
        return Progress()


def _agreed(fields: Fields) -> Agreed:
    of = fields.whole("of", 0, _MOST)
    return Agreed(fields.whole("times", 0, of), of)
