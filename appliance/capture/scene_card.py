"""Owns the printed photo an attacker holds up: the print, its white border, and the hand behind it.

The plane it moves in is the matter of `scene_geometry`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.capture.scene_portrait import LEFT, TOP, Portrait
from appliance.core.types import Sensitive
from appliance.opencv import cv2

# The part of the portrait that is printed, in face coordinates, and the border around it.
PRINT_LEFT, PRINT_TOP, PRINT_RIGHT, PRINT_BOTTOM = -2.3, -2.5, 2.3, 3.3
BORDER = 0.22
_HAND_ROOM = 5.0  # canvas below the card for hand and forearm, down to the frame's border
_SKIN = np.array([128.0, 158.0, 196.0])


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Layer(Sensitive):
    """Something flat to be drawn: BGRA uint8 with premultiplied colours, and its place in face coordinates."""

    pixels: NDArray[np.uint8]
    left: float
    top: float
    scale: float


def premultiplied(colour: NDArray[np.floating], alpha: NDArray[np.floating]) -> NDArray[np.uint8]:
    """BGRA uint8 from colours 0..255 and alpha 0..1."""
    return np.dstack((colour * alpha[..., None], alpha * 255)).round().astype(np.uint8)


def printed_card(portrait: Portrait) -> Layer:
    """The print: less contrast than the face had, a fine screen of dots, a weak gloss from above, a white border."""
    s = portrait.scale
    x0, x1 = round((PRINT_LEFT - LEFT) * s), round((PRINT_RIGHT - LEFT) * s)
    y0, y1 = round((PRINT_TOP - TOP) * s), round((PRINT_BOTTOM - TOP) * s)
    photo = portrait.pixels[y0:y1, x0:x1].astype(np.float32)
    photo = 22 + photo * 0.84
    photo[..., 0] *= 1.02
    height, width = photo.shape[:2]
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    photo *= (1 + 0.018 * np.sin(1.9 * xs + 1.1 * ys) * np.sin(1.9 * ys - 1.1 * xs))[..., None]
    gloss = np.exp(-0.5 * ((xs / width + 0.5 * ys / height - 0.35) / 0.16) ** 2)
    photo += 16 * gloss[..., None]
    rim = round(BORDER * s)
    card = cv2.copyMakeBorder(photo, rim, rim, rim, rim, cv2.BORDER_CONSTANT, value=(232.0, 236.0, 238.0))
    alpha = np.zeros((card.shape[0] + 4, card.shape[1] + 4), np.float32)
    alpha[2:-2, 2:-2] = 1
    card = cv2.copyMakeBorder(card, 2, 2, 2, 2, cv2.BORDER_REPLICATE)
    alpha = np.asarray(cv2.GaussianBlur(alpha, (0, 0), 0.8), np.float32)
    margin = BORDER + 2 / s
    return Layer(premultiplied(np.clip(card, 0, 255), alpha), PRINT_LEFT - margin, PRINT_TOP - margin, s)


def holding_hand(scale: float, seed: int) -> Layer:
    """A thumb over the card's lower border, the fist below it, and a sleeve down to the frame's border."""
    rng = np.random.default_rng((seed, 4))
    bottom = PRINT_BOTTOM + BORDER
    left, top, width = -1.9, bottom - 0.75, 3.8
    size = (round(width * scale), round((0.75 + _HAND_ROOM) * scale))
    ys, xs = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float32) / np.float32(scale)
    x, y = xs + np.float32(left), ys + np.float32(top - bottom)
    shift = rng.uniform(-0.25, 0.25)
    thumb = _capsule(x, y, (shift + 0.02, -0.42), (shift + 0.24, 0.6), 0.25)
    fist = _capsule(x, y, (shift - 0.32, 0.62), (shift + 0.36, 0.85), 0.62)
    wrist = _capsule(x, y, (shift, 1.0), (shift + 0.25, 2.1), 0.5)
    sleeve = _capsule(x, y, (shift + 0.22, 2.25), (shift + 0.6, 6.0), 0.75)
    skin = np.maximum.reduce([thumb, fist, wrist])
    shade = 0.80 + 0.20 * np.clip(skin / 0.45, 0, 1) - 0.10 * np.clip(0.14 - np.abs(thumb - 0.02), 0, 0.14) / 0.14
    colour = (_SKIN * rng.uniform(0.85, 1.05))[None, None] * shade[..., None]
    folds = 0.85 + 0.15 * np.clip(sleeve / 0.7, 0, 1) + 0.04 * np.sin(6 * y + 3 * x)
    colour = np.where((sleeve > 0)[..., None], np.array([92.0, 70.0, 58.0]) * folds[..., None], colour)
    alpha = np.clip(np.maximum(skin, sleeve) / 0.05, 0, 1)
    return Layer(premultiplied(np.clip(colour, 0, 255), alpha), left, top, scale)


def _capsule(
    x: NDArray[np.float32], y: NDArray[np.float32], a: tuple[float, float], b: tuple[float, float], radius: float
) -> NDArray[np.float32]:
    """Depth inside a rounded stick from a to b: positive inside, at most `radius`."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    along = np.clip(((x - a[0]) * dx + (y - a[1]) * dy) / (dx * dx + dy * dy), 0, 1)
    return np.asarray(radius - np.hypot(x - a[0] - along * dx, y - a[1] - along * dy), np.float32)
