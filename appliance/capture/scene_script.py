"""Owns what a scripted scene is told to do: subjects and time-keyed actions, as values.

How the actions look is the matter of `scene`; whether a subject is alive is for the pipeline to find out, so none of
these values travels with a frame.
"""

from dataclasses import dataclass, field

from appliance.capture.scene_portrait import Portrait
from appliance.core.types import Sensitive


@dataclass(frozen=True, slots=True)
class Temper:
    """How a subject answers the prompts on the screen.

    reaction: shortest and longest time to the first motion, seconds (choice reaction of adults to a sign on a screen).
    angle: smallest and largest turn, degrees; as far the head goes after a dot. nearer: how many times as large it gets
    when asked closer. seconds: how long a motion takes. hold: how long a turn is held unless told to look straight.
    obeys: False ignores every prompt.
    """

    reaction: tuple[float, float] = (0.4, 0.7)
    angle: tuple[float, float] = (27.0, 30.0)
    nearer: tuple[float, float] = (1.28, 1.4)
    seconds: float = 0.55
    hold: float = 1.4
    obeys: bool = True


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class LivePerson(Sensitive):
    """Somebody with a head: turns in depth when asked."""

    portrait: Portrait
    temper: Temper = field(default_factory=Temper)


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class HeldPhoto(Sensitive):
    """A print of the portrait held before the camera; moves as a plane only, tilted as asked by whoever holds it."""

    portrait: Portrait
    temper: Temper = field(default_factory=Temper)


Subject = LivePerson | HeldPhoto


@dataclass(frozen=True, slots=True)
class Enter:
    """A subject comes in from one side and steps up within `seconds`.

    at: seconds since the scene began. who: what later actions call this subject. side: -1 from the left of the picture,
    1 from the right, 0 straight from the back. x, y: where the eyes come to rest, in shares of the frame.
    eye_distance: at rest, in pixels of a frame 640 wide.
    """

    at: float
    subject: Subject
    who: str = "patient"
    seconds: float = 2.4
    side: int = -1
    x: float = 0.5
    y: float = 0.42
    eye_distance: float = 62.0


@dataclass(frozen=True, slots=True)
class Approach:
    """Come nearer or go back until the eyes are so many pixels apart; x and y as in `Enter`, None keeps the place."""

    at: float
    eye_distance: float
    seconds: float = 1.5
    x: float | None = None
    y: float | None = None
    who: str = "patient"


@dataclass(frozen=True, slots=True)
class Turn:
    """Turn (or, for a photo, tilt) to these angles, degrees as in `Pose`, without being asked; stays so."""

    at: float
    yaw: float = 0.0
    pitch: float = 0.0
    seconds: float = 0.6
    who: str = "patient"


@dataclass(frozen=True, slots=True)
class Tilt:
    """Lean the head, or the photo, by so many degrees clockwise in the picture; stays so."""

    at: float
    roll: float
    seconds: float = 0.6
    who: str = "patient"


@dataclass(frozen=True, slots=True)
class Leave:
    """Go out of the picture at one side (-1 left, 1 right)."""

    at: float
    seconds: float = 1.6
    side: int = 1
    who: str = "patient"


@dataclass(frozen=True, slots=True)
class Light:
    """Change the light.

    gain: 1 is a well lit room; 0.25 a dark one. warmth: -1 bluish daylight .. 1 yellowish bulb. side: -1 all light from
    the left of the picture .. 1 all from the right.
    """

    at: float
    gain: float = 1.0
    warmth: float = 0.0
    side: float = 0.0
    seconds: float = 0.8


@dataclass(frozen=True, slots=True)
class Focus:
    """Defocus the lens: Gaussian sigma in pixels, 0 is sharp."""

    at: float
    sigma: float
    seconds: float = 0.5


Action = Enter | Approach | Turn | Tilt | Leave | Light | Focus


@dataclass(frozen=True, slots=True)
class Script:
    """Everything that happens in one scene, without what the subjects are prompted to do.

    seconds: length; None goes on for ever. Actions are carried out in order of time.
    """

    actions: tuple[Action, ...]
    seconds: float | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for an action before the scene begins, or of somebody who has not entered."""
        entered: set[str] = set()
        for action in sorted(self.actions, key=lambda a: a.at):
            if action.at < 0:
                raise ValueError("an action cannot come before the scene begins")
            if isinstance(action, Enter):
                entered.add(action.who)
            elif not isinstance(action, Light | Focus) and action.who not in entered:
                raise ValueError(f"{type(action).__name__}: {action.who} has not entered")
