"""The input tensor: colours, mean, spread and padding as the manifest says."""

import numpy as np
import pytest

from appliance.face.tensor import InputTensor
from models.manifest import Colour, InputSpec, Layout

BLUE, GREEN, RED = 10, 20, 30
PICTURE = np.full((4, 6, 3), (BLUE, GREEN, RED), np.uint8)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (InputSpec(Colour.RGB, (0, 0, 0), (1, 1, 1), multiple=32), (RED, GREEN, BLUE)),
        (InputSpec(Colour.BGR, (0, 0, 0), (1, 1, 1), multiple=32), (BLUE, GREEN, RED)),
        (InputSpec(Colour.RGB, (10, 20, 5), (2, 1, 5), multiple=32), (10, 0, 1)),
        (InputSpec(Colour.BGR, (10, 0, 0), (1, 4, 10), multiple=32), (0, 5, 3)),
    ],
)
def test_channels_are_ordered_and_normalised(spec: InputSpec, expected: tuple[int, int, int]) -> None:
    """Mean and spread are given in the order of the model's channels."""
    values = InputTensor(spec, 6, 4).fill(PICTURE)
    assert values.dtype == np.float32
    np.testing.assert_allclose(values[0, :, 2, 3], expected, rtol=1e-6)


@pytest.mark.parametrize("layout", Layout)
def test_what_a_smaller_picture_leaves_is_black(layout: Layout) -> None:
    """Nothing of an earlier picture stays."""
    tensor = InputTensor(InputSpec(Colour.BGR, (1, 2, 3), (1, 1, 2), multiple=32, layout=layout), 8, 8)
    tensor.fill(np.full((8, 8, 3), 99, np.uint8))
    values = tensor.fill(PICTURE)[0]
    last = values if layout is Layout.NHWC else values.transpose(1, 2, 0)
    assert np.all(last[4:] == [-1, -2, -1.5])
    assert np.all(last[:, 6:] == [-1, -2, -1.5])
    assert np.all(last[:4, :6, 0] == BLUE - 1)


def test_the_buffer_is_used_again() -> None:
    """No allocation per frame."""
    tensor = InputTensor(InputSpec(Colour.BGR, (0, 0, 0), (1, 1, 1), multiple=32), 6, 4)
    assert tensor.fill(PICTURE) is tensor.fill(PICTURE)
