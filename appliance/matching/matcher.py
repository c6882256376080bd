"""Comparison of a probe with the enrolled: 1:1, 1:few and 1:N, and the duplicate search of an enrolment.

Implements `core.ports.Matcher` over one `Gallery`; thresholds and margins are judged in the core.
"""

from appliance.core.types import Candidate, Embedding, MatchMode, MatchResult, PersonId
from appliance.matching.gallery import Gallery

CANDIDATES = 5
"""People reported by a list or gallery search: the best, the second best for the margin, and some for the auditor."""


class GalleryMatcher:
    """Compares with the templates of one gallery, as they are at that moment; lives in the gallery's thread."""

    __slots__ = ("_gallery",)

    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery

    def verify(self, probe: Embedding, person: PersonId) -> MatchResult:
        """1:1. A person without a template gives no candidate and `compared` 0. Raises PackMismatch."""
        found = self._gallery.search_among(probe, frozenset((person,)), 1)
        return MatchResult(MatchMode.VERIFY, found, len(found), self._gallery.people, self._gallery.count((person,)))

    def among(self, probe: Embedding, people: frozenset[PersonId]) -> MatchResult:
        """1:few: the best five of these people; `compared` counts those who have a template. Raises PackMismatch."""
        compared = sum(person in self._gallery for person in people)
        found = self._gallery.search_among(probe, people, CANDIDATES)
        return MatchResult(MatchMode.LIST, found, compared, self._gallery.people, self._gallery.count(people))

    def identify(self, probe: Embedding, limit: int = CANDIDATES) -> MatchResult:
        """1:N: the best `limit` people of the whole gallery. Raises PackMismatch; ValueError for a limit below 1."""
        found = self._gallery.search(probe, limit)
        everybody = self._gallery.people
        return MatchResult(MatchMode.IDENTIFY, found, everybody, everybody, len(self._gallery))

    def duplicates(
        self, probe: Embedding, exclude: PersonId | None = None, limit: int = CANDIDATES
    ) -> tuple[Candidate, ...]:
        """Who else looks like this, every template compared: `identify` without one person, for an enrolment."""
        found = self._gallery.search(probe, limit + 1, exhaustive=True)
        return tuple(candidate for candidate in found if candidate.person != exclude)[:limit]
