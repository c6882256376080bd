"""The pad for who checks in without a face: first the IIN, then the code of the visit.

It keeps the digits while they are typed and forgets them with the state; whether they are right is decided at the desk.
"""

from dataclasses import dataclass, replace

from appliance.core.errors import IinInvalid
from appliance.core.iin import Iin
from appliance.core.types import Sensitive

IIN_DIGITS, CODE_DIGITS = 12, 6
_SEEN = 2
"""Digits that stay readable while an IIN is typed: enough to see a slip, too few to read over a shoulder."""


@dataclass(frozen=True, slots=True, repr=False)
class Pad(Sensitive):
    """What was typed so far. mistaken: the IIN had a mistake when it was handed in. coding: the code is being typed."""

    iin: str = ""
    code: str = ""
    coding: bool = False
    mistaken: bool = False

    def type(self, digit: str) -> "Pad":
        """One more digit; one too many changes nothing. Raises ValueError for anything else."""
        if len(digit) != 1 or digit not in "0123456789":
            raise ValueError("the pad has digits only")
        if self.coding:
            return replace(self, code=(self.code + digit)[:CODE_DIGITS])
        return replace(self, iin=(self.iin + digit)[:IIN_DIGITS], mistaken=False)

    def erase(self) -> "Pad":
        """One digit less; from an empty code back to the IIN."""
        if self.coding and not self.code:
            return replace(self, coding=False)
        if self.coding:
            return replace(self, code=self.code[:-1])
        return replace(self, iin=self.iin[:-1], mistaken=False)

    def read(self, iin: Iin) -> "Pad":
        """Take an IIN over that the camera read from a document."""
        return Pad(iin=iin.digits, coding=True)

    def next(self) -> "Pad":
        """Go on to the code, if the IIN is one."""
        try:
            Iin.parse(self.iin)
        except IinInvalid:
            return replace(self, mistaken=True)
        return replace(self, coding=True)

    @property
    def complete(self) -> bool:
        """Whether everything is typed that this step asks for."""
        return len(self.code) == CODE_DIGITS if self.coding else len(self.iin) == IIN_DIGITS

    @property
    def masked(self) -> str:
        """What may be seen of it, in groups of four for an IIN."""
        if self.coding:
            return "•" * len(self.code) + "–" * (CODE_DIGITS - len(self.code))
        hidden = "•" * max(len(self.iin) - _SEEN, 0) + self.iin[-_SEEN:]
        hidden += "–" * (IIN_DIGITS - len(hidden))
        return " ".join(hidden[at : at + 4] for at in range(0, IIN_DIGITS, 4))
