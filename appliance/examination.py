"""Asks a new pack, before a patient meets it, whether it tells people apart on this machine, and in time.

The pictures belong to a library that every desk has, not to the pack, so that whoever makes a pack does not choose its
examination: six people in one photograph and one more. The same face twice, once darker and smaller, must be accepted
by the pack's own threshold under the desk's policy; two people must not. This finds a pack that accepts everybody, one
that refuses everybody and one that is far too slow; how good a pack is, only `keldim evaluate` says.
"""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Final, TypeVar

import numpy as np

from appliance.capture.picture import read_image
from appliance.core.errors import ImageUnreadable, PackSlow, PackUnfit
from appliance.core.policy import Policy
from appliance.core.ports import Observer
from appliance.core.shadow import SLOWEST_S
from appliance.core.types import Embedding, Frame, Instant
from appliance.opencv import cv2
from models.calibration import Calibration

Result = TypeVar("Result")

PICTURES: Final = (("data/images/t1.jpg", 6), ("data/images/Tom_Hanks_54745.png", 1))
"""Inside the insightface package, and how many people each shows."""

LEAST_GENUINE: Final = 6
"""Of the seven people, who must be recognised again: one may be lost to the darker, smaller picture."""

_DARKER, _SMALLER = 0.7, 0.8


@dataclass(frozen=True, slots=True)
class Examined:
    """genuine: people recognised again. impostors: pairs taken for one person. slowest: seconds of the slowest step.

    faces: of the people, by this pack.
    """

    faces: tuple[Embedding, ...]
    people: int
    genuine: int
    impostors: int
    pairs: int
    slowest: float


def pictures() -> tuple[Path, ...]:
    """Where the pictures are. Raises ImageUnreadable when the package is not installed."""
    found = importlib.util.find_spec("insightface")  # found, not imported: it would load half of SciPy
    if found is None or found.origin is None:
        raise ImageUnreadable("the package insightface, which holds the pictures of the examination, is not installed")
    return tuple(Path(found.origin).parent / name for name, _ in PICTURES)


def examine(observer: Observer, calibration: Calibration, policy: Policy, monotonic: Callable[[], float]) -> Examined:
    """Examine a pack. Raises PackUnfit saying what it fails in, PackSlow, ImageUnreadable."""
    people: list[Embedding] = []
    again: list[Embedding] = []
    slowest = 0.0
    for path, (_, count) in zip(pictures(), PICTURES, strict=True):
        pixels = read_image(path)
        for pose, into in ((pixels, people), (_altered(pixels), again)):
            frame = Frame(pose, Instant(float(len(into))), "examination", len(into))
            seen, took = _in_time(partial(observer.observe, frame), monotonic)
            slowest = max(slowest, took)
            faces = sorted(seen.faces, key=lambda face: -face.box.area)[:count]
            if len(faces) < count:
                raise PackUnfit(f"of {count} faces in a picture it finds {len(faces)}")
            for face in sorted(faces, key=lambda each: each.box.x):
                embedding, took = _in_time(partial(observer.embed, frame, face), monotonic)
                slowest = max(slowest, took)
                into.append(embedding)
    return _judged(people, again, calibration.threshold_verify(policy.fmr).value, slowest)


def _in_time(step: Callable[[], Result], monotonic: Callable[[], float]) -> tuple[Result, float]:
    """What a step gives, and its seconds. Raises PackSlow.

    One that took too long is taken once more: a busy machine is no slow pack. Judged at once, since the rest of a slow
    pack's examination would keep the desk waiting.
    """
    took = 0.0
    for _ in range(2):
        start = monotonic()
        result = step()
        took = monotonic() - start
        if took <= SLOWEST_S:
            return result, took
    raise PackSlow(f"a step takes {took:.1f} s")


def _altered(pixels: "np.typing.NDArray[np.uint8]") -> "np.typing.NDArray[np.uint8]":
    smaller = cv2.resize(pixels, None, fx=_SMALLER, fy=_SMALLER, interpolation=cv2.INTER_AREA)
    return np.asarray(smaller.astype(np.float32) * _DARKER, np.uint8)


def _judged(people: list[Embedding], again: list[Embedding], threshold: float, slowest: float) -> Examined:
    genuine = sum(_score(a, b) >= threshold for a, b in zip(people, again, strict=True))
    pairs = list(combinations(range(len(people)), 2))
    impostors = sum(_score(people[a], people[b]) >= threshold for a, b in pairs)
    examined = Examined(tuple(people), len(people), genuine, impostors, len(pairs), slowest)
    if impostors:
        raise PackUnfit(f"{impostors} of {len(pairs)} pairs of different people are one person to it")
    if genuine < LEAST_GENUINE:
        raise PackUnfit(f"it recognises {genuine} of {len(people)} people again")
    return examined


def _score(a: Embedding, b: Embedding) -> float:
    return float(a.vector @ b.vector)
