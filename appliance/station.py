"""The loop of the desk: frame -> observation -> signals -> effects -> snapshot.

It owns the visit, the attempt and the newest snapshot, on the one thread that calls `run` or `step`. What a signal
leads to is `core.session`'s, what is recorded is the desk's, how it looks the listener's. Intents may
be submitted from any thread.
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
from appliance.core.events import Circumstances
from appliance.core.liveness_passive import PassiveLimits
from appliance.core.policy import Policy
from appliance.core.ports import Desk, FrameSource, Observer, Reception
from appliance.core.presence import Presence
from appliance.core.quality import HeldHint, QualityReport, judge, near
from appliance.core.session import Effect, Signal, State
from appliance.core.snapshot import Intent, IntentKind, Snapshot
from appliance.core.types import Frame, Instant, Observation, PersonId
from appliance.proof import Draw, Prover
from appliance.recognition import Recogniser
from appliance.vigilance import Vigilance
from sync.clock import Clock
from sync.errors import DatabaseFailure, KnownFailure

_LOG = logging.getLogger(__name__)

_NOBODY = frozenset({State.IDLE, State.LEAVING, State.OUT_OF_SERVICE})
_NOTHING_TO_CONFIRM = {State.NO_SERVICE: Reason.NO_SERVICE_TODAY, State.ALREADY: Reason.ALREADY_CONFIRMED}


@dataclass(frozen=True, slots=True)
class Equipment:
    """What the station works with.

    software: version in events. draw: of challenges. limits: what the pack's live scores mean, None where nobody
    measured it. claimed: 1:1 only, if given. earlier: packs that the desk is moving away from. watch: for what was
    shown before; None where a test shows the same on purpose.
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
        self._camera = camera
        self._publish = publish
        self._visit = session.start(at)
        self._presence = Presence()
        self._hint = HeldHint()
        self._looked = Instant(-math.inf)
        self._left = False
        self._attempt = Attempt()
        self._reception: Reception | None = None
        self._chosen = ""
        self._declined = Reason.NO_ANSWER
        self._receipt = ""
        self._unsigned = False
        self._failure = ""
        self._intents: deque[Intent] = deque()

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
        """Take one frame into account."""
        now = frame.at
        if self._visit.state is State.OUT_OF_SERVICE:
            self._signal(Signal.RECOVERED, now)
        if self._resting(now):
            self._watch(frame)
            self._publish(Snapshot(at=now, state=State.IDLE))
            return
        self._looked = now
        seen, policy = self._with.observer.observe(frame), self._with.policy
        report = judge(seen, policy.gate, self._hint.wanted)
        self._presence = self._presence.follow(near(seen, policy.gate), now, policy.timing)
        self._watch(frame)
        self._expire(now)  # before the answers: one that comes after its time is none
        self._answer(now)
        self._come_and_go(now)
        self._work(frame, seen, report)
        self._show(report, now)

    def _resting(self, now: Instant) -> bool:
        """Nobody is there or coming, and a look was just taken: a desk that waits need not search each frame."""
        nobody = self._visit.state is State.IDLE and self._presence == Presence()
        return nobody and now - self._looked < self._with.policy.timing.look

    def camera_failed(self, failure: KnownFailure, now: Instant) -> None:
        """Go out of service once per failure, with an alarm event; a visit being saved is not touched.

        A camera that was pulled out and another one plugged in are two alarms.
        """
        refused = isinstance(failure, CameraRefused)
        swapped = refused and self._visit.state is State.OUT_OF_SERVICE and self._failure != failure.code
        if Signal.FAULT in session.TABLE[self._visit.state]:
            self._signal(Signal.FAULT, now)
        elif not swapped:
            return
        _LOG.error("out of service: %s", failure.code)
        self._failure = failure.code
        self._presence = Presence()
        self._alarm("camera_refused" if refused else "camera_failure", failure)
        self._publish(Snapshot(at=now, state=self._visit.state, failure=self._failure))

    def _alarm(self, what: str, failure: KnownFailure) -> None:
        try:
            self._with.desk.record_alarm(what, failure.code)
        except KnownFailure as unrecorded:
            _LOG.error("the alarm was not recorded: %s", unrecorded.code)

    # ---- signals

    def _signal(self, signal: Signal, now: Instant) -> None:
        step = session.advance(self._visit, signal, now)
        _LOG.debug("%s + %s -> %s", self._visit.state, signal, step.visit.state)
        if signal is Signal.ARRIVED:
            self._attempt = Attempt(began=self._with.clock.moment().wall.isoformat())
        if signal is Signal.RETRY:
            self._note()
            self._attempt = self._attempt.again()
        self._visit = step.visit
        for effect in step.effects:
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

    def _expire(self, now: Instant) -> None:
        left = session.time_left(self._visit, now, self._with.policy)
        if left is not None and left <= 0:
            self._signal(Signal.TIMED_OUT, now)

    def _answer(self, now: Instant) -> None:
        while self._intents:
            intent = self._intents.popleft()
            if self._visit.state is State.CONFIRM:
                self._confirmation(intent, now)
            elif intent.kind is IntentKind.CLOSE and self._visit.state in session.NOTICES:
                self._signal(Signal.TIMED_OUT, now)

    def _confirmation(self, intent: Intent, now: Instant) -> None:
        offered = {o.service for o in self._reception.offers} if self._reception else set()
        if intent.kind is IntentKind.CONFIRM and intent.service in offered:
            self._chosen = intent.service
            self._signal(Signal.CONFIRMED, now)
        elif intent.kind in (IntentKind.NOT_ME, IntentKind.NOT_MY_SERVICE):
            self._declined = Reason.NOT_ME if intent.kind is IntentKind.NOT_ME else Reason.NOT_MY_SERVICE
            self._signal(Signal.DECLINED, now)

    # ---- frames

    def _work(self, frame: Frame, seen: Observation, report: QualityReport) -> None:
        now, state = seen.at, self._visit.state
        if state is State.ALIGN:
            self._attempt.last_hint = report.hint or self._attempt.last_hint
            if report.passed:
                self._signal(Signal.GATES_PASSED, now)
            return
        signal = None
        if state is State.HOLD:
            signal = self._prover.hold(self._attempt, self._visit, frame, seen, report)
        elif state is State.CHALLENGE:
            signal = self._prover.challenge(self._attempt, self._visit, frame, seen, report)
        elif state is State.CONFIRM:
            signal = self._prover.gone(self._attempt, seen)
        if signal is not None:
            self._signal(signal, now)

    # ---- effects

    def _perform(self, effect: Effect, now: Instant) -> None:
        if effect is Effect.RESET:
            self._note()
            if self._with.watch:
                self._with.watch.end(now)
            self._reset()
        elif effect is Effect.COMPARE:
            self._compare(now)
        elif effect is Effect.RECORD_VISIT:
            self._record(self._record_visit, now)
        elif effect is Effect.RECORD_REFUSAL:
            self._record(self._record_refusal, now)
        else:
            assert effect is Effect.RECORD_DECLINE  # noqa: S101 - the last of the enum
            self._record(self._record_decline, now)

    def _note(self) -> None:
        """The faces of an attempt that is dropped have been seen all the same."""
        if self._with.watch:
            self._with.watch.note(self._attempt.faces)

    def _watch(self, frame: Frame) -> None:
        """Pictures that come again are no patient: not live, and nobody who could still confirm."""
        watch, state = self._with.watch, self._visit.state
        if watch is None:
            return
        doubt = watch.look(frame, state not in _NOBODY)
        self._attempt.doubt = doubt or self._attempt.doubt
        if doubt and state is State.CONFIRM:
            self._declined = Reason.LIVENESS_INCONCLUSIVE
            self._signal(Signal.WALKED_OFF, frame.at)

    def _reset(self) -> None:
        """Forget everything about the person; nothing personal outlives the visit."""
        self._attempt = Attempt()
        self._reception = None
        self._chosen = self._receipt = self._failure = ""
        self._unsigned = False
        self._declined = Reason.NO_ANSWER
        self._hint = HeldHint()
        self._intents.clear()

    def _compare(self, now: Instant) -> None:
        try:
            decision = self._decide(now)
            self._reception = self._with.desk.receive(decision.person) if decision.person else None
        except KnownFailure as failure:
            self._not_saved(failure, now)
            return
        if self._reception is None:
            again = session.failed_attempt(self._visit, self._with.policy)
            self._signal(Signal.GAVE_UP if decision.final else again, now)
        elif self._reception.offers:
            self._signal(Signal.MATCHED, now)
        else:
            self._receipt = self._reception.confirmed
            self._signal(Signal.ALREADY if self._receipt else Signal.NO_SERVICE, now)

    def _decide(self, now: Instant) -> Decision:
        desk, attempt, watch = self._with.desk, self._attempt, self._with.watch
        expected = desk.expected()  # first: it takes over who was erased meanwhile, whom the watch then forgets
        attempt.doubt = (watch and watch.compare([p.embedding for p in attempt.probes], now)) or attempt.doubt
        attempt.decision = self._with.recogniser.decide(
            attempt.probes, attempt.liveness, self._with.claimed, expected, desk.under_age
        )
        return attempt.decision

    def _record(self, write: Callable[[Circumstances], str], now: Instant) -> None:
        """One durable event; a failure to write is shown, never a tick."""
        try:
            event = write(self._circumstances())
        except KnownFailure as failure:
            self._not_saved(failure, now)
            return
        if self._visit.state is State.SAVING:
            self._receipt = event
            self._unsigned = self._with.desk.unsigned() > 0
            self._signal(Signal.SAVED, now)

    def _not_saved(self, failure: KnownFailure, now: Instant) -> None:
        _LOG.error("not recorded: %s", failure.code)
        self._failure = failure.code
        if not isinstance(failure, DatabaseFailure):  # a visit that came to nothing is told, where it can be written
            self._alarm("visit_failed", failure)
        self._signal(Signal.SAVE_FAILED, now)

    def _record_visit(self, about: Circumstances) -> str:
        assert self._attempt.decision is not None  # noqa: S101 - only a decision leads to CONFIRM
        return self._with.desk.record_visit(self._attempt.decision, self._chosen, about)

    def _record_decline(self, about: Circumstances) -> str:
        assert self._attempt.decision is not None  # noqa: S101 - only a decision leads to CONFIRM
        return self._with.desk.record_decline(self._attempt.decision, self._declined, about)

    def _record_refusal(self, about: Circumstances) -> str:
        attempt, state = self._attempt, self._visit.state
        known = attempt.decision.person if attempt.decision else None
        nothing_to_confirm = _NOTHING_TO_CONFIRM.get(state)
        reasons = (nothing_to_confirm,) if nothing_to_confirm else attempt.reasons()
        if state is State.LEAVING:
            reasons = (*reasons, Reason.LEFT)
        hint = attempt.last_hint.value if attempt.last_hint else None
        return self._with.desk.record_refusal(known, reasons, hint, attempt.decision, about)

    def _circumstances(self) -> Circumstances:
        attempt, limits = self._attempt, self._with.limits
        challenge, score = attempt.challenge, attempt.window.fused
        return Circumstances(
            pack=self._with.recogniser.pack,
            policy=self._with.policy.policy_id,
            software=self._with.software,
            camera=self._camera,
            began=attempt.began,
            attempts=self._visit.tries + 1,
            earlier=attempt.earlier,
            quality=attempt.quality,
            liveness=attempt.liveness,
            liveness_method=attempt.method,
            liveness_cause=attempt.doubt or (challenge.cause if challenge else None),
            liveness_score=None if score is None else round(score, 4),
            liveness_accept=None if limits is None else round(limits.accept, 4),
            liveness_reject=None if limits is None else round(limits.reject, 4),
            liveness_steps=tuple(step.cue for step in challenge.steps) if challenge else (),
        )

    # ---- the screen

    def _show(self, report: QualityReport, now: Instant) -> None:
        state, challenge = self._visit.state, self._attempt.challenge
        wanted = report.hint if state in session.ACQUIRING else None
        self._hint = self._hint.follow(wanted, now, self._with.policy.timing.hint_hold)
        asked = challenge if state is State.CHALLENGE else None
        met = self._reception if state is State.CONFIRM else None
        self._publish(
            Snapshot(
                at=now,
                state=state,
                hint=self._hint.hint,
                cue=asked.cue if asked else None,
                dot=asked.dot(now) if asked else None,
                progress=self._progress(),
                greeting=met.greeting if met else "",
                offers=met.offers if met else (),
                receipt=self._receipt if state in (State.RECEIPT, State.ALREADY) else "",
                failure=self._failure,
                refused=self._attempt.reasons() if state is State.NOT_RECOGNISED else (),
                seconds_left=session.time_left(self._visit, now, self._with.policy),
                unsigned=self._unsigned and state is State.RECEIPT,
            )
        )

    def _progress(self) -> float:
        if self._visit.state is State.HOLD:
            return self._prover.held_share(self._attempt)
        if self._visit.state is State.CHALLENGE and self._attempt.challenge:
            return self._attempt.challenge.progress
        return 0.0
