"""The vocabulary of the desk: what a frame, a face, a template and a comparison are.

Values only; what they mean for a visit is decided in `quality`, `liveness` and `decision`.
Types that hold a face or an embedding have a redacted `repr` and refuse pickling, so that none of
them can reach a log or a file by accident.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType, NoReturn

import numpy as np
from numpy.typing import NDArray

Instant = NewType("Instant", float)
"""Seconds on a monotonic axis; only differences have a meaning. Never a calendar time."""

PersonId = NewType("PersonId", str)
"""Random identifier of an enrolled person at this desk; says nothing about the person."""

PackDigest = NewType("PackDigest", str)
"""SHA-256 (hex) of a model pack's manifest: embeddings of different packs never mix."""


class Sensitive:
    """Base of types that hold biometric or personal data: redacted `repr`, no pickling."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} redacted>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} holds personal data and is never pickled")


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Frame(Sensitive):
    """One picture from a source.

    pixels: BGR uint8, H x W x 3. at: when it was taken. source: stable name of the camera or file.
    index: counts the frames of this source from 0; gaps mean dropped frames.
    """

    pixels: NDArray[np.uint8]
    at: Instant
    source: str
    index: int

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self.pixels.shape[0])


@dataclass(frozen=True, slots=True)
class Box:
    """An upright rectangle in frame pixels: left, top, width, height."""

    x: float
    y: float
    w: float
    h: float

    @property
    def area(self) -> float:
        """Area in square pixels; never negative."""
        return max(self.w, 0.0) * max(self.h, 0.0)

    @property
    def centre(self) -> tuple[float, float]:
        """Centre (x, y) in pixels."""
        return self.x + self.w / 2, self.y + self.h / 2

    def iou(self, other: "Box") -> float:
        """Intersection over union with another box, 0..1."""
        w = min(self.x + self.w, other.x + other.w) - max(self.x, other.x)
        h = min(self.y + self.h, other.y + other.h) - max(self.y, other.y)
        common = max(w, 0.0) * max(h, 0.0)
        union = self.area + other.area - common
        return common / union if union > 0 else 0.0


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Face(Sensitive):
    """A detected face.

    landmarks: float32 5x2 in frame pixels, in the order eye, eye, nose tip, mouth corner, mouth
    corner, the one with the smaller x first in an upright face (the person's right side, in an
    unmirrored picture). score: the detector's own confidence, 0..1.
    """

    box: Box
    landmarks: NDArray[np.float32]
    score: float

    @property
    def inter_eye_distance(self) -> float:
        """Distance between the eye centres in pixels."""
        return float(np.hypot(*(self.landmarks[1] - self.landmarks[0])))


FACE_ASIDE, FACE_ABOVE, FACE_BELOW = 1.13, 1.13, 1.8
"""How far a face reaches from the middle between its eyes, in eye distances (medians of detectors' boxes on whole
faces). Detectors' own boxes are squeezed into the frame just when the face is cut off."""


@dataclass(frozen=True, slots=True)
class Measures:
    """What is measured on the main face of a frame; numbers with units, no judgement.

    The names follow the quality components of ISO/IEC 29794-5 where there is one.

    inter_eye_distance: pixels. head_size: eye-to-mouth distance over frame height, 0..1.
    crop_left .. crop_below: room between the face and the frame's border, in eye distances (negative:
    the face is cut off). luminance, luminance_variance: mean and variance of the face's brightness, 0..1.
    dynamic_range: entropy of its brightness, 0..8 bits. under_exposed, over_exposed: share of the face's pixels at most
    25 / at least 247 of 255. uniformity: common share of the histograms of its left and right half, 0 (light from one
    side only) .. 1. side_balance: mean brightness of the darker half over that of the brighter. yaw, pitch, roll:
    degrees estimated from five landmarks, 0 = frontal; yaw is positive when the nose points to larger x in the
    unmirrored frame, pitch positive when the face looks up, roll positive when the head leans clockwise in the picture.
    sharpness: standard deviation of the Laplacian on the aligned face in percent of its mean brightness, 0 = flat.
    eye_light: the brightest tenth around the clearer eye over the middle brightness of the cheeks; dark glasses leave
    little. mouth_lines: strength of the horizontal over that of the vertical edges around the mouth: lips lie across
    the face, a mask has few lines or none.
    second_face: area of the second largest face over that of the largest, 0 when alone.
    """

    inter_eye_distance: float
    head_size: float
    crop_left: float
    crop_right: float
    crop_above: float
    crop_below: float
    luminance: float
    luminance_variance: float
    dynamic_range: float
    under_exposed: float
    over_exposed: float
    uniformity: float
    side_balance: float
    yaw: float
    pitch: float
    roll: float
    sharpness: float
    eye_light: float
    mouth_lines: float
    second_face: float


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Observation(Sensitive):
    """Everything measured on one frame.

    faces: largest first. measures: of `faces[0]`; None when there is no face.
    scene_luminance: mean brightness of the whole frame, 0..1, known even without a face.
    """

    at: Instant
    frame_width: int
    frame_height: int
    faces: tuple[Face, ...]
    measures: Measures | None
    scene_luminance: float


@dataclass(frozen=True, slots=True)
class Recurrence:
    """How one picture resembles earlier ones of the same source.

    same: every sampled pixel equals the picture before. seen: every sampled pixel equals some picture at least the
    gap older. nearest: distance to the most similar picture at least the gap older; infinite without one. moved:
    distance to the picture half a second ago; 0 without one. Distances are RMS grey levels between thumbnails of
    16 x 12, each less its mean.
    """

    at: Instant
    same: bool = False
    seen: bool = False
    nearest: float = float("inf")
    moved: float = 0.0


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Embedding(Sensitive):
    """A unit-length vector that a pack's embedder computed from one face.

    vector: float32 (d,), Euclidean norm 1. pack: the pack that made it.
    """

    vector: NDArray[np.float32]
    pack: PackDigest


class MatchMode(StrEnum):
    """Against whom a probe was compared."""

    VERIFY = "verify"
    """1:1 against one claimed identity."""
    LIST = "list"
    """1:few against the patients who have a service today."""
    IDENTIFY = "identify"
    """1:N against the whole gallery."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One person with the highest cosine similarity of their templates to the probe, -1..1."""

    person: PersonId
    score: float


@dataclass(frozen=True, slots=True)
class MatchResult:
    """The outcome of one comparison: candidates best first, at most one per person.

    compared: how many people the probe was compared with (1 for verify).
    gallery: how many people the gallery holds. templates: with how many templates of those people it was compared;
    0 where each has one.
    """

    mode: MatchMode
    candidates: tuple[Candidate, ...]
    compared: int
    gallery: int
    templates: int = 0

    @property
    def comparisons(self) -> int:
        """How many scores were computed, at least 1: each is a chance to be taken for somebody else."""
        return max(self.templates, self.compared, 1)


class View(StrEnum):
    """From where a look of an enrolment is taken; left and right are the person's own, a little to that side."""

    STRAIGHT = "straight"
    LEFT = "left"
    RIGHT = "right"


class Cue(StrEnum):
    """What the screen asks of a patient in the challenge; left and right are the person's own."""

    STRAIGHT = "straight"
    """Look ahead: before a step, and after a turn."""
    LEFT = "left"
    RIGHT = "right"
    CLOSER = "closer"
    DOT = "dot"
    """The head follows a dot on the screen."""


class LivenessVerdict(StrEnum):
    """Whether a living person stood before the camera; only `live` leads to acceptance by face."""

    LIVE = "live"
    SPOOF = "spoof"
    NOT_CHECKED = "not_checked"
    INCONCLUSIVE = "inconclusive"
