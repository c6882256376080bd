"""The reception's page for a new patient: document, consent, looks, check, done; one step at a time.

Who is signed in and may enrol is asked of the front desk at each step; taking and keeping looks is `enrolling`'s. Lives
on the window's thread.
"""

from collections.abc import Callable
from enum import StrEnum

from PySide6.QtCore import Property, QObject, Signal, Slot

from appliance.core.errors import DuplicateFace, FaceNotUsable, IinInvalid, NameInvalid, PersonExists
from appliance.core.iin import Iin
from appliance.core.operators import Right
from appliance.core.types import Frame
from appliance.enrolment import ConsentGiven
from appliance.front_desk import FrontDesk
from appliance.front_texts import CONSENT_VERSION, Consent, Front, consent_text, front_text
from appliance.guided_looks import VIEWS
from appliance.records.consents import GivenBy
from appliance.records.profile import Profile
from appliance.texts import Advice, Label, Language, hint_text, reception_text, screen_text, view_text
from kiosk_ui.camera_view import CameraView
from kiosk_ui.enrolling import Asked, Enroller, Outcome, Stand
from kiosk_ui.framing import frame_face
from sync.errors import KnownFailure

BARS = (
    *("inter_eye_distance", "luminance_mean", "illumination_uniformity"),
    *("head_pose_yaw", "head_pose_pitch", "sharpness"),
)
"""The components that a receptionist can do something about, in the order of the hints."""


class Step(StrEnum):
    """Where an enrolment stands."""

    DOCUMENT = "document"
    CONSENT = "consent"
    LOOKS = "looks"
    TWIN = "twin"
    DONE = "done"


class EnrolPage(QObject):
    """What the QML files see as `enrol`."""

    pageChanged = Signal()  # noqa: N815 - called from QML

    def __init__(
        self, front: FrontDesk, language: Language, enroller: Callable[["EnrolPage"], Enroller] | None
    ) -> None:
        """enroller: makes what takes the looks, which tells this page; None where the reception has no camera."""
        super().__init__()
        self._front, self._language = front, language
        self._enroller = enroller(self) if enroller else None
        self._step, self._error = Step.DOCUMENT, ""
        self._profile: Profile | None = None
        self._consent: ConsentGiven | None = None
        self._stand, self._outcome = Stand(), Outcome()
        self._view: CameraView | None = None
        self._page: dict[str, object] = {}
        self._show()

    page = Property(dict, lambda self: self._page, notify=pageChanged)

    @property
    def values(self) -> dict[str, object]:
        """What QML holds at this moment."""
        return self._page

    # ---- from the enroller, on the window's thread

    def tell(self, stand: Stand) -> None:
        """Another frame was looked at."""
        self._stand = stand
        self._show()

    def ended(self, outcome: Outcome) -> None:
        """It is over, or a supervisor is asked."""
        self._outcome = outcome
        failure = outcome.failure
        if failure is None:
            self._step, self._error, self._profile = Step.DONE, "", None
        elif isinstance(failure, DuplicateFace):
            self._step, self._error = Step.TWIN, reception_text(Advice.DUPLICATE_FACE, self._language)
        else:
            self._step, self._error = Step.CONSENT, self._words(failure)
        self._clear_view()
        self._show()

    def show_frame(self, frame: Frame) -> None:
        """Paint the newest picture."""
        if self._view is not None and self._step is Step.LOOKS:
            self._view.show_frame(frame, frame_face(None, frame.width / frame.height, self._view.aspect))

    def look_through(self, view: CameraView) -> None:
        """The item that paints the preview."""
        self._view = view

    # ---- from the receptionist

    @Slot(str, str, str, str)
    def read(self, iin: str, given: str, family: str, language: str) -> None:
        """What the document says; read back before anything is done with it."""
        self._error = ""
        try:
            self._front.operators.require(Right.ENROL)
            profile = Profile(given.strip(), family.strip(), Iin.parse(iin), Language(language).value)
            if self._front.find(profile.iin).enrolled:
                raise PersonExists("enrolled already")
        except KnownFailure as failure:
            self._error = self._words(failure)
        else:
            self._profile, self._step = profile, Step.CONSENT
        self._show()

    @Slot(bool)
    def agree(self, by_guardian: bool) -> None:
        """The consent was read out and given: look."""
        given_by = GivenBy.GUARDIAN if by_guardian else GivenBy.PATIENT
        self._consent = ConsentGiven(CONSENT_VERSION, self._spoken.value, given_by)
        self._begin(overrule=False)

    @Slot()
    def overrule(self) -> None:
        """A supervisor says that it is another person."""
        self._begin(overrule=True)

    @Slot()
    def refuse(self) -> None:
        """The consent was not given, or everything is broken off: a normal end, and nothing is kept."""
        if self._enroller is not None:
            self._enroller.stop()
        self._step, self._error, self._profile, self._consent = Step.DOCUMENT, "", None, None
        self._stand, self._outcome = Stand(), Outcome()
        self._clear_view()
        self._show()

    def speak(self, language: Language) -> None:
        """Another language of the window."""
        self._language = language
        self._show()

    def close(self) -> None:
        """The window is closed."""
        if self._enroller is not None:
            self._enroller.stop()

    def _begin(self, *, overrule: bool) -> None:
        if self._enroller is None or self._profile is None or self._consent is None:
            return
        try:
            self._front.operators.require(Right.OVERRULE if overrule else Right.ENROL)
            by = self._front.enrolled_by(overrule=overrule)
        except KnownFailure as failure:
            self._error = self._words(failure)
        else:
            self._step, self._error, self._stand = Step.LOOKS, "", Stand()
            self._enroller.begin(Asked(self._profile, self._consent, by))
        self._show()

    def _clear_view(self) -> None:
        if self._view is not None:
            self._view.clear()

    @property
    def _spoken(self) -> Language:
        return Language(self._profile.language) if self._profile else self._language

    def _words(self, failure: KnownFailure) -> str:
        match failure:
            case IinInvalid():
                return screen_text(Label.PAD_BAD_IIN, self._language)
            case PersonExists():
                return front_text(Front.ENROLLED_ALREADY, self._language)
            case NameInvalid():
                return front_text(Front.NAME_WRONG, self._language)
            case FaceNotUsable():
                return front_text(Front.NO_GOOD_LOOK, self._language)
        return f"{failure.code} {failure.remedy}"

    def _show(self) -> None:
        language, profile, stand = self._language, self._profile, self._stand
        todo = ""
        if self._step is Step.LOOKS and stand.wanted is not None:
            todo = hint_text(stand.hint, self._spoken) if stand.hint else view_text(stand.wanted, self._spoken)
        values = dict(stand.components)
        page: dict[str, object] = {
            "camera": self._enroller is not None,
            "step": self._step.value,
            "error": self._error,
            "name": f"{profile.given_name} {profile.family_name}".strip() if profile else "",
            "iin": profile.iin.masked if profile else "",
            "born": f"{profile.iin.born:%d.%m.%Y}" if profile else "",
            "consent": [consent_text(each, self._spoken) for each in Consent],
            "todo": todo,
            "looks": stand.looks,
            "wanted": len(VIEWS),
            "bars": [
                {"name": front_text(Front(f"bar_{name}"), language), "value": values.get(name, 0)} for name in BARS
            ],
            "templates": self._outcome.templates,
            "number": self._outcome.event[:8].upper(),
        }
        if page != self._page:
            self._page = page
            self.pageChanged.emit()
