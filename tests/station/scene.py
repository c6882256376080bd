"""A desk before a scripted camera: actors who answer cues, records in memory, a clock moved by the frames."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from appliance.core.events import Circumstances
from appliance.core.liveness_passive import PassiveLimits
from appliance.core.liveness_steps import LEFTWARDS, RIGHTWARDS, Step
from appliance.core.policy import Policy
from appliance.core.session import State
from appliance.core.snapshot import Intent, IntentKind, Snapshot
from appliance.core.types import Cue, Embedding, Instant, PersonId
from appliance.recognition import Recogniser
from appliance.station import Equipment, Station
from appliance.vigilance import Vigilance
from tests.core.sights import GOOD
from tests.fakes.clock import ManualClock
from tests.fakes.heads import NOTHING, Asked, Turning, still
from tests.fakes.matcher import DictMatcher, FixedThresholds
from tests.fakes.observer import PACK, Film, ScriptedObserver, Sight, template
from tests.fakes.reception import Recorded, ScriptedDesk

Actor = Callable[[Asked, float], Sight]
"""What somebody looks like, given what the screen asks for and the time."""

STEPS = (Step(Cue.LEFT, (LEFTWARDS,), 0.3), Step(Cue.CLOSER, (), 0.3), Step(Cue.DOT, (RIGHTWARDS,), 0.3))
LIMITS = PassiveLimits(accept=0.75, reject=0.05, frames=8)
POLICY = Policy()


def patient(who: str, degrees: float = 25.0, seed: int = 1) -> Actor:
    """Looks into the camera and turns as asked."""
    motion = Turning(np.random.default_rng(seed), degrees)
    return lambda asked, at: Sight(who, motion(asked, at))


def scored(actor: Actor, live: float | None) -> Actor:
    """The same, with the live score that a pack's models give the face."""
    return lambda asked, at: replace(actor(asked, at), live=live)


def standing(who: str, *, x: float = 0.0, size: float = 1.0, **measures: float) -> Actor:
    """Looks into the camera and does nothing; measures: what is wrong with the picture."""
    return lambda asked, at: Sight(who, replace(still(asked, at), x=x), measures=replace(GOOD, **measures), size=size)


def wrong_way(who: str) -> Actor:
    """Turns, but to the other side."""
    motion = Turning(np.random.default_rng(1), -25.0)
    return lambda asked, at: Sight(who, motion(asked, at))


class Scene:
    """One desk; `play` lets time pass with somebody before the camera."""

    def __init__(
        self,
        planned: dict[str, list[str]] | None = None,
        gallery: dict[str, Embedding] | None = None,
        policy: Policy = POLICY,
        claimed: str | None = None,
        limits: PassiveLimits | None = None,
        watch: Callable[[ScriptedDesk], Vigilance] | None = None,
        siblings: frozenset[str] = frozenset(),
        *,
        training: bool = False,
    ) -> None:
        self.desk = ScriptedDesk({"ali": ["xray"], "bota": ["dentist"]} if planned is None else planned)
        enrolled = {who: template(who) for who in ("ali", "bota", "dana")} if gallery is None else gallery
        self.matcher = DictMatcher(enrolled)
        self.observer, self.film, self.clock = ScriptedObserver(), Film(), ManualClock()
        self.policy = policy
        self.snapshots: list[Snapshot] = []
        self.at_work: list[Snapshot] = []
        recogniser = Recogniser(self.matcher, FixedThresholds(), policy, PACK, flagged=lambda who: who in siblings)
        equipment = Equipment(
            self.observer,
            recogniser,
            self.desk,
            policy,
            self.clock,
            "0.1.0",
            lambda _rule: STEPS,
            limits,
            None if claimed is None else PersonId(claimed),
            watch=watch(self.desk) if watch else None,
            training=training,
        )
        self.station = Station(equipment, "front", self._publish, Instant(0.0))

    def _publish(self, shown: Snapshot) -> None:
        """What is only shown while the desk works is no answer to a frame."""
        (self.at_work if shown.state in (State.CHECKING, State.SAVING) else self.snapshots).append(shown)

    @property
    def now(self) -> Snapshot:
        """What the screen shows."""
        return self.snapshots[-1]

    @property
    def events(self) -> list[Recorded]:
        """What was recorded."""
        return self.desk.events

    @property
    def about(self) -> Circumstances:
        """The circumstances of the last event."""
        about = self.events[-1].about
        assert about is not None
        return about

    def tick(self, *actors: Actor) -> Snapshot:
        """One frame with these people before the camera."""
        asked = Asked(self.now.cue, self.now.dot) if self.snapshots else NOTHING
        self.observer.view = tuple(actor(asked, self.film.now) for actor in actors)
        published = len(self.snapshots)
        frame = self.film.next()
        self.clock.advance(1 / self.film.fps)
        self.station.step(frame)
        assert len(self.snapshots) - published <= 1, "one snapshot for each look at the most"
        assert len(self.snapshots) == published or self.now.at == frame.at
        return self.now

    def play(self, seconds: float, *actors: Actor) -> Snapshot:
        """Let time pass."""
        for _ in range(round(seconds * self.film.fps)):
            self.tick(*actors)
        return self.now

    def until(self, state: State, *actors: Actor, within: float = 30.0) -> Snapshot:
        """Let time pass until the screen shows this state; fails after `within` seconds."""
        for _ in range(round(within * self.film.fps)):
            if self.tick(*actors).state is state:
                return self.now
        raise AssertionError(f"{state} was not reached in {within} s; it came to {self.now.state}")

    def states(self) -> list[State]:
        """The states shown so far, without repetition."""
        shown: list[State] = []
        for snapshot in self.snapshots:
            if not shown or shown[-1] is not snapshot.state:
                shown.append(snapshot.state)
        return shown

    def say(self, kind: IntentKind, service: str = "") -> None:
        """The patient answers."""
        self.station.submit(Intent(kind, service))

    def type(self, iin: str, code: str = "") -> None:
        """The patient hands in a number and a code, or a number alone."""
        self.station.submit(Intent(IntentKind.IDENTIFY, iin=iin, code=code))


def confirmed(scene: Scene, who: Actor, service: str = "xray") -> None:
    """Bring a visit to its receipt."""
    scene.until(State.CONFIRM, who)
    scene.say(IntentKind.CONFIRM, service)
    scene.until(State.RECEIPT, who, within=1)
