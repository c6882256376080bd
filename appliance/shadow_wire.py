"""What goes between the desk and the process that watches its visits with a new pack: pictures there, yes and no back.

Both ends are one version of this program. A picture crosses a pipe and never touches a disk; running the other process
is `shadow_process`'s, telling it what to do `shadow_link`'s.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from appliance.core.shadow import Compared
from appliance.core.types import Box, Frame, Instant, Sensitive

MOST_FRAMES: Final = 5
"""Of one visit: three that passed the gate, one that did not, one without a face. At 1280 x 720 they are 14 MB."""


@dataclass(frozen=True, slots=True, repr=False)
class Seen(Sensitive):
    """One frame as the pack in use saw it. face: the largest. passed: the gate of a check-in let it pass."""

    frame: Frame
    face: Box | None
    passed: bool


@dataclass(frozen=True, slots=True, repr=False)
class Visit(Sensitive):
    """Some frames of one visit. live: it was found live."""

    frames: tuple[Seen, ...]
    live: bool


@dataclass(frozen=True, slots=True)
class Ready:
    """The pack was opened and examined."""


class Blame(StrEnum):
    """What kept a pack from being opened."""

    UNFIT = "unfit"
    SLOW = "slow"
    ELSEWHERE = "elsewhere"
    """Not the pack's fault: a licence nobody accepted, pictures that are missing."""


@dataclass(frozen=True, slots=True)
class Unopened:
    """The pack is not opened. blame: a value of `Blame`."""

    why: str
    blame: str


def write_visit(visit: Visit) -> Iterator[bytes]:
    """A line that says what follows, then the pixels of each frame."""
    heads = [
        {"height": one.frame.height, "width": one.frame.width, "face": _box(one.face), "passed": one.passed}
        for one in visit.frames
    ]
    yield json.dumps({"live": visit.live, "frames": heads}).encode() + b"\n"
    for one in visit.frames:
        yield np.ascontiguousarray(one.frame.pixels).tobytes()


def _box(box: Box | None) -> list[float] | None:
    return None if box is None else [box.x, box.y, box.w, box.h]


def read_visit(line: bytes, take: Callable[[int], bytes]) -> Visit:
    """The visit that a line announces. take: gives so many of the bytes that follow."""
    head = json.loads(line)
    frames = []
    for number, one in enumerate(head["frames"]):
        height, width = one["height"], one["width"]
        pixels = np.frombuffer(take(height * width * 3), np.uint8).reshape(height, width, 3)
        face = None if one["face"] is None else Box(*one["face"])
        frames.append(Seen(Frame(pixels, Instant(float(number)), "shadow", number), face, one["passed"]))
    return Visit(tuple(frames), head["live"])


def write_answer(answer: Ready | Unopened | Compared) -> bytes:
    """One line."""
    return json.dumps({"is": type(answer).__name__, **asdict(answer)}).encode() + b"\n"


def read_answer(line: bytes) -> Ready | Unopened | Compared:
    """What one line says. Raises ValueError for anything else than `write_answer` writes."""
    try:
        value = json.loads(line)
        kinds: dict[str, type[Ready | Unopened | Compared]]
        kinds = {"Ready": Ready, "Unopened": Unopened, "Compared": Compared}
        return kinds[value.pop("is")](**value)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError("no answer of the process that watches") from error
