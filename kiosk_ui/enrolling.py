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
from appliance.guided_looks import GuidedLooks, Progress, take_looks
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


class Enroller:
    """One patient. tell and ended are called on its thread.

    The looks are kept until `forget`, so that a supervisor can overrule a likeness without a second sitting.
    """

    def __init__(self, opening: Opening, tell: Callable[[Stand], None], ended: Callable[[Outcome], None]) -> None:
        self._opening, self._tell, self._ended = opening, tell, ended
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()
        self._looks: tuple[Probe, ...] = ()
        self._missing: tuple[View, ...] = ()
        self._kept: _Kept | None = None
        self._done = False

    def begin(self, asked: Asked) -> None:
        """Take looks, unless they were taken, and enrol; a patient is then tested, as by `test`."""
        self._start(lambda: self._run(asked))

    def test(self) -> None:
        """Take a look as a check-in does, and tell whether it finds who was just enrolled; see `TrialMatch`."""
        self._start(self._again)

    def stop(self) -> None:
        """Give up: what is not kept by now never will be."""
        self._end()
        self._kept = None
        self.forget()

    def break_off(self) -> bool:
        """Give up the looks; False when they were kept just before, which is being told."""
        self._end()
        if not self._done:
            self.stop()
        return not self._done

    def _end(self) -> None:
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(30)

    def forget(self) -> None:
        """Drop the looks: another patient comes."""
        self._looks, self._missing = (), ()

    def _start(self, work: Callable[[], None]) -> None:
        """Behind the one that is telling its outcome just now, if there is one."""
        if self._thread is not None:
            self._thread.join(30)
        self._stopped.clear()
        self._done = False
        self._thread = threading.Thread(target=work, name="enrolment")
        self._thread.start()

    def _run(self, asked: Asked) -> None:
        try:
            with self._opening.eyes() as eyes:
                if not self._looks:
                    self._look(eyes)
                if not self._stopped.is_set():
                    outcome = self._keep(eyes, asked)
                    self._done = True
                    self._ended(outcome)
                    self._try(eyes)
        except KnownFailure as failure:
            _LOG.warning("no enrolment: %s", failure.code)
            self._ended(Outcome(failure=failure))

    def _again(self) -> None:
        try:
            with self._opening.eyes() as eyes:
                self._try(eyes)
        except KnownFailure as failure:
            _LOG.warning("no test match: %s", failure.code)
            self._ended(Outcome(failure=failure, tested=True))

    def _look(self, eyes: SeeingDesk) -> None:
        guided = GuidedLooks(eyes.observer, eyes.desk.config.policy, eyes.recogniser.agree, eyes.earlier)

        def tell(progress: Progress) -> None:
            self._tell(Stand(progress.looks, progress.wanted, progress.hint, progress.components))

        with self._opening.source(eyes.desk) as source:
            looks = take_looks(guided, _Until(source, self._stopped.is_set), LONGEST_S, tell)
        self._looks, self._missing = looks.probes, looks.missing

    def _keep(self, eyes: SeeingDesk, asked: Asked) -> Outcome:
        looks: Sequence[Probe] = self._looks
        if asked.staff:
            done = eyes.staff_enrolment.enrol(asked.profile, asked.consent, looks, "camera")
        else:
            done = self._keep_patient(eyes, asked, looks)
        missing = self._missing
        self.forget()
        return Outcome(done.event, done.templates, missing)

    def _keep_patient(self, eyes: SeeingDesk, asked: Asked, looks: Sequence[Probe]) -> EnrolmentResult:
        instead = self._kept.person if asked.again and self._kept is not None else None
        twin = asked.by.supervisor is not None
        done = eyes.enrolment.enrol(
            asked.profile, asked.consent, looks, "camera", overrule_duplicate=twin, by=asked.by, instead=instead
        )
        self._kept = _Kept(done.person, done.event, done.templates, asked.by.operator)
        return done

    def _try(self, eyes: SeeingDesk) -> None:
        kept = self._kept
        if kept is None:
            return
        try:
            with self._opening.source(eyes.desk) as source:
                policy, seen = eyes.desk.config.policy, _Until(source, self._stopped.is_set)
                looks = from_source(eyes.observer, policy, seen, TEST_S, earlier=eyes.earlier)
            if self._stopped.is_set():
                return
            trial = eyes.trial_match.test(kept.person, kept.event, looks, kept.operator)
            self._ended(Outcome(kept.event, kept.templates, tested=True, trial=trial))
        except KnownFailure as failure:
            _LOG.warning("no test match: %s", failure.code)
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
