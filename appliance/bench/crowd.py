"""Galleries of people who do not exist, with a pack's own code book, for measuring at the size of a real desk."""

from collections.abc import Iterator

import numpy as np

from appliance.bench import population
from appliance.core.types import Embedding, PersonId
from appliance.face.pack import Pack
from appliance.matching.gallery import Gallery
from appliance.pack_terms import dimension, empty_gallery
from models import codebook

_DRAWN_AT_ONCE = 4096


def faces_of(pack: Pack, people: int) -> Iterator[Embedding]:
    """One template for each; the same ones every time."""
    rng = np.random.default_rng(7)
    spread = population.spread(dimension(pack), None if pack.codebook is None else codebook.read(pack.codebook))
    for begin in range(0, people, _DRAWN_AT_ONCE):
        drawn = population.drawn(spread, min(_DRAWN_AT_ONCE, people - begin), rng)
        yield from (Embedding(vector, pack.digest) for vector in drawn)


def crowd(pack: Pack, people: int) -> Gallery:
    """A gallery of so many people with one template each."""
    gallery = empty_gallery(pack)
    gallery.add_all((PersonId(f"{number:08d}"), [face]) for number, face in enumerate(faces_of(pack, people)))
    return gallery
