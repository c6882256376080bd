"""The gallery against a naive model: what is added is found, what is removed is gone, scores are exact."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from numpy.typing import NDArray

from appliance.core.errors import PackMismatch
from appliance.core.types import Candidate, Embedding, PackDigest, PersonId
from appliance.matching.flat import FlatIndex
from appliance.matching.gallery import Gallery
from appliance.matching.scan import ScanIndex
from models.codebook_training import train

PACK = PackDigest("a" * 64)
DIMENSION = 8


def _embedding(seed: int, dimension: int = DIMENSION, pack: PackDigest = PACK) -> Embedding:
    vector = np.random.default_rng(seed).standard_normal(dimension).astype(np.float32)
    return Embedding(vector / np.float32(np.linalg.norm(vector)), pack)


def _gallery_of(people: int, templates: int = 1, dimension: int = DIMENSION, capacity: int = 4) -> Gallery:
    gallery = Gallery(dimension, PACK, capacity)
    for n in range(people):
        gallery.add(PersonId(f"p{n:04}"), [_embedding(n * 100 + t, dimension) for t in range(templates)])
    return gallery


def _naive(model: dict[PersonId, list[Embedding]], probe: Embedding, limit: int) -> list[tuple[PersonId, float]]:
    scored = [
        (person, max(float(probe.vector.astype(np.float64) @ each.vector.astype(np.float64)) for each in theirs))
        for person, theirs in model.items()
    ]
    return sorted(scored, key=lambda pair: -pair[1])[:limit]


def _assert_same(found: Sequence[Candidate], expected: Sequence[tuple[PersonId, float]]) -> None:
    """Equal scores in order; equal people wherever scores are not tied."""
    assert [c.score for c in found] == pytest.approx([score for _, score in expected], abs=5e-5)
    assert len({c.person for c in found}) == len(found)


def _found(gallery: Gallery, seed: int) -> PersonId:
    return gallery.search(_embedding(seed), 1)[0].person


def _matrix(gallery: Gallery) -> NDArray[np.float32]:
    assert isinstance(gallery._index, FlatIndex)
    return gallery._index._matrix


def _unit(count: int, dimension: int, seed: int = 0) -> NDArray[np.float32]:
    drawn = np.random.default_rng(seed).standard_normal((count, dimension))
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), dtype=np.float32)


BOOK = train(_unit(700, DIMENSION), parts=4)


PEOPLE = st.sampled_from([PersonId(f"p{n}") for n in range(6)])
SEEDS = st.lists(st.integers(0, 12), min_size=1, max_size=4)  # few seeds, so that equal templates occur


class _GalleryAgainstADictionary(RuleBasedStateMachine):
    """Any order of add, replace, remove and search gives what a dictionary and a full comparison give."""

    def __init__(self) -> None:
        super().__init__()
        self.gallery = self.empty()
        self.model: dict[PersonId, list[Embedding]] = {}

    def empty(self) -> Gallery:
        """The gallery under test."""
        return Gallery(DIMENSION, PACK, capacity=1)

    @rule(person=PEOPLE, seeds=SEEDS)
    def add(self, person: PersonId, seeds: list[int]) -> None:
        new = [_embedding(seed) for seed in seeds]
        self.gallery.add(person, new)
        self.model.setdefault(person, []).extend(new)

    @rule(person=PEOPLE, seeds=SEEDS)
    def replace(self, person: PersonId, seeds: list[int]) -> None:
        new = [_embedding(seed) for seed in seeds]
        self.gallery.replace(person, new)
        self.model[person] = new

    @rule(person=PEOPLE)
    def remove(self, person: PersonId) -> None:
        assert self.gallery.remove(person) == len(self.model.pop(person, []))

    @rule(seed=st.integers(0, 20), limit=st.integers(1, 9))
    def search(self, seed: int, limit: int) -> None:
        _assert_same(self.gallery.search(_embedding(seed), limit), _naive(self.model, _embedding(seed), limit))

    @precondition(lambda self: bool(self.model))
    @rule(data=st.data(), seed=st.integers(0, 20))
    def best_is_the_owner(self, data: st.DataObject, seed: int) -> None:
        person = data.draw(st.sampled_from(sorted(self.model)))
        found = self.gallery.search_among(_embedding(seed), frozenset((person,)), 3)
        assert [c.person for c in found] == [person]
        _assert_same(found, _naive({person: self.model[person]}, _embedding(seed), 1))

    @rule(seed=st.integers(0, 20), people=st.frozensets(PEOPLE), limit=st.integers(1, 9))
    def search_among(self, seed: int, people: frozenset[PersonId], limit: int) -> None:
        some = {person: theirs for person, theirs in self.model.items() if person in people}
        _assert_same(self.gallery.search_among(_embedding(seed), people, limit), _naive(some, _embedding(seed), limit))

    @invariant()
    def counts_agree(self) -> None:
        assert self.gallery.people == len(self.model)
        assert len(self.gallery) == len(self.gallery._index) == sum(map(len, self.model.values()))
        assert {p for p in (PersonId(f"p{n}") for n in range(6)) if p in self.gallery} == self.model.keys()

    @invariant()
    def every_row_is_its_owners(self) -> None:
        probe = _embedding(21).vector
        for person, theirs in self.model.items():
            scores = self.gallery._index.scores(probe, np.array(self.gallery._rows[person]))
            expected = sorted(float(probe @ each.vector) for each in theirs)
            assert sorted(scores.tolist()) == pytest.approx(expected, abs=5e-5)


class _ScannedGalleryAgainstADictionary(_GalleryAgainstADictionary):
    """The same with a code book, across the size from which codes are scanned."""

    def empty(self) -> Gallery:
        """Scans from five templates on, and goes on when they leave again."""
        return Gallery(DIMENSION, PACK, capacity=1, book=BOOK, crossover=4)


TestScannedGalleryAgainstADictionary = _ScannedGalleryAgainstADictionary.TestCase
TestScannedGalleryAgainstADictionary.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)

TestGalleryAgainstADictionary = _GalleryAgainstADictionary.TestCase
TestGalleryAgainstADictionary.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)


def test_search_is_exact() -> None:
    """Order and scores of 2,000 templates equal a full comparison in double precision."""
    rng = np.random.default_rng(7)
    vectors = rng.standard_normal((2000, 128))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    gallery = Gallery(128, PACK)
    for n, vector in enumerate(vectors):
        gallery.add(PersonId(f"p{n:04}"), [Embedding(vector.astype(np.float32), PACK)])
    probe = vectors[17] + 0.3 * vectors[18]
    probe /= np.linalg.norm(probe)
    scores = vectors @ probe
    expected = np.argsort(-scores)[:20]
    found = gallery.search(Embedding(probe.astype(np.float32), PACK), 20)
    assert [c.person for c in found] == [f"p{n:04}" for n in expected]
    assert [c.score for c in found] == pytest.approx(scores[expected].tolist(), abs=1e-6)


def test_a_person_appears_once_with_the_best_of_their_templates() -> None:
    """One person's many templates never push another person out of the answer."""
    gallery = Gallery(DIMENSION, PACK)
    gallery.add(PersonId("many"), [_embedding(1)] * 40)
    gallery.add(PersonId("other"), [_embedding(2)])
    found = gallery.search(_embedding(1), 2)
    assert [c.person for c in found] == ["many", "other"]
    assert found[0].score == pytest.approx(1.0, abs=1e-6)


def test_equal_scores_come_in_the_order_of_ids() -> None:
    """Twins with the same template are both reported, in a stable order, with no gap between their scores."""
    gallery = Gallery(DIMENSION, PACK)
    for name in ("b", "a", "c"):
        gallery.add(PersonId(name), [_embedding(1)])
    found = gallery.search(_embedding(1), 3)
    assert [c.person for c in found] == ["a", "b", "c"]
    assert found[0].score == found[2].score


def test_a_large_gallery_gives_what_a_full_comparison_gives() -> None:
    """6,000 people with one to three looks each, a fifth of them gone again: the best two people and their scores."""
    vectors = _unit(18_000, 64)
    gallery = Gallery(64, PACK, book=train(_unit(2000, 64, seed=1), parts=32), crossover=1000)
    model = {PersonId(f"p{n:04}"): vectors[3 * n : 3 * n + 1 + n % 3] for n in range(5999)}
    gallery.add_all((person, [Embedding(vector, PACK) for vector in theirs]) for person, theirs in model.items())
    for person in list(model)[::5]:
        assert gallery.remove(person) == len(model.pop(person))
    assert isinstance(gallery._index, ScanIndex)
    owners = [person for person, theirs in model.items() for _ in theirs]
    matrix = np.concatenate(list(model.values())).astype(np.float64)
    for probe in [*_unit(60, 64, seed=2), *(_near(vectors[n]) for n in range(3, 600, 9))]:
        scores = matrix @ probe
        best: dict[PersonId, float] = {}
        for row in np.argsort(-scores)[:20]:
            best.setdefault(owners[row], float(scores[row]))
        found = gallery.search(Embedding(probe, PACK), 2)
        assert [c.person for c in found] == list(best)[:2]
        assert [c.score for c in found] == pytest.approx(list(best.values())[:2], abs=2e-5)


def _near(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    moved = vector + np.float32(0.6) * _unit(1, len(vector), seed=3)[0]
    return np.asarray(moved / np.linalg.norm(moved))


def test_many_templates_of_one_person_do_not_hide_the_second() -> None:
    """Two thousand looks of one person are best of all; the second best person is found all the same."""
    vectors = _unit(9000, 64)
    gallery = Gallery(64, PACK, book=train(_unit(2000, 64, seed=1), parts=32), crossover=1000)
    gallery.add_all((PersonId(f"p{n:04}"), [Embedding(vector, PACK)]) for n, vector in enumerate(vectors))
    probe = _near(vectors[7])
    gallery.add(PersonId("many"), [Embedding(probe, PACK)] * 2000)
    expected = int(np.argmax(vectors @ probe))
    assert [c.person for c in gallery.search(Embedding(probe, PACK), 2)] == ["many", f"p{expected:04}"]


def test_crossing_over_overwrites_the_flat_rows() -> None:
    """When codes begin, no float32 copy of a template stays in memory."""
    gallery = Gallery(DIMENSION, PACK, book=BOOK, crossover=4)
    gallery.add_all((PersonId(f"p{n}"), [_embedding(n)]) for n in range(4))
    rows = _matrix(gallery)[:4]
    assert rows.any()
    gallery.add(PersonId("new"), [_embedding(9)])
    assert isinstance(gallery._index, ScanIndex)
    assert not rows.any()
    assert _found(gallery, 2) == "p2"


def test_a_gallery_without_a_code_book_stays_flat() -> None:
    """At any size."""
    gallery = Gallery(DIMENSION, PACK, crossover=4)
    gallery.add_all((PersonId(f"p{n}"), [_embedding(n)]) for n in range(40))
    assert isinstance(gallery._index, FlatIndex)


def test_a_code_book_for_another_dimension_is_a_bug() -> None:
    """Packs and their code books go together."""
    with pytest.raises(ValueError, match="8 dimensions in a 16-d gallery"):
        Gallery(16, PACK, book=BOOK)


def test_an_empty_gallery_finds_nobody() -> None:
    """No template, no candidate; nor after the last one was removed."""
    gallery = _gallery_of(1)
    gallery.remove(PersonId("p0000"))
    assert gallery.search(_embedding(1), 5) == ()
    assert gallery.search_among(_embedding(1), frozenset((PersonId("p0000"),)), 5) == ()


def test_a_limit_above_the_gallery_gives_everybody() -> None:
    """A search for more people than there are gives each once."""
    assert len(_gallery_of(3, templates=2).search(_embedding(1), 100)) == 3


def test_removed_templates_are_overwritten_in_memory() -> None:
    """No byte of a removed template stays in the gallery's rows."""
    gallery = _gallery_of(9, templates=3)
    _matrix(gallery)[len(gallery) :] = 0.0
    for n in (0, 8, 4):
        gallery.remove(PersonId(f"p{n:04}"))
    assert not _matrix(gallery)[len(gallery) :].any()
    assert len(gallery) == 18


def test_growth_overwrites_the_old_rows() -> None:
    """The array that a larger one replaced holds no template any more."""
    gallery = _gallery_of(4)
    old = _matrix(gallery)
    gallery.add(PersonId("new"), [_embedding(99)])
    assert _matrix(gallery) is not old
    assert not old.any()


def test_a_cleared_gallery_holds_nobody_and_overwrites_them() -> None:
    """What is not searched any more keeps no faces: nobody would erase from it. It may be cleared twice, and filled."""
    gallery = _gallery_of(3)
    rows = _matrix(gallery)
    gallery.clear()
    gallery.clear()
    assert not rows[:3].any()
    assert (len(gallery), gallery.people, gallery.search(_embedding(0), 1)) == (0, 0, ())
    gallery.add(PersonId("p0000"), [_embedding(0)])
    assert _found(gallery, 0) == "p0000"


def test_a_removed_person_is_not_found_and_the_rest_is() -> None:
    """After each removal every remaining person is still the best match of their own template."""
    gallery = _gallery_of(30)
    for gone in range(0, 30, 3):
        assert gallery.remove(PersonId(f"p{gone:04}")) == 1
        assert gallery.remove(PersonId(f"p{gone:04}")) == 0
    for n in range(30):
        found = gallery.search(_embedding(n * 100), 1)[0].person
        assert (found == f"p{n:04}") is (n % 3 != 0)


@pytest.mark.parametrize(
    "vector",
    [
        np.full(DIMENSION, np.nan, np.float32),
        np.full(DIMENSION, np.inf, np.float32),
        np.zeros(DIMENSION, np.float32),
        np.ones(DIMENSION, np.float32),
        np.eye(DIMENSION, dtype=np.float32)[:2],
        np.eye(DIMENSION + 1, dtype=np.float32)[0],
    ],
    ids=["nan", "infinite", "zero", "too long", "two at once", "other dimension"],
)
def test_a_vector_that_is_no_template_is_refused(vector: NDArray[np.float32]) -> None:
    """Neither added, nor replacing anything, nor searched with; what was there stays."""
    gallery = _gallery_of(2)
    bad = Embedding(vector, PACK)
    person = PersonId("p0000")
    with pytest.raises(ValueError, match="vector"):
        gallery.add(person, [_embedding(5), bad])
    with pytest.raises(ValueError, match="vector"):
        gallery.replace(person, [bad])
    with pytest.raises(ValueError, match="vector"):
        gallery.search(bad, 1)
    assert len(gallery) == 2
    assert gallery.search(_embedding(0), 1)[0].person == person


def test_embeddings_of_another_pack_are_refused() -> None:
    """Packs never mix: not when adding, not when searching."""
    gallery = _gallery_of(2)
    other = _embedding(1, pack=PackDigest("b" * 64))
    with pytest.raises(PackMismatch, match="bbbbbbbbbbbb"):
        gallery.add(PersonId("x"), [other])
    with pytest.raises(PackMismatch):
        gallery.search(other, 1)
    assert PersonId("x") not in gallery


def test_impossible_requests_are_bugs() -> None:
    """No embedding, no dimension, no limit: ValueError."""
    with pytest.raises(ValueError, match="no embedding"):
        _gallery_of(1).add(PersonId("x"), [])
    with pytest.raises(ValueError, match="below 1"):
        Gallery(0, PACK)
    with pytest.raises(ValueError, match="0 people"):
        _gallery_of(1).search(_embedding(1), 0)


def test_many_people_are_added_at_once_and_counted() -> None:
    """`add_all` adds everybody of a stream and says how many templates that were."""
    gallery = Gallery(DIMENSION, PACK, capacity=2)
    stream = ((PersonId(f"p{n}"), [_embedding(n)] * (1 + n % 3)) for n in range(1500))
    assert gallery.add_all(stream) == 3000
    assert gallery.people == 1500
    assert [_found(gallery, n) for n in (0, 1023, 1024, 1499)] == ["p0", "p1023", "p1024", "p1499"]
    assert (gallery.dimension, gallery.pack) == (DIMENSION, PACK)


def test_nobody_is_added_without_a_template() -> None:
    """A person without an embedding in the stream is a bug; the gallery never counts people it cannot find."""
    gallery = Gallery(DIMENSION, PACK)
    with pytest.raises(ValueError, match="no embedding"):
        gallery.add_all([(PersonId("a"), [_embedding(1)]), (PersonId("b"), [])])
    assert (gallery.people, len(gallery)) == (0, 0)


def test_the_representation_shows_counts_only() -> None:
    """A gallery in a log line tells sizes, never a template."""
    assert repr(_gallery_of(3, templates=2)) == "<Gallery 3 people, 6 templates, 8-d>"
