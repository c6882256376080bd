"""Owns the straightened cut-out of a person: the face towards the camera, whatever attitude the photo was taken in.

Every point of the frontal head is looked up where the photo shows it; a half that the photo hides is the mirror image
of the other. Neck and body stay as they are. Which attitude that was is for `scene_facing` to say; the outline of the
person comes from `scene_matte`.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from appliance.capture.scene_facing import HEAD, RADII, SKULL, Facing, facing
from appliance.capture.scene_portrait import LEFT, MAX_SCALE, MIN_SCALE, TOP, Portrait, canvas_grid
from appliance.core.types import Sensitive
from appliance.opencv import cv2

Grid = NDArray[np.float32]
Points = NDArray[np.float64]

_LEAVE_YAW, _LEAVE_PITCH = 6.0, 20.0  # degrees below which a portrait is frontal enough, and better left as it is
_KEEP_PITCH = 10.0  # what a long or short face looks like to the estimate; straightening it would deform the face
_MIRROR_YAW = 22.0  # degrees from which the far cheek is seen too flatly to be straightened
_STEEP = 0.87  # share of the skull's outline where the ellipsoid turns too steep to be looked up; flattened beyond
_FLAT_NOSE = 0.40  # height of the nose tip looked up in a mirrored face, lest the far side of the ridge be seen
_INSET = 0.12  # how far from the middle of a mirrored face: the profile's edge must not become a line on the nose
_REACH = 0.45  # how far, in eye distances, a landmark pulls its neighbourhood to where it was found
_CHIN, _NECK = (0.0, 1.75, 0.1), (0.0, 1.9, -0.6)  # head coordinates; the neck stands behind the face


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class _Plan(Sensitive):
    """What is looked up how. landmarks: 5x2, where they come to lie. near: side of the half that is mirrored, or 0."""

    seen: Facing
    landmarks: Points
    near: int

    @property
    def trusted(self) -> list[int]:
        """The landmarks whose found places count: those of the near half, or all."""
        return {0: [0, 1, 2, 3, 4], 1: [1, 4], -1: [0, 3]}[self.near]


def straightened(portrait: Portrait, matte: Grid) -> tuple[Portrait, Grid]:
    """The person of a portrait with the face towards the camera, and the matte that belongs to it.

    matte: 0..1, as large as the portrait. A portrait taken from the front is returned as it is. Works up to about 60
    degrees of yaw: beyond, the photo does not show half a face.
    """
    seen = facing(portrait.face_landmarks)
    if abs(seen.yaw) < _LEAVE_YAW and abs(seen.pitch) < _LEAVE_PITCH:
        return portrait, matte
    plan = _plan(seen.without_pitch(float(np.clip(seen.pitch, -_KEEP_PITCH, _KEEP_PITCH))), portrait.face_landmarks)
    scale = float(np.clip(portrait.scale * seen.scale, MIN_SCALE, MAX_SCALE))
    size = tuple(round(n * scale / portrait.scale) for n in portrait.known.shape)
    blank = np.zeros(size, np.uint8)
    frontal = Portrait(blank, blank, np.asarray((plan.landmarks - (LEFT, TOP)) * scale, np.float32), scale)
    x, y = canvas_grid(frontal)
    layers = _looked_up(portrait, matte, *_sources(plan, portrait.face_landmarks, x, y))
    if plan.near:
        layers = _mirrored(layers, x * np.float32(plan.near), y)
        layers[..., 3] = 255 * _outline(x, y) * np.maximum(layers[..., 3] / 255, _face(x, y))
    pixels = np.clip(layers[..., :3], 0, 255).astype(np.uint8)
    known = np.where(layers[..., 4] > 127, 255, 0).astype(np.uint8)
    return replace(frontal, pixels=pixels, known=known), np.asarray(layers[..., 3] / 255, np.float32)


def _plan(seen: Facing, found: NDArray[np.floating]) -> _Plan:
    """Where the landmarks of the frontal face lie: symmetric, at the heights and the width of this person's."""
    near = 0 if abs(seen.yaw) < _MIRROR_YAW else -int(np.sign(seen.yaw))
    head = seen.from_shown(found.astype(np.float64), HEAD[:, 2])
    corners = {0: [3, 4], 1: [4], -1: [3]}[near]
    nose = float(np.clip(head[2, 1], 0.5, 0.68))
    mouth, half = float(np.clip(head[corners, 1].mean(), 0.92, 1.2)), float(np.abs(head[corners, 0]).mean())
    half = float(np.clip(half, 0.36, 0.52))
    return _Plan(seen, np.array([[-0.5, 0], [0.5, 0], [0, nose], [-half, mouth], [half, mouth]]), near)


def _smooth(value: NDArray[np.floating]) -> Grid:
    """0 below 0, 1 above 1, without a kink between."""
    v = np.clip(value, 0, 1)
    return np.asarray(v * v * (3 - 2 * v), np.float32)


def _depth(plan: _Plan, x: NDArray[np.floating], y: NDArray[np.floating]) -> Grid:
    """Height of the frontal head before the eyes: the ellipsoid, flattened towards its outline, and the nose."""
    r = np.hypot(x / RADII[0], (y - SKULL[1]) / RADII[1])
    level = np.sqrt(1 - _STEEP**2)
    drop = 0.6 * (1 - np.exp(-np.maximum(r - _STEEP, 0) * _STEEP / (0.6 * level)))
    skull = RADII[2] * (np.sqrt(1 - np.minimum(r, _STEEP) ** 2) - drop) + SKULL[2]
    tip = plan.landmarks[2, 1]
    height = _FLAT_NOSE if plan.near else HEAD[2, 2]
    base = RADII[2] * np.sqrt(1 - ((tip - SKULL[1]) / RADII[1]) ** 2) + SKULL[2]
    bump = np.exp(-0.5 * ((x / 0.30) ** 2 + ((y - tip) / np.where(y < tip, 0.40, 0.27)) ** 2))
    return np.asarray(skull + (height - base) * bump, np.float32)


def _sources(plan: _Plan, found: NDArray[np.floating], x: Grid, y: Grid) -> tuple[Grid, Grid]:
    """Where the points (x, y) of the frontal person are in the portrait; both in face coordinates."""
    hidden = float(np.clip((abs(plan.seen.yaw) - _MIRROR_YAW) / 13, 0, 1))  # share of the ridge's far side out of sight
    inset = np.float32(plan.near * hidden * _INSET) * np.exp(-0.5 * np.square(x / np.float32(0.25)))
    head_x, head_y = plan.seen.shown(x + inset, y, _depth(plan, x + inset, y))
    anchors = plan.landmarks[plan.trusted]
    guessed = plan.seen.place(np.column_stack((anchors, _depth(plan, anchors[:, 0], anchors[:, 1]))))
    between = np.square(anchors[:, None] - anchors[None]).sum(axis=-1)
    pull = np.linalg.solve(np.exp(-0.5 * between / _REACH**2), found[plan.trusted] - guessed)
    for (ax, ay), (px, py) in zip(anchors.tolist(), pull.tolist(), strict=True):
        share = np.exp(-0.5 * (np.square(x - ax) + np.square(y - ay)) / _REACH**2)
        head_x, head_y = head_x + px * share, head_y + py * share
    (_, chin_y), (neck_x, _) = plan.seen.place(np.array([_CHIN, _NECK])).tolist()
    r = np.hypot(x / RADII[0], (y - SKULL[1]) / RADII[1])
    under_jaw = _smooth((r - 0.98) / 0.45) * _smooth((y - 0.7) / 0.6)
    body = np.maximum(under_jaw, _smooth((y - _CHIN[1]) / 0.6))
    body_x, body_y = x + neck_x, y + (chin_y - _CHIN[1])
    return head_x + (body_x - head_x) * body, head_y + (body_y - head_y) * body


def _looked_up(portrait: Portrait, matte: Grid, x: Grid, y: Grid) -> NDArray[np.float32]:
    """Blue, green, red, matte and known (all 0..255) of the portrait at these face coordinates."""
    map_x = ((x - LEFT) * portrait.scale).astype(np.float32)
    map_y = ((y - TOP) * portrait.scale).astype(np.float32)
    outline = np.dstack((matte * np.float32(255), portrait.known.astype(np.float32)))
    colour, soft = (
        cv2.remap(layer, map_x, map_y, how, borderMode=cv2.BORDER_REPLICATE)
        for layer, how in ((portrait.pixels, cv2.INTER_CUBIC), (outline, cv2.INTER_LINEAR))
    )
    return np.dstack((colour, soft)).astype(np.float32)


def _mirrored(layers: NDArray[np.float32], x: Grid, y: Grid) -> NDArray[np.float32]:
    """The half at x < 0 replaced by the mirror image of the other, down to the neck; the canvas is symmetric."""
    own = np.maximum(_smooth(0.5 + x / 0.24), _smooth((y - 2.1) / 0.4))[..., None]
    return np.asarray(layers * own + layers[:, ::-1] * (1 - own), np.float32)


def _face(x: Grid, y: Grid) -> Grid:
    """1 in the middle of the face, which is the person's whatever the matte says of a profile's edge."""
    return _smooth((0.8 - np.hypot(x / RADII[0], (y - SKULL[1]) / RADII[1])) / 0.1)


def _outline(x: Grid, y: Grid) -> Grid:
    """1 inside a usual frontal head with hair, neck and shoulders, 0 outside.

    Seen from the front, what a photo from the side shows behind the ear and in the nape is hidden.
    """
    hair = 0.14 * (1 - _smooth((y - 0.3) / 0.6))
    across, along = np.abs(x) / (RADII[0] + hair), np.abs(y - SKULL[1]) / (RADII[1] + hair)
    power = 2 + 5 * hair  # hair makes the crown rounder than an ellipse
    head = _smooth((1.08 - (across**power + along**power) ** (1 / power)) / 0.10)
    aside = np.abs(x)
    neck = _smooth((0.90 - aside) / 0.14) * _smooth((y - 0.5) / 0.3)
    shoulders = _smooth((y - 1.75 - 0.6 * (aside - 0.9)) / 0.25)
    return np.asarray(np.maximum(np.maximum(head, neck), shoulders), np.float32)
