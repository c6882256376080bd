"""Measures the pictures of a set with a pack, one picture in memory at a time, exactly as the desk would.

A picture that cannot be read, or shows no face, is a failure to acquire and is counted; it stops nothing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from appliance.capture.picture import read_image
from appliance.capture.replay import VideoFile
from appliance.core.errors import CameraUnavailable, ImageUnreadable
from appliance.core.policy import QualityGate
from appliance.core.ports import Observer
from appliance.core.quality import judge
from appliance.core.types import Face, Frame, Instant, Observation, Sensitive
from appliance.evaluation.datasets import Clip, DataSet, Picture, Subject
from appliance.evaluation.measured import Measured

CLIP_RATE = 15.0
"""Frames a second looked at in a clip: what a desk with an ordinary camera looks at."""

Progress = Callable[[str, int, int], None]
"""Told what is measured, how many are done, and of how many (0: unknown)."""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Row(Sensitive):
    """What was measured on one frame. vector: None without a face, or where embeddings are not wanted."""

    readable: bool
    found: bool
    vector: NDArray[np.float32] | None = None
    quality: float | None = None
    passed: bool = False
    components: tuple[tuple[str, int], ...] = ()
    live: float | None = None


UNREADABLE = Row(readable=False, found=False)
NO_FACE = Row(readable=True, found=False)


class Memory(Protocol):
    """Where rows are kept between runs; by default nowhere, since they are biometric data."""

    def recall(self, item: Picture | Clip, frame: int) -> Row | None:
        """The row of a picture (frame 0) or of a frame of a clip, if kept."""

    def keep(self, item: Picture | Clip, frame: int, row: Row) -> None:
        """Keep a row."""

    def close(self) -> None:
        """Write what is kept."""


class Forgetful:
    """Keeps nothing."""

    def recall(self, item: Picture | Clip, frame: int) -> Row | None:  # noqa: ARG002 - the signature is the port's
        """Nothing."""
        return None

    def keep(self, item: Picture | Clip, frame: int, row: Row) -> None:
        """Forget it."""

    def close(self) -> None:
        """Nothing to write."""


@dataclass(frozen=True, slots=True)
class Instruments:
    """What measures. gate: of a check-in. live: whether live scores are wanted."""

    observer: Observer
    gate: QualityGate
    live: bool = False


def measure(data: DataSet, tools: Instruments, memory: Memory, progress: Progress) -> Measured:
    """Measure every picture and clip of a set; live scores only where it was made for them."""
    tools = replace(tools, live=tools.live and data.presents)
    rows: list[Row] = []
    for picture in data.pictures:
        rows.append(_picture(picture, data.subject, tools, memory))
        progress(data.name, len(rows), len(data.pictures))
    owners: list[Picture | Clip] = list(data.pictures)
    for clip in data.clips:
        for row in _clip(clip, tools, memory):
            rows.append(row)
            owners.append(clip)
            progress(data.name, len(rows), 0)
    memory.close()
    return _table(rows, owners)


def _picture(picture: Picture, subject: Subject, tools: Instruments, memory: Memory) -> Row:
    known = memory.recall(picture, 0)
    if known is not None and _complete(known, tools):
        return known
    try:
        pixels = read_image(picture.path)
    except ImageUnreadable:
        row = UNREADABLE
    else:
        row = _row(Frame(pixels, Instant(0.0), "evaluation", 0), subject, tools, embed=True)
    memory.keep(picture, 0, row)
    return row


def _clip(clip: Clip, tools: Instruments, memory: Memory) -> Iterator[Row]:
    try:
        video = VideoFile(clip.path)
    except (CameraUnavailable, ImageUnreadable):
        yield UNREADABLE
        return
    stride = max(1, round(video.fps / CLIP_RATE))
    try:
        while (frame := video.read()) is not None:
            if frame.index % stride:
                continue
            row = memory.recall(clip, frame.index)
            if row is None or not _complete(row, tools):
                row = _row(frame, Subject.LARGEST, tools, embed=clip.person is not None)
                memory.keep(clip, frame.index, row)
            yield row
    finally:
        video.close()


def _complete(row: Row, tools: Instruments) -> bool:
    """Whether a kept row holds all that is wanted now."""
    return not row.found or not tools.live or row.live is not None


def _row(frame: Frame, subject: Subject, tools: Instruments, *, embed: bool) -> Row:
    seen = tools.observer.observe(frame)
    if not seen.faces:
        return NO_FACE
    face = _chosen(seen, subject)
    quality = tools.observer.unified_quality(frame, face)
    # measures are of the largest face; of another one they are not known
    judged = judge(seen, tools.gate, unified=quality) if face is seen.faces[0] else None
    return Row(
        readable=True,
        found=True,
        vector=tools.observer.embed(frame, face).vector if embed else None,
        quality=quality,
        passed=judged is not None and judged.passed,
        components=judged.components if judged is not None else (),
        live=tools.observer.live_score(frame, face) if tools.live else None,
    )


def _chosen(seen: Observation, subject: Subject) -> Face:
    if subject is Subject.LARGEST:
        return seen.faces[0]
    middle = seen.frame_width / 2, seen.frame_height / 2
    return min(seen.faces, key=lambda face: float(np.hypot(*np.subtract(face.box.centre, middle))))


def _table(rows: list[Row], owners: list[Picture | Clip]) -> Measured:
    names = tuple(name for name, _ in next((row.components for row in rows if row.components), ()))
    sessions = sorted({owner.session for owner in owners if owner.session})
    number = {session: n for n, session in enumerate(sessions)}
    series: dict[tuple[object, ...], int] = {}
    keys = [_series(owner) for owner in owners]
    for key in keys:
        series.setdefault(key, len(series))
    return Measured(
        vectors=_vectors(rows),
        found=np.array([row.found for row in rows], bool),
        readable=np.array([row.readable for row in rows], bool),
        person=np.array([-1 if owner.person is None else owner.person for owner in owners], np.int64),
        session=np.array([number.get(owner.session, -1) for owner in owners], np.int64),
        sessions=tuple(sessions),
        species=np.array([owner.species.value for owner in owners], np.str_),
        series=np.array([series[key] for key in keys], np.int64),
        quality=_floats([row.quality for row in rows]),
        passed=np.array([row.passed for row in rows], bool),
        components=_components(rows, names),
        names=names,
        live=_floats([row.live for row in rows]),
    )


def _series(owner: Picture | Clip) -> tuple[object, ...]:
    """What was taken one after another: a clip; pictures of one person, session and kind."""
    if isinstance(owner, Clip):
        return (owner.path,)
    return owner.species, owner.person, owner.session


def _floats(values: list[float | None]) -> NDArray[np.float32]:
    return np.array([np.nan if value is None else value for value in values], np.float32)


def _components(rows: list[Row], names: tuple[str, ...]) -> NDArray[np.float32]:
    blank = (float("nan"),) * len(names)
    values = [tuple(value for _, value in row.components) or blank for row in rows]
    return np.array(values, np.float32).reshape(len(rows), len(names))


def _vectors(rows: list[Row]) -> NDArray[np.float32]:
    width = next((len(row.vector) for row in rows if row.vector is not None), 0)
    table = np.zeros((len(rows), width), np.float32)
    for place, row in zip(table, rows, strict=True):
        if row.vector is not None:
            place[:] = row.vector
    return table


def renumbered(measured: Measured, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The people of these rows, numbered from 0 without gaps."""
    return np.unique(measured.person[rows], return_inverse=True)[1].astype(np.int64)
