"""Opens a model pack, and is the only door to inference: every hash and the golden self-test pass first.

Reading and verifying files belongs to `models.store`; what goes into a model and what its output means to `detector`
and `embedder`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from appliance.core.errors import PackInvalid, PackUncalibrated
from appliance.core.types import PackDigest
from appliance.face import families, golden
from appliance.face.through_insightface import NotOfInsightFace, session_of
from appliance.inference import onnxruntime, states
from models.acceptance import Acceptances, restricted
from models.calibration import Calibration
from models.errors import LicenceNotAccepted, PackDamaged
from models.manifest import Loader, Manifest, Model, Task
from models.store import PackContents, read_pack

Floats = NDArray[np.float32]

_REFUSED = (
    states.Fail,
    states.InvalidArgument,
    states.InvalidGraph,
    states.InvalidProtobuf,
    states.NotImplemented,
    states.RuntimeException,
)
"""What onnxruntime raises for a file that is no usable model."""


class Runner:
    """One model in one onnxruntime session, on the caller's thread."""

    def __init__(self, data: bytes, model: Model) -> None:
        """Raises PackInvalid when onnxruntime refuses the file."""
        self.model = model
        self._session = _session(data, model)
        first = self._session.get_inputs()[0]
        self._input: str = first.name
        self.outputs: tuple[str, ...] = tuple(output.name for output in self._session.get_outputs())
        _fits(model, first.shape, len(self._session.get_inputs()))

    def run(self, tensor: Floats) -> tuple[Floats, ...]:
        """The outputs, in order of `outputs`, for an input float32 as `model.input` says."""
        return tuple(self._session.run(None, {self._input: tensor}))


def _session(data: bytes, model: Model) -> onnxruntime.InferenceSession:
    try:
        if model.loader is Loader.INSIGHTFACE:
            return session_of(data, model, _options())
        return onnxruntime.InferenceSession(data, _options(), providers=["CPUExecutionProvider"])
    except NotOfInsightFace as error:
        raise PackInvalid(str(error)) from error
    except _REFUSED as error:
        raise PackInvalid(f"{model.file}: onnxruntime refuses the model") from error


def _fits(model: Model, shape: Sequence[object], inputs: int) -> None:
    if inputs != 1:
        raise PackInvalid(f"{model.file}: it has {inputs} inputs instead of one")
    try:
        families.check_input(model, shape)
    except families.FamilyMismatch as error:
        raise PackInvalid(str(error)) from error


def _options() -> onnxruntime.SessionOptions:
    # One thread per session and no spinning: a second thread gains nothing here and burns both cores (68 % against 15 %
    # of a core at 15 detections a second). Not session.set_denormal_as_zero: it changes the arithmetic of the thread
    # that opens the pack, for everything else on it, and does not reach the thread that runs the models.
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    return options


@dataclass(frozen=True, slots=True, eq=False)
class Pack:
    """An opened pack: its models ready to run, and what their scores mean.

    calibration: None only when opened for evaluation. pads: the ensemble against presentation attacks, may be empty.
    codebook: bytes of the .npz for product quantisation of its embeddings, where the pack has one.
    """

    digest: PackDigest
    manifest: Manifest
    calibration: Calibration | None
    detector: Runner
    embedder: Runner
    pads: tuple[Runner, ...] = ()
    quality: Runner | None = None
    codebook: bytes | None = None

    @property
    def name(self) -> str:
        """The pack's name."""
        return self.manifest.name

    @property
    def measured(self) -> Calibration:
        """What its scores mean. Raises PackUncalibrated for a pack that was opened for evaluation without it."""
        if self.calibration is None:
            raise _uncalibrated(self.name)
        return self.calibration


def open_pack(path: Path, *, evaluation: bool = False, accepted: Path | None = None) -> Pack:
    """Open the pack in a folder. accepted: folder where licences were accepted; None: the one around the pack.

    Raises PackInvalid naming the file that is missing, truncated, altered or unexpected, the family this version has no
    adapter for, or the model whose golden self-test fails. Raises LicenceNotAccepted where the weights are not for
    every use and nobody has accepted that in the folder around it, PackUncalibrated for a pack without calibration,
    unless it is opened for evaluation.
    """
    try:
        contents = read_pack(path)
    except PackDamaged as error:
        raise PackInvalid(f"pack {path.name}: {error}") from error
    manifest = contents.manifest
    if Acceptances(accepted or path.parent).missing(restricted(manifest.models, contents.files)):
        raise LicenceNotAccepted(f"pack {manifest.name} is not for every use, and nobody has accepted its licence here")
    if contents.calibration is None and not evaluation:
        raise _uncalibrated(manifest.name)
    runners = {task: tuple(_runner(contents, model) for model in manifest.models_for(task)) for task in Task}
    for task in (Task.DETECT, Task.EMBED):
        if not runners[task]:
            raise PackInvalid(f"pack {manifest.name}: holds no model to {task}")
    _self_test(path.name, contents, [runner for of_task in runners.values() for runner in of_task])
    return Pack(
        digest=PackDigest(contents.digest),
        manifest=manifest,
        calibration=contents.calibration,
        detector=runners[Task.DETECT][0],
        embedder=runners[Task.EMBED][0],
        pads=runners[Task.PAD],
        quality=next(iter(runners[Task.QUALITY]), None),
        codebook=contents.files[manifest.codebook] if manifest.codebook is not None else None,
    )


def _uncalibrated(name: str) -> PackUncalibrated:
    return PackUncalibrated(f"pack {name}: it carries no calibration, so no threshold follows from its scores")


def _self_test(name: str, contents: PackContents, runners: Sequence[Runner]) -> None:
    try:
        known = golden.Golden(contents.files[contents.manifest.golden])
        for runner in runners:
            known.compare(runner.model, _outputs(runner, known.pictures(runner.model)))
    except golden.GoldenMismatch as error:
        raise PackInvalid(f"pack {name}: {error}") from error


def _outputs(runner: Runner, pictures: NDArray[np.uint8]) -> dict[str, Floats]:
    """What a model makes of pictures, in the shapes of its family. Raises PackInvalid."""
    model = runner.model
    try:
        first = golden.outputs(model, pictures[:1], runner.outputs, runner.run)
        families.check_outputs(model, first, pictures.shape[1], pictures.shape[2])
        if len(pictures) == 1:
            return first
        rest = golden.outputs(model, pictures[1:], runner.outputs, runner.run)
    except families.FamilyMismatch as error:
        raise PackInvalid(str(error)) from error
    except _REFUSED as error:
        raise PackInvalid(f"{model.file}: onnxruntime cannot run the golden picture through it") from error
    return {name: np.concatenate([first[name], rest[name]]) for name in first}


def run_pictures(data: bytes, model: Model, pictures: NDArray[np.uint8]) -> dict[str, Floats]:
    """What the network in `data` makes of pictures (n x h x w x 3 BGR). Raises PackInvalid, also for another family."""
    return _outputs(_opened(data, model), pictures)


def _runner(contents: PackContents, model: Model) -> Runner:
    try:
        return _opened(contents.files[model.file], model)
    except PackInvalid as error:
        raise PackInvalid(f"pack {contents.manifest.name}: {error}") from error


def _opened(data: bytes, model: Model) -> Runner:
    if not families.supported(model):
        raise PackInvalid(f"family {model.family} ({model.loader}) is not supported by this version")
    return Runner(data, model)
