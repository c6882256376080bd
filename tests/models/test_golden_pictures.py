"""Golden pictures: the same everywhere, drawn, and what the shipped vectors were made with."""

import io

import numpy as np
import pytest

from models.recipes.build import GOLDEN
from models.recipes.golden_pictures import draw
from models.recipes.recipe import load


@pytest.mark.parametrize("name", ["open", "edge", "insightface"])
def test_shipped_vectors_were_made_with_drawn_pictures(name: str) -> None:
    """Nobody's face is in a recipe: every input is what `draw` gives here."""
    recipe = load(name)
    with np.load(io.BytesIO(recipe.beside(GOLDEN) or b""), allow_pickle=False) as vectors:
        inputs = {key: vectors[key] for key in vectors.files if key.endswith(".input")}
    assert set(inputs) == {f"{model.key}.input" for model in recipe.models}
    for model in recipe.models:
        np.testing.assert_array_equal(inputs[f"{model.key}.input"], draw(model))


def test_pictures_differ_and_use_the_whole_range() -> None:
    """Several pictures tell more than one; no two are alike, none is flat."""
    pictures = draw(load("open").models[2], 6)
    assert pictures.shape == (6, 80, 80, 3)
    assert len({picture.tobytes() for picture in pictures}) == 6
    assert all(picture.std() > 15 for picture in pictures)
