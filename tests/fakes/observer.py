"""A measuring side that reports what a test puts before the camera; checks that the station uses it as agreed."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count, repeat

import numpy as np
from numpy.typing import NDArray

from appliance.core.types import Box, Embedding, Face, Frame, Instant, Measures, Observation, PackDigest
from tests.core.sights import GOOD
from tests.fakes.heads import Pose, Subject, head, sample

PACK = PackDigest("ab" * 32)
DIMENSION = 16
AHEAD, HEAD = Pose(), head()
_PEOPLE: dict[str, int] = {}


def template(who: str, like: str = "", share: float = 0.0) -> Embedding:
    """The embedding of an invented person; `share` of it may be another's, for twins and siblings."""
    vector = np.zeros(DIMENSION, np.float32)
    for name, weight in ((who, 1.0), (like, share)):
        if name:
            vector[_PEOPLE.setdefault(name, len(_PEOPLE))] += weight
    return Embedding(vector / np.float32(np.linalg.norm(vector)), PACK)


@dataclass(frozen=True, slots=True)
class Sight:
    """One face before the camera. who: whose template it gives. measures: as if it were the main face.

    live, unified: what the pack's attack detectors and quality network say; None: it has none.
    """

    who: str
    pose: Pose = AHEAD
    subject: Subject = HEAD
    measures: Measures = GOOD
    size: float = 1.0
    live: float | None = None
    unified: float | None = None

    def face(self) -> Face:
        """The detection."""
        points = sample(self.subject.seen(replace(self.pose, scale=self.size * self.pose.scale)), 0.0)
        box: Box = points.box
        return Face(box, points.landmarks, 0.99)


class ScriptedObserver:
    """Implements `Observer`. `view` is what the next frame shows, largest face first by itself."""

    def __init__(self) -> None:
        self.view: tuple[Sight, ...] = ()
        self.scene_luminance = 0.5
        self.templates: dict[str, Embedding] = {}
        self.embedded: list[str] = []
        self.looks = 0
        self._last: tuple[Frame, dict[int, Sight]] | None = None

    def observe(self, frame: Frame) -> Observation:
        """What `view` says; a frame is observed once, in order of time."""
        assert self._last is None or self._last[0].index < frame.index, "each frame is observed once, in order"
        found = sorted(((sight.face(), sight) for sight in self.view), key=lambda pair: -pair[0].box.area)
        self._last = frame, {id(face): sight for face, sight in found}
        self.looks += 1
        faces = tuple(face for face, _ in found)
        measures = None
        if found:
            second = found[1][0].box.area / found[0][0].box.area if len(found) > 1 else 0.0
            measures = replace(found[0][1].measures, second_face=second)
        self._kept = faces  # so that an id is not used again while the frame is at work
        return Observation(frame.at, frame.width, frame.height, faces, measures, self.scene_luminance)

    def embed(self, frame: Frame, face: Face) -> Embedding:
        """The template of whose face it is; only of a face of the frame just observed."""
        who = self._sight(frame, face).who
        self.embedded.append(who)
        return self.templates.get(who) or template(who)

    def live_score(self, frame: Frame, face: Face) -> float | None:
        """As the sight says; only of a face of the frame just observed."""
        return self._sight(frame, face).live

    def unified_quality(self, frame: Frame, face: Face) -> float | None:
        """As the sight says; only of a face of the frame just observed."""
        return self._sight(frame, face).unified

    def _sight(self, frame: Frame, face: Face) -> Sight:
        assert self._last is not None
        last, sights = self._last
        assert last is frame, "only a face of the frame at hand is measured"
        assert id(face) in sights, "only a face that was observed is measured"
        return sights[id(face)]


class Film:
    """Numbers and times frames; `fps` of them a second from second 0."""

    def __init__(self, fps: float = 15.0) -> None:
        self._count = count()
        self.fps = fps
        self.now = 0.0
        self.pictures: Iterator[NDArray[np.uint8]] = repeat(np.zeros((480, 640, 3), np.uint8))

    def next(self) -> Frame:
        """The next frame; what is on it is told by the observer."""
        self.now += 1 / self.fps
        return Frame(next(self.pictures), Instant(self.now), "front", next(self._count))
