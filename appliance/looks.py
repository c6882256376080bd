"""Takes the looks of one person for an enrolment or a single comparison: good frames become probes.

Which frame is good enough is judged by `core.quality`; keeping the probes is `enrolment`'s.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from appliance.core.errors import FaceNotUsable
from appliance.core.policy import Policy
from appliance.core.ports import FrameSource, Observer
from appliance.core.quality import Hint, judge
from appliance.core.types import Frame, Instant
from appliance.recognition import Probe, take

LOOKS = 3
"""Frames kept of an enrolment before the camera."""

SPACING = 0.4
"""Seconds between two kept frames: neighbours would only repeat each other's noise."""


def _probe(observer: Observer, earlier: Sequence[Observer], policy: Policy, frame: Frame) -> Probe | Hint:
    """The probe of a good frame, else what is wrong with it."""
    seen = observer.observe(frame)
    report = judge(seen, policy.gate)
    if report.hint is not None:
        return report.hint
    return take(observer, earlier, frame, seen.faces[0], report.weakest)


def from_picture(
    observer: Observer, policy: Policy, pixels: NDArray[np.uint8], name: str, earlier: Sequence[Observer] = ()
) -> Probe:
    """The probe of one picture (BGR uint8 HxWx3). Raises FaceNotUsable with what is wrong.

    earlier: packs that the desk is moving away from.
    """
    taken = _probe(observer, earlier, policy, Frame(pixels, Instant(0.0), name, 0))
    if isinstance(taken, Hint):
        raise FaceNotUsable(f"{name}: the picture does not fulfil the rules of an enrolment ({taken.value})")
    return taken


def from_source(
    observer: Observer,
    policy: Policy,
    source: FrameSource,
    seconds: float,
    wanted: int = LOOKS,
    earlier: Sequence[Observer] = (),
) -> tuple[Probe, ...]:
    """Up to `wanted` probes from the first `seconds` of a camera or recording. earlier: as for `from_picture`.

    Raises FaceNotUsable when not one frame was good enough.
    """
    kept: list[Probe] = []
    first: Instant | None = None
    last: Instant | None = None
    hint: Hint | None = None
    while len(kept) < wanted:
        frame = source.read()
        if frame is None:
            break
        first = frame.at if first is None else first
        if frame.at - first > seconds:
            break
        if last is not None and frame.at - last < SPACING:
            continue
        taken = _probe(observer, earlier, policy, frame)
        if isinstance(taken, Hint):
            hint = taken
        else:
            kept.append(taken)
            last = frame.at
    if not kept:
        raise FaceNotUsable(
            f"{source.name}: no good picture within {seconds:g} s ({hint.value if hint else 'no frames'})"
        )
    return tuple(kept)
