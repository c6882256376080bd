"""Plays the plan before the real desk and compares every outcome with what it must be.

The desk here is the one of `keldim checkin`: same station, same records, same ledger. Starting the fund and the
delivery is `clinic`'s.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from appliance.capture.scene import Scene
from appliance.capture.scene_portrait import Portrait
from appliance.composition import SeeingDesk
from appliance.core.session import State
from appliance.core.snapshot import Intent, IntentKind, Snapshot
from appliance.core.types import Frame, Instant, Sensitive
from appliance.demo.plan import Act, Staging
from appliance.demo.staging import FPS, empty_room, stage
from appliance.station import Station
from sync.envelope import Event, parse_event

THINKING = 1.0
"""Seconds the patient reads before answering."""

READING = 1.0
"""Seconds the patient looks at the end of the visit before closing it."""

LINGERS = 1.5
"""Seconds a person stays after the visit has ended."""

EMPTY = 2.0
"""Least seconds from one act's beginning to the next: nobody follows closer."""

ENDS = frozenset(
    {State.RECEIPT, State.NO_SERVICE, State.ALREADY, State.NOT_RECOGNISED, State.NOT_ME, State.SAVE_FAILED}
)
"""States in which a visit has come to its end on the screen."""

CHALLENGES = 2
"""Seed of the challenges: the drawn people are the same every time, and so is what they are asked for, so that a day of
the demonstration comes out as the one before. A real desk draws from `secrets`."""


def _chance() -> Callable[[int], int]:
    return random.Random(CHALLENGES).randrange  # noqa: S311 - no desk of patients


@dataclass(frozen=True, slots=True)
class Result:
    """How an act came out. state: end of the visit, IDLE when none began. seq, event: what it left, if anything.

    seconds: scene time from the first frame to that end. wrong: what differs from the plan.
    """

    act: Act
    state: State
    seq: int | None
    event: Event | None
    seconds: float
    wrong: tuple[str, ...]


class Audience(Protocol):
    """A window that shows the day as it is played, and whose buttons may answer before the patient does.

    patience: seconds for which the patient leaves the answer to whoever is at the window.
    """

    patience: float

    def frame(self, frame: Frame) -> None:
        """What the camera sees; may wait until its time has come."""

    def shown(self, snapshot: Snapshot, receipt: str) -> None:
        """What the desk says; receipt: the signed event of a receipt, else empty."""

    def answers(self) -> list[Intent]:
        """What was pressed since the last question."""


@dataclass(frozen=True, slots=True, repr=False)
class Claim(Sensitive):
    """What somebody types who goes without a face."""

    iin: str
    code: str


class Patient:
    """Follows the screen as a patient does: turns the head when asked, and answers what is asked."""

    def __init__(self, thinking: float = THINKING) -> None:
        """thinking: seconds before a question is answered."""
        self._thinking = thinking
        self.end: tuple[State, Instant] | None = None
        self.state = State.IDLE
        self._scene: Scene | None = None
        self._answer = IntentKind.CONFIRM
        self._claim: Claim | None = None
        self._for_child = False
        self._asked: tuple[State, Instant] | None = None
        self._intent: Intent | None = None
        self._closed = False

    def come(self, scene: Scene, answer: IntentKind, claim: Claim | None = None, *, for_child: bool = False) -> None:
        """Stand in this scene from now on. claim: typed instead of showing a face. for_child: not for themselves."""
        self._scene, self._answer, self.end, self._closed = scene, answer, None, False
        self._claim, self._for_child = claim, for_child

    def go(self) -> None:
        """Answer nothing any more."""
        self._scene = None

    def answer(self) -> Intent | None:
        """What the patient has just said, once."""
        said, self._intent = self._intent, None
        return said

    def watch(self, shown: Snapshot) -> None:
        """React to a snapshot."""
        self.state = shown.state
        if self._scene is None:
            return
        if shown.state in ENDS and self.end is None:
            self.end = (shown.state, shown.at)
        if self.end is not None and not self._closed and shown.at - self.end[1] >= READING:
            self._closed, self._intent = True, Intent(IntentKind.CLOSE)
        if shown.cue is not None:
            self._scene.respond(shown.cue, shown.at, shown.dot)
        if self._asked is None or self._asked[0] is not shown.state:
            self._asked = shown.state, shown.at
        if self.end is None and shown.at - self._asked[1] >= self._thinking:
            self._intent = self._reply(shown)

    def _reply(self, shown: Snapshot) -> Intent | None:
        """What is said in a state that asks something."""
        if self._claim is not None and shown.state in (State.IDLE, State.FALLBACK):
            if shown.state is State.IDLE:
                return Intent(IntentKind.WITHOUT_FACE)
            return Intent(IntentKind.IDENTIFY, iin=self._claim.iin, code=self._claim.code)
        match shown.state:
            case State.CHOOSE:
                mine = [offer for offer in shown.offers if bool(offer.child) is self._for_child]
                return Intent(IntentKind.CHOOSE, mine[0].service)
            case State.GUARDIAN:
                return Intent(IntentKind.CHOOSE, shown.offers[0].service)
            case State.CONFIRM:
                service = shown.offers[0].service if self._answer is IntentKind.CONFIRM else ""
                return Intent(self._answer, service)
        return None


class Stage:
    """One desk, one camera, one day: acts are played one after the other on one axis of time."""

    def __init__(
        self,
        desk: SeeingDesk,
        portraits: Mapping[str, Portrait],
        pseudonyms: Mapping[str, str],
        audience: Audience | None = None,
        claims: Mapping[str, Claim] = MappingProxyType({}),
    ) -> None:
        """pseudonyms: how the people of the cast must appear in events. audience: who looks on, if anybody.

        claims: what those type who go without a face.
        """
        self._claims = claims
        self._desk, self._portraits, self._pseudonyms, self._audience = desk, portraits, pseudonyms, audience
        self._patient = Patient(THINKING if audience is None else audience.patience)
        self._now = Instant(0.0)
        self._station: Station = desk.station("scene", self._watch, self._now, below=_chance())
        self.frames = 0

    def _watch(self, snapshot: Snapshot) -> None:
        self._patient.watch(snapshot)
        if self._audience is not None:
            token = self._desk.desk.ledger.token(snapshot.receipt) if snapshot.receipt else None
            self._audience.shown(snapshot, token or "")

    def play(self, act: Act, seed: int) -> Result:
        """Play one act until a moment after its visit has ended, then show the empty room until the desk is idle."""
        start, before = self._now, self._desk.desk.ledger.head().seq
        scene = stage(act, self._portraits, start, seed)
        claim = self._claims.get(act.who or "") if act.staging is Staging.UNSEEN else None
        self._patient.come(scene, act.answer, claim, for_child=act.child is not None)
        for now in self._frames(scene):
            if self._patient.end is not None and now - self._patient.end[1] >= LINGERS:
                break
        self._patient.go()
        for _ in self._frames(empty_room(self._now, seed)):
            if self._patient.state is State.IDLE and self._now - start > EMPTY:
                break
        state, at = self._patient.end or (State.IDLE, self._now)
        entries = self._desk.desk.ledger.entries(before)
        events = tuple(parse_event(entry.token).event for entry in entries)
        wrong = tuple(self._differences(act, state, events))
        first = events[0] if events else None
        return Result(act, state, entries[0].seq if entries else None, first, at - start, wrong)

    def _frames(self, scene: Scene) -> Iterator[Instant]:
        while (frame := scene.read()) is not None:
            if self._audience is not None:
                self._audience.frame(frame)
                for pressed in self._audience.answers():
                    self._station.submit(pressed)
            self._station.step(frame)
            said = self._patient.answer()
            if said is not None:
                self._station.submit(said)
            self.frames += 1
            self._now = Instant(frame.at + 1 / FPS)
            yield frame.at

    def _differences(self, act: Act, state: State, events: tuple[Event, ...]) -> Iterator[str]:
        wanted = act.outcome
        if state is not wanted.state:
            yield f"ended in {state}, not {wanted.state}"
        kinds = [event.kind for event in events]
        if kinds != ([] if wanted.kind is None else [wanted.kind]):
            yield f"left {kinds or 'no event'}, not {wanted.kind or 'no event'}"
            return
        for event in events:
            yield from _content(act, event)
            whom = self._pseudonyms.get(act.child or act.who or "") if wanted.names_patient else None
            if event.data.get("patient") != whom:
                yield "names the wrong patient"


def reasons(event: Event) -> tuple[str, ...]:
    """The coded reasons an event gives."""
    given = event.data.get("reasons", [event.data.get("reason")])
    return tuple(str(reason) for reason in given) if isinstance(given, list) else ()


def liveness(event: Event) -> str:
    """The liveness verdict an event gives."""
    about = event.data.get("circumstances")
    return str(about.get("liveness")) if isinstance(about, dict) else ""


def _content(act: Act, event: Event) -> Iterator[str]:
    wanted, given = act.outcome, reasons(event)
    missing = [reason.value for reason in wanted.reasons if reason.value not in given]
    if missing:
        yield f"reasons {', '.join(given)} lack {', '.join(missing)}"
    if wanted.any_of and not {reason.value for reason in wanted.any_of} & set(given):
        yield f"reasons are {', '.join(given)}"
    if liveness(event) not in {verdict.value for verdict in wanted.liveness}:
        yield f"liveness is {liveness(event)}"
