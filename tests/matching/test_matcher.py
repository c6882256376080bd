"""1:1, 1:few, 1:N and the duplicate search over a small gallery."""

import numpy as np
import pytest

from appliance.core.errors import PackMismatch
from appliance.core.ports import Matcher
from appliance.core.types import Embedding, MatchMode, PackDigest, PersonId
from appliance.matching.gallery import Gallery
from appliance.matching.matcher import GalleryMatcher

PACK = PackDigest("a" * 64)
ALI, BOTA, DANA, NOBODY = (PersonId(name) for name in ("ali", "bota", "dana", "nobody"))


def _towards(*weights: float, pack: PackDigest = PACK) -> Embedding:
    vector = np.array(weights, dtype=np.float32)
    return Embedding(vector / np.float32(np.linalg.norm(vector)), pack)


@pytest.fixture
def matcher() -> GalleryMatcher:
    """Three people; the first has two looks."""
    gallery = Gallery(3, PACK)
    gallery.add(ALI, [_towards(1, 0, 0), _towards(1, 0.5, 0)])
    gallery.add(BOTA, [_towards(0, 1, 0)])
    gallery.add(DANA, [_towards(0, 0, 1)])
    return GalleryMatcher(gallery)


def test_the_matcher_is_the_cores_port(matcher: GalleryMatcher) -> None:
    """It fits the port by type."""
    port: Matcher = matcher
    assert port.identify(_towards(1, 0, 0)).gallery == 3


def test_verify_compares_with_the_claimed_person_only(matcher: GalleryMatcher) -> None:
    """The claimed person's score is given although somebody else is more similar."""
    result = matcher.verify(_towards(1, 0, 0), BOTA)
    assert [c.person for c in result.candidates] == [BOTA]
    assert result.candidates[0].score == pytest.approx(0.0, abs=1e-6)
    assert (result.mode, result.compared, result.gallery) == (MatchMode.VERIFY, 1, 3)


def test_verify_takes_the_best_template_of_the_person(matcher: GalleryMatcher) -> None:
    """Two looks are enrolled; the one that fits counts."""
    assert matcher.verify(_towards(1, 0.5, 0), ALI).candidates[0].score == pytest.approx(1.0, abs=1e-6)


def test_verify_of_an_unknown_person_has_no_candidate(matcher: GalleryMatcher) -> None:
    """Nobody was compared."""
    result = matcher.verify(_towards(1, 0, 0), NOBODY)
    assert (result.candidates, result.compared, result.gallery) == ((), 0, 3)


def test_among_keeps_to_the_list(matcher: GalleryMatcher) -> None:
    """People outside today's list are never candidates; people without a template are not counted as compared."""
    result = matcher.among(_towards(1, 0.4, 0.3), frozenset((BOTA, DANA, NOBODY)))
    assert [c.person for c in result.candidates] == [BOTA, DANA]
    assert (result.mode, result.compared, result.gallery) == (MatchMode.LIST, 2, 3)


def test_identify_ranks_the_whole_gallery(matcher: GalleryMatcher) -> None:
    """Best first, one entry per person, at most `limit`."""
    result = matcher.identify(_towards(0.2, 1, 0.1))
    assert [c.person for c in result.candidates] == [BOTA, ALI, DANA]
    assert (result.mode, result.compared, result.gallery) == (MatchMode.IDENTIFY, 3, 3)
    assert [c.person for c in matcher.identify(_towards(0.2, 1, 0.1), limit=1).candidates] == [BOTA]


def test_duplicates_leave_the_person_out(matcher: GalleryMatcher) -> None:
    """An enrolment looks for this face under other identities, and still reports `limit` of them."""
    probe = _towards(1, 0.4, 0.1)
    assert [c.person for c in matcher.duplicates(probe, exclude=ALI)] == [BOTA, DANA]
    assert [c.person for c in matcher.duplicates(probe)] == [ALI, BOTA, DANA]
    assert [c.person for c in matcher.duplicates(probe, exclude=ALI, limit=2)] == [BOTA, DANA]
    assert [c.person for c in matcher.duplicates(probe, exclude=DANA, limit=1)] == [ALI]


def test_a_probe_of_another_pack_is_refused_in_every_mode(matcher: GalleryMatcher) -> None:
    """Scores across packs mean nothing."""
    other = _towards(1, 0, 0, pack=PackDigest("b" * 64))
    with pytest.raises(PackMismatch):
        matcher.verify(other, ALI)
    with pytest.raises(PackMismatch):
        matcher.among(other, frozenset((ALI,)))
    with pytest.raises(PackMismatch):
        matcher.identify(other)
    with pytest.raises(PackMismatch):
        matcher.duplicates(other)
