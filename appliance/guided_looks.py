"""Takes three different looks of one person before a camera for an enrolment, and tells how far it is.

Which frame is good enough is judged by `core.quality`; single pictures and comparisons are `looks`'; keeping the looks,
and refusing those of two people, is `enrolment`'s.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from appliance.core.errors import FaceNotUsable
from appliance.core.policy import Policy
from appliance.core.ports import FrameSource, Observer
from appliance.core.quality import HeldHint, Hint, QualityReport, judge
from appliance.core.types import Face, Frame, Instant, Sensitive, View
from appliance.recognition import Probe, take
from appliance.texts import Language, hint_text

VIEWS = (View.STRAIGHT, View.LEFT, View.RIGHT)
"""The looks of an enrolment, in the order they are asked for."""

SPACING = 0.4
"""Seconds between two looks: neighbouring frames would only repeat each other's noise."""

WINDOW = 0.5
"""Seconds of good frames of which the best becomes the look."""

PATIENCE = 4.0
"""Seconds a view is asked for. Then another good look does: not everybody can turn the head."""

AHEAD, ASIDE = 8.0, 7.0
"""Degrees of yaw: up to here somebody looks straight ahead; from here, relative to that look, a little to the side."""

STRANGE = 3
"""So many looks unlike the others are no slip: they go to the enrolment, which refuses them and leaves an alarm."""

Agree = Callable[[Sequence[Probe]], bool]
"""Whether probes are of one person."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What a screen shows while looks are taken.

    looks: how many were taken. wanted: the view asked for now; None when all are there. hint: what stands in the way.
    components, quality: of the newest frame, 0..100; empty and 0 without a face.
    """

    looks: int
    wanted: View | None
    hint: Hint | None
    components: tuple[tuple[str, int], ...]
    quality: int


@dataclass(frozen=True, slots=True, repr=False)
class Looks(Sensitive):
    """probes: at least one. missing: the views nobody could be seen in; other looks or none stand in their place."""

    probes: tuple[Probe, ...]
    missing: tuple[View, ...]

    @property
    def quality(self) -> int:
        """Of the worst look, 0..100."""
        return min(probe.quality for probe in self.probes)


@dataclass(frozen=True, slots=True, repr=False)
class _Candidate(Sensitive):
    """A good frame that may become a look."""

    frame: Frame
    face: Face
    yaw: float
    report: QualityReport


class GuidedLooks:
    """Takes the looks frame by frame; used by one thread for one person."""

    def __init__(self, observer: Observer, policy: Policy, agree: Agree, earlier: Sequence[Observer] = ()) -> None:
        """earlier: packs that the desk is moving away from."""
        self._observer, self._earlier, self._agree = observer, earlier, agree
        self._gate, self._hold = policy.enrolment_gate, policy.timing.hint_hold
        self._hint = HeldHint()
        self._probes: list[Probe] = []
        self._strangers: list[Probe] = []
        self._missing: list[View] = []
        self._spares: list[_Candidate] = []
        self._best: _Candidate | None = None
        self._opened: Instant | None = None  # when the first good frame of the wanted view came
        self._asked: Instant | None = None  # since when the view is wanted
        self._last: Instant | None = None  # when a frame was last kept
        self._ahead = 0.0  # the yaw of the straight look

    @property
    def wanted(self) -> View | None:
        """The view asked for; None when nothing is wanted any more."""
        over = len(self._probes) == len(VIEWS) or len(self._strangers) == STRANGE
        return None if over else VIEWS[len(self._probes)]

    def follow(self, frame: Frame) -> Progress:
        """Take one frame into account."""
        seen, before = self._observer.observe(frame), self._hint.wanted
        report = judge(seen, self._gate, before)
        if report.passed and seen.measures is not None:
            unified = self._observer.unified_quality(frame, seen.faces[0])
            report = judge(seen, self._gate, before, unified)
            if report.passed:
                self._consider(_Candidate(frame, seen.faces[0], seen.measures.yaw, report))
        self._hint = self._hint.follow(report.hint, frame.at, self._hold)
        self._settle(frame.at)
        return Progress(len(self._probes), self.wanted, self._hint.hint, report.components, report.quality)

    def finish(self) -> Looks:
        """The looks, with spare ones where views are missing.

        Raises FaceNotUsable, in the words of the last hint, when not one frame was good enough.
        """
        if self._best is not None:
            self._take(self._best)
        while self._spares and self.wanted is not None:
            self._stand_in()
        if not self._probes:
            why = hint_text(self._hint.wanted, Language.ENGLISH) if self._hint.wanted else "no frames"
            raise FaceNotUsable(f"no good picture for an enrolment: {why}")
        missing = (*self._missing, *VIEWS[len(self._probes) :])
        strangers = self._strangers if len(self._strangers) == STRANGE else ()
        return Looks((*self._probes, *strangers), missing)

    def _consider(self, candidate: _Candidate) -> None:
        at = candidate.frame.at
        if self._last is not None and at - self._last < SPACING:
            return
        if not self._fits(candidate.yaw):
            if len(self._spares) < len(VIEWS):
                self._spares.append(candidate)
                self._last = at
        elif self._best is None:
            self._best, self._opened = candidate, at
        elif candidate.report.quality > self._best.report.quality:
            self._best = candidate

    def _fits(self, yaw: float) -> bool:
        if self.wanted is View.STRAIGHT:
            return abs(yaw) <= AHEAD
        side = 1 if self.wanted is View.LEFT else -1
        return self.wanted is not None and side * (yaw - self._ahead) >= ASIDE

    def _settle(self, at: Instant) -> None:
        """Take the best of the window when it is over, or a spare look when the view was wanted long enough."""
        self._asked = at if self._asked is None else self._asked
        if self._best is not None and self._opened is not None:
            if at - self._opened >= WINDOW:
                self._take(self._best)
                self._asked = at
        elif self._spares and self.wanted is not None and at - self._asked >= PATIENCE:
            self._stand_in()
            self._asked = at

    def _stand_in(self) -> None:
        wanted = self.wanted
        if self._take(self._spares.pop(0)) and wanted is not None:
            self._missing.append(wanted)

    def _take(self, candidate: _Candidate) -> bool:
        """Keep a look that agrees with the others; somebody else who looked in does not become one."""
        self._best = self._opened = None
        self._last = candidate.frame.at if self._last is None else max(self._last, candidate.frame.at)
        probe = take(self._observer, self._earlier, candidate.frame, candidate.face, candidate.report.weakest)
        agrees = self._agree([*self._probes, probe])
        if agrees and not self._probes:
            self._ahead = candidate.yaw
        (self._probes if agrees else self._strangers).append(probe)
        return agrees


def take_looks(guided: GuidedLooks, source: FrameSource, seconds: float, tell: Callable[[Progress], None]) -> Looks:
    """The looks from the first `seconds` of a camera or recording; `tell` hears of every frame.

    Raises FaceNotUsable, and what the source raises.
    """
    first: Instant | None = None
    while guided.wanted is not None:
        frame = source.read()
        if frame is None:
            break
        first = frame.at if first is None else first
        if frame.at - first > seconds:
            break
        tell(guided.follow(frame))
    return guided.finish()
