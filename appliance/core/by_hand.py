"""What somebody at the reception may put on record alone, and from when on a second person has to agree.

Counting is `records.manual`'s, whose PIN agrees `operators`'s.
"""

from dataclasses import dataclass

from appliance.core.errors import SecondPersonNeeded


@dataclass(frozen=True, slots=True)
class ByHand:
    """An operator's day. operator: pseudonym. done: services they put on record by hand. limit: of these alone."""

    operator: str
    done: int
    limit: int

    def second_needed(self, patient: str) -> bool:
        """Whether the next one, for a patient (pseudonym), takes a second person."""
        return patient == self.operator or self.done >= self.limit

    def judge(self, patient: str, second: str | None) -> None:
        """Let the next one pass. second: pseudonym of who agreed, if anybody did. Raises SecondPersonNeeded."""
        if patient == second:
            raise SecondPersonNeeded("the patient does not vouch for their own visit")
        if second is None and self.second_needed(patient):
            if patient == self.operator:
                raise SecondPersonNeeded("nobody puts a service of their own on record alone")
            raise SecondPersonNeeded(f"{self.limit} services were put on record by hand today by this operator")
