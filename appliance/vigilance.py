"""Watches a visit for what was shown before: pictures that stand still or loop, faces of an earlier visit.

It remembers, asks the core for a verdict, and records each alarm once a visit. What a doubt means for the visit is the
station's and the core's. What it remembers is in memory only: pictures as thumbnails of 16 x 12, faces as embeddings.
"""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.capture.recurrence import PictureMemory
from appliance.core.policy import ReplayRule
from appliance.core.replay import REPLAYED_FACE, Repeats, shown_before
from appliance.core.types import Embedding, Frame, Instant, Sensitive
from sync.errors import KnownFailure

_LOG = logging.getLogger(__name__)

_FACES = 8192  # remembered; some 60 of a visit with a challenge: two hours of a busy desk
_HOUR = 3600.0


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class _Seen(Sensitive):
    """Faces of one visit that is over."""

    until: Instant
    vectors: NDArray[np.float32]
    pack: str


class Vigilance:
    """The memory of one station, on its thread."""

    def __init__(
        self,
        rule: ReplayRule,
        alike: float,
        alarm: Callable[[str, str], object],
        erasures: Callable[[], int] = lambda: 0,
    ) -> None:
        """alike: least cosine of two looks of one person. alarm: records one, `Desk.record_alarm`.

        erasures: how many people were erased so far. Whose a remembered face is nobody knows, so each erasure ends all.
        """
        self._rule, self._alike, self._record = rule, alike, alarm
        self._erasures, self._erased = erasures, erasures()
        self._pictures = PictureMemory(rule.gap, rule.stride)
        self._repeats = Repeats()
        self._earlier: deque[_Seen] = deque()
        self._own: list[Embedding] = []
        self._told: set[str] = set()

    @property
    def remembered(self) -> int:
        """How many faces are in memory."""
        return sum(len(seen.vectors) for seen in self._earlier)

    def look(self, frame: Frame, visiting: bool) -> str | None:
        """Take one picture into account; what is wrong with the pictures of this visit so far. visiting: one is on."""
        seen = self._pictures.look(frame)
        if not visiting:
            self._repeats = Repeats()
            return None
        self._repeats = self._repeats.follow(seen, self._rule)
        found = self._repeats.found
        return None if found is None else self._alarm(found.value)

    def compare(self, faces: Sequence[Embedding], now: Instant) -> str | None:
        """What is wrong with an attempt, before it is decided: one of its probes was in an earlier visit.

        All faces of earlier visits are looked at: a film shown again seldom gives its probes at the same pictures.
        """
        self.note(faces)
        self._forget(now)
        past = [seen.vectors for seen in self._earlier if faces and seen.pack == faces[0].pack]
        if not past:
            return None
        probes = np.stack([face.vector for face in faces])
        nearest = float((np.concatenate(past) @ probes.T).max())
        return self._alarm(REPLAYED_FACE) if shown_before(nearest, self._alike, self._rule) else None

    def _forget(self, now: Instant) -> None:
        """Drop faces whose time is over; all of them when somebody was erased, who may be among them."""
        while self._earlier and self._earlier[0].until <= now:
            self._earlier.popleft()
        erased, self._erased = self._erased, self._erasures()
        if erased != self._erased:
            self._earlier.clear()

    def note(self, faces: Sequence[Embedding]) -> None:
        """Faces of this visit; they are compared with those of later ones."""
        known = set(map(id, self._own))
        self._own.extend(face for face in faces if id(face) not in known)

    def end(self, now: Instant) -> None:
        """The visit is over."""
        own, self._own, self._told, self._repeats = self._own, [], set(), Repeats()
        if not own or self._rule.seen_hours <= 0:
            return
        vectors = np.stack([face.vector for face in own])
        until = Instant(now + self._rule.seen_hours * _HOUR)
        self._earlier.append(_Seen(until, vectors, own[0].pack))
        while self.remembered > _FACES:
            self._earlier.popleft()

    def _alarm(self, what: str) -> str:
        """Record an alarm, the first time in a visit; one that cannot be recorded is logged, the doubt stays."""
        if what not in self._told:
            self._told.add(what)
            try:
                self._record(what, "")
            except KnownFailure as failure:
                _LOG.error("the alarm %s was not recorded: %s", what, failure.code)
        return what
