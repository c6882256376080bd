"""Measures the main face of a frame: size, place, light, sharpness, attitude, eyes, mouth; numbers, no judgement.

The meaning, units and signs of each are written at `core.types.Measures`; what is good enough is decided in
`core.quality`. Nothing here depends on the model pack, so that limits mean the same with every pack.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.core.types import FACE_ABOVE, FACE_ASIDE, FACE_BELOW, Face, Measures
from appliance.face.align import Aligner, similarity
from appliance.face.pose import HEAD, pose
from appliance.opencv import cv2

_SIDE = 96
_FLAT = HEAD[:, :2]
_TEMPLATE = _FLAT * 40 + [48, 28]
"""An average face with 40 pixels between the eyes, the least the default policy accepts: a face that passes is never
enlarged here, so its sharpness is not that of an interpolation. Eyes at (28, 28), (68, 28); mouth corners at y 70."""

_EYES = (np.s_[21:39, 18:38], np.s_[21:39, 58:78])
_CHEEKS = (np.s_[46:58, 24:38], np.s_[46:58, 58:72])
_MOUTH = np.s_[62:80, 36:60]

_UNDER, _OVER = 25, 247
"""Of 255, both included; OFIQ's bounds for under- and over-exposed pixels (ISO/IEC 29794-5)."""

_LEVELS = np.arange(256)


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
        left=float(x / eyes - FACE_ASIDE),
        right=float((width - x) / eyes - FACE_ASIDE),
        above=float(y / eyes - FACE_ABOVE),
        below=float((height - y) / eyes - FACE_BELOW),
    )


@dataclass(frozen=True, slots=True)
class _Light:
    """What the histograms of the face's two halves tell; as in `Measures`."""

    mean: float
    variance: float
    entropy: float
    under: float
    over: float
    uniformity: float
    balance: float


def _light(left: NDArray[np.float64], right: NDArray[np.float64]) -> _Light:
    """left, right: counts of the 256 levels in two halves that both have pixels."""
    both = left + right
    share = both / both.sum()
    mean = float(share @ _LEVELS)
    seen = share[share > 0]
    darker, brighter = sorted((float(left @ _LEVELS / left.sum()), float(right @ _LEVELS / right.sum())))
    return _Light(
        mean=mean / 255,
        variance=float(share @ (_LEVELS - mean) ** 2) / 255**2,
        entropy=-float(seen @ np.log2(seen)),
        under=float(share[: _UNDER + 1].sum()),
        over=float(share[_OVER:].sum()),
        uniformity=float(np.minimum(left / left.sum(), right / right.sum()).sum()),
        balance=darker / max(brighter, 1.0),
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
        oval = _oval().astype(np.uint8)
        self._oval = oval
        self._left = oval * (np.arange(_SIDE) < _SIDE // 2).astype(np.uint8)
        self._right = oval - self._left
        self._grey: NDArray[np.uint8] = np.zeros((_SIDE, _SIDE), np.uint8)
        self._edges: NDArray[np.float32] = np.zeros((_SIDE, _SIDE), np.float32)

    def measure(self, pixels: NDArray[np.uint8], faces: tuple[Face, ...]) -> Measures:
        """Measure `faces[0]`, the largest, in a BGR frame (uint8, H x W x 3). Raises IndexError without a face."""
        face = faces[0]
        height, width = pixels.shape[:2]
        marks = face.landmarks
        cv2.cvtColor(self._aligner.crop(pixels, marks), cv2.COLOR_BGR2GRAY, dst=self._grey)
        attitude, room = pose(marks), _room(marks, width, height)
        light = _light(self._histogram(self._left), self._histogram(self._right))
        return Measures(
            inter_eye_distance=face.inter_eye_distance,
            head_size=float(np.hypot(*(marks[3:].mean(axis=0) - marks[:2].mean(axis=0)))) / height,
            crop_left=room.left,
            crop_right=room.right,
            crop_above=room.above,
            crop_below=room.below,
            luminance=light.mean,
            luminance_variance=light.variance,
            dynamic_range=light.entropy,
            under_exposed=light.under,
            over_exposed=light.over,
            uniformity=light.uniformity,
            side_balance=light.balance,
            yaw=attitude.yaw,
            pitch=attitude.pitch,
            roll=attitude.roll,
            sharpness=self._sharpness(light.mean * 255),
            eye_light=self._eye_light(),
            mouth_lines=self._mouth_lines(),
            second_face=_second_face(faces),
        )

    def _histogram(self, mask: NDArray[np.uint8]) -> NDArray[np.float64]:
        return np.asarray(cv2.calcHist([self._grey], [0], mask, [256], [0, 256]), np.float64).ravel()

    def _sharpness(self, brightness: float) -> float:
        """Spread of the Laplacian (Pech-Pacheco et al. 2000) inside the oval.

        In percent of the mean brightness: half the light is half the edges, and no blur.
        """
        cv2.Laplacian(self._grey, cv2.CV_32F, dst=self._edges)
        _, spread = cv2.meanStdDev(self._edges, mask=self._oval)
        return 100 * float(spread[0, 0]) / max(brightness, 1.0)

    def _eye_light(self) -> float:
        """Lids and the white of an eye are as light as the cheeks. The clearer eye counts: a shadow is no dark lens."""
        cheeks = np.sort(np.concatenate([self._grey[part].ravel() for part in _CHEEKS]))
        brightest = max(float(np.sort(self._grey[eye], axis=None)[-36]) for eye in _EYES)
        return brightest / max(float(cheeks[cheeks.size // 2]), 1.0)

    def _mouth_lines(self) -> float:
        part = self._grey[_MOUTH]
        across, along = cv2.Sobel(part, cv2.CV_32F, 0, 1), cv2.Sobel(part, cv2.CV_32F, 1, 0)
        return float(cv2.norm(across, cv2.NORM_L1) / (cv2.norm(along, cv2.NORM_L1) + part.size))


def scene_luminance(pixels: NDArray[np.uint8]) -> float:
    """Mean brightness of a BGR frame, 0..1, from every eighth pixel in both directions (Rec. 601 weights)."""
    blue, green, red = pixels[::8, ::8].mean(axis=(0, 1))
    return float(0.114 * blue + 0.587 * green + 0.299 * red) / 255
