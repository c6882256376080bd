"""What a detector's network proposes, before the strongest of overlapping boxes are chosen; and that choice.

How a network's outputs are read belongs to the module of its family: `centerface`, `yunet`, `scrfd`.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

MAX_FACES = 64
"""A desk has a handful; a frame full of them is no reason to spend a second on suppression."""
MAX_CANDIDATES = MAX_FACES * 8
"""A face is proposed by a few neighbouring cells."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """n proposals, in pixels of the picture the network saw.

    corner: n x 2, left and top. size: n x 2, width and height. marks: n x 5 x 2, in the order of `Face.landmarks`.
    scores: n, 0..1.
    """

    corner: Floats
    size: Floats
    marks: Floats
    scores: Floats


NOTHING = Candidates(
    np.zeros((0, 2), np.float32), np.zeros((0, 2), np.float32), np.zeros((0, 5, 2), np.float32), np.zeros(0, np.float32)
)


class Decoder(Protocol):
    """Reads the outputs of one family of networks."""

    def decode(self, outputs: tuple[Floats, ...], width: int) -> Candidates:
        """The proposals at or above the manifest's score. outputs: as the network gives them. width: of its input."""


def join(parts: list[Candidates]) -> Candidates:
    """The proposals of several maps as one."""
    if len(parts) < 2:
        return parts[0] if parts else NOTHING
    return Candidates(
        np.concatenate([part.corner for part in parts]),
        np.concatenate([part.size for part in parts]),
        np.concatenate([part.marks for part in parts]),
        np.concatenate([part.scores for part in parts]),
    )


def best_first(found: Candidates) -> Candidates:
    """The same proposals in falling order of score, at most MAX_CANDIDATES; equal scores keep their order."""
    order = np.argsort(-found.scores, kind="stable")[:MAX_CANDIDATES]
    return Candidates(found.corner[order], found.size[order], found.marks[order], found.scores[order])


def strongest(corner: Floats, size: Floats, overlap: float) -> list[int]:
    """Indices of the boxes, given best first, that no better box overlaps by more than `overlap` (IoU)."""
    end, area = corner + size, size[:, 0] * size[:, 1]
    left = np.arange(len(corner))
    keep: list[int] = []
    while left.size and len(keep) < MAX_FACES:
        first, rest = left[0], left[1:]
        keep.append(int(first))
        if not rest.size:
            break
        common = np.minimum(end[first], end[rest]) - np.maximum(corner[first], corner[rest])
        shared = np.prod(np.maximum(common, 0), axis=1)
        left = rest[shared <= overlap * (area[first] + area[rest] - shared)]
    return keep
