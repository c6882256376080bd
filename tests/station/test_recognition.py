"""From the probes of an attempt to one decision, with the thresholds of a pack."""

import numpy as np
import pytest

from appliance.core.decision import Reason, Verdict
from appliance.core.policy import Policy
from appliance.core.types import Embedding, LivenessVerdict, MatchMode, PersonId
from appliance.recognition import PackThresholds, Probe, Recogniser, agreement, fuse
from tests.fakes.matcher import DictMatcher, FixedThresholds
from tests.fakes.observer import PACK, template
from tests.models.manifests import calibration

ALI, BOTA, DANA = (PersonId(name) for name in ("ali", "bota", "dana"))
NOBODY: frozenset[PersonId] = frozenset()
LIVE = LivenessVerdict.LIVE


def probes(*who: str, quality: int = 80) -> list[Probe]:
    """One frame of each."""
    return [Probe(template(name), quality) for name in who]


def grown(_: PersonId) -> bool:
    """Nobody is a child."""
    return False


def recogniser() -> tuple[Recogniser, DictMatcher]:
    """Three people in the gallery."""
    matcher = DictMatcher({who: template(who) for who in (ALI, BOTA, DANA)})
    return Recogniser(matcher, FixedThresholds(), Policy(), PACK), matcher


def test_a_fused_probe_is_a_unit_vector_of_the_same_pack() -> None:
    """Between its frames, nearer to the better ones."""
    good, poor = Probe(template("ali"), 90), Probe(template("bota"), 10)
    fused = fuse([good, poor])
    assert float(np.linalg.norm(fused.vector)) == pytest.approx(1.0, abs=1e-6)
    assert fused.pack == PACK
    assert fused.vector.dtype == np.float32
    assert fused.vector @ good.embedding.vector > 0.9 > fused.vector @ poor.embedding.vector


def test_frames_without_any_quality_still_fuse() -> None:
    """They weigh the same."""
    fused = fuse(probes("ali", "ali", quality=0))
    assert fused.vector == pytest.approx(template("ali").vector)


def test_agreement_is_that_of_the_two_least_alike() -> None:
    """One stranger among many frames shows; a single frame agrees with itself; rounding never exceeds 1."""
    assert agreement(probes("ali", "ali", "bota")) == pytest.approx(0.0)
    assert agreement(probes("ali")) == pytest.approx(1.0)
    third = Embedding(np.full(3, 1 / np.sqrt(3), np.float32), PACK)
    assert agreement([Probe(third, 50)] * 3) <= 1.0


def test_a_claim_is_verified_and_checked_against_everybody() -> None:
    """1:1 decides; a better fit elsewhere makes it ambiguous."""
    desk, matcher = recogniser()
    decision = desk.decide(probes("ali"), LIVE, ALI, frozenset({BOTA}), grown)
    assert (decision.verdict, decision.evidence.result.mode) == (Verdict.ACCEPTED, MatchMode.VERIFY)
    assert matcher.asked == [MatchMode.IDENTIFY, MatchMode.VERIFY]
    wrong = desk.decide(probes("bota"), LIVE, ALI, NOBODY, grown)
    assert wrong.reasons == (Reason.NO_MATCH,)


def test_who_is_on_the_list_is_found_on_the_list() -> None:
    """The stricter threshold of the whole gallery is not needed."""
    desk, _ = recogniser()
    decision = desk.decide(probes("ali"), LIVE, None, frozenset({ALI, BOTA}), grown)
    assert (decision.person, decision.evidence.result.mode) == (ALI, MatchMode.LIST)


@pytest.mark.parametrize("listed", [frozenset({BOTA}), frozenset({PersonId("not enrolled")}), NOBODY])
def test_who_is_not_on_the_list_is_searched_for(listed: frozenset[PersonId]) -> None:
    """A list without them, a list of people without templates, no list."""
    desk, _ = recogniser()
    decision = desk.decide(probes("ali"), LIVE, None, listed, grown)
    assert (decision.person, decision.evidence.result.mode) == (ALI, MatchMode.IDENTIFY)


def test_a_decision_rests_on_what_it_names() -> None:
    """Pack, policy, probe, children and liveness are in the evidence."""
    desk, _ = recogniser()
    e = desk.decide(probes("ali", "ali"), LivenessVerdict.SPOOF, None, NOBODY, ALI.__eq__).evidence
    assert (e.pack, e.policy_id, e.liveness, e.under_age) == (
        PACK,
        Policy().policy_id,
        LivenessVerdict.SPOOF,
        frozenset({ALI}),
    )
    assert e.probe.vector == pytest.approx(template("ali").vector)


def test_there_is_no_decision_about_nothing() -> None:
    """Without a probe the caller is wrong."""
    desk, _ = recogniser()
    with pytest.raises(ValueError, match="at least one probe"):
        desk.decide([], LIVE, None, NOBODY, grown)


def test_a_probe_shows_nothing_of_the_face() -> None:
    """Neither vector nor quality."""
    assert repr(probes("ali")) == "[<Probe redacted>]"


def test_thresholds_follow_the_policys_rates() -> None:
    """1:1 at the FMR, a search at the FPIR for as many as are compared; frames must agree as one person does."""
    source, policy, data = PackThresholds(calibration()), Policy(), calibration()
    same = data.threshold_verify(policy.fmr)
    verify = source.thresholds(MatchMode.VERIFY, 1, policy)
    assert (verify.accept, verify.agree, verify.margin) == (same.value, same.value, data.margin)
    for mode in (MatchMode.LIST, MatchMode.IDENTIFY):
        for compared in (0, 1, 5000):
            asked = data.threshold_identify(policy.fpir, max(compared, 1))
            found = source.thresholds(mode, compared, policy)
            assert (found.accept, found.agree, found.extrapolated) == (asked.value, same.value, asked.extrapolated)
