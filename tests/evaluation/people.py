"""Invented people as clouds of unit vectors: who resembles himself, and by how much, is known."""

import numpy as np
from numpy.typing import NDArray

from appliance.evaluation.datasets import DataSet, Subject
from appliance.evaluation.measured import Measured


def vectors(
    people: int, looks: int, spread: float, dimension: int = 32, seed: int = 1
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """(unit vectors, whose they are): `looks` of each person, around a random direction with so much noise."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((people, dimension))
    drawn = np.repeat(centres, looks, axis=0) + spread * rng.standard_normal((people * looks, dimension))
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    return drawn.astype(np.float32), np.repeat(np.arange(people), looks)


def measured(
    table: NDArray[np.float32], person: NDArray[np.int64], *, species: str = "live", live: float = np.nan
) -> Measured:
    """All found, all of one session, with the same quality."""
    rows = len(person)
    return Measured(
        vectors=table,
        found=np.ones(rows, bool),
        readable=np.ones(rows, bool),
        person=person,
        session=np.full(rows, -1),
        sessions=(),
        species=np.full(rows, species),
        series=person,
        quality=np.linspace(20, 80, rows).astype(np.float32),
        passed=np.ones(rows, bool),
        components=np.zeros((rows, 0), np.float32),
        names=(),
        live=np.full(rows, live, np.float32),
    )


def data(name: str = "set", people: int = 2) -> DataSet:
    """A set whose pictures nobody looks at any more."""
    return DataSet(name, "made up", Subject.LARGEST, people)
