"""Owns one subject of a scene over time: where it is, how it answers prompts, how it is drawn into a frame.

Light, lens and noise come after it (`scene_light`); which subject stands nearest is for `scene` to see.
"""

import numpy as np
from numpy.typing import NDArray

from appliance.capture.scene_card import (
    BORDER,
    PRINT_BOTTOM,
    PRINT_LEFT,
    PRINT_RIGHT,
    PRINT_TOP,
    Layer,
    holding_hand,
    premultiplied,
    printed_card,
)
from appliance.capture.scene_geometry import (
    HeadShape,
    Points,
    Pose,
    Sway,
    Track,
    plane_homography,
    project,
)
from appliance.capture.scene_light import motion_blur
from appliance.capture.scene_matte import person_matte
from appliance.capture.scene_portrait import BOTTOM, LEFT, RIGHT, TOP
from appliance.capture.scene_script import Approach, Enter, HeldPhoto, Leave, LivePerson, Temper, Tilt, Turn
from appliance.capture.scene_straight import straightened
from appliance.core.types import Cue
from appliance.opencv import cv2

Image = NDArray[np.uint8]

FOCAL = 0.95  # focal length over frame width: a field of view of 56 degrees, a usual webcam
_GRID = 8  # the warp is computed at every eighth pixel: interpolating errs by 0.3 pixels at the nose, less elsewhere
DOT_REACH = 0.42  # how far from the middle of the screen a dot takes the head all the way
_PURSUIT = 0.12  # seconds over which the head takes up where the dot was
_CARD_PIVOT = ((PRINT_LEFT + PRINT_RIGHT) / 2, (PRINT_TOP + PRINT_BOTTOM) / 2)


class Motion:
    """The path of one subject: actions and answers as tracks, plus the sway of a standing person."""

    def __init__(
        self, enter: Enter, size: tuple[int, int], temper: Temper, rng: np.random.Generator, raised: bool
    ) -> None:
        """size: frame width and height. raised: comes up from below, as a photo does, and trembles with the hand."""
        self._width, self._height = size
        self._raised, self._temper, self._rng = raised, temper, rng
        self._unit = self._width / 640
        rest = enter.eye_distance * self._unit
        far = rest if raised or enter.side == 0 else 0.5 * rest
        self._enter = enter
        self._until: float | None = None
        self._x = Track(
            enter.x * self._width + enter.side * 0.1 * self._width if raised else self._outside(enter.side, far)
        )
        self._y = Track(1.75 * self._height if raised else enter.y * self._height - 0.25 * rest)
        self._size, self._roll, self._yaw, self._pitch = Track(far), Track(0.0), Track(0.0), Track(0.0)
        self._x.move(enter.at, enter.seconds * 0.85, enter.x * self._width)
        self._y.move(enter.at, enter.seconds, enter.y * self._height)
        self._size.move(enter.at, enter.seconds, rest)
        hand = 1.6 if raised else 1.0
        amplitudes = (0.055 * rest * hand, 0.035 * rest * hand, 0.012 * hand, 1.2 * hand, 1.6 * hand, 1.4 * hand)
        fastest = 1.1 if raised else 0.55
        self._sway = tuple(Sway(rng, a, fastest=fastest) for a in amplitudes)
        self._cue: Cue | None = None
        self._seen = self._starts = self._angle = 0.0

    def _outside(self, side: int, eye_distance: float) -> float:
        reach = 3.6 * eye_distance
        return {-1: -reach, 0: self._enter.x * self._width, 1: self._width + reach}[side]

    def present(self, t: float) -> bool:
        """Whether the subject is in the scene at a time (seconds since the scene began)."""
        return t >= self._enter.at and (self._until is None or t < self._until)

    def pose(self, t: float) -> Pose:
        """The pose at a time."""
        sx, sy, ss, sr, sw, sp = (s.at(t) for s in self._sway)
        step = abs(self._size.at(t) - self._size.at(t - 0.1)) / max(self._size.at(t), 1e-6)
        bob = 0.0 if self._raised else 22.0 * self._unit * min(step, 0.06) * np.sin(2 * np.pi * 1.8 * t)
        yaw = self._yaw.at(t)
        return Pose(
            self._x.at(t) + sx,
            self._y.at(t) + sy + bob,
            self._size.at(t) * (1 + ss),
            self._roll.at(t) + sr + (0.0 if self._raised else 0.07 * yaw),  # a turning head leans a little
            yaw + sw,
            self._pitch.at(t) + sp,
        )

    def act(self, action: Approach | Turn | Tilt | Leave) -> None:
        """Carry out a scripted action."""
        match action:
            case Approach():
                self._size.move(action.at, action.seconds, action.eye_distance * self._unit)
                for track, share, whole in ((self._x, action.x, self._width), (self._y, action.y, self._height)):
                    if share is not None:
                        track.move(action.at, action.seconds, share * whole)
            case Turn():
                self._yaw.move(action.at, action.seconds, action.yaw)
                self._pitch.move(action.at, action.seconds, action.pitch)
            case Tilt():
                self._roll.move(action.at, action.seconds, action.roll)
            case Leave():
                self._until = action.at + action.seconds
                if self._raised:
                    self._y.move(action.at, action.seconds, 1.75 * self._height)
                else:
                    self._x.move(action.at, action.seconds, self._outside(action.side or 1, self._size.at(action.at)))

    def answer(self, cue: Cue, t: float, dot: tuple[float, float] | None = None) -> None:
        """See a prompt and do as it says after the reaction time. A cue that stays is one cue; a dot is followed."""
        if not self._temper.obeys:
            return
        if cue is not self._cue:
            self._cue, self._seen = cue, t
            self._starts = t + float(self._rng.uniform(*self._temper.reaction))
            self._angle = float(self._rng.uniform(*self._temper.angle))
            self._see(cue)
        if cue is Cue.DOT and dot is not None:
            self._yaw.move(self._starts - self._seen + t, _PURSUIT, self._angle * (0.5 - dot[0]) / DOT_REACH)

    def _see(self, cue: Cue) -> None:
        """Plan the motion that answers a new cue."""
        start, temper = self._starts, self._temper
        if cue in (Cue.LEFT, Cue.RIGHT):
            back = start + temper.seconds + temper.hold
            self._yaw.move(start, temper.seconds, self._angle if cue is Cue.LEFT else -self._angle)
            self._yaw.move(back, temper.seconds, 0.0)
        elif cue is Cue.CLOSER:
            nearer = self._size.at(start) * float(self._rng.uniform(*temper.nearer))
            self._size.move(start, 2 * temper.seconds, nearer)
        elif cue is Cue.STRAIGHT and abs(self._yaw.at(start)) > 1.0:
            self._yaw.move(start, temper.seconds, 0.0)


class PersonActor:
    """A living person: head and shoulders warped over the shape of a head."""

    def __init__(self, enter: Enter, subject: LivePerson, size: tuple[int, int], rng: np.random.Generator) -> None:
        self.motion = Motion(enter, size, subject.temper, rng, raised=False)
        portrait, matte = straightened(subject.portrait, person_matte(subject.portrait))
        self._face = portrait.face_landmarks
        self._shape = HeadShape(self._face)
        self._layers = _pyramid(
            Layer(premultiplied(portrait.pixels.astype(np.float32), matte), LEFT, TOP, portrait.scale)
        )

    def landmarks(self, t: float) -> Points:
        """Where the five landmarks are drawn at a time; 5x2 frame pixels. For tests: a pipeline never sees this."""
        pose = self.motion.pose(t)
        return project(_upright(pose), self._shape.turned(self._face, pose.yaw, pose.pitch))

    def draw(self, frame: Image, t: float, motion: tuple[float, float]) -> None:
        """Draw into the frame (BGR uint8, changed in place); motion: pixels since the last frame."""
        pose = self.motion.pose(t)
        h = _upright(pose)
        corners = project(h, np.array([(LEFT, TOP), (RIGHT, TOP), (RIGHT, BOTTOM), (LEFT, BOTTOM)], np.float32))
        window = _window(corners, frame, align=_GRID)
        if window is None:
            return
        x0, y0, x1, y1 = window
        gx = (np.arange(x0 - _GRID, x1 + _GRID, _GRID, dtype=np.float32) + (_GRID - 1) / 2)[None, :]
        gy = (np.arange(y0 - _GRID, y1 + _GRID, _GRID, dtype=np.float32) + (_GRID - 1) / 2)[:, None]
        back = np.linalg.inv(h).astype(np.float32)
        u = back[0, 0] * gx + back[0, 1] * gy + back[0, 2]
        v = back[1, 0] * gx + back[1, 1] * gy + back[1, 2]
        x, y = self._shape.unturned(u, v, pose.yaw, pose.pitch)
        layer = _level(self._layers, pose.eye_distance)
        map_x, map_y = (
            cv2.resize((m - np.float32(o)) * np.float32(layer.scale), None, fx=_GRID, fy=_GRID)[
                _GRID:-_GRID, _GRID:-_GRID
            ]
            for m, o in ((x, layer.left), (y, layer.top))
        )
        drawn = cv2.remap(layer.pixels, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        _lay_over(frame[y0:y1, x0:x1], motion_blur(np.asarray(drawn, np.uint8), motion))


class PhotoActor:
    """A print in a hand: everything drawn by one homography of its plane."""

    def __init__(self, enter: Enter, subject: HeldPhoto, size: tuple[int, int], rng: np.random.Generator) -> None:
        self.motion = Motion(enter, size, subject.temper, rng, raised=True)
        self._face = subject.portrait.face_landmarks
        self._focal = FOCAL * size[0]
        self._card = _pyramid(printed_card(subject.portrait))
        self._hand = _pyramid(holding_hand(subject.portrait.scale, int(rng.integers(2**31))))

    def homography(self, t: float) -> NDArray[np.float64]:
        """From face coordinates on the print to frame pixels at a time."""
        return plane_homography(self.motion.pose(t), self._focal, _CARD_PIVOT)

    def landmarks(self, t: float) -> Points:
        """Where the five landmarks are drawn at a time; 5x2 frame pixels. For tests: a pipeline never sees this."""
        return project(self.homography(t), self._face)

    def draw(self, frame: Image, t: float, motion: tuple[float, float]) -> None:
        """Draw into the frame (BGR uint8, changed in place); motion: pixels since the last frame."""
        pose = self.motion.pose(t)
        h = self.homography(t)
        _draw_plane(frame, _level(self._card, pose.eye_distance), h, motion)
        held = Pose(pose.x, pose.y, pose.eye_distance, 0.6 * pose.roll, 0.4 * pose.yaw, 0.0)  # the wrist takes the rest
        grip = np.array([[0.0, PRINT_BOTTOM + BORDER]], np.float32)
        hand = plane_homography(held, self._focal)
        offset = project(h, grip)[0] - project(hand, grip)[0]
        shift = np.array([[1, 0, offset[0]], [0, 1, offset[1]], [0, 0, 1.0]])
        _draw_plane(frame, _level(self._hand, pose.eye_distance), shift @ hand, motion)


Actor = PersonActor | PhotoActor


def actor_for(enter: Enter, size: tuple[int, int], rng: np.random.Generator) -> Actor:
    """The actor of a subject who enters; size: frame width and height."""
    if isinstance(enter.subject, LivePerson):
        return PersonActor(enter, enter.subject, size, rng)
    return PhotoActor(enter, enter.subject, size, rng)


def _upright(pose: Pose) -> NDArray[np.float64]:
    """The 3x3 similarity of a body that only leans: its turn is in the shape."""
    roll = np.radians(pose.roll)
    c, s = pose.eye_distance * np.cos(roll), pose.eye_distance * np.sin(roll)
    return np.array([[c, -s, pose.x], [s, c, pose.y], [0, 0, 1.0]])


def _pyramid(layer: Layer) -> tuple[Layer, ...]:
    """The layer at full, half and quarter size, so that a small figure does not alias."""
    levels = [layer]
    for _ in range(2):
        last = levels[-1]
        small = np.asarray(cv2.pyrDown(last.pixels), np.uint8)
        # pyrDown keeps even samples: pixel centres move by half a fine pixel
        levels.append(Layer(small, last.left - 0.5 / last.scale + 0.25 / (last.scale / 2), last.top, last.scale / 2))
    return tuple(levels)


def _level(levels: tuple[Layer, ...], eye_distance: float) -> Layer:
    """The coarsest level that still has a pixel per frame pixel (or nearly)."""
    fitting = [level for level in levels if level.scale >= 0.8 * eye_distance]
    return fitting[-1] if fitting else levels[0]


def _window(corners: Points, frame: Image, align: int = 1) -> tuple[int, int, int, int] | None:
    """The part of the frame that the corners span: left, top, right, bottom; None when outside."""
    height, width = frame.shape[:2]
    x0, y0 = np.floor(corners.min(axis=0)).astype(int)
    x1, y1 = np.ceil(corners.max(axis=0)).astype(int)
    x0, y0 = max(int(x0) // align * align, 0), max(int(y0) // align * align, 0)
    x1, y1 = min(-(-int(x1) // align) * align, width), min(-(-int(y1) // align) * align, height)
    x1, y1 = x0 + (x1 - x0) // align * align, y0 + (y1 - y0) // align * align
    return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None


def _draw_plane(frame: Image, layer: Layer, h: NDArray[np.float64], motion: tuple[float, float]) -> None:
    """Draw a flat layer by the homography h from face coordinates to frame pixels."""
    height, width = layer.pixels.shape[:2]
    right, bottom = layer.left + width / layer.scale, layer.top + height / layer.scale
    outline = np.array([(layer.left, layer.top), (right, layer.top), (right, bottom), (layer.left, bottom)], np.float32)
    window = _window(project(h, outline), frame)
    if window is None:
        return
    x0, y0, x1, y1 = window
    from_pixels = np.array([[1 / layer.scale, 0, layer.left], [0, 1 / layer.scale, layer.top], [0, 0, 1.0]])
    to_window = np.array([[1, 0, -x0], [0, 1, -y0], [0, 0, 1.0]]) @ h @ from_pixels
    drawn = cv2.warpPerspective(
        layer.pixels, to_window, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT
    )
    _lay_over(frame[y0:y1, x0:x1], motion_blur(np.asarray(drawn, np.uint8), motion))


def _lay_over(under: Image, layer: Image) -> None:
    """Composite premultiplied BGRA over BGR, in place."""
    b, g, r, a = cv2.split(layer)
    through = cv2.bitwise_not(a)
    dimmed = cv2.multiply(under, cv2.merge([through, through, through]), scale=1 / 255)
    under[:] = cv2.add(dimmed, cv2.merge([b, g, r]))
