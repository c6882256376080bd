"""Makes a pack by its recipe: converts the verified sources, writes the manifest, has everything tested, then replaces.

Running a network belongs to the laboratory it is given (`appliance.face.laboratory`). The same sources give the same
pack, byte for byte, where the recipe brings its golden vectors.
"""

import hashlib
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.calibration import CALIBRATION_NAME
from models.errors import SourceUnusable
from models.manifest import MANIFEST_NAME, Manifest, Model, PackFile, pack_digest
from models.manifest_document import write_manifest
from models.recipes import golden_pictures
from models.recipes.converters import CONVERTERS, EXACT
from models.recipes.recipe import LICENCES, Recipe
from models.sources import read_sources
from models.store import staged

_Outputs = Mapping[str, NDArray[np.float32]]

MIN_REWRITE_COSINE = 0.999999
"""Between the outputs of a network before and after its graph was rewritten."""
_MAX_REWRITE_SCALE = 1e-5
_REWRITE_PICTURES = 4

GOLDEN, CARD, CODEBOOK = "golden.npz", "card.md", "codebook.npz"


class Laboratory(Protocol):
    """What runs networks for a build."""

    def outputs(self, data: bytes, model: Model, pictures: NDArray[np.uint8]) -> Mapping[str, NDArray[np.float32]]:
        """What the network in `data` makes of pictures (n x h x w x 3 BGR), by output. Raises a known failure."""

    def check(self, staged: Path) -> object:
        """Open the finished pack as a desk will; raises to refuse it."""


def build(recipe: Recipe, folders: Sequence[Path], out: Path, laboratory: Laboratory) -> str:
    """Build the pack into the folder `out` from the sources in `folders`, and give its digest.

    Whatever is wrong with a source or with the result is raised before an older pack in `out` is touched:
    SourceUnusable, PackUnwritable, and what the laboratory raises.
    """
    sources = read_sources(folders, recipe.used)
    files = {model.file: _converted(model, sources[recipe.origins[model.file]], laboratory) for model in recipe.models}
    files |= licence_texts(recipe)
    files |= {name: sources[text] for name, text in recipe.texts.items() if text in sources}
    extras = {name: recipe.beside(name) for name in (CALIBRATION_NAME, CODEBOOK, CARD, GOLDEN)}
    files |= {name: data for name, data in extras.items() if data is not None}
    if GOLDEN not in files:
        files[GOLDEN] = record(recipe.models, files, laboratory)
    manifest = write_manifest(_manifest(recipe, files))
    with staged(out, laboratory.check) as staging:
        for name, data in files.items():
            (staging / name).write_bytes(data)
        (staging / MANIFEST_NAME).write_bytes(manifest)
    return pack_digest(manifest)


def licence_texts(recipe: Recipe) -> dict[str, bytes]:
    """The licence texts a recipe brings itself, by their name in the pack; not those that come with the weights."""
    shipped = {name: LICENCES / text for name, text in recipe.texts.items() if (LICENCES / text).exists()}
    return {name: path.read_bytes() for name, path in shipped.items()}


def _converted(model: Model, data: bytes, laboratory: Laboratory) -> bytes:
    for name in model.rewrites:
        if name not in CONVERTERS:
            raise SourceUnusable(f"{model.file}: this version has no converter {name}")
        before, data = data, CONVERTERS[name](data)
        if name in EXACT:
            _compare(model, name, *(laboratory.outputs(each, model, _pictures(model)) for each in (before, data)))
    return data


def _pictures(model: Model) -> NDArray[np.uint8]:
    return golden_pictures.draw(model, _REWRITE_PICTURES)


def _compare(model: Model, name: str, before: _Outputs, after: _Outputs) -> None:
    """Raises SourceUnusable unless a rewritten network says what it said before, for each output and picture."""
    for output, expected in before.items():
        one = expected.reshape(_REWRITE_PICTURES, -1).astype(np.float64)
        two = after[output].reshape(_REWRITE_PICTURES, -1).astype(np.float64)
        lengths = np.linalg.norm(one, axis=1), np.linalg.norm(two, axis=1)
        cosine = float(np.min(np.sum(one * two, axis=1) / (lengths[0] * lengths[1])))
        scale = float(np.max(np.abs(lengths[1] / lengths[0] - 1)))
        if not (cosine >= MIN_REWRITE_COSINE and scale <= _MAX_REWRITE_SCALE):
            raise SourceUnusable(
                f"{model.file}: after {name} its {output} is another one (cosine {cosine:.7f}, length {scale:.1e} off)"
            )


def record(models: Sequence[Model], files: Mapping[str, bytes], laboratory: Laboratory) -> bytes:
    """Golden vectors (.npz) for models as they are here; `appliance.face.golden` says what is in them.

    A recipe's `golden.npz` was made this way: take the one out of a pack built without it. Where a recipe has none, its
    packs bring their vectors from the machine that built them, and find changes from then on.
    """
    arrays: dict[str, NDArray[np.uint8] | NDArray[np.float32]] = {}
    for model in models:
        pictures = golden_pictures.draw(model)
        arrays[f"{model.key}.input"] = pictures
        found = laboratory.outputs(files[model.file], model, pictures)
        arrays |= {f"{model.key}.{name}": values for name, values in found.items()}
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]  # numpy's stub takes the names for its own options
    return stream.getvalue()


def _manifest(recipe: Recipe, files: Mapping[str, bytes]) -> Manifest:
    listed = (PackFile(name, hashlib.sha256(data).hexdigest(), len(data)) for name, data in sorted(files.items()))
    return Manifest(
        name=recipe.name,
        version=recipe.version,
        models=recipe.models,
        files=tuple(listed),
        golden=GOLDEN,
        card=CARD,
        calibration=CALIBRATION_NAME if CALIBRATION_NAME in files else None,
        codebook=CODEBOOK if CODEBOOK in files else None,
    )
