"""Which part of the camera's picture the window shows, and where in it the oval stands.

The oval goes to the face, not the face to the oval: who sits in a wheelchair, is a child or stoops is met where they
are. Pure; shares of frame and window, 0..1. Painting is `camera_view`'s.
"""

from dataclasses import dataclass, replace

ZOOM = 1.12
"""How much the preview is enlarged beyond filling the window: the room in which it can follow a face."""

REST = (0.5, 0.41)
"""Where the oval stands while nobody is there: a little above the middle, above the words."""

_REACH_X, _HIGHEST, _LOWEST = 0.2, 0.38, 0.44
"""How far the oval leaves its place: sideways as a share of the width, and between these heights."""

_PACE = 0.25
"""Share of the remaining way that is gone with each frame: calm at 15 to 30 frames a second."""


@dataclass(frozen=True, slots=True)
class Framing:
    """left, top, width, height: the part of the unmirrored frame that is shown. oval_x, oval_y: in the window."""

    left: float
    top: float
    width: float
    height: float
    oval_x: float
    oval_y: float


def frame_face(face: tuple[float, float, float, float] | None, frame_aspect: float, window_aspect: float) -> Framing:
    """Bring a face to the oval, and where the picture ends, the oval to the face.

    face: x, y, width, height in the unmirrored frame; None: nobody. Aspects: width over height.
    """
    width = min(window_aspect / frame_aspect, 1.0) / ZOOM
    height = min(frame_aspect / window_aspect, 1.0) / ZOOM
    if face is None:
        return Framing((1 - width) / 2, (1 - height) / 2, width, height, *REST)
    x, y = face[0] + face[2] / 2, face[1] + face[3] / 2
    left = _within(x - 0.5 * width, 0.0, 1 - width)
    top = _within(y - REST[1] * height, 0.0, 1 - height)
    seen_x, seen_y = 1 - (x - left) / width, (y - top) / height
    return Framing(
        left,
        top,
        width,
        height,
        _within(seen_x, REST[0] - _REACH_X, REST[0] + _REACH_X),
        _within(seen_y, _HIGHEST, _LOWEST),
    )


def approach(now: Framing, wanted: Framing) -> Framing:
    """The next step on the way: without jumps, whatever the detector does from frame to frame."""

    def step(here: float, there: float) -> float:
        return here + _PACE * (there - here)

    return replace(
        wanted,
        left=step(now.left, wanted.left),
        top=step(now.top, wanted.top),
        oval_x=step(now.oval_x, wanted.oval_x),
        oval_y=step(now.oval_y, wanted.oval_y),
    )


def _within(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)
