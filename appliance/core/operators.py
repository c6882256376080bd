"""Operators of the reception: their roles and what each may do, PINs and what makes one weak, wrong PINs in a row.

What follows from wrong PINs, and how long a session lasts, is `shift`'s.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from appliance.core.errors import PinInvalid
from appliance.core.types import Sensitive

PIN_LEAST, PIN_MOST = 6, 12
"""Digits. A million PINs last for 100 years at the tries a day that the pauses leave (`shift.pause_after`)."""


class Role(StrEnum):
    """What somebody does at the clinic's desk."""

    RECEPTIONIST = "receptionist"
    SUPERVISOR = "supervisor"
    IT = "it"


class Right(StrEnum):
    """What a role may do. SEE: patients by name. OVERRULE: enrol somebody whose face is enrolled already."""

    SEE = "see"
    CONFIRM = "confirm"
    CORRECT = "correct"
    ENROL = "enrol"
    WITHDRAW = "withdraw"
    OVERRULE = "overrule"
    MAINTAIN = "maintain"


_PATIENTS = frozenset({Right.SEE, Right.CONFIRM, Right.CORRECT, Right.ENROL, Right.WITHDRAW})

RIGHTS: Mapping[Role, frozenset[Right]] = MappingProxyType(
    {
        Role.RECEPTIONIST: _PATIENTS,
        Role.SUPERVISOR: _PATIENTS | {Right.OVERRULE},
        Role.IT: frozenset({Right.MAINTAIN}),  # no patients: who keeps the machine could alter what it shows
    }
)


@dataclass(frozen=True, slots=True, repr=False)
class Pin(Sensitive):
    """A PIN as it was typed."""

    digits: str

    def require_strong(self) -> None:
        """Raise PinInvalid for a PIN that is too short or too long, is no digits, or is the first anybody tries."""
        if not (self.digits.isascii() and self.digits.isdigit() and PIN_LEAST <= len(self.digits) <= PIN_MOST):
            raise PinInvalid(f"a PIN has {PIN_LEAST} to {PIN_MOST} digits")
        steps = {(int(after) - int(before)) % 10 for before, after in zip(self.digits, self.digits[1:], strict=False)}
        if len(steps) == 1 and steps <= {0, 1, 9}:
            raise PinInvalid("one digit again and again, or digits in a row, are guessed first")


@dataclass(frozen=True, slots=True)
class Mark:
    """An instant that outlives the process and that no setting of the clock moves: milliseconds since a boot."""

    boot_id: str
    mono_ms: int


@dataclass(frozen=True, slots=True)
class Misses:
    """Wrong PINs in a row, and when the last was. last: None when there is none."""

    count: int = 0
    last: Mark | None = None
