"""The golden self-test: right outputs pass, others are named."""

import io
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from appliance.face.golden import Golden, GoldenMismatch, outputs
from models.manifest import Colour, EmbedSpec, InputSpec, Layout, Licence, Loader, Model, Task, Upstream, Use

Floats = NDArray[np.float32]

POINTS = ((0.0, 0.0), (1.0, 0.0), (0.5, 0.5), (0.0, 1.0), (1.0, 1.0))
MODEL = Model(
    task=Task.EMBED,
    family="example",
    loader=Loader.ONNXRUNTIME,
    file="example.onnx",
    upstream=Upstream("https://example.org/example.onnx", "0" * 64, 1),
    rewrites=(),
    licence=Licence("MIT", Use.ANY, "licence.txt"),
    input=InputSpec(Colour.BGR, (0, 0, 0), (1, 1, 1), width=8, height=8),
    embed=EmbedSpec(8, POINTS, mirror=False),
)
PICTURE = np.arange(8 * 8 * 3, dtype=np.uint8).reshape(8, 8, 3)
OUTPUT = np.linspace(-1, 2, 8, dtype=np.float32)[None]


def _archive(**vectors: NDArray[np.generic]) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **{f"example.{name}": value for name, value in vectors.items()})  # type: ignore[arg-type]
    return stream.getvalue()


def check(archive: bytes, model: Model, names: tuple[str, ...], run: Callable[[Floats], tuple[Floats, ...]]) -> None:
    """The self-test of one model."""
    golden = Golden(archive)
    golden.compare(model, outputs(model, golden.pictures(model), names, run))


GOOD = _archive(input=PICTURE[None], embedding=OUTPUT)


def _giving(values: Floats) -> Callable[[Floats], tuple[Floats, ...]]:
    def run(tensor: Floats) -> tuple[Floats, ...]:
        np.testing.assert_array_equal(tensor[0].transpose(1, 2, 0), PICTURE)
        return (values,)

    return run


def test_the_known_output_passes() -> None:
    """Also with the rounding of another processor."""
    check(GOOD, MODEL, ("embedding",), _giving(OUTPUT))
    check(GOOD, MODEL, ("embedding",), _giving(OUTPUT * np.float32(1.0001) + np.float32(1e-5)))


@pytest.mark.parametrize(
    "values",
    [-OUTPUT, OUTPUT[:, ::-1], OUTPUT * 2, OUTPUT * 0, OUTPUT * np.nan, OUTPUT * np.inf, OUTPUT[:, :4]],
)
def test_another_output_fails(values: Floats) -> None:
    """In direction, size or shape, or not a number; the model's file is named."""
    with pytest.raises(GoldenMismatch, match=r"example\.onnx"):
        check(GOOD, MODEL, ("embedding",), _giving(np.ascontiguousarray(values)))


@pytest.mark.parametrize(
    "archive",
    [
        _archive(embedding=OUTPUT),
        _archive(input=PICTURE[None]),
        _archive(input=PICTURE, embedding=OUTPUT),
        _archive(input=PICTURE[None][:0], embedding=OUTPUT),
        _archive(input=PICTURE[None].astype(np.float32), embedding=OUTPUT),
        _archive(input=PICTURE[None, :, :, :2], embedding=OUTPUT),
        _archive(input=PICTURE[None, :4], embedding=OUTPUT),
    ],
)
def test_vectors_that_do_not_fit_the_model_fail(archive: bytes) -> None:
    """No picture, no output, or a picture that is none."""
    with pytest.raises(GoldenMismatch, match=r"example\.onnx"):
        check(archive, MODEL, ("embedding",), _giving(OUTPUT))


def test_a_network_of_one_number_is_compared_over_several_pictures() -> None:
    """Here the mean of a picture, channels last: one number alone has no direction that could be wrong."""
    spec = InputSpec(Colour.BGR, (0, 0, 0), (1, 1, 1), width=8, height=8, layout=Layout.NHWC)
    pictures = np.stack([PICTURE, PICTURE // 2, PICTURE[::-1] // 3])

    def mean(tensor: Floats) -> tuple[Floats, ...]:
        assert tensor.shape == (1, 8, 8, 3)
        return (tensor.mean().reshape(1, 1),)

    def brightest(tensor: Floats) -> tuple[Floats, ...]:
        return (tensor.max().reshape(1, 1),)

    archive = _archive(input=pictures, score=pictures.mean(axis=(1, 2, 3), dtype=np.float32)[:, None])
    model = replace(MODEL, input=spec)
    check(archive, model, ("score",), mean)
    with pytest.raises(GoldenMismatch, match=r"example\.onnx: output score fails"):
        check(archive, model, ("score",), brightest)


@given(st.integers(0, len(GOOD)), st.binary(min_size=0, max_size=20))
def test_damaged_vectors_are_a_mismatch_or_right(at: int, noise: bytes) -> None:
    """A damaged archive never ends in another failure."""
    try:
        check(GOOD[:at] + noise, MODEL, ("embedding",), lambda _: (OUTPUT,))
    except GoldenMismatch:
        return
