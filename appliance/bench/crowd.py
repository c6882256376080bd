"""Galleries of people who do not exist: random faces of a pack's length, for measuring at the size of a real desk."""

from collections.abc import Iterator

import numpy as np

from appliance.composition import dimension
from appliance.core.types import Embedding, PersonId
from appliance.face.pack import Pack
from appliance.matching.gallery import Gallery

_DRAWN_AT_ONCE = 4096


def faces_of(pack: Pack, people: int) -> Iterator[Embedding]:
    """One random unit vector for each; the same ones every time."""
    chance = np.random.default_rng(7)
    left = people
    while left > 0:
        drawn = chance.standard_normal((min(left, _DRAWN_AT_ONCE), dimension(pack)), dtype=np.float32)
        drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
        yield from (Embedding(vector, pack.digest) for vector in drawn)
        left -= len(drawn)


def crowd(pack: Pack, people: int) -> Gallery:
    """A gallery of so many people with one template each."""
    gallery = Gallery(dimension(pack), pack.digest)
    gallery.add_all((PersonId(f"{number:08d}"), [face]) for number, face in enumerate(faces_of(pack, people)))
    return gallery
