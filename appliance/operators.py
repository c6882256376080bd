"""Use cases: somebody of the staff gets a PIN, signs in at the reception, is locked out, vouches for a colleague.

What a role may do and how long pauses and sessions are is `core`'s. A session lives in memory only: whoever starts the
program anew signs in anew.
"""

from dataclasses import dataclass, replace

from appliance.checkin import append, sign
from appliance.core.errors import NotAllowed, NotSignedIn, OperatorLocked, PersonUnknown, PinWrong, TemplateDamaged
from appliance.core.events import Alarm
from appliance.core.iin import Iin
from appliance.core.operators import RIGHTS, Mark, Misses, Pin, Right, Role
from appliance.core.policy import ReceptionRule
from appliance.core.reception_events import PinSet, SessionEnd, SignedIn, SignedOut
from appliance.core.shift import Shift, pause_left
from appliance.core.types import Instant, PersonId, Sensitive
from appliance.records.desk import DeskRecords
from appliance.records.operators import Operator
from appliance.records.pins import PinHasher
from appliance.records.profile import Profile
from sync.clock import Clock
from sync.database import immediate
from sync.ledger import Ledger

OPERATOR_LOCKED = "operator_locked"
"""An alarm: so many wrong PINs that the operator has to wait."""


@dataclass(frozen=True, slots=True, repr=False)
class OperatorLine(Sensitive):
    """One name to choose at the sign-in. name: first name and initial. pause: seconds until a PIN may be tried."""

    person: PersonId
    name: str
    role: Role
    pause: float


@dataclass(frozen=True, slots=True, repr=False)
class Voucher(Sensitive):
    """Who agrees to what a colleague does, and their PIN."""

    person: PersonId
    pin: Pin


class Operators:
    """Who is signed in at this reception; lives on the thread that opened the database."""

    def __init__(
        self,
        records: DeskRecords,
        ledger: Ledger,
        clock: Clock,
        rule: ReceptionRule,
        software: str,
        pins: PinHasher | None = None,
    ) -> None:
        """pins: None for a hasher of the usual cost."""
        self._records = records
        self._ledger = ledger
        self._clock = clock
        self._rule = rule
        self._software = software
        self._pins = pins or PinHasher()
        self._shift: Shift | None = None

    def listed(self) -> tuple[OperatorLine, ...]:
        """Everybody who may sign in. Nobody whose profile does not open."""
        lines = []
        for each in self._records.operators.all():
            try:
                name = self._records.staff.people.profile(each.person).greeting
            except (PersonUnknown, TemplateDamaged):
                continue  # forgotten just now; or enrolled again, which gives a new PIN, too
            lines.append(OperatorLine(each.person, name, each.role, pause_left(each.misses, self._mark(), self._rule)))
        return tuple(lines)

    def sign_in(self, person: PersonId, pin: Pin) -> Shift:
        """Begin a session; one that was open is ended.

        `face_missing` tells that the operator's face is to be enrolled now, in the window or at the terminal. Raises
        OperatorUnknown, PinWrong, OperatorLocked.
        """
        operator = self._checked(person, pin)
        if self.shift() is not None:
            self._end(SessionEnd.ANOTHER)
        staff, now = self._records.staff, self._now()
        reference, missing = staff.people.reference(person), staff.templates.count(person) == 0
        event = SignedIn(reference, operator.role, not missing, self._software)
        sign(self._records, self._ledger, self._clock, event)
        self._shift = Shift(person, reference, operator.role, now, now, missing)
        return self._shift

    def unlock(self, pin: Pin) -> Shift:
        """Go on with a locked session. Raises NotSignedIn when there is none, and as `sign_in`."""
        shift = self.shift()
        if shift is None:
            raise NotSignedIn("nobody is signed in")
        self._checked(shift.person, pin)
        self._shift = shift.unlock(self._now())
        return self._shift

    def shift(self) -> Shift | None:
        """The session as it is now; None when nobody is signed in. One that has lasted its time ends here."""
        if self._shift is None:
            return None
        now = self._shift.at(self._now(), self._rule)
        if now is None:
            self._end(SessionEnd.SHIFT_OVER)
        elif now.face_missing and self._records.staff.templates.count(now.person):
            now = replace(now, face_missing=False)  # enrolled meanwhile, here or at the terminal
        self._shift = now
        return now

    def touch(self) -> None:
        """Somebody typed or clicked at the reception's screen."""
        shift = self.shift()
        self._shift = shift and shift.touch(self._now())

    def lock(self) -> None:
        """Lock at once; the PIN opens it again."""
        shift = self.shift()
        self._shift = shift and shift.lock()

    def sign_out(self) -> None:
        """End the session; nothing where there is none."""
        if self.shift() is not None:
            self._end(SessionEnd.BY_HAND)

    def require(self, right: Right) -> Shift:
        """The session of whoever does something now, and may. Raises NotSignedIn (also when locked), NotAllowed.

        It is no input: a screen that asks for the newest queue must not keep a session open that nobody uses.
        """
        shift = self.present()
        _allow(shift.role, right)
        return shift

    def vouch(self, voucher: Voucher, right: Right) -> str:
        """The pseudonym of a colleague who has a right and agrees, with their PIN, to what the operator does.

        Raises NotSignedIn, NotAllowed (also for the operator themselves), and as `sign_in`.
        """
        if voucher.person == self.present().person:
            raise NotAllowed("somebody else has to agree")
        _allow(self._checked(voucher.person, voucher.pin).role, right)
        return self._records.staff.people.reference(voucher.person)

    def present(self) -> Shift:
        """The session of whoever works here now, in whatever role. Raises NotSignedIn (also when locked)."""
        shift = self.shift()
        if shift is None or shift.locked:
            raise NotSignedIn("nobody is signed in" if shift is None else "the session is locked")
        return shift

    def _checked(self, person: PersonId, pin: Pin) -> Operator:
        """The operator, if the PIN is theirs.

        A try is counted on the disk before it is looked at: pulling the plug, or trying in two processes, wins none.
        """
        with immediate(self._records.db):
            before = self._records.operators.get(person)
            left = pause_left(before.misses, self._mark(), self._rule)
            if left > 0:
                raise OperatorLocked(f"no PIN is looked at for another {left:.0f} s", left)
            missed = Misses(before.misses.count + 1, self._mark())
            self._records.operators.miss(person, missed)
        if not self._pins.fits(before.pin_hash, pin):
            raise self._missed(person, missed)
        with immediate(self._records.db):
            now = self._records.operators.get(person)  # OperatorUnknown when erased while the PIN was looked at
            self._records.operators.miss(person, Misses())
        return now

    def _missed(self, person: PersonId, misses: Misses) -> PinWrong | OperatorLocked:
        """What a wrong PIN is told as; from the last free try on every further one is an alarm."""
        pause = pause_left(misses, self._mark(), self._rule)
        if misses.count < self._rule.tries:
            return PinWrong("the PIN is not theirs", self._rule.tries - misses.count)
        who = (self._records.staff.people.reference(person),)
        alarm = Alarm(OPERATOR_LOCKED, f"{misses.count} wrong in a row", self._software, who)
        sign(self._records, self._ledger, self._clock, alarm)
        return OperatorLocked(f"{misses.count} wrong PINs in a row", pause)

    def _end(self, how: SessionEnd) -> None:
        assert self._shift is not None  # noqa: S101 - callers looked
        ended = SignedOut(self._shift.operator, how, self._software)
        self._shift = None  # first: whether or not that can be written
        sign(self._records, self._ledger, self._clock, ended)

    def _now(self) -> Instant:
        """Time of this boot: unlike monotonic time it also passes while the machine sleeps with its lid closed."""
        return Instant(self._clock.moment().mono_ms / 1000)

    def _mark(self) -> Mark:
        moment = self._clock.moment()
        return Mark(moment.boot_id, moment.mono_ms)


@dataclass(frozen=True, slots=True)
class PinGiven:
    """person: id in the register of staff. event: id of the signed event. face_missing: as of a `Shift`."""

    person: PersonId
    event: str
    face_missing: bool


def set_pin(
    records: DeskRecords,
    ledger: Ledger,
    clock: Clock,
    software: str,
    who: Profile | Iin,
    role: Role,
    pin: Pin,
    pins: PinHasher | None = None,
) -> PinGiven:
    """Give somebody of the staff their PIN and role, or new ones, and sign it; at the terminal, where IT works.

    who: a profile takes somebody into the register who is not in it yet, their face to be enrolled later; an IIN alone
    means somebody who is in it. Raises PinInvalid, PersonUnknown.
    """
    pin.require_strong()
    hashed = (pins or PinHasher()).hash(pin)  # before the transaction: it takes a while
    iin = who.iin if isinstance(who, Profile) else who
    people = records.staff.people
    with immediate(records.db):
        moment, person = clock.moment(), people.find(iin)
        if person is None:
            if not isinstance(who, Profile):
                raise PersonUnknown(f"nobody with IIN {iin} is in the register of staff")
            person = people.add(who, moment.wall)
        records.operators.put(person, role, hashed, moment.wall)
        event = append(ledger, PinSet(people.reference(person), role, "terminal", software), moment).event_id
    return PinGiven(person, event, records.staff.templates.count(person) == 0)


def _allow(role: Role, right: Right) -> None:
    if right not in RIGHTS[role]:
        raise NotAllowed(f"the role {role.value} does not include: {right.value}")
