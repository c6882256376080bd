"""The measuring side of the desk: one opened pack behind the port `core.ports.Observer`.

It runs on the thread of its one caller and keeps buffers between calls. What the numbers mean is decided in `core`.
"""

from appliance.core.types import Embedding, Face, Frame, Observation
from appliance.face.closer import CloserLook
from appliance.face.detector import DETECT_SIDE, Detector
from appliance.face.embedder import Embedder
from appliance.face.pack import Pack
from appliance.face.pad import PadEnsemble
from appliance.face.quality import QualityMeter, scene_luminance
from appliance.face.recognisability import RecognisabilityMeter


class FacePipeline:
    """All measuring models of one pack, and the quality meter that needs none."""

    def __init__(self, pack: Pack, detect_side: int = DETECT_SIDE) -> None:
        """detect_side: longest side in pixels of the picture the detector sees."""
        self.pack = pack
        self._detector = Detector(pack.detector, detect_side)
        detect = pack.detector.model.detect
        self._closer = CloserLook(pack.detector, detect.closer) if detect is not None and detect.closer else None
        self._embedder = Embedder(pack.embedder, pack.digest)
        self._meter = QualityMeter()
        self._pads = PadEnsemble(pack.pads) if pack.pads else None
        self._recognisability = RecognisabilityMeter(pack.quality) if pack.quality is not None else None

    def observe(self, frame: Frame) -> Observation:
        """Find the faces of a frame, largest first, and measure the largest."""
        faces = tuple(sorted(self._detector.detect(frame.pixels), key=lambda face: -face.box.area))
        return Observation(
            at=frame.at,
            frame_width=frame.width,
            frame_height=frame.height,
            faces=faces,
            measures=self._meter.measure(frame.pixels, faces) if faces else None,
            scene_luminance=scene_luminance(frame.pixels),
        )

    def embed(self, frame: Frame, face: Face) -> Embedding:
        """Compute the embedding of one face of this frame."""
        marks = face.landmarks
        if self._closer is not None:
            marks = self._closer.landmarks(frame.pixels, marks)
        return self._embedder.embed(frame.pixels, marks)

    def live_score(self, frame: Frame, face: Face) -> float | None:
        """The mean live probability of the pack's attack detectors for one face of this frame."""
        return None if self._pads is None else self._pads.live_score(frame.pixels, face.box)

    def unified_quality(self, frame: Frame, face: Face) -> float | None:
        """The score of the pack's quality network for one face of this frame."""
        return None if self._recognisability is None else self._recognisability.measure(frame.pixels, face.landmarks)
