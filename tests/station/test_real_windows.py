"""Windows of real faces: printed photos and telephones are never live, living people in no light are refused."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest

from appliance.capture.picture import read_image
from appliance.capture.replay import VideoFile
from appliance.core.liveness_passive import PassiveLimits, Window
from appliance.core.policy import LivenessRule
from appliance.core.types import Frame, Instant, LivenessVerdict
from appliance.face.detector import Detector
from appliance.face.pad import PadEnsemble
from tests.face.models import minifasnets, yunet

RULE = LivenessRule()
LIMITS = PassiveLimits(accept=0.865, reject=0.004, frames=8)
"""In logits: 4 above an attack's highest window, 2 above its highest picture; 1 below the lowest of a person."""

pytestmark = [pytest.mark.upstream, pytest.mark.evaluation]


class Eyes:
    """YuNet and both MiniFASNets."""

    def __init__(self, folder: Path) -> None:
        self._detector, self._pads = Detector(yunet(folder)), PadEnsemble(minifasnets(folder))

    def score(self, frame: Frame) -> float | None:
        """How live the largest face looks; None without one."""
        faces = self._detector.detect(frame.pixels)
        if not faces:
            return None
        return self._pads.live_score(frame.pixels, max(faces, key=lambda face: face.box.area).box)


@pytest.fixture(scope="module")
def eyes(upstream: Path) -> Eyes:
    """The permissive pack's."""
    return Eyes(upstream)


def _windows(scores: list[tuple[float, float | None]]) -> Iterator[Window]:
    """Every window as long as the policy asks: (time, score)."""
    for start, _ in enumerate(scores):
        seen = Window()
        for at, score in scores[start:]:
            seen = seen.follow(Instant(at), score, RULE.max_gap)
            if seen.seconds >= RULE.window and len(seen.scores) >= LIMITS.frames:
                yield seen
                break


@pytest.mark.parametrize(
    ("clip", "expected"),
    [
        ("les_real", {LivenessVerdict.LIVE}),
        ("les_fake", {LivenessVerdict.SPOOF}),
        ("mani_fake", {LivenessVerdict.SPOOF, LivenessVerdict.INCONCLUSIVE}),
    ],
)
def test_a_person_needs_no_challenge_and_a_telephone_gets_no_further(
    eyes: Eyes, evaluation: Path, clip: str, expected: set[LivenessVerdict]
) -> None:
    """In every second and a half of a film: the person is live, the film of one on a telephone never."""
    scores: list[tuple[float, float | None]] = []
    film = VideoFile(evaluation / "replay" / f"{clip}.mp4")
    while (frame := film.read()) is not None:
        if not scores or frame.at - scores[-1][0] > 0.09:
            scores.append((frame.at, eyes.score(frame)))
    film.close()
    verdicts = {window.judge(LIMITS) for window in _windows(scores)}
    assert verdicts
    assert verdicts <= expected


def _number(path: Path) -> tuple[str, int]:
    *series, number = path.stem.split("_")
    return "_".join(series), int(number)


@pytest.mark.parametrize(("folder", "never"), [("ClientRaw", "spoof"), ("ImposterRaw", "live")])
def test_no_light_turns_a_person_away_and_no_print_is_live(
    eyes: Eyes, evaluation: Path, folder: str, never: str
) -> None:
    """NUAA, three sessions of unlike light: not one series, and not one picture held for a whole window."""
    paths = sorted((evaluation / "nuaa" / folder).glob("*/*.jpg"), key=_number)
    assert len(paths) > 100
    for _, series in groupby(paths, key=lambda path: _number(path)[0]):
        scores = [eyes.score(Frame(read_image(path), Instant(0.0), "nuaa", 0)) for path in series]
        found = tuple(score for score in scores if score is not None)
        held = [(score,) * LIMITS.frames for score in found]
        for each in (*held, found) if len(found) >= LIMITS.frames else held:
            assert Window(Instant(0.0), Instant(1.5), each).judge(LIMITS).value != never
