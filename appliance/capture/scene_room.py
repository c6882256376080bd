"""Owns the empty room of the scripted scene: a clinic's corridor wall with a door, drawn once per scene.

People before it are drawn by `scene_actor`.
"""

import numpy as np
from numpy.typing import NDArray

from appliance.opencv import cv2

_WALL, _DADO, _RAIL = (196, 208, 212), (168, 184, 158), (150, 160, 148)
_DOOR, _FRAME = (150, 172, 190), (208, 214, 218)


def clinic_room(width: int, height: int, seed: int) -> NDArray[np.uint8]:
    """The room without people: BGR uint8, height x width; slightly out of focus, as behind somebody at a desk."""
    rng = np.random.default_rng((seed, 3))
    k = width / 640
    room = np.empty((height, width, 3), np.float32)
    room[:] = _WALL
    rail = round(height * 0.60)
    room[rail:] = _DADO
    room[rail - round(7 * k) : rail + round(4 * k)] = _RAIL
    left = round(width * rng.uniform(0.66, 0.74))
    _door(room, left, round(168 * k), k)
    _poster(room, round(width * rng.uniform(0.06, 0.12)), round(height * 0.14), k, rng)
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    lamp = 1.06 - 0.30 * np.hypot((xs / width - 0.42) * 0.9, (ys / height + 0.05) * 0.85) ** 1.4
    plaster = cv2.GaussianBlur(rng.standard_normal((height, width)).astype(np.float32), (0, 0), 2.2 * k)
    blotch = cv2.GaussianBlur(rng.standard_normal((height, width)).astype(np.float32), (0, 0), 38 * k)
    room *= (lamp * (1 + 0.035 * plaster + 0.9 * blotch))[..., None]
    return np.clip(cv2.GaussianBlur(room, (0, 0), 2.0 * k), 0, 255).astype(np.uint8)


def _door(room: NDArray[np.float32], left: int, width: int, k: float) -> None:
    top, edge = round(34 * k), round(9 * k)
    right = left + width
    room[top:, left:right] = _FRAME
    room[top + edge :, left + edge : right - edge] = _DOOR
    for y0, y1 in ((0.16, 0.48), (0.56, 0.98)):
        a, b = round(room.shape[0] * y0), round(room.shape[0] * y1)
        x0, x1 = left + 3 * edge, right - 3 * edge
        room[a:b, x0:x1] = np.array(_DOOR, np.float32) * 0.94
        room[a : a + max(round(2 * k), 1), x0:x1] *= 0.86
        room[a:b, x0 : x0 + max(round(2 * k), 1)] *= 0.86
    y, x = round(room.shape[0] * 0.66), left + 2 * edge
    room[y : y + round(5 * k), x : x + round(22 * k)] = (118, 120, 122)


def _poster(room: NDArray[np.float32], left: int, top: int, k: float, rng: np.random.Generator) -> None:
    width, height = round(92 * k), round(124 * k)
    room[top + round(4 * k) : top + height + round(4 * k), left + round(3 * k) : left + width + round(3 * k)] *= 0.9
    room[top : top + height, left : left + width] = (226, 230, 230)
    band = round(26 * k)
    room[top : top + band, left : left + width] = rng.permuted(np.array([180.0, 148.0, 96.0], np.float32))
    for row in range(5):
        y = top + band + round((12 + 15 * row) * k)
        end = left + round(width * rng.uniform(0.6, 0.9))
        room[y : y + round(5 * k), left + round(9 * k) : end] = (176, 178, 178)
