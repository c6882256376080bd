"""Films of people from real photos, as a webcam would take them."""

from pathlib import Path

from appliance.capture.scene import Scene
from appliance.capture.scene_script import Enter, LivePerson, Script
from appliance.core.types import Frame
from appliance.demo.cast import Picture, photograph
from appliance.face.pipeline import FacePipeline
from appliance.opencv import cv2


def film_of(picture: Picture, eyes: FacePipeline, seconds: float) -> list[Frame]:
    """Somebody steps up and looks into the camera; 640 x 480, 15 a second."""
    scene = Scene(Script((Enter(0.2, LivePerson(photograph(picture, eyes).portrait)),), seconds=seconds), seed=3)
    return list(iter(scene.read, None))


def write_film(path: Path, frames: list[Frame]) -> None:
    """Keep it as motion JPEG."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 15.0, (640, 480))
    for frame in frames:
        writer.write(frame.pixels)
    writer.release()
