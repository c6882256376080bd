"""What an evaluation set is, whatever its folders look like: pictures and clips of numbered people, and standard pairs.

People are numbers here: a name of a folder stays in its reader. Reading the folders belongs to `readers`.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from appliance.core.types import Sensitive


class Species(StrEnum):
    """What was held before the camera; the types of presentation attack instruments after ISO/IEC 30107-3."""

    LIVE = "live"
    PRINT = "print"
    REPLAY = "replay"
    MASK = "mask"
    OTHER = "other"

    @property
    def attack(self) -> bool:
        """Whether it is a presentation attack."""
        return self is not Species.LIVE


class Subject(StrEnum):
    """Which of several faces in a picture the set is about."""

    MIDDLE = "middle"
    """The one nearest to the middle: sets that were cut around a detected face."""
    LARGEST = "largest"
    """The one the desk would take."""


@dataclass(frozen=True, slots=True, repr=False)
class Picture(Sensitive):
    """One file. session: when or how it was taken ("" where the set does not tell). order: within its session."""

    path: Path
    person: int
    session: str = ""
    order: int = 0
    species: Species = Species.LIVE


@dataclass(frozen=True, slots=True, repr=False)
class Clip(Sensitive):
    """One recording. person: None where nobody knows who is in it."""

    path: Path
    species: Species
    session: str
    person: int | None = None


@dataclass(frozen=True, slots=True)
class StandardPair:
    """Two pictures by their place in the set, whether they show one person as labelled, and the fold, from 0 on."""

    one: int
    other: int
    same: bool
    fold: int


@dataclass(frozen=True, slots=True, repr=False)
class DataSet(Sensitive):
    """One cohort.

    pictures: in a fixed order. people: how many there are. noise: places of pictures that are known to be mislabelled
    (kept for the standard pairs, left out of every other comparison). pairs: the set's standard protocol, empty without
    one. absent: standard pairs whose pictures are not there.
    """

    name: str
    description: str
    subject: Subject
    people: int
    pictures: tuple[Picture, ...] = ()
    clips: tuple[Clip, ...] = ()
    noise: frozenset[int] = frozenset()
    pairs: tuple[StandardPair, ...] = ()
    absent: int = 0

    @property
    def people_name(self) -> str:
        """What its living people are called as a cohort of recognition."""
        return f"{self.name}-live" if self.presents else self.name

    @property
    def presents(self) -> bool:
        """Whether it was made before a camera to tell living people from attacks."""
        return bool(self.clips) or any(picture.species.attack for picture in self.pictures)
