"""Owns the scripted scene: a frame source that draws people and held photos before a clinic's wall.

For the demonstration and for tests without a camera. It tells the pipeline nothing but pixels: whether a subject is
alive stays in the script. Frames come as fast as they are read; pacing them to a clock is the matter of `replay.Paced`.
"""

import numpy as np
from numpy.typing import NDArray

from appliance.capture.scene_actor import Actor, actor_for
from appliance.capture.scene_geometry import Track
from appliance.capture.scene_light import Illumination, Lighting, Sensor, defocus
from appliance.capture.scene_room import clinic_room
from appliance.capture.scene_script import Enter, Focus, Light, Script
from appliance.core.types import Cue, Frame, Instant

_ORIGIN = Instant(0.0)


class Scene:
    """A FrameSource. The same script, seed and responses give the same frames.

    One thread only. Frame times are start + index / fps.
    """

    def __init__(
        self,
        script: Script,
        *,
        name: str = "scene",
        start: Instant = _ORIGIN,
        fps: float = 15.0,
        width: int = 640,
        height: int = 480,
        seed: int = 0,
    ) -> None:
        self._script, self._name, self._start, self._fps = script, name, start, fps
        self._room = clinic_room(width, height, seed)
        self._light = Illumination(width, height)
        self._sensor = Sensor(width, height, seed)
        self._gain, self._warmth, self._side, self._blur = Track(1.0), Track(0.0), Track(0.0), Track(0.0)
        self._actors: list[Actor] = []
        self._index = 0
        self._closed = False
        self._set_up((width, height), seed)

    def _set_up(self, size: tuple[int, int], seed: int) -> None:
        on_stage: dict[str, Actor] = {}
        for number, action in enumerate(sorted(self._script.actions, key=lambda a: a.at)):
            match action:
                case Enter():
                    actor = actor_for(action, size, np.random.default_rng((seed, 5, number)))
                    on_stage[action.who] = actor
                    self._actors.append(actor)
                case Light():
                    targets = (action.gain, action.warmth, action.side)
                    for track, target in zip((self._gain, self._warmth, self._side), targets, strict=True):
                        track.move(action.at, action.seconds, target)
                case Focus():
                    self._blur.move(action.at, action.seconds, action.sigma)
                case _:
                    on_stage[action.who].motion.act(action)

    @property
    def name(self) -> str:
        """Stable name of the source; says nothing about the script."""
        return self._name

    def respond(self, cue: Cue, at: Instant, dot: tuple[float, float] | None = None) -> None:
        """Show the subjects a prompt, and where the dot is. The nearest subject answers.

        To be called on every frame; a cue that stays is one cue. at: on the axis of the frames' times. dot: shares of
        the screen from its left and top.
        """
        t = at - self._start
        present = [a for a in self._actors if a.motion.present(t)]
        if present:
            max(present, key=lambda a: a.motion.pose(t).eye_distance).motion.answer(cue, t, dot)

    def read(self) -> Frame | None:
        """The next frame; None when the script has ended or the scene is closed."""
        t = self._index / self._fps
        if self._closed or (self._script.seconds is not None and t >= self._script.seconds):
            return None
        frame = Frame(self._draw(t), Instant(self._start + t), self._name, self._index)
        self._index += 1
        return frame

    def close(self) -> None:
        """End the scene; harmless when called twice."""
        self._closed = True

    def _draw(self, t: float) -> NDArray[np.uint8]:
        picture = self._room.copy()
        present = [a for a in self._actors if a.motion.present(t)]
        for actor in sorted(present, key=lambda a: a.motion.pose(t).eye_distance):
            now, before = actor.motion.pose(t), actor.motion.pose(t - 1 / self._fps)
            actor.draw(picture, t, (now.x - before.x, now.y - before.y))
        lighting = Lighting(self._gain.at(t), self._warmth.at(t), self._side.at(t))
        lit = self._light.apply(defocus(picture, self._blur.at(t)), lighting)
        return self._sensor.expose(lit, lighting.gain, self._index)
