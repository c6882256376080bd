"""Between the reception's use cases and its window: what they give becomes maps for QML, presses become calls.

Every rule is `front_desk`'s and `operators`'s; here are words, and which part of the window is open. Lives on the
window's thread, which opened the database.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import Property, QObject, Signal, Slot

from appliance.core.errors import IinInvalid, NotAllowed, NotSignedIn, SecondPersonNeeded, TemplateDamaged
from appliance.core.iin import Iin
from appliance.core.operators import RIGHTS, Pin, Right
from appliance.core.reception_events import CorrectionReason, FaceFailure, IdentityCheck
from appliance.core.types import PersonId
from appliance.front_desk import Correction, FrontDesk, Manual
from appliance.front_texts import Front, front_text
from appliance.operators import Voucher
from appliance.reception_queue import Card
from appliance.reception_texts import (
    Told,
    role_text,
    told_text,
)
from appliance.texts import Label, Language, screen_text
from appliance.withdrawal import ErasureProof
from kiosk_ui.failure_words import failure_words
from kiosk_ui.reception_rows import Values, card_values, day_values, own_words
from sync.errors import KnownFailure


class Reception(QObject):
    """What the QML files see as `front`."""

    sessionChanged, queueChanged, cardChanged, toldChanged = Signal(), Signal(), Signal(), Signal()  # noqa: N815
    wordsChanged = Signal()  # noqa: N815
    done = Signal()
    """What was pressed for is done, whatever the message was before."""
    spoken = Signal(str)
    """Another language was chosen."""
    proved = Signal()
    """`proof` is to be printed."""

    def __init__(self, front: FrontDesk, language: Language, clinic: str, *, camera: bool = True) -> None:
        """camera: there is one here, for the operator's own face."""
        super().__init__()
        self._front, self._language, self._clinic = front, language, clinic
        self._camera = camera
        self._search, self._patient = "", ""
        self._proof: ErasureProof | None = None
        self._proof_note = ""
        self._postponed = False
        self._session: Values = {}
        self._queue: Values = {}
        self._card: Values = {}
        self._told: Values = {"text": "", "good": True}
        self._words: Values = {}
        self._say()
        self.refresh()

    session = Property(dict, lambda self: self._session, notify=sessionChanged)
    queue = Property(dict, lambda self: self._queue, notify=queueChanged)
    card = Property(dict, lambda self: self._card, notify=cardChanged)
    told = Property(dict, lambda self: self._told, notify=toldChanged)
    words = Property(dict, lambda self: self._words, notify=wordsChanged)

    @property
    def desk(self) -> FrontDesk:
        """The use cases behind, for the window's other pages: one knows who is signed in."""
        return self._front

    @property
    def values(self) -> Values:
        """Everything that QML holds at this moment."""
        return {"session": self._session, "queue": self._queue, "card": self._card, "told": self._told}

    @property
    def language(self) -> Language:
        """What the window speaks."""
        return self._language

    @property
    def proof(self) -> ErasureProof | None:
        """What was erased last, for printing; gone with the next patient."""
        return self._proof

    # ---- who works here

    @Slot(str, str)
    def signIn(self, person: str, digits: str) -> None:  # noqa: N802 - called from QML
        """Begin a session."""
        with self._asking():
            self._front.operators.sign_in(PersonId(person), Pin(digits))
            self._postponed = False  # with each session it is asked for again
            self._tell("")
        self.refresh()

    @Slot(str)
    def unlock(self, digits: str) -> None:
        """Go on with a locked one."""
        with self._asking():
            self._front.operators.unlock(Pin(digits))
            self._tell("")
        self.refresh()

    @Slot()
    def lock(self) -> None:
        """Whoever leaves the desk."""
        with self._asking():
            self._front.operators.lock()
        self.refresh()

    @Slot()
    def signOut(self) -> None:  # noqa: N802
        """End the session."""
        with self._asking():
            self._front.operators.sign_out()
        self.refresh()

    @Slot()
    def touch(self) -> None:
        """Somebody typed or clicked."""
        with self._asking():
            self._front.operators.touch()

    @Slot(bool)
    def postpone(self, later: bool) -> None:
        """The operator's face is taken later in this session, or now all the same."""
        self._postponed = later
        self.refresh()

    @Slot()
    def faceTaken(self) -> None:  # noqa: N802 - a signal's name
        """The operator's face is enrolled."""
        self.refresh()
        self._tell(self._front_word(Front.FACE_TAKEN))

    @Slot(str)
    def speak(self, language: str) -> None:
        """Another language of the window."""
        self._language = Language(language)
        self.spoken.emit(language)
        self._say()
        self._tell("")
        self.refresh()

    # ---- the day

    @Slot()
    def refresh(self) -> None:
        """Everything as it is now: what is open stays open, and a session that is over takes all names with it.

        A card that cannot be shown is closed: no press may be about another patient than the one on the screen.
        """
        day: Values = {}
        card: Values = {}
        with self._asking(quiet=True):
            self._put_session()
            if not self._session["signedIn"]:
                self._search = ""
                if self._queue:  # the one who leaves the desk was told that, not the next
                    self._tell("")
            day = self._day()
            card = self._shown(self._front.card(self._patient)) if self._patient else {}
        if not card:
            self._patient, self._proof = "", None
        self._put("queue", day)
        self._put("card", card)

    @Slot(str)
    def search(self, text: str) -> None:
        """Look for a name, four digits, or a whole IIN, which also opens the card of who has no service."""
        self._search = text
        digits = "".join(text.split())
        if len(digits) == 12 and digits.isdigit():
            with self._asking():
                try:
                    self._patient = self._front.find(Iin.parse(digits)).patient
                except IinInvalid:
                    self._tell(screen_text(Label.PAD_BAD_IIN, self._language), good=False)
        self.refresh()

    @Slot(str)
    def open(self, patient: str) -> None:
        """The card of a row; empty: none."""
        self._patient, self._proof = patient, None
        self._tell("")
        self.refresh()

    @Slot(int)
    def answer(self, call: int) -> None:
        """Somebody goes to help."""
        with self._asking():
            self._front.answer(call)
        self.refresh()

    # ---- one patient

    @Slot(str, str, str, str, str, str, str)
    def confirm(
        self, service: str, identity: str, reason: str, note: str, attempt: str, second: str, second_pin: str
    ) -> None:
        """Confirm by hand; second, second_pin: empty without a second person."""
        manual = Manual(
            service,
            IdentityCheck(identity) if identity else None,
            FaceFailure(reason) if reason else None,
            note,
            attempt,
        )
        with self._asking():
            self._front.confirm(manual, _voucher(second, second_pin))
            self._tell_done(Front.DONE)
        self.refresh()

    @Slot(str, str, str, str, str, str)
    def correct(self, receipt: str, reason: str, instead: str, note: str, second: str, second_pin: str) -> None:
        """Take a receipt back, or put another service in its place; second, second_pin: as in `confirm`."""
        correction = Correction(receipt, CorrectionReason(reason) if reason else None, instead, note)
        with self._asking():
            self._front.correct(correction, _voucher(second, second_pin))
            self._tell_done(Front.DONE)
        self.refresh()

    @Slot()
    def invite(self) -> None:
        """Whoever stands at the kiosk may try again."""
        with self._asking():
            self._front.invite(self._patient)
            self._tell_done(Front.INVITED)
        self.refresh()

    @Slot()
    def withdraw(self) -> None:
        """Erase everything that is held of the patient whose card is open."""
        with self._asking():
            self._proof, self._proof_note = self._front.withdraw(self._patient), ""
            self._tell_done(Front.ERASED)
            self.proved.emit()
        self.refresh()

    @Slot()
    def printProof(self) -> None:  # noqa: N802
        """Once more: the printer was switched on meanwhile."""
        self.proved.emit()

    def note_proof(self, note: str) -> None:
        """How printing went."""
        self._proof_note = note
        self.refresh()

    # ---- to QML

    @contextmanager
    def _asking(self, *, quiet: bool = False) -> Iterator[None]:
        """A known failure is told, and nothing was done. quiet: not being signed in is no news."""
        try:
            yield
        except KnownFailure as failure:
            if not (quiet and isinstance(failure, NotSignedIn | NotAllowed)):
                self._tell(self._failure(failure), good=False)

    def _failure(self, failure: KnownFailure) -> str:
        if isinstance(failure, SecondPersonNeeded):
            return told_text(Told.SECOND_PERSON, self._language, limit=str(self._front.by_hand().limit))
        return failure_words(failure, self._language)

    def _tell(self, text: str, *, good: bool = True) -> None:
        self._put("told", {"text": text, "good": good})

    def _tell_done(self, word: Front) -> None:
        self._tell(self._front_word(word))
        self.done.emit()

    def _put(self, name: str, values: Values) -> None:
        if getattr(self, f"_{name}") != values:
            setattr(self, f"_{name}", values)
            getattr(self, f"{name}Changed").emit()

    def _put_session(self) -> None:
        operators = self._front.operators
        shift, lines = operators.shift(), operators.listed()
        names = {line.person: line.name for line in lines}
        people = [
            {
                "person": line.person,
                "name": line.name,
                "role": role_text(line.role, self._language),
                "overrules": Right.OVERRULE in RIGHTS[line.role] and (shift is None or line.person != shift.person),
                "vouches": Right.CONFIRM in RIGHTS[line.role] and (shift is None or line.person != shift.person),
            }
            for line in lines
        ]
        self._put(
            "session",
            {
                "signedIn": shift is not None and not shift.locked,
                "patients": shift is not None and Right.SEE in RIGHTS[shift.role],
                "locked": shift is not None and shift.locked,
                "person": shift.person if shift else "",
                "name": names.get(shift.person, "") if shift else "",
                "faceMissing": self._face_missing() if shift and shift.face_missing else "",
                "faceFirst": shift is not None and not shift.locked and shift.face_missing and not self._postponed,
                "overrules": shift is not None and Right.OVERRULE in RIGHTS[shift.role],
                "people": people,
                "clinic": self._clinic,
                "language": self._language.value,
            },
        )

    def _face_missing(self) -> str:
        if self._camera:
            return told_text(Told.FACE_MISSING, self._language)
        return told_text(Told.FACE_ELSEWHERE, self._language, command="keldim staff enrol")

    def _day(self) -> Values:
        front, searched = self._front, bool(self._search)
        queue = front.queue(self._search)
        return day_values(queue, front.by_hand(), front.hand_over(), self._language, searched=searched)

    def _shown(self, card: Card) -> Values:
        return {
            **card_values(card, self._language),
            "secondNeeded": self._front.by_hand().second_needed(card.patient),
            "held": self._held(card),
            "proof": list(self._proof.lines(self._language)) if self._proof else [],
            "proofNote": self._proof_note if self._proof else "",
        }

    def _held(self, card: Card) -> str:
        if not card.enrolled:
            return ""
        try:
            held = self._front.held(card.patient)
        except TemplateDamaged:  # such a patient is still helped by hand; `withdraw` says what is to be done
            return ""
        return self._front_word(Front.HELD, name=held.name, n=str(held.templates))

    def _say(self) -> None:
        self._words = own_words(self._language)
        self.wordsChanged.emit()

    def _front_word(self, word: Front, **parts: str) -> str:
        return front_text(word, self._language, **parts)


def _voucher(second: str, digits: str) -> Voucher | None:
    return Voucher(PersonId(second), Pin(digits)) if second else None
