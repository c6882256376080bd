"""The process in which a new pack sees a desk's visits beside the pack in use, and dies alone if it must.

`python -m appliance.shadow_process PACK LICENCES HOME`: it examines the pack, then answers each visit on its
input by yes and no, and forgets it. It opens no record, writes no file, and ends with its input. What is asked of it is
`shadow_link`'s; what follows from the answers, `core.shadow`'s.
"""

import logging
import os
import resource
import sys
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path
from statistics import median
from typing import BinaryIO, Final

import numpy as np

from appliance.core.errors import PackInvalid, PackSlow, PackUncalibrated, PackUnfit
from appliance.core.policy import Policy
from appliance.core.ports import Observer
from appliance.core.quality import judge
from appliance.core.shadow import Compared
from appliance.core.types import Embedding, Face, Frame
from appliance.examination import examine
from appliance.face.pack import Pack, open_pack
from appliance.face.pipeline import FacePipeline
from appliance.recognition import SAME_FACE
from appliance.settings_in_use import in_force
from appliance.shadow_wire import Blame, Ready, Seen, Unopened, Visit, read_visit, write_answer
from sync.clock import SystemClock
from sync.errors import KnownFailure
from sync.home import Home
from sync.memory import guard_memory

_log = logging.getLogger(__name__)

MEMORY: Final = 3 << 30
"""Bytes of data the process may have: the largest packs known need a third of it, and the desk keeps the rest."""

NICE: Final = 19
"""The least priority there is: whoever stands before the desk comes first."""


class Watcher:
    """A pack that looks at visits. busy: processor seconds used so far, so that a busy machine makes no pack slow."""

    def __init__(self, pack: Pack, policy: Policy, busy: Callable[[], float]) -> None:
        """Examines the pack. Raises as `examine`."""
        self._pipeline: Observer = FacePipeline(pack)
        self._policy, self._busy = policy, busy
        self._same = pack.measured.threshold_verify(policy.fmr).value
        self._reject = pack.measured.pad.reject if pack.pads and pack.measured.pad else None
        self._strangers = examine(self._pipeline, pack.measured, policy, busy).faces

    def compare(self, visit: Visit) -> Compared:
        """How the pack sees a visit."""
        found, passed, looks, scores, slowest = 0, 0, [], [], 0.0
        for one in visit.frames:
            start = self._busy()
            seen = self._pipeline.observe(one.frame)
            slowest = max(slowest, self._busy() - start)
            face = _same_face(seen.faces, one)
            found += (not seen.faces) if one.face is None else face is not None
            passed += judge(seen, self._policy.gate).passed == one.passed
            if face is None or not one.passed:
                continue
            start = self._busy()
            looks.append(self._pipeline.embed(one.frame, face))
            slowest = max(slowest, self._busy() - start)
            scores.append(self._score(one.frame, face))
        most = len(visit.frames) / 2
        return Compared(
            found=found > most,
            passed=passed > most,
            alike=self._alike(looks) if len(looks) > 1 else None,
            live=self._live(scores) if visit.live else None,
            strangers=len(self._strangers) if looks else 0,
            taken=self._taken(looks) if looks else 0,
            slowest=slowest,
        )

    def _score(self, frame: Frame, face: Face) -> float | None:
        return None if self._reject is None else self._pipeline.live_score(frame, face)

    def _live(self, scores: Sequence[float | None]) -> bool | None:
        known = [score for score in scores if score is not None]
        return None if self._reject is None or not known else median(known) >= self._reject

    def _alike(self, looks: Sequence[Embedding]) -> bool:
        return all(float(a.vector @ b.vector) >= self._same for a, b in combinations(looks, 2))

    def _taken(self, looks: Sequence[Embedding]) -> int:
        """For how many strangers the visitor is taken, by the mean of the looks as in a comparison."""
        mean = np.mean([look.vector for look in looks], axis=0)
        mean /= np.linalg.norm(mean)
        return sum(float(mean @ stranger.vector) >= self._same for stranger in self._strangers)


def _same_face(faces: Sequence[Face], one: Seen) -> Face | None:
    if one.face is None:
        return None
    like = [(face.box.iou(one.face), face) for face in faces]
    overlap, best = max(like, key=lambda pair: pair[0], default=(0.0, None))
    return best if overlap >= SAME_FACE else None


def serve(pack: Path, licences: Path, policy: Policy, visits: BinaryIO, answers: BinaryIO) -> None:
    """Open and examine the pack, then answer visits until there are no more."""

    def answer(said: Ready | Unopened | Compared) -> None:
        answers.write(write_answer(said))
        answers.flush()

    busy = SystemClock().thread_cpu
    try:
        watcher = Watcher(open_pack(pack, accepted=licences), policy, busy)
    except KnownFailure as failure:
        answer(Unopened(str(failure), _blamed(failure)))
        return
    answer(Ready())
    while line := visits.readline():
        answer(watcher.compare(read_visit(line, visits.read)))


def _blamed(failure: KnownFailure) -> Blame:
    if isinstance(failure, PackSlow):
        return Blame.SLOW
    return Blame.UNFIT if isinstance(failure, PackInvalid | PackUncalibrated | PackUnfit) else Blame.ELSEWHERE


def main(arguments: Sequence[str]) -> None:
    """Be the process."""
    pack, licences, home = map(Path, arguments)
    guard_memory()
    try:
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
        os.nice(NICE)
    except (OSError, ValueError) as error:  # a unit that forbids it is no fault of the pack
        _log.warning("the process that watches has no limits of its own: %s", error)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no answer
    config, _ = in_force(Home(home))
    serve(pack, licences, config.policy, sys.stdin.buffer, answers)


if __name__ == "__main__":
    main(sys.argv[1:])
