"""Takes probes of one person from pictures, or from a camera for a single comparison.

Which frame is good enough is judged by `core.quality`; an enrolment before a camera is `guided_looks`'.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from appliance.core.errors import FaceNotUsable
from appliance.core.policy import Policy, QualityGate
from appliance.core.ports import FrameSource, Observer
from appliance.core.quality import Hint, judge
from appliance.core.types import Frame, Instant
from appliance.recognition import Probe, take
from appliance.texts import Language, hint_text

LOOKS = 3
"""Frames that are fused for a comparison."""

SPACING = 0.4
"""Seconds between two kept frames: neighbours would only repeat each other's noise."""


def _probe(observer: Observer, earlier: Sequence[Observer], gate: QualityGate, frame: Frame) -> Probe | Hint:
    """The probe of a good frame, else what is wrong with it."""
    seen = observer.observe(frame)
    report = judge(seen, gate)
    if report.passed and gate.min_unified > 0:
        report = judge(seen, gate, unified=observer.unified_quality(frame, seen.faces[0]))
    if report.hint is not None:
        return report.hint
    return take(observer, earlier, frame, seen.faces[0], report.weakest)


def from_picture(
    observer: Observer, gate: QualityGate, pixels: NDArray[np.uint8], name: str, earlier: Sequence[Observer] = ()
) -> Probe:
    """The probe of one picture (BGR uint8 HxWx3). Raises FaceNotUsable with what is wrong.

    gate: of an enrolment or of a check-in. earlier: packs that the desk is moving away from.
    """
    taken = _probe(observer, earlier, gate, Frame(pixels, Instant(0.0), name, 0))
    if isinstance(taken, Hint):
        raise FaceNotUsable(f"{name}: the picture is not good enough: {hint_text(taken, Language.ENGLISH)}")
    return taken


def from_source(
    observer: Observer,
    policy: Policy,
    source: FrameSource,
    seconds: float,
    wanted: int = LOOKS,
    earlier: Sequence[Observer] = (),
) -> tuple[Probe, ...]:
    """Up to `wanted` probes from the first `seconds` of a camera or recording, by the gate of a check-in.

    earlier: as for `from_picture`.

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
        taken = _probe(observer, earlier, policy.gate, frame)
        if isinstance(taken, Hint):
            hint = taken
        else:
            kept.append(taken)
            last = frame.at
    if not kept:
        why = hint_text(hint, Language.ENGLISH) if hint else "no frames"
        raise FaceNotUsable(f"{source.name}: no good picture within {seconds:g} s: {why}")
    return tuple(kept)
