"""Loads a model through the insightface package, which then vouches for what it is; imported by no other pack.

Which packs ask for it says their manifest. What the network's outputs mean belongs to `scrfd` and `embedder`, as for
every pack; the package's own image handling is not used.
"""

import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path

from appliance.inference import onnxruntime
from models.manifest import Model, Task

_CLASSES: Mapping[Task, str] = {Task.DETECT: "SCRFD", Task.EMBED: "ArcFaceONNX"}


class NotOfInsightFace(Exception):
    """The package takes the file for something else than the manifest says; the message says for what."""


def session_of(data: bytes, model: Model, options: onnxruntime.SessionOptions) -> onnxruntime.InferenceSession:
    """The session the package opens for a model. Raises NotOfInsightFace, and what onnxruntime raises.

    The package knows a file by the shapes of its inputs and outputs alone, so its class and normalisation are compared
    with the manifest. It wants a path: the verified bytes go to a private folder, which is gone afterwards.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package's imports warn of each other
        from insightface.model_zoo.model_zoo import get_model  # noqa: PLC0415 - 0.4 s and 70 MB, for such packs only

    with tempfile.TemporaryDirectory(prefix="keldim-insightface-") as folder:
        path = Path(folder) / model.file
        path.write_bytes(data)
        loaded = get_model(str(path), providers=["CPUExecutionProvider"], sess_options=options)
    kind = type(loaded).__name__
    if loaded is None or kind != _CLASSES[model.task]:
        raise NotOfInsightFace(f"{model.file}: insightface takes it for {'nothing' if loaded is None else kind}")
    for what, ours, theirs in (
        ("mean", model.input.mean, float(loaded.input_mean)),
        ("spread", model.input.std, float(loaded.input_std)),
    ):
        if any(value != theirs for value in ours):
            raise NotOfInsightFace(f"{model.file}: insightface uses {what} {theirs:g}, the manifest {list(ours)}")
    session: onnxruntime.InferenceSession = loaded.session
    return session
