"""The loop of the desk: frame -> observation -> signals -> effects -> snapshot.

It owns the visit and its memory, on the one thread that calls `run` or `step`. What a signal leads to is
`core.session`'s, what is recorded the recorder's, what is shown the screen's. Intents may be submitted from any thread.
"""

import logging
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from appliance.attempt import Attempt
from appliance.core import session
from appliance.core.decision import Decision, Reason
from appliance.core.errors import CameraFrozen, CameraRefused, CameraUnavailable, ImageUnreadable
from appliance.core.liveness_passive import PassiveLimits
from appliance.core.policy import Policy
from appliance.core.ports import Beside, Desk, FrameSource, Observer, Proof
from appliance.core.presence import Presence
from appliance.core.quality import QualityReport, judge, near
from appliance.core.session import Effect, Signal, State
from appliance.core.snapshot import Intent, IntentKind, Snapshot
from appliance.core.types import Frame, Instant, Observation, PersonId
from appliance.encounter import Encounter
from appliance.proof import Draw, Prover
from appliance.recognition import Recogniser
from appliance.recorder import Recorder
from appliance.screen import Screen
from appliance.vigilance import Vigilance
from sync.clock import Clock
from sync.errors import DatabaseFailure, KnownFailure

_LOG = logging.getLogger(__name__)

_ASKED = 0.5
"""Seconds between two looks whether reception wants another try."""

_ALARMS = 600.0
"""Seconds between two alarms of a camera that comes and goes: a loose plug would sign 30,000 in a day."""

_SLEPT = 2.0
"""Seconds of time since boot that passed while the process's own stood still: the machine slept."""

_NOBODY = frozenset({State.IDLE, State.LEAVING, State.OUT_OF_SERVICE})
_AT_WORK = frozenset({State.CHECKING, State.SAVING})
"""Over before the next frame, as a rule."""
_IN_PERSON = frozenset({State.CHOOSE, State.GUARDIAN, State.CONFIRM, State.STILL_THERE})
"""Whoever was recognised must stay in sight for as long as they are asked something."""


@dataclass(frozen=True, slots=True)
class Equipment:
    """What the station works with.

    software: version in events. draw: of challenges. limits: what the pack's live scores mean, None where nobody
    measured it. claimed: 1:1 only, if given. earlier: packs that the desk is moving away from. watch: for what was
    shown before; None where a test shows the same on purpose. beside: a new pack that sees the visit too.
    training: the desk records nothing, and the screen says so.
    """

    observer: Observer
    recogniser: Recogniser
    desk: Desk
    policy: Policy
    clock: Clock
    software: str
    draw: Draw
    limits: PassiveLimits | None = None
    claimed: PersonId | None = None
    earlier: tuple[Observer, ...] = ()
    watch: Vigilance | None = None
    beside: Beside | None = None
    training: bool = False


class Station:
    """One desk before one camera."""

    def __init__(self, equipment: Equipment, camera: str, publish: Callable[[Snapshot], None], at: Instant) -> None:
        """camera: name of the frame source. publish: gets each snapshot, must not block. at: the present instant."""
        self._with = equipment
        self._prover = Prover(
            equipment.observer,
            equipment.policy,
            equipment.draw,
            equipment.recogniser.alike,
            equipment.limits,
            equipment.earlier,
        )
        self._screen = Screen(equipment.policy, self._prover, training=equipment.training)
        self._recorder = Recorder(
            equipment.desk,
            equipment.policy,
            equipment.recogniser.pack,
            equipment.software,
            camera,
            equipment.limits,
        )
        self._publish = publish
        self._visit = session.start(at)
        self._met = Encounter()
        self._presence = Presence()
        self._looked = Instant(-math.inf)
        self._left = False
        self._asked = Instant(-math.inf)
        self._alarmed = Instant(-math.inf)
        self._asleep = math.inf
        self._intents: deque[Intent] = deque()

    def resume(self, at: Instant) -> None:
        """Show a receipt again that was durable just before the program ended: whether anybody saw it, nobody knows.

        Before the first frame. Raises KnownFailure.
        """
        last = self._with.desk.just_confirmed()
        if last is not None:
            receipt, service = last
            self._met = Encounter(receipt=receipt, chosen=service, unsigned=self._with.desk.unsigned() > 0)
            self._visit = session.start(at, State.RECEIPT)

    # ---- the loop

    def run(self, source: FrameSource, stop: Callable[[], bool]) -> None:
        """Work until the source ends or `stop` says so. A camera that fails is reported and tried again.

        When there are no more frames, whoever was there has gone: a visit in the middle is recorded as such. Raises
        ImageUnreadable for a damaged picture of a recording.
        """
        last = self._visit.entered
        try:
            while not stop():
                try:
                    frame = source.read()
                except (CameraUnavailable, CameraFrozen) as failure:
                    self.camera_failed(failure, Instant(self._with.clock.monotonic()))
                    self._with.clock.sleep(0.5)
                    continue
                if frame is None:
                    break
                self.step(frame)
                last = frame.at
        except (ImageUnreadable, KeyboardInterrupt):
            self._leave(last)
            raise
        self._leave(last)

    def _leave(self, now: Instant) -> None:
        """No more frames: whoever was there has gone."""
        self._presence = Presence()
        self._come_and_go(now)

    def submit(self, intent: Intent) -> None:
        """Tell what the patient answered; taken up with the next frame, unless the time to answer is over by then."""
        self._intents.append(intent)

    def step(self, frame: Frame) -> None:
        """Take one frame into account: of one that comes too soon after a look only whether it was seen before."""
        now = frame.at
        self._wake(now)
        if self._visit.state is State.OUT_OF_SERVICE:
            self._signal(Signal.RECOVERED, now)
        if 0 <= now - self._looked < self._with.policy.timing.look and not self._intents:
            self._watch(frame)
            return
        self._looked = now
        seen, policy = self._with.observer.observe(frame), self._with.policy
        report = judge(seen, policy.gate, self._screen.wanted)
        self._presence = self._presence.follow(near(seen, policy.gate), now, policy.timing)
        self._watch(frame)
        self._invite(now)
        self._expire(now)  # before the answers: one that comes after its time is none
        self._answer(now)
        self._come_and_go(now)
        self._work(frame, seen, report)
        if self._with.beside and self._visit.state is not State.IDLE:
            self._with.beside.look(frame, seen, report.passed)
        self._publish(self._screen.show(self._visit, self._met, seen, report))

    def camera_failed(self, failure: KnownFailure, now: Instant) -> None:
        """Go out of service once per failure, with an alarm event; a visit being saved is not touched.

        A camera that was pulled out and another one plugged in are two alarms; one that comes and goes is one alarm in
        ten minutes.
        """
        refused = isinstance(failure, CameraRefused)
        swapped = refused and self._visit.state is State.OUT_OF_SERVICE and self._met.failure != failure.code
        if Signal.FAULT in session.TABLE[self._visit.state]:
            self._signal(Signal.FAULT, now)
        elif not swapped:
            return
        _LOG.error("out of service: %s", failure.code)
        self._met.failure = failure.code
        self._presence = Presence()
        if refused:
            self._alarm("camera_refused", failure)
        elif now - self._alarmed >= _ALARMS and self._alarm("camera_failure", failure):
            self._alarmed = now
        self._publish(self._screen.bare(self._visit.state, now, failure.code))

    def _alarm(self, what: str, failure: KnownFailure) -> bool:
        """Whether it is recorded."""
        try:
            self._with.desk.record_alarm(what, failure.code)
        except KnownFailure as unrecorded:
            _LOG.error("the alarm was not recorded: %s", unrecorded.code)
            return False
        return True

    def _wake(self, now: Instant) -> None:
        """After a sleep nobody goes on with what another was asked or shown, however little of its time is over."""
        asleep = self._with.clock.moment().mono_ms / 1000 - self._with.clock.monotonic()
        slept, self._asleep = asleep - self._asleep > _SLEPT, asleep
        while slept and self._visit.state not in (State.IDLE, State.OUT_OF_SERVICE):
            self._signal(session.gone(self._visit) or Signal.TIMED_OUT, now)

    # ---- signals

    def _signal(self, signal: Signal, now: Instant) -> None:
        step = session.advance(self._visit, signal, now)
        _LOG.debug("%s + %s -> %s", self._visit.state, signal, step.visit.state)
        if self._visit.state is State.IDLE and signal is not Signal.FAULT:
            self._met = Encounter(Attempt(began=self._with.clock.moment().wall.isoformat()))
        if signal in (Signal.RETRY, Signal.WITHOUT_FACE):
            self._note()
        if signal is Signal.RETRY:
            self._met.attempt = self._met.attempt.again()
        if signal is Signal.WITHOUT_FACE:
            self._met.go_without_face(self._visit.state)
        self._visit = step.visit
        if self._visit.state in _AT_WORK:  # before the work: on a slow disk it takes as long as one wonders
            self._publish(self._screen.bare(self._visit.state, now))
        for effect in step.effects:
            if self._visit.state is step.visit.state:  # an effect that failed has led elsewhere
                self._perform(effect, now)

    def _come_and_go(self, now: Instant) -> None:
        """Who was away once has left, also when the next patient stands there before the screen is free."""
        self._left = self._left or not self._presence.present
        if self._presence.present and self._visit.state is State.IDLE:
            self._left = False
            self._signal(Signal.ARRIVED, now)
        elif self._left:
            signal = session.gone(self._visit)
            if signal is not None:
                self._signal(signal, now)

    def _invite(self, now: Instant) -> None:
        """Reception may ask for another try wherever somebody would only wait; who it is, the desk finds out itself."""
        if Signal.INVITED not in session.TABLE[self._visit.state] or now - self._asked < _ASKED:
            return
        self._asked = now
        try:
            invited = self._with.desk.invited()
        except KnownFailure as failure:  # nobody lost anything: the patient waits as before
            _LOG.warning("whether reception asks for another try is not known: %s", failure.code)
            return
        if invited:
            self._left = not self._presence.present
            self._signal(Signal.INVITED, now)
            self._met = Encounter(Attempt(began=self._with.clock.moment().wall.isoformat()))

    def _expire(self, now: Instant) -> None:
        left = session.time_left(self._visit, now, self._with.policy)
        if left is not None and left <= 0:
            self._signal(Signal.TIMED_OUT, now)

    def _answer(self, now: Instant) -> None:
        while self._intents:
            intent = self._intents.popleft()
            if intent.kind is IntentKind.IDENTIFY and self._visit.state is State.FALLBACK:
                self._identify(intent, now)
                continue
            signal = self._met.answer(intent, self._visit)
            if signal in session.TABLE[self._visit.state]:
                self._signal(signal, now)

    def _identify(self, intent: Intent, now: Instant) -> None:
        """A number and a code were typed: the right ones are as good as a face, no code is reception's matter."""
        try:
            claim = self._with.desk.claim(intent.iin, intent.code)
        except KnownFailure as failure:
            self._not_saved(failure, now)
            return
        self._met.claim = claim
        if claim.reception is not None:
            self._signal(self._met.meet(claim.reception), now)
        elif claim.proof is Proof.NONE:
            self._signal(Signal.CALLED, now)
        else:
            self._met.recorded = False
            self._signal(session.wrong_entry(self._visit, self._with.policy), now)

    # ---- frames

    def _work(self, frame: Frame, seen: Observation, report: QualityReport) -> None:
        now, state = seen.at, self._visit.state
        if state is State.ALIGN:
            self._met.attempt.last_hint = report.hint or self._met.attempt.last_hint
            if report.passed:
                self._signal(Signal.GATES_PASSED, now)
            return
        signal = None
        if state is State.HOLD:
            signal = self._prover.hold(self._met.attempt, self._visit, frame, seen, report)
        elif state is State.CHALLENGE:
            signal = self._prover.challenge(self._met.attempt, self._visit, frame, seen, report)
        elif state in _IN_PERSON and not self._visit.without_face:
            signal = self._prover.gone(self._met.attempt, seen)
        if signal is not None:
            self._signal(signal, now)

    # ---- effects

    def _perform(self, effect: Effect, now: Instant) -> None:
        if effect is Effect.RESET:
            self._note()
            if self._with.watch:
                self._with.watch.end(now)
            if self._with.beside:
                self._with.beside.end(self._met.attempt.liveness)
            self._reset()
        elif effect is Effect.COMPARE:
            self._compare(now)
        elif effect is Effect.CALL:
            self._call(now)
        else:
            self._record(effect, now)

    def _note(self) -> None:
        """The faces of an attempt that is dropped have been seen all the same."""
        if self._with.watch:
            self._with.watch.note(self._met.attempt.faces)

    def _watch(self, frame: Frame) -> None:
        """Pictures that come again are no patient: not live, and nobody who could still confirm."""
        watch, state = self._with.watch, self._visit.state
        if watch is None:
            return
        doubt = watch.look(frame, state not in _NOBODY)
        self._met.attempt.doubt = doubt or self._met.attempt.doubt
        if doubt and state in _IN_PERSON and not self._visit.without_face:
            self._met.declined = Reason.LIVENESS_INCONCLUSIVE
            self._signal(Signal.WALKED_OFF, frame.at)

    def _reset(self) -> None:
        """Forget everything about the person; nothing personal outlives the visit."""
        self._met = Encounter()
        self._screen.clear(self._visit.state)
        self._intents.clear()

    def _compare(self, now: Instant) -> None:
        try:
            decision = self._decide(now)
            reception = self._with.desk.receive(decision.person) if decision.person else None
        except KnownFailure as failure:
            self._not_saved(failure, now)
            return
        if reception is not None:
            self._signal(self._met.meet(reception), now)
        elif decision.final:
            self._signal(Signal.GAVE_UP, now)
        else:
            self._signal(session.failed_attempt(self._visit, self._with.policy), now)

    def _decide(self, now: Instant) -> Decision:
        desk, attempt, watch = self._with.desk, self._met.attempt, self._with.watch
        expected = desk.expected()  # first: it takes over who was erased meanwhile, whom the watch then forgets
        attempt.doubt = (watch and watch.compare([p.embedding for p in attempt.probes], now)) or attempt.doubt
        attempt.decision = self._with.recogniser.decide(
            attempt.probes, attempt.liveness, self._with.claimed, expected, desk.under_age
        )
        return attempt.decision

    def _call(self, now: Instant) -> None:
        """Reception is told that somebody waits, and who, where that is known."""
        try:
            self._met.queue = self._with.desk.call(self._met.known)
        except KnownFailure as failure:
            self._not_saved(failure, now)

    def _record(self, effect: Effect, now: Instant) -> None:
        """One durable event; a failure to write is shown, never a tick."""
        try:
            event = self._recorder.write(effect, self._visit, self._met)
        except KnownFailure as failure:
            self._not_saved(failure, now)
            return
        if self._visit.state is State.SAVING:
            self._met.receipt = event
            self._met.unsigned = self._with.desk.unsigned() > 0
            self._signal(Signal.SAVED, now)

    def _not_saved(self, failure: KnownFailure, now: Instant) -> None:
        _LOG.error("not recorded: %s", failure.code)
        self._met.failure = failure.code
        if not isinstance(failure, DatabaseFailure):  # a visit that came to nothing is told, where it can be written
            self._alarm("visit_failed", failure)
        self._signal(Signal.SAVE_FAILED, now)
