"""Whether the screen has to give light, because the face before it is too dark.

How bright a face must be is the policy's gate; turning a screen into a lamp is the front end's.
"""

from dataclasses import dataclass

from appliance.core.policy import QualityGate
from appliance.core.types import Observation

LIT = 3.0
"""The lamp goes out once a face is so many times as bright as the gate asks: more than a screen alone makes of a dark
face, so that its own light does not put it out. Chosen, not measured: no dark room was at hand."""


@dataclass(frozen=True, slots=True)
class Lamp:
    """on: whether the screen gives light."""

    on: bool = False

    def follow(self, seen: Observation, gate: QualityGate) -> "Lamp":
        """Take one frame into account. Without a face the whole picture counts, as it does for the hint."""
        m = seen.measures
        if m is None:
            return Lamp(self.on or seen.scene_luminance < gate.min_luminance / 2)
        dark = m.luminance < gate.min_luminance or m.under_exposed > gate.max_under_exposed
        return Lamp(dark or (self.on and m.luminance < LIT * gate.min_luminance))
