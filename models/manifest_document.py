"""Reading and writing a manifest: strict, complete, in one canonical form.

What the fields mean belongs to `manifest`; how a JSON document is read at all to `document`.
"""

from models import document
from models.document import Fields, Json
from models.errors import PackDamaged
from models.manifest import (
    FORMAT,
    MANIFEST_NAME,
    MAX_FILE_BYTES,
    CloserSpec,
    Colour,
    DetectSpec,
    EmbedSpec,
    InputSpec,
    Layout,
    Licence,
    Loader,
    Manifest,
    Model,
    PackFile,
    PadSpec,
    QualitySpec,
    Task,
    Upstream,
    Use,
)


def parse_manifest(data: bytes) -> Manifest:
    """Read a manifest. Raises PackDamaged unless it is complete, consistent and in its one canonical form."""
    top = document.read(data, MANIFEST_NAME)
    if top.whole("format", 0, 1 << 16) != FORMAT:
        raise top.fault("format", f"is not {FORMAT}: the pack is for another version of the program")
    manifest = Manifest(
        name=top.slug("name"),
        version=top.slug("version"),
        models=tuple(_model(fields) for fields in top.objects("models")),
        files=tuple(_file(fields) for fields in top.objects("files")),
        golden=top.slug("golden"),
        card=top.slug("card"),
        calibration=top.slug("calibration") if top.has("calibration") else None,
        codebook=top.slug("codebook") if top.has("codebook") else None,
    )
    top.end()
    _check(manifest)
    if write_manifest(manifest) != data:
        raise PackDamaged(f"{MANIFEST_NAME}: not in canonical form")
    return manifest


def _check(manifest: Manifest) -> None:
    names = [file.name for file in manifest.files]
    if names != sorted(set(names)):
        raise PackDamaged(f"{MANIFEST_NAME}: files are repeated or not in order of name")
    if MANIFEST_NAME in names:
        raise PackDamaged(f"{MANIFEST_NAME}: lists itself")
    tasks = [model.task for model in manifest.models if model.task is not Task.PAD]
    if not manifest.models or len(set(tasks)) != len(tasks):
        raise PackDamaged(f"{MANIFEST_NAME}: needs models, at most one per task but pad")
    keys = [model.key for model in manifest.models]
    if "" in keys or len(set(keys)) != len(keys):
        raise PackDamaged(f"{MANIFEST_NAME}: every model needs a file name of its own, with a suffix")
    wanted = [manifest.golden, manifest.card]
    wanted += [name for name in (manifest.calibration, manifest.codebook) if name is not None]
    wanted += [name for model in manifest.models for name in (model.file, model.licence.text)]
    missing = sorted(set(wanted) - set(names))
    if missing:
        raise PackDamaged(f"{MANIFEST_NAME}: {missing[0]} is not among its files")


def _file(fields: Fields) -> PackFile:
    file = PackFile(fields.slug("name"), fields.sha256("sha256"), fields.whole("bytes", 1, MAX_FILE_BYTES))
    fields.end()
    return file


def _model(fields: Fields) -> Model:
    return read_model(fields, _upstream(fields.object("upstream")), fields.slugs("rewrites"))


def read_model(fields: Fields, upstream: Upstream, rewrites: tuple[str, ...]) -> Model:
    """The rest of a model's fields, as manifests and recipes write them. Raises PackDamaged."""
    task = Task(fields.choice("task", Task))
    model = Model(
        task=task,
        family=fields.slug("family"),
        loader=Loader(fields.choice("loader", Loader)),
        file=fields.slug("file"),
        upstream=upstream,
        rewrites=rewrites,
        licence=_licence(fields.object("licence")),
        input=_input(fields.object("input")),
        detect=_detect(fields.object("detect")) if task is Task.DETECT else None,
        embed=_embed(fields.object("embed")) if task is Task.EMBED else None,
        pad=_pad(fields.object("pad")) if task is Task.PAD else None,
        quality=_quality(fields.object("quality")) if task is Task.QUALITY else None,
    )
    fields.end()
    if task is not Task.DETECT and not model.input.fixed:
        raise fields.fault("input", "has one fixed size, except a detector's")
    return model


def _upstream(fields: Fields) -> Upstream:
    upstream = Upstream(
        address=fields.text("address"),
        sha256=fields.sha256("sha256"),
        size=fields.whole("bytes", 1, MAX_FILE_BYTES),
        modified=fields.text("modified") if fields.has("modified") else None,
    )
    fields.end()
    return upstream


def _licence(fields: Fields) -> Licence:
    licence = Licence(fields.text("identifier"), Use(fields.choice("use", Use)), fields.slug("text"))
    fields.end()
    return licence


def _input(fields: Fields) -> InputSpec:
    colour = Colour(fields.choice("colour", Colour))
    layout = Layout(fields.choice("layout", Layout))
    mean, std = _three(fields, "mean"), _three(fields, "std")
    if min(std) <= 0:
        raise fields.fault("std", "is not above zero")
    if fields.has("multiple"):
        spec = InputSpec(colour, mean, std, multiple=fields.whole("multiple", 1, 128), layout=layout)
    else:
        spec = InputSpec(
            colour, mean, std, fields.whole("width", 8, 4096), fields.whole("height", 8, 4096), layout=layout
        )
    fields.end()
    return spec


def _three(fields: Fields, name: str) -> tuple[float, float, float]:
    a, b, c = fields.numbers(name, 3)
    return a, b, c


def _detect(fields: Fields) -> DetectSpec:
    closer = _closer(fields.object("closer")) if fields.has("closer") else None
    spec = DetectSpec(fields.number("score", 0.01, 0.99), fields.number("overlap", 0.05, 0.95), closer)
    fields.end()
    return spec


def _closer(fields: Fields) -> CloserSpec:
    spec = CloserSpec(fields.whole("side", 64, 512), fields.number("eyes", 8, 256))
    fields.end()
    if spec.eyes > spec.side / 2:
        raise fields.fault("eyes", "leaves no room for the face around them")
    return spec


def _embed(fields: Fields) -> EmbedSpec:
    dimension = fields.whole("dimension", 8, 4096)
    a, b, c, d, e = fields.points("template", 5)
    spec = EmbedSpec(dimension, (a, b, c, d, e), fields.flag("mirror"))
    fields.end()
    return spec


def _pad(fields: Fields) -> PadSpec:
    spec = PadSpec(fields.number("context", 1, 10), fields.whole("live", 0, 63))
    fields.end()
    return spec


def _quality(fields: Fields) -> QualitySpec:
    a, b, c = fields.points("template", 3)
    spec = QualitySpec((a, b, c), fields.number("centre", -1e3, 1e3), fields.number("width", 1e-6, 1e3))
    fields.end()
    return spec


def write_manifest(manifest: Manifest) -> bytes:
    """The canonical bytes of a manifest; `parse_manifest` gives the same manifest back."""
    written: dict[str, Json] = {
        "format": FORMAT,
        "name": manifest.name,
        "version": manifest.version,
        "models": [_model_json(model) for model in manifest.models],
        "files": [{"name": f.name, "sha256": f.sha256, "bytes": f.size} for f in manifest.files],
        "golden": manifest.golden,
        "card": manifest.card,
    }
    if manifest.calibration is not None:
        written["calibration"] = manifest.calibration
    if manifest.codebook is not None:
        written["codebook"] = manifest.codebook
    return document.write(written)


def _detect_json(spec: DetectSpec) -> Json:
    written: dict[str, Json] = {"score": spec.score, "overlap": spec.overlap}
    if spec.closer is not None:
        written["closer"] = {"side": spec.closer.side, "eyes": spec.closer.eyes}
    return written


def _model_json(model: Model) -> Json:
    written: dict[str, Json] = {
        "task": model.task.value,
        "family": model.family,
        "loader": model.loader.value,
        "file": model.file,
        "upstream": _upstream_json(model.upstream),
        "rewrites": list(model.rewrites),
        "licence": {
            "identifier": model.licence.identifier,
            "use": model.licence.use.value,
            "text": model.licence.text,
        },
        "input": _input_json(model.input),
    }
    if model.detect is not None:
        written["detect"] = _detect_json(model.detect)
    if model.embed is not None:
        written["embed"] = {
            "dimension": model.embed.dimension,
            "template": [[x, y] for x, y in model.embed.template],
            "mirror": model.embed.mirror,
        }
    if model.pad is not None:
        written["pad"] = {"context": model.pad.context, "live": model.pad.live}
    if model.quality is not None:
        written["quality"] = {
            "template": [[x, y] for x, y in model.quality.template],
            "centre": model.quality.centre,
            "width": model.quality.width,
        }
    return written


def _upstream_json(upstream: Upstream) -> Json:
    written: dict[str, Json] = {"address": upstream.address, "sha256": upstream.sha256, "bytes": upstream.size}
    return written if upstream.modified is None else written | {"modified": upstream.modified}


def _input_json(spec: InputSpec) -> Json:
    written: dict[str, Json] = {
        "colour": spec.colour.value,
        "layout": spec.layout.value,
        "mean": list(spec.mean),
        "std": list(spec.std),
    }
    if spec.fixed:
        return written | {"width": spec.width, "height": spec.height}
    return written | {"multiple": spec.multiple}
