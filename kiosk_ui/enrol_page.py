"""The reception's page for a face or a child: document, consent, looks, check, test; one step at a time.

It also takes the face of whoever signed in for the first time. Who is signed in and may do it is asked of the front
desk at each step; taking and keeping looks is `enrolling`'s, what is shown of it `enrol_sheet`'s. Lives on the window's
thread.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from PySide6.QtCore import Property, QObject, Signal, Slot

from appliance.core.errors import DuplicateFace, PersonExists, SecondPersonNeeded
from appliance.core.iin import Iin
from appliance.core.operators import Pin, Right
from appliance.core.reception_events import Relation
from appliance.core.types import Frame, PersonId
from appliance.enrolment import ConsentGiven, EnrolledBy
from appliance.front_desk import FrontDesk
from appliance.front_texts import (
    CHILD_CONSENT_VERSION,
    CONSENT_VERSION,
    STAFF_CONSENT_VERSION,
    Front,
    front_text,
)
from appliance.operators import Voucher
from appliance.records.consents import GivenBy
from appliance.records.profile import Profile
from appliance.texts import Language
from kiosk_ui.camera_view import CameraView
from kiosk_ui.enrol_sheet import Sheet, Step, Who, sheet_values, spoken_to
from kiosk_ui.enrolling import Asked, Enroller, Outcome, Stand
from kiosk_ui.failure_words import failure_words
from kiosk_ui.framing import frame_face
from sync.errors import KnownFailure

_SEEN = (Step.LOOKS, Step.TEST)
"""Steps in which the camera's picture is shown."""


class EnrolPage(QObject):
    """What the QML files see as `enrol`."""

    pageChanged = Signal()  # noqa: N815 - called from QML
    ownFaceTaken = Signal()  # noqa: N815
    """Whoever is signed in has enrolled their own face."""

    def __init__(
        self, front: FrontDesk, language: Language, enroller: Callable[["EnrolPage"], Enroller] | None
    ) -> None:
        """enroller: makes what takes the looks, which tells this page; None where the reception has no camera."""
        super().__init__()
        self._front, self._language = front, language
        self._enroller = enroller(self) if enroller else None
        self._sheet = Sheet()
        self._consent: ConsentGiven | None = None
        self._again = False
        self._view: CameraView | None = None
        self._page: dict[str, object] = {}
        self._show()

    page = Property(dict, lambda self: self._page, notify=pageChanged)
    camera = Property(bool, lambda self: self._enroller is not None, constant=True)

    @property
    def values(self) -> dict[str, object]:
        """What QML holds at this moment."""
        return self._page

    # ---- from the enroller, on the window's thread

    def tell(self, stand: Stand) -> None:
        """Another frame was looked at."""
        if self._sheet.profile is not None:
            self._put(stand=stand)

    def ended(self, outcome: Outcome) -> None:
        """Looks were kept or not, a supervisor is asked, or the test is over; nothing on an empty page."""
        if self._sheet.profile is None:
            return
        failure, who = outcome.failure, self._sheet.who
        self._clear_view()
        if outcome.tested:
            error = failure_words(failure, self._language) if failure else ""
            self._put(step=Step.DONE, trial=outcome.trial, event=outcome.event or self._sheet.event, error=error)
        elif failure is None and who is Who.STAFF:
            self._put(step=Step.DONE, error="", event=outcome.event)
            self.ownFaceTaken.emit()
        elif failure is None:
            self._put(step=Step.TEST, error="", event=outcome.event, trial=None)
        elif isinstance(failure, DuplicateFace) and who is Who.PATIENT:
            self._put(step=Step.TWIN, error=failure_words(failure, self._language))
        else:
            self._put(step=Step.CONSENT, error=self._why_not(failure))

    def show_frame(self, frame: Frame) -> None:
        """Paint the newest picture."""
        if self._view is not None and self._sheet.step in _SEEN:
            self._view.show_frame(frame, frame_face(None, frame.width / frame.height, self._view.aspect))

    def look_through(self, view: CameraView) -> None:
        """The item that paints the preview."""
        self._view = view

    # ---- from the receptionist

    @Slot(str, str, str, str)
    def read(self, iin: str, given: str, family: str, language: str) -> None:
        """What the document says; read back before anything is done with it."""
        with self._asking():
            self._front.operators.require(Right.ENROL)
            profile = Profile(given.strip(), family.strip(), Iin.parse(iin), Language(language).value)
            child = self._front.is_child(profile.iin)
            if not child and self._front.find(profile.iin).enrolled:
                raise PersonExists("enrolled already")
            who, step = (Who.CHILD, Step.GUARDIAN) if child else (Who.PATIENT, Step.CONSENT)
            self._put(who=who, step=step, profile=profile, error="")

    @Slot(str)
    def guardian(self, iin: str) -> None:
        """The document of the adult who speaks for the child; they are enrolled here, and read back, too."""
        with self._asking():
            self._put(guardian=self._front.adult(Iin.parse(iin)), step=Step.CONSENT, error="")

    @Slot(str)
    def speakFor(self, relation: str) -> None:  # noqa: N802 - called from QML
        """The guardian consents, and is this to the child: kept at once, no looks are needed."""
        sheet = self._sheet
        if not relation:
            self._put(error=front_text(Front.CHOOSE_RELATION, self._language))
        elif sheet.guardian is not None and sheet.profile is not None:
            with self._asking():
                consent = ConsentGiven(CHILD_CONSENT_VERSION, sheet.profile.language, GivenBy.GUARDIAN)
                event = self._front.name_guardian(sheet.guardian.iin, sheet.profile, consent, Relation(relation))
                self._put(step=Step.DONE, relation=Relation(relation), event=event or "", error="")

    @Slot()
    def own(self) -> None:
        """Whoever is signed in enrols their own face: their name is known, what they agree to is shown."""
        self._forget()
        with self._asking():
            self._put(who=Who.STAFF, step=Step.CONSENT, profile=self._front.own_profile())

    @Slot(bool)
    def agree(self, by_guardian: bool) -> None:
        """The consent was read and given: look."""
        version = STAFF_CONSENT_VERSION if self._sheet.who is Who.STAFF else CONSENT_VERSION
        spoken = spoken_to(self._sheet, self._language)
        self._consent = ConsentGiven(version, spoken.value, GivenBy.GUARDIAN if by_guardian else GivenBy.PATIENT)
        self._begin()

    @Slot(str, str)
    def overrule(self, supervisor: str, digits: str) -> None:
        """It is another person: says a supervisor who is signed in, or one who types their PIN here."""
        with self._asking():
            try:
                voucher = Voucher(PersonId(supervisor), Pin(digits)) if supervisor else None
                by = self._front.enrolled_by(overrule=True, voucher=voucher)
            except SecondPersonNeeded:
                self._put(error=front_text(Front.SUPERVISOR_NEEDED, self._language))
            else:
                self._look(by)

    @Slot()
    def test(self) -> None:
        """Look once as a check-in does: is the patient known again."""
        if self._enroller is not None:
            self._put(step=Step.TEST, error="", trial=None)
            self._enroller.test()

    @Slot()
    def again(self) -> None:
        """The test did not find the patient: new looks in the place of those."""
        self._again = True
        self._begin()

    @Slot()
    def breakOff(self) -> None:  # noqa: N802 - called from QML
        """No more looks. Who presses just after they were kept is told so, and the test follows as if nothing was."""
        if self._enroller is None or self._enroller.break_off():
            self._forget()
        elif self._sheet.who is Who.PATIENT:
            self.test()

    @Slot()
    def refuse(self) -> None:
        """The consent was not given, or everything is broken off: a normal end, and nothing more is kept."""
        self._forget()

    def speak(self, language: Language) -> None:
        """Another language of the window."""
        self._language = language
        self._put(error="")

    def close(self) -> None:
        """The window is closed."""
        if self._enroller is not None:
            self._enroller.close()

    # ---- behind

    def _begin(self) -> None:
        with self._asking():
            if self._sheet.who is Who.STAFF and self._front.own_profile() == self._sheet.profile:
                self._look(EnrolledBy())
            elif self._sheet.who is Who.PATIENT:
                self._look(self._front.enrolled_by())

    def _look(self, by: EnrolledBy) -> None:
        profile, consent = self._sheet.profile, self._consent
        if self._enroller is not None and profile is not None and consent is not None:
            self._put(step=Step.LOOKS, error="", stand=Stand(), trial=None)
            self._enroller.begin(Asked(profile, consent, by, self._sheet.who is Who.STAFF, self._again))

    def _forget(self) -> None:
        if self._enroller is not None:
            self._enroller.stop()
        self._consent, self._again, self._sheet = None, False, Sheet()
        self._clear_view()
        self._show()

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """A known failure is told, and nothing was done."""
        try:
            yield
        except KnownFailure as failure:
            self._put(error=failure_words(failure, self._language))

    def _why_not(self, failure: KnownFailure) -> str:
        if isinstance(failure, DuplicateFace):
            return front_text(Front.COLLEAGUE_FACE, self._language)
        return failure_words(failure, self._language)

    def _clear_view(self) -> None:
        if self._view is not None:
            self._view.clear()

    def _put(self, **changed: object) -> None:
        self._sheet = replace(self._sheet, **changed)  # type: ignore[arg-type]
        self._show()

    def _show(self) -> None:
        page = sheet_values(self._sheet, self._language)
        if page != self._page:
            self._page = page
            self.pageChanged.emit()
