"""Enrols somebody before the reception's own camera, on a thread of its own: looks are taken, compared, kept, tested.

Which looks are good is `guided_looks`'s, whether somebody may be enrolled `enrolment`'s; the page that asks for the
document and the consent is `enrol_page`'s.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from appliance.composition import SeeingDesk
from appliance.core.decision import Trial
from appliance.core.ports import FrameSource
from appliance.core.quality import Hint
from appliance.core.types import Frame, PersonId, Sensitive, View
from appliance.enrolment import ConsentGiven, EnrolledBy, EnrolmentResult
from appliance.guided_looks import GuidedLooks, Looks, Progress, take_looks
from appliance.looks import from_source
from appliance.recognition import Probe
from appliance.records.profile import Profile
from kiosk_ui.desk import Opening
from sync.errors import KnownFailure

_LOG = logging.getLogger(__name__)

LONGEST_S = 40.0
"""How long somebody is looked at: three views of at most a few seconds, and time to sit down."""

TEST_S = 15.0
"""How long a look of the test is waited for; less than the 20 s of a check-in: whoever sits there has just done it."""


@dataclass(frozen=True, slots=True, repr=False)
class Asked(Sensitive):
    """What was read from the document and agreed to. by: who enrols, and who says that it is a twin.

    staff: into their register. again: in the place of templates that a test did not find.
    """

    profile: Profile
    consent: ConsentGiven
    by: EnrolledBy
    staff: bool = False
    again: bool = False


@dataclass(frozen=True, slots=True)
class Stand:
    """How far it is. wanted, hint, components: as of `Progress`. looks: taken so far."""

    looks: int = 0
    wanted: View | None = View.STRAIGHT
    hint: Hint | None = None
    components: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended. event: of the enrolment, else failure says why not. templates: kept. missing: views never seen.

    tested: it is the test that ended, with `trial` or a failure.
    """

    event: str = ""
    templates: int = 0
    missing: tuple[View, ...] = ()
    failure: KnownFailure | None = None
    tested: bool = False
    trial: Trial | None = None


@dataclass(frozen=True, slots=True)
class _Kept:
    """The enrolment that a test is about. person: whose. event, templates: its own. operator: who enrolled."""

    person: PersonId
    event: str
    templates: int
    operator: str | None


class Sitting:
    """One go of the thread. Whoever gives it up before anything is kept gives all of it up, and waits for nothing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._claimed = False
        self._settled = threading.Event()
        self.kept = False

    def stopped(self) -> bool:
        """Whether nobody waits for more of it."""
        return self._stopped.is_set()

    def give_up(self) -> bool:
        """End it; tells whether nothing is kept of it. What is being written at this moment is waited for."""
        with self._lock:
            self._stopped.set()
            if not self._claimed:
                return True
        self._settled.wait(30)
        return not self.kept

    def claim(self) -> bool:
        """From here on it is kept, unless it was given up before."""
        with self._lock:
            self._claimed = not self.stopped()
            return self._claimed

    def settle(self, *, kept: bool) -> None:
        """What was claimed is written, or failed."""
        self.kept = kept
        self._settled.set()


class Enroller:
    """One patient. tell and ended are called on its thread.

    The looks are kept until `forget`, so that a supervisor can overrule a likeness without a second sitting. Nothing
    here waits for a camera or a pack that opens, but `close`.
    """

    def __init__(self, opening: Opening, tell: Callable[[Stand], None], ended: Callable[[Outcome], None]) -> None:
        self._opening, self._tell, self._ended = opening, tell, ended
        self._thread: threading.Thread | None = None
        self._sitting = Sitting()
        self._looks: Looks | None = None
        self._kept: _Kept | None = None

    def begin(self, asked: Asked) -> None:
        """Take looks, unless they were taken, and enrol; a patient is then tested, as by `test`."""
        looks = self._looks
        self._start(lambda sitting: self._run(sitting, asked, looks))

    def test(self) -> None:
        """Take a look as a check-in does, and tell whether it finds who was just enrolled; see `TrialMatch`."""
        self._start(self._again)

    def stop(self) -> None:
        """Give up: what is not kept by now never will be."""
        self._sitting.give_up()
        self._kept = None
        self.forget()

    def break_off(self) -> bool:
        """Give up the looks; False when they were kept just before, which is being told."""
        if not self._sitting.give_up():
            return False
        self.stop()
        return True

    def close(self) -> None:
        """Give up, and wait until the camera is let go."""
        self.stop()
        if self._thread is not None:
            self._thread.join(30)

    def forget(self) -> None:
        """Drop the looks: another patient comes."""
        self._looks = None

    def _start(self, work: Callable[[Sitting], None]) -> None:
        """Behind the one before, which holds the camera until it has ended."""
        before, sitting = self._thread, Sitting()

        def follow() -> None:
            if before is not None:
                before.join()
            work(sitting)

        self._sitting = sitting
        self._thread = threading.Thread(target=follow, name="enrolment")
        self._thread.start()

    def _run(self, sitting: Sitting, asked: Asked, looks: Looks | None) -> None:
        try:
            with self._opening.eyes() as eyes:
                looks = looks or self._look(sitting, eyes)
                if sitting.claim():
                    self._ended(self._keep(sitting, eyes, asked, looks))
                    self._try(sitting, eyes)
        except KnownFailure as failure:
            _LOG.warning("no enrolment: %s", failure.code)
            if not sitting.stopped():
                self._ended(Outcome(failure=failure))

    def _again(self, sitting: Sitting) -> None:
        try:
            with self._opening.eyes() as eyes:
                self._try(sitting, eyes)
        except KnownFailure as failure:
            _LOG.warning("no test match: %s", failure.code)
            if not sitting.stopped():
                self._ended(Outcome(failure=failure, tested=True))

    def _look(self, sitting: Sitting, eyes: SeeingDesk) -> Looks:
        guided = GuidedLooks(eyes.observer, eyes.desk.config.policy, eyes.recogniser.agree, eyes.earlier)

        def tell(progress: Progress) -> None:
            if not sitting.stopped():
                self._tell(Stand(progress.looks, progress.wanted, progress.hint, progress.components))

        with self._opening.source(eyes.desk) as source:
            return take_looks(guided, _Until(source, sitting.stopped), LONGEST_S, tell)

    def _keep(self, sitting: Sitting, eyes: SeeingDesk, asked: Asked, looks: Looks) -> Outcome:
        """What a duplicate needs again is kept for it; who gave up meanwhile is told what became of it all the same."""
        kept = False
        try:
            if asked.staff:
                done = eyes.staff_enrolment.enrol(asked.profile, asked.consent, looks.probes, "camera")
            else:
                done = self._keep_patient(eyes, asked, looks.probes)
            kept = True
        finally:
            self._looks = None if kept else looks
            sitting.settle(kept=kept)
        return Outcome(done.event, done.templates, looks.missing)

    def _keep_patient(self, eyes: SeeingDesk, asked: Asked, looks: Sequence[Probe]) -> EnrolmentResult:
        instead = self._kept.person if asked.again and self._kept is not None else None
        twin = asked.by.supervisor is not None
        done = eyes.enrolment.enrol(
            asked.profile, asked.consent, looks, "camera", overrule_duplicate=twin, by=asked.by, instead=instead
        )
        self._kept = _Kept(done.person, done.event, done.templates, asked.by.operator)
        return done

    def _try(self, sitting: Sitting, eyes: SeeingDesk) -> None:
        kept = self._kept
        if kept is None or sitting.stopped():
            return
        try:
            with self._opening.source(eyes.desk) as source:
                policy, seen = eyes.desk.config.policy, _Until(source, sitting.stopped)
                looks = from_source(eyes.observer, policy, seen, TEST_S, earlier=eyes.earlier)
            if sitting.stopped():
                return
            trial = eyes.trial_match.test(kept.person, kept.event, looks, kept.operator)
            self._ended(Outcome(kept.event, kept.templates, tested=True, trial=trial))
        except KnownFailure as failure:
            _LOG.warning("no test match: %s", failure.code)
            if not sitting.stopped():
                self._ended(Outcome(kept.event, kept.templates, failure=failure, tested=True))


class _Until:
    """A source that ends when it is told to."""

    def __init__(self, source: FrameSource, stopped: Callable[[], bool]) -> None:
        self._source, self._stopped = source, stopped

    @property
    def name(self) -> str:
        return self._source.name

    def read(self) -> Frame | None:
        return None if self._stopped() else self._source.read()

    def close(self) -> None:
        self._source.close()
