"""What a benchmark found: figures, each with what it was measured against in the same run, and the goals they meet.

How they are measured is each benchmark's; how they are shown, the command line's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Bound(StrEnum):
    """Which way a goal is met."""

    AT_LEAST = "at least"
    AT_MOST = "at most"


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure wanted. of_ratio: the limit is on the ratio, not on the value itself."""

    bound: Bound
    limit: float
    of_ratio: bool = False

    def met(self, figure: "Figure") -> bool:
        """Whether a figure keeps it. Raises ValueError for a goal on a ratio that was not measured."""
        found = figure.ratio if self.of_ratio else figure.value
        if found is None:
            raise ValueError(f"{figure.what}: a goal for a ratio, but nothing to compare with")
        return found >= self.limit if self.bound is Bound.AT_LEAST else found <= self.limit

    def __str__(self) -> str:
        return f"{self.bound} {self.limit:g}{'x' if self.of_ratio else ''}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing measured. value: ours, in `unit`. reference: the other side's, in the same unit and the same run."""

    what: str
    value: float
    unit: str
    reference: float | None = None
    goal: Goal | None = None

    @property
    def ratio(self) -> float | None:
        """How many times smaller ours is than the other side's: of times, how many times faster."""
        if self.reference is None:
            return None
        return self.reference / self.value if self.value else float("inf")

    @property
    def met(self) -> bool | None:
        """Whether the goal is kept; None without a goal."""
        return None if self.goal is None else self.goal.met(self)

    def document(self) -> dict[str, object]:
        """As JSON carries it."""
        return {
            "what": self.what,
            "value": self.value,
            "unit": self.unit,
            "reference": self.reference,
            "ratio": self.ratio,
            "goal": None if self.goal is None else str(self.goal),
            "met": self.met,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """One benchmark. against: what `reference` is. facts: the conditions of the run, as a reader needs them."""

    bench: str
    against: str
    facts: Mapping[str, str | int | float]
    figures: tuple[Figure, ...]

    def document(self) -> dict[str, object]:
        """As JSON carries it."""
        return {
            "bench": self.bench,
            "against": self.against,
            "facts": dict(self.facts),
            "figures": [figure.document() for figure in self.figures],
        }
