"""Code books: checked files, and a training that gives the same book again."""

import io

import numpy as np
import pytest
from numpy.typing import NDArray

from models.codebook import CodeBook, read
from models.codebook_training import train
from models.errors import PackDamaged


def _faces(rank: int, dimension: int = 32, count: int = 900) -> NDArray[np.float32]:
    """Unit vectors that use `rank` of their dimensions only."""
    rng = np.random.default_rng(0)
    drawn = rng.standard_normal((count, rank)) @ rng.standard_normal((rank, dimension))
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), dtype=np.float32)


BOOK = train(_faces(32), parts=16)


def test_a_code_book_comes_back_from_its_file() -> None:
    """Projection and step to the bit, centroids in half precision."""
    again = read(BOOK.write())
    assert np.array_equal(again.projection, BOOK.projection)
    assert again.step == BOOK.step
    assert again.centroids == pytest.approx(BOOK.centroids, abs=1e-3)
    assert (again.dimension, again.code_bytes) == (32, 8)


def _file(**changes: object) -> bytes:
    arrays: dict[str, object] = {
        "projection": BOOK.projection,
        "step": np.float32(BOOK.step),
        "centroids": BOOK.centroids.astype(np.float16),
    }
    out = io.BytesIO()
    np.savez(out, **{name: value for name, value in {**arrays, **changes}.items() if value is not None})  # type: ignore[arg-type]
    return out.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no zip file at all",
        _file()[:-30],
        _file(step=None),
        _file(step=np.float64(0.1)),
        _file(step=np.float32(0)),
        _file(step=np.float32(np.nan)),
        _file(projection=BOOK.projection.astype(np.float32)),
        _file(projection=BOOK.projection[:-1]),
        _file(projection=BOOK.projection[0]),
        _file(centroids=BOOK.centroids[:, :15].astype(np.float16)),
        _file(centroids=BOOK.centroids[:15].astype(np.float16)),
        _file(centroids=np.full(BOOK.centroids.shape, np.inf, np.float16)),
        _file(centroids=np.array([{}], dtype=object)),
    ],
    ids=[
        *("empty", "no zip", "truncated", "no step", "double step", "zero step", "nan step", "float projection"),
        *("short projection", "flat projection", "15 centroids", "odd parts", "infinite", "pickled"),
    ],
)
def test_a_damaged_code_book_is_refused(data: bytes) -> None:
    """Before anything is searched with it."""
    with pytest.raises(PackDamaged, match="code book"):
        read(data)


def test_the_same_faces_give_the_same_book() -> None:
    """To the byte."""
    assert train(_faces(32), parts=16).write() == BOOK.write()
    assert train(_faces(32), parts=16, seed=2).write() != BOOK.write()


def test_only_the_dimensions_in_use_are_coded() -> None:
    """Vectors of rank 10 in 32 dimensions: projected onto a multiple of the parts that holds them, lengths kept."""
    faces = _faces(10)
    book = train(faces, parts=4)
    assert book.projection.shape == (12, 32)
    lengths = np.linalg.norm(faces @ book.matrix().T, axis=1)
    assert lengths == pytest.approx(np.ones(len(faces)), abs=0.02)


@pytest.mark.parametrize(("rank", "parts"), [(31, 32), (20, 20)])
def test_a_part_for_each_dimension_in_use(rank: int, parts: int) -> None:
    """Where there are few; an even number."""
    assert len(train(_faces(rank)).centroids) == parts


def test_a_part_for_two_dimensions_where_many_are_in_use() -> None:
    """More than 128."""
    assert train(_faces(160, dimension=200)).centroids.shape == (80, 16, 2)


def test_codes_are_near_what_they_stand_for() -> None:
    """Two dimensions a part: the nearest centroids keep most of a vector."""
    faces = _faces(32)
    parts = (faces @ BOOK.matrix().T).reshape(len(faces), 16, 2)
    apart = np.linalg.norm(parts[:, :, np.newaxis] - BOOK.centroids, axis=3).min(axis=2)
    assert float((apart**2).sum(axis=1).mean()) < 0.12  # of a squared length of 1; 4 bits for 2 Gaussian dimensions


def test_faces_that_are_all_alike_still_give_a_book() -> None:
    """Centroids that lose all their points begin again; nothing is divided by zero."""
    alike = np.repeat(np.eye(4, dtype=np.float32), 200, axis=0)
    assert np.isfinite(train(alike, parts=2).centroids).all()


@pytest.mark.parametrize(("count", "parts"), [(900, 3), (900, 0), (623, 4)], ids=["odd", "none", "too few faces"])
def test_an_impossible_training_is_a_bug(count: int, parts: int) -> None:
    """Parts come two a byte; sixteen centroids need their faces."""
    with pytest.raises(ValueError, match="vectors for"):
        train(_faces(32)[:count], parts=parts)


def test_a_code_book_keeps_its_shapes() -> None:
    """One cannot be made that does not fit together."""
    with pytest.raises(PackDamaged, match="projection"):
        CodeBook(BOOK.projection, BOOK.step, BOOK.centroids[:8])
