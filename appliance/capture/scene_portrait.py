"""Owns portraits for the scripted scene: one person cut from a photo, upright, with plausible surroundings.

Finding the face in the photo is the caller's matter (five landmarks are given); separating the person from the
surroundings belongs to `scene_matte`.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from appliance.capture.scene_geometry import face_frame, project
from appliance.core.types import Sensitive
from appliance.opencv import cv2

Image = NDArray[np.uint8]
Points = NDArray[np.float32]

# The canvas in face coordinates: room for the shoulders at the sides and the torso down to any frame's lower border.
LEFT, TOP, RIGHT, BOTTOM = -4.5, -3.0, 4.5, 7.5
MIN_SCALE, MAX_SCALE = 40.0, 72.0  # canvas pixels per eye distance: what the working distance needs, no more
_GREY_SATURATION = 14.0  # mean HSV saturation of 255 below which a photo counts as black and white


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Portrait(Sensitive):
    """An upright picture of one person on a canvas that reaches from above the hair to below the chest.

    pixels: BGR uint8. known: uint8 mask, 255 where the photo had something, 0 where it was continued.
    landmarks: 5x2 canvas pixels. scale: canvas pixels per eye distance.
    """

    pixels: Image
    known: Image
    landmarks: Points
    scale: float

    @property
    def face_landmarks(self) -> Points:
        """The landmarks in face coordinates (see `scene_geometry`)."""
        return np.asarray(self.landmarks / self.scale + (LEFT, TOP), np.float32)


def to_canvas(scale: float) -> NDArray[np.float64]:
    """3x3 from face coordinates to canvas pixels."""
    return np.array([[scale, 0, -LEFT * scale], [0, scale, -TOP * scale], [0, 0, 1.0]])


def crop_person(image: Image, landmarks: NDArray[np.floating], margin: float = 3.2) -> Portrait:
    """Cut the person with these landmarks out of a photo, turned upright.

    image: BGR uint8. landmarks: 5x2 pixels of the image, in the order of `Face.landmarks`. margin: how much of the
    photo beside the face is believed, in eye distances; beyond it, and beyond the photo's borders, the surroundings
    are continued smoothly and the body is continued as a plain garment. Raises ValueError for coinciding eyes.
    """
    frame = face_frame(landmarks)
    eyes = float(np.hypot(frame[0, 0], frame[1, 0]))
    scale = float(np.clip(eyes, MIN_SCALE, MAX_SCALE))
    size = (round((RIGHT - LEFT) * scale), round((BOTTOM - TOP) * scale))
    warp = to_canvas(scale) @ np.linalg.inv(frame)
    flags = cv2.INTER_AREA if scale < eyes else cv2.INTER_CUBIC
    shrunk, warp = _shrink(image, warp, eyes / scale)
    pixels = cv2.warpAffine(shrunk, warp[:2], size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    full = np.full(shrunk.shape[:2], 255, np.uint8)
    known = np.asarray(cv2.warpAffine(full, warp[:2], size, flags=cv2.INTER_NEAREST), np.uint8)
    known = np.asarray(cv2.erode(known, np.ones((5, 5), np.uint8)), np.uint8)
    columns = np.arange(size[0]) / scale + LEFT
    known[:, np.abs(columns) > margin] = 0
    on_canvas = project(warp, landmarks * (shrunk.shape[1] / image.shape[1]))
    portrait = Portrait(np.asarray(pixels, np.uint8), known, on_canvas, scale)
    return _continued(_toned(portrait))


def _shrink(image: Image, warp: NDArray[np.float64], factor: float) -> tuple[Image, NDArray[np.float64]]:
    """Reduce a much larger photo first, by area, so that the warp does not alias."""
    if factor < 1.5:
        return image, warp
    width, height = max(round(image.shape[1] / factor), 8), max(round(image.shape[0] / factor), 8)
    small = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    return small, warp @ np.diag([image.shape[1] / width, image.shape[0] / height, 1.0])


def _toned(portrait: Portrait) -> Portrait:
    """Give a black-and-white photo the tone of skin under indoor light, so that it can stand in a coloured room."""
    seen = portrait.pixels[portrait.known > 0]
    if seen.size == 0 or float(np.ptp(seen, axis=1).mean()) > _GREY_SATURATION:
        return portrait
    grey = np.arange(256, dtype=np.float32)
    table = np.dstack([grey**g * 255.0 ** (1 - g) for g in (1.42, 1.12, 0.82)])  # B, G, R: shadows brown, lights skin
    toned = cv2.LUT(portrait.pixels, np.clip(table, 0, 255).astype(np.uint8).reshape(256, 1, 3))
    return Portrait(np.asarray(toned, np.uint8), portrait.known, portrait.landmarks, portrait.scale)


def chin_height(portrait: Portrait) -> float:
    """Height of the chin in face coordinates, from the mouth (chin to mouth is 0.6 to 0.7 eye distances)."""
    return float(portrait.face_landmarks[3:, 1].mean()) + 0.66


def is_tight(portrait: Portrait) -> bool:
    """Whether the photo ends at the face, so that neck and body must be painted."""
    x, y = canvas_grid(portrait)
    chest = (np.abs(x) < 1.6) & (y > 2.3) & (y < 3.6)
    return bool(portrait.known[chest].mean() < 0.3 * 255)


def canvas_grid(portrait: Portrait) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Face coordinates x and y of every canvas pixel."""
    height, width = portrait.known.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return x / np.float32(portrait.scale) + np.float32(LEFT), y / np.float32(portrait.scale) + np.float32(TOP)


def _continued(portrait: Portrait) -> Portrait:
    """Fill what the photo does not show: blurred surroundings; below a tight crop also a neck and a garment."""
    if portrait.known.min() > 0:
        return portrait
    s, tight = portrait.scale, is_tight(portrait)
    if tight:
        _, y = canvas_grid(portrait)
        chin = np.float32(chin_height(portrait))
        portrait = replace(portrait, known=np.where(y < chin, portrait.known, 0).astype(np.uint8))
    known = np.asarray(portrait.known / 255, np.float32)
    distance = cv2.distanceTransform(255 - portrait.known, cv2.DIST_L2, 3)
    near = np.asarray(np.clip(1 - distance / (0.35 * s), 0, 1), np.float32)[..., None]
    pixels = portrait.pixels * near + _surroundings(portrait.pixels, known, s) * (1 - near)
    if tight:
        body = _body(portrait)
        pixels = _over(pixels, body, 0.05 * s)
        known = np.asarray(np.clip(cv2.GaussianBlur(known, (0, 0), 0.08 * s) * 2 - 1, 0, 1), np.float32)
    pixels = portrait.pixels * known[..., None] + pixels * (1 - known[..., None])
    if tight:
        pixels = _over(pixels, _hair(portrait), 0.09 * s)
    return replace(portrait, pixels=np.clip(pixels, 0, 255).astype(np.uint8))


def _surroundings(pixels: Image, known: NDArray[np.float32], scale: float) -> NDArray[np.float32]:
    """Known colours spread outwards, more blurred the farther: normalised convolution, coarse as befits a backdrop."""
    height, width = known.shape
    coarse = (max(width // 8, 1), max(height // 8, 1))
    weight = cv2.resize(known, coarse, interpolation=cv2.INTER_AREA)
    colour = np.asarray(cv2.resize(pixels * known[..., None], coarse, interpolation=cv2.INTER_AREA), np.float32)
    out, have = np.zeros_like(colour), np.zeros((coarse[1], coarse[0]), np.float32)
    for sigma in (0.25, 0.6, 1.4, 3.2, 8.0):
        w = np.asarray(cv2.GaussianBlur(weight, (0, 0), sigma * scale / 8), np.float32)
        c = np.asarray(cv2.GaussianBlur(colour, (0, 0), sigma * scale / 8), np.float32)
        trust = np.clip(w * 8, 0, 1) * (1 - have)
        out += c / np.maximum(w, 1e-4)[..., None] * trust[..., None]
        have += trust
    spread = np.asarray(out / np.maximum(have, 1e-4)[..., None], np.float32)
    return np.asarray(cv2.resize(spread, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def _body(portrait: Portrait) -> NDArray[np.float32]:
    """Neck and a plain round-necked garment: B, G, R, alpha 0..1 on the canvas, the neck in the person's own colour."""
    x, y = canvas_grid(portrait)
    middle = float(portrait.face_landmarks[3:, 0].mean()) * 0.5
    x = x - np.float32(middle)
    chin = np.float32(chin_height(portrait))
    under_chin = np.clip((chin + 0.75 - y) / 0.75, 0, 1)
    shade = (1.0 - 0.34 * under_chin) * (1 - 0.22 * np.clip(np.abs(x), 0, 1.2) ** 2)
    out = np.empty((*x.shape, 4), np.float32)
    out[..., :3] = _skin(portrait) * shade[..., None]
    neck = (np.abs(x) < 0.74 + 0.3 * np.clip(y - chin - 0.25, 0, 1) ** 2) & (y > chin - 0.6)
    collar = chin + 1.05 - 0.75 * x**2
    garment = (y > collar) & (y > chin + 0.5 + 0.12 * np.abs(x))
    cloth = np.array([104.0, 84.0, 70.0], np.float32)
    folds = 1 + 0.06 * np.sin(1.3 * x + 1.1 * np.sin(0.9 * y + 0.7 * x)) - 0.09 * np.abs(x) - 0.02 * (y - chin)
    rim = np.where((np.abs(x) < 0.95) & (np.abs(y - collar) < 0.13), 0.82, 1.0)
    out[garment, :3] = (cloth * (folds * rim)[..., None])[garment]
    out[..., 3] = (neck | garment).astype(np.float32)
    return out


def _over(under: NDArray[np.floating], layer: NDArray[np.float32], feather: float) -> NDArray[np.float32]:
    """Lay B, G, R, alpha over B, G, R, its edges feathered by so many pixels."""
    alpha = cv2.GaussianBlur(layer[..., 3], (0, 0), feather)[..., None]
    return np.asarray(under * (1 - alpha) + layer[..., :3] * alpha, np.float32)


def _hair(portrait: Portrait) -> NDArray[np.float32]:
    """Short hair over a forehead that a tight crop cuts off: B, G, R, alpha 0..1; nothing where the photo has hair."""
    x, y = canvas_grid(portrait)
    line = -1.22 + 0.42 * np.clip(np.abs(x) / 1.1, 0, 1.4) ** 3
    cut = portrait.known[:, portrait.known.shape[1] // 2] > 0
    top = float(y[int(np.argmax(cut)), 0])
    strands = 1 + 0.10 * np.sin(9 * x + 2 * np.sin(3 * y)) + 0.25 * np.clip(-1.2 - y, 0, 0.7)
    seen = portrait.pixels[(portrait.known > 0) & (y < -0.2)].reshape(-1, 3)
    colour = np.percentile(seen, 6, axis=0) if seen.size else np.array([30.0, 36.0, 44.0])
    out = np.empty((*x.shape, 4), np.float32)
    out[..., :3] = colour * strands[..., None]
    crown = (x / 1.2) ** 2 + ((y - 0.2) / 2.1) ** 2 < 1
    out[..., 3] = ((y < line) & crown & (top > -1.75)).astype(np.float32)
    return out


def _skin(portrait: Portrait) -> NDArray[np.float32]:
    """The person's skin colour (B, G, R): cheeks and lips' surroundings, the lighter part."""
    nose, mouth = portrait.landmarks[2], portrait.landmarks[3:].mean(axis=0)
    centre, reach = (nose + mouth) / 2, 0.5 * portrait.scale
    x0, x1 = int(centre[0] - 1.4 * reach), int(centre[0] + 1.4 * reach)
    y0, y1 = int(nose[1] - 0.3 * reach), int(centre[1] + reach)
    patch = portrait.pixels[max(y0, 0) : y1, max(x0, 0) : x1].reshape(-1, 3)
    return np.asarray(np.percentile(patch, 62, axis=0), np.float32)
