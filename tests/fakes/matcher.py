"""A gallery in a dictionary: cosine similarities as the real matcher gives them; checks the probes it is given."""

from collections.abc import Iterable, Mapping

import numpy as np
import pytest

from appliance.core.decision import Thresholds
from appliance.core.policy import Policy
from appliance.core.types import Candidate, Embedding, MatchMode, MatchResult, PersonId


class DictMatcher:
    """Implements `Matcher`."""

    def __init__(self, gallery: Mapping[str, Embedding]) -> None:
        self.gallery = {PersonId(person): template for person, template in gallery.items()}
        self.asked: list[MatchMode] = []

    def verify(self, probe: Embedding, person: PersonId) -> MatchResult:
        """1:1."""
        return self._compare(MatchMode.VERIFY, probe, [person])

    def among(self, probe: Embedding, people: frozenset[PersonId]) -> MatchResult:
        """1:few."""
        assert people, "an empty list is not searched"
        return self._compare(MatchMode.LIST, probe, people)

    def identify(self, probe: Embedding, limit: int = 5) -> MatchResult:
        """1:N."""
        found = self._compare(MatchMode.IDENTIFY, probe, self.gallery)
        return MatchResult(found.mode, found.candidates[:limit], found.compared, found.gallery)

    def _compare(self, mode: MatchMode, probe: Embedding, people: Iterable[PersonId]) -> MatchResult:
        assert float(np.linalg.norm(probe.vector)) == pytest.approx(1.0, abs=1e-5)
        assert probe.vector.dtype == np.float32
        self.asked.append(mode)
        known = {person: self.gallery[person] for person in people if person in self.gallery}
        assert all(template.pack == probe.pack for template in known.values()), "packs never mix"
        found = [Candidate(person, float(probe.vector @ template.vector)) for person, template in known.items()]
        ranked = tuple(sorted(found, key=lambda c: (-c.score, c.person)))
        return MatchResult(mode, ranked, len(ranked), len(self.gallery))


class FixedThresholds:
    """Implements `ThresholdSource`: the same for every comparison."""

    def __init__(self, accept: float = 0.6, agree: float = 0.7, margin: float = 0.15) -> None:
        self._values = Thresholds(accept, agree, margin)

    def thresholds(self, mode: MatchMode, compared: int, policy: Policy) -> Thresholds:
        """Whatever is asked for."""
        assert isinstance(mode, MatchMode)
        assert compared >= 0
        assert policy.policy_id
        return self._values
