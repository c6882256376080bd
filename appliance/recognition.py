"""Turns the probe frames of one attempt into one decision: fuse, compare, look up the thresholds, decide.

Who may be compared with whom is told by the caller; the yes or no is `core.decision`'s.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from appliance.core.decision import Decision, Evidence, Thresholds, decide
from appliance.core.policy import Policy
from appliance.core.ports import Matcher
from appliance.core.types import Embedding, LivenessVerdict, MatchMode, MatchResult, PackDigest, PersonId, Sensitive
from models.calibration import Calibration


@dataclass(frozen=True, slots=True, repr=False)
class Probe(Sensitive):
    """One frame's embedding with its unified quality, 0..100."""

    embedding: Embedding
    quality: int


class ThresholdSource(Protocol):
    """A pack's calibration, asked under a policy."""

    def thresholds(self, mode: MatchMode, compared: int, policy: Policy) -> Thresholds:
        """The thresholds for a comparison with this many people."""


def fuse(probes: Sequence[Probe]) -> Embedding:
    """Quality-weighted mean of unit vectors, scaled back to length 1."""
    weights = np.asarray([max(p.quality, 1) for p in probes], np.float32)
    mean = weights @ np.stack([p.embedding.vector for p in probes])
    return Embedding((mean / np.linalg.norm(mean)).astype(np.float32), probes[0].embedding.pack)


def agreement(probes: Sequence[Probe]) -> float:
    """Least cosine similarity between any two probes; 1 for a single one, NaN when a vector holds one."""
    stack = np.stack([p.embedding.vector for p in probes])
    return float(np.minimum(1.0, (stack @ stack.T).min()))  # not min(), which would take NaN for 1


@dataclass(frozen=True, slots=True)
class Recogniser:
    """Compares with a gallery under a policy."""

    matcher: Matcher
    calibration: ThresholdSource
    policy: Policy
    pack: PackDigest

    def _compare(
        self, probe: Embedding, claimed: PersonId | None, expected: frozenset[PersonId], everybody: MatchResult
    ) -> MatchResult:
        """1:1 against a claim; else today's list, unless nobody on it reaches the threshold of the list."""
        if claimed is not None:
            return self.matcher.verify(probe, claimed)
        if not expected:
            return everybody
        listed = self.matcher.among(probe, expected)
        needed = self.calibration.thresholds(MatchMode.LIST, listed.compared, self.policy).accept
        found = bool(listed.candidates) and listed.candidates[0].score >= needed
        return listed if found else everybody

    def decide(
        self,
        probes: Sequence[Probe],
        liveness: LivenessVerdict,
        claimed: PersonId | None,
        expected: frozenset[PersonId],
        under_age: Callable[[PersonId], bool],
    ) -> Decision:
        """Decide on an attempt's probes. Raises ValueError without a probe.

        claimed: compare 1:1 with this person only. expected: today's list; the whole gallery is searched too, as a
        helper for who is not on it and as a check that nobody else fits as well. under_age: asked about the best
        candidate, on today's list or not.
        """
        if not probes:
            raise ValueError("a decision needs at least one probe")
        probe = fuse(probes)
        everybody = self.matcher.identify(probe)
        result = self._compare(probe, claimed, expected, everybody)
        return decide(
            Evidence(
                probe=probe,
                liveness=liveness,
                agreement=agreement(probes),
                result=result,
                gallery=everybody,
                thresholds=self.calibration.thresholds(result.mode, max(result.compared, 1), self.policy),
                pack=self.pack,
                policy_id=self.policy.policy_id,
                under_age=frozenset(c.person for c in result.candidates[:1] if under_age(c.person)),
            )
        )


@dataclass(frozen=True, slots=True)
class PackThresholds:
    """The thresholds of a pack's own calibration."""

    calibration: Calibration

    def thresholds(self, mode: MatchMode, compared: int, policy: Policy) -> Thresholds:
        """For one claimed identity the policy's FMR; for a list or gallery of `compared` people its FPIR."""
        same = self.calibration.threshold_verify(policy.fmr)
        accept = same
        if mode is not MatchMode.VERIFY:
            accept = self.calibration.threshold_identify(policy.fpir, max(compared, 1))
        return Thresholds(accept.value, same.value, self.calibration.margin, accept.extrapolated)
