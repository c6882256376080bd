"""Owns the separation of a person from the surroundings of a portrait, as a soft matte.

It knows the outline people usually have around their eyes and lets GrabCut find the true one; a portrait it cannot
separate keeps the usual outline.
"""

import numpy as np
from numpy.typing import NDArray

from appliance.capture.scene_facing import facing
from appliance.capture.scene_portrait import Portrait, canvas_grid, is_tight
from appliance.opencv import cv2

Grid = NDArray[np.float32]

_CHIN = 1.75  # height of the chin in head coordinates
_HAIR = 1.0  # how far hair may reach beyond a usual head, in eye distances; none of it may count as background

_SEED = 20_031  # GrabCut's k-means draws from OpenCV's global generator; the same portrait must give the same matte


def _torso(x: Grid, y: Grid, grow: float) -> NDArray[np.bool_]:
    """Usual neck and shoulders around x = 0 under a chin at y = 1.75; `grow` widens them, in eye distances."""
    neck = np.where((y > 0.9) & (y < 3.2), 0.70 + grow * 0.6, 0.0)
    slope = np.clip((y - 2.35 + grow) / 1.3, 0, 1)
    shoulders = np.where(y > 2.35 - grow, 0.8 + (2.15 + grow) * np.sqrt(slope), 0.0)
    return np.asarray(np.abs(x) < np.maximum(neck, shoulders))


def _labels(portrait: Portrait) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """What GrabCut starts from, and the usual outline."""
    head = facing(portrait.face_landmarks)
    x, y = canvas_grid(portrait)
    chin_x, chin_y = head.place(np.array([0.0, _CHIN, 0.05])).tolist()
    aside, down = x - 0.5 * chin_x, y - (chin_y - _CHIN)  # the shoulders stand under the face again
    usual = head.outline(x, y, 0.08) | _torso(aside, down, 0.0)
    labels = np.full(portrait.known.shape, cv2.GC_BGD, np.uint8)
    beside = (down > 0) & (np.abs(aside) < 1.2 + _HAIR)  # long hair
    labels[head.outline(x, y, _HAIR) | beside | _torso(aside, down, 0.6)] = cv2.GC_PR_BGD
    labels[usual | (head.outline(x, y, 0.3) & (down < 0.8))] = cv2.GC_PR_FGD
    labels[head.outline(x, y, -0.12) | (_torso(aside, down, -0.4) & (np.abs(aside) < 1.1))] = cv2.GC_FGD
    unseen = portrait.known == 0
    labels[unseen] = cv2.GC_BGD
    if is_tight(portrait):
        labels[unseen & usual] = cv2.GC_FGD
        labels[~unseen & (y > 0.6) & ~head.outline(x, y, 0.0)] = cv2.GC_BGD  # somebody's collar beside a painted neck
    return labels, usual


def person_matte(portrait: Portrait) -> NDArray[np.float32]:
    """The person's share of each canvas pixel, 0..1, with soft edges; same height and width as the portrait."""
    labels, usual = _labels(portrait)
    found = _grab_cut(portrait, labels)
    if found[usual & (portrait.known > 0)].mean() < 0.6:  # the cut ate the person: surroundings of the same colour
        found = usual
    return _soft(found, portrait.scale)


def _grab_cut(portrait: Portrait, labels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """GrabCut (Rother et al. 2004) at half size; True on the person."""
    height, width = labels.shape
    half = (width // 2, height // 2)
    small = cv2.resize(portrait.pixels, half, interpolation=cv2.INTER_AREA)
    mask = np.asarray(cv2.resize(labels, half, interpolation=cv2.INTER_NEAREST), np.uint8)
    cv2.setRNGSeed(_SEED)
    background, person = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(small, mask, (0, 0, 1, 1), background, person, 4, cv2.GC_INIT_WITH_MASK)
    found = ((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)).astype(np.float32)
    found = cv2.GaussianBlur(found, (0, 0), 0.05 * portrait.scale)
    return np.asarray(cv2.resize(found, (width, height), interpolation=cv2.INTER_LINEAR) > 0.5)


def _soft(found: NDArray[np.bool_], scale: float) -> NDArray[np.float32]:
    """One piece without holes or spikes, its edge drawn in a little and feathered over a tenth of an eye distance."""
    solid = found.astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(0.16 * scale) + 1,) * 2)
    solid = np.asarray(cv2.morphologyEx(cv2.morphologyEx(solid, cv2.MORPH_OPEN, disc), cv2.MORPH_CLOSE, disc), np.uint8)
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(solid, connectivity=4)
    if count > 2:
        solid = (pieces == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))).astype(np.uint8)
    holes_count, holes = cv2.connectedComponents(1 - solid, connectivity=4)
    if holes_count > 2:
        border = set(np.concatenate((holes[0], holes[-1], holes[:, 0], holes[:, -1])).tolist())
        solid = np.where(np.isin(holes, list(border)) & (solid == 0), 0, 1).astype(np.uint8)
    edge = cv2.GaussianBlur(solid.astype(np.float32), (0, 0), 0.07 * scale)
    return np.asarray(np.clip((edge - 0.3) / 0.6, 0, 1), np.float32)
