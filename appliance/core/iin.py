"""The individual identification number (IIN, ЖСН/ИИН): twelve digits with a check digit.

Layout YYMMDD C NNNN K: C gives century and sex (1/2: 1800s, 3/4: 1900s, 5/6: 2000s; odd: male).
K: digits 1..11 weighted 1..11 modulo 11; if that is 10, weights 3..11,1,2; if 10 again, the number is
never issued (Government Decree of Kazakhstan No. 406 of 22 May 2007).
"""

from dataclasses import dataclass
from datetime import date

from appliance.core.errors import IinInvalid
from appliance.core.types import Sensitive

_FIRST = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
_SECOND = (3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2)
_CENTURIES = {"1": 1800, "2": 1800, "3": 1900, "4": 1900, "5": 2000, "6": 2000}


def check_digit(eleven: str) -> int | None:
    """The check digit for the first eleven digits; None where no number may be issued."""
    digits = [int(c) for c in eleven]
    for weights in (_FIRST, _SECOND):
        rest = sum(d * w for d, w in zip(digits, weights, strict=True)) % 11
        if rest != 10:
            return rest
    return None


@dataclass(frozen=True, slots=True, repr=False)
class Iin(Sensitive):
    """A valid IIN. `str()` masks it; `digits` is the full number and goes to no log or event."""

    digits: str

    def __post_init__(self) -> None:
        """Raise IinInvalid unless length, date and check digit are right."""
        d = self.digits
        if len(d) != 12 or not (d.isascii() and d.isdigit()):
            raise IinInvalid("an IIN has exactly 12 digits")
        if d[6] not in _CENTURIES:
            raise IinInvalid("the 7th digit of an IIN is 1 to 6")
        try:
            self._born()
        except ValueError:
            raise IinInvalid("the first six digits of an IIN are a birth date YYMMDD") from None
        if check_digit(d[:11]) != int(d[11]):
            raise IinInvalid("the check digit of the IIN does not fit: a digit was misread")

    @classmethod
    def parse(cls, text: str) -> "Iin":
        """Read an IIN as people type it (spaces and hyphens allowed). Raises IinInvalid."""
        return cls("".join(text.split()).replace("-", ""))

    def _born(self) -> date:
        d = self.digits
        return date(_CENTURIES[d[6]] + int(d[:2]), int(d[2:4]), int(d[4:6]))

    @property
    def born(self) -> date:
        """Date of birth."""
        return self._born()

    def age_on(self, day: date) -> int:
        """Completed years on a day; negative before birth."""
        born = self.born
        return day.year - born.year - ((day.month, day.day) < (born.month, born.day))

    @property
    def masked(self) -> str:
        """The last four digits behind dots, for a screen."""
        return "•" * 8 + self.digits[-4:]

    def __str__(self) -> str:
        return self.masked
