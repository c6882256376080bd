"""Measures the main face of a frame: size, place, light, sharpness, attitude; numbers with units, no judgement.

The meaning, units and signs of each are written at `core.types.Measures`; what is good enough is decided in
`core.quality`. Nothing here depends on the model pack, so that limits mean the same with every pack.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.core.types import Face, Measures
from appliance.face.align import Aligner, similarity
from appliance.face.pose import HEAD, pose
from appliance.opencv import cv2

_SIDE = 96
_FLAT = HEAD[:, :2]
_TEMPLATE = _FLAT * 40 + [48, 28]
"""An average face with 40 pixels between the eyes, the least the default policy accepts: a face that passes is never
enlarged here, so its sharpness is not that of an interpolation."""

_ASIDE, _ABOVE, _BELOW = 1.13, 1.13, 1.8
"""How far a face reaches from the middle between its eyes, in eye distances (medians of the detector's boxes on whole
faces). Not the box itself: detectors squeeze it into the frame just when the face is cut off."""

_UNDER, _OVER = 25, 230
"""Of 255; the bounds of ISO/IEC 29794-5 for under- and over-exposed pixels."""


@dataclass(frozen=True, slots=True)
class _Room:
    """Between an average face and the frame's borders, in eye distances."""

    left: float
    right: float
    above: float
    below: float


def _room(marks: NDArray[np.floating], width: int, height: int) -> _Room:
    """Eye distance and middle of the eyes come from all five points: a turned head does not seem farther away."""
    matrix = similarity(_FLAT, marks)
    eyes = max(float(np.hypot(*matrix[:, 0])), 1.0)  # a pixel at least: a bad detection is no reason to stop
    x, y = matrix[:, 2]
    return _Room(
        left=float(x / eyes - _ASIDE),
        right=float((width - x) / eyes - _ASIDE),
        above=float(y / eyes - _ABOVE),
        below=float((height - y) / eyes - _BELOW),
    )


def _second_face(faces: tuple[Face, ...]) -> float:
    return faces[1].box.area / faces[0].box.area if len(faces) > 1 and faces[0].box.area > 0 else 0.0


def _oval() -> NDArray[np.bool_]:
    """The face without hair and background: an ellipse around eyes and mouth."""
    y, x = np.mgrid[:_SIDE, :_SIDE]
    return np.asarray(((x - 48) / 33) ** 2 + ((y - 48) / 42) ** 2 <= 1)


class QualityMeter:
    """Measures on a crop of fixed size; its buffers are overwritten by the next call."""

    def __init__(self) -> None:
        self._aligner = Aligner(_TEMPLATE, _SIDE, _SIDE)
        oval = _oval()
        self._oval = oval
        self._left = oval & (np.arange(_SIDE) < _SIDE // 2)
        self._right = oval & (np.arange(_SIDE) >= _SIDE // 2)
        self._grey: NDArray[np.uint8] = np.zeros((_SIDE, _SIDE), np.uint8)
        self._edges: NDArray[np.float32] = np.zeros((_SIDE, _SIDE), np.float32)

    def measure(self, pixels: NDArray[np.uint8], faces: tuple[Face, ...]) -> Measures:
        """Measure `faces[0]`, the largest, in a BGR frame (uint8, H x W x 3). Raises IndexError without a face."""
        face = faces[0]
        height, width = pixels.shape[:2]
        marks = face.landmarks
        cv2.cvtColor(self._aligner.crop(pixels, marks), cv2.COLOR_BGR2GRAY, dst=self._grey)
        skin = self._grey[self._oval]
        attitude, room = pose(marks), _room(marks, width, height)
        return Measures(
            inter_eye_distance=face.inter_eye_distance,
            head_size=float(np.hypot(*(marks[3:].mean(axis=0) - marks[:2].mean(axis=0)))) / height,
            crop_left=room.left,
            crop_right=room.right,
            crop_above=room.above,
            crop_below=room.below,
            luminance=float(skin.mean()) / 255,
            under_exposed=float(np.mean(skin < _UNDER)),
            over_exposed=float(np.mean(skin > _OVER)),
            uniformity=self._uniformity(),
            yaw=attitude.yaw,
            pitch=attitude.pitch,
            roll=attitude.roll,
            sharpness=self._sharpness(),
            second_face=_second_face(faces),
        )

    def _uniformity(self) -> float:
        """Mean brightness of the darker half of the face over that of the brighter half."""
        left, right = float(self._grey[self._left].mean()), float(self._grey[self._right].mean())
        return min(left, right) / max(left, right, 1.0)

    def _sharpness(self) -> float:
        """Variance of the Laplacian (Pech-Pacheco et al. 2000) inside the oval."""
        cv2.Laplacian(self._grey, cv2.CV_32F, dst=self._edges)
        return float(self._edges[self._oval].var())


def scene_luminance(pixels: NDArray[np.uint8]) -> float:
    """Mean brightness of a BGR frame, 0..1, from every eighth pixel in both directions (Rec. 601 weights)."""
    blue, green, red = pixels[::8, ::8].mean(axis=(0, 1))
    return float(0.114 * blue + 0.587 * green + 0.299 * red) / 255
