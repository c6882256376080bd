"""A counter that only grows, as a chip keeps it: outside of everything that a copy of the disk can put back."""

from dataclasses import dataclass
from pathlib import Path

from sync.errors import KeyUnusable


@dataclass
class ManualCounter:
    """Implements `sync.checkpoint.Counter` in memory. away: whether its chip is out of reach."""

    value: int = 40
    away: bool = False
    steps: int = 0

    def read(self) -> int:
        """The value."""
        if self.away:
            raise KeyUnusable("the chip does not answer")
        return self.value

    def advance(self) -> int:
        """One more."""
        self.value = self.read() + 1
        self.steps += 1
        return self.value


@dataclass
class FileCounter:
    """Implements `sync.checkpoint.Counter` over a file of one byte for each step."""

    path: Path

    def read(self) -> int:
        """The value."""
        return self.path.stat().st_size if self.path.exists() else 0

    def advance(self) -> int:
        """One more."""
        with self.path.open("ab") as file:
            file.write(b"+")
        return self.read()
