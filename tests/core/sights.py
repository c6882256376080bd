"""Measures of a face that passes every gate, and observations of it."""

from dataclasses import replace

import numpy as np

from appliance.core.types import Box, Face, Instant, Measures, Observation

GOOD = Measures(
    inter_eye_distance=80.0,
    head_size=0.22,
    crop_left=2.0,
    crop_right=2.0,
    crop_above=2.0,
    crop_below=2.0,
    luminance=0.5,
    luminance_variance=0.02,
    dynamic_range=7.0,
    under_exposed=0.0,
    over_exposed=0.0,
    uniformity=0.7,
    side_balance=0.9,
    yaw=1.0,
    pitch=-3.0,
    roll=2.0,
    sharpness=9.0,
    eye_light=1.1,
    mouth_lines=2.5,
    second_face=0.0,
)


def observation(measures: Measures | None, scene_luminance: float = 0.5) -> Observation:
    """One face with these measures, or none."""
    landmarks = np.array([(280, 200), (360, 200), (320, 250), (290, 290), (350, 290)], np.float32)
    faces = () if measures is None else (Face(Box(250, 150, 140, 180), landmarks, 0.99),)
    return Observation(Instant(0.0), 640, 480, faces, measures, scene_luminance)


def seen(**changed: float) -> Observation:
    """A good face but for what is changed."""
    return observation(replace(GOOD, **changed))
