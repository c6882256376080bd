"""Drawn faces: portraits for scenes without a picture of anybody."""

import numpy as np
from numpy.typing import NDArray

from appliance.capture.scene_portrait import Portrait, crop_person
from appliance.opencv import cv2

LANDMARKS = np.array([(170, 200), (230, 200), (200, 236), (177, 268), (223, 268)], np.float32)
"""Of `drawn_photo`; 60 pixels between the eyes."""


def drawn_photo(width: int = 400, height: int = 620) -> NDArray[np.uint8]:
    """A simple figure before a blue wall: oval head, neck, red garment; every landmark is a round dark dot."""
    photo = np.full((height, width, 3), (200, 150, 90), np.uint8)
    photo += np.random.default_rng(3).integers(0, 12, photo.shape).astype(np.uint8)
    cv2.ellipse(photo, (200, 560), (175, 190), 0, 0, 360, (40, 40, 170), -1)
    cv2.rectangle(photo, (160, 270), (240, 420), (140, 165, 200), -1)
    cv2.ellipse(photo, (200, 205), (78, 122), 0, 0, 360, (150, 175, 212), -1)
    cv2.ellipse(photo, (200, 130), (80, 55), 0, 180, 360, (30, 40, 50), -1)
    for x, y in LANDMARKS.astype(int):
        cv2.circle(photo, (int(x), int(y)), 5, (30, 30, 40), -1)
    return photo


def drawn_portrait() -> Portrait:
    """The figure, cut out."""
    return crop_person(drawn_photo(), LANDMARKS)
