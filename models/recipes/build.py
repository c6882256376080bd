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
from models.recipes.converters import CONVERTERS
from models.recipes.recipe import LICENCES, Recipe
from models.sources import read_sources
from models.store import staged

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
    return assemble(recipe, read_sources(folders, recipe.used), out, laboratory)


def assemble(recipe: Recipe, sources: Mapping[str, bytes], out: Path, laboratory: Laboratory) -> str:
    """Make the pack of the sources' bytes, by name; the rest as in `build`."""
    files = {model.file: _converted(model, sources[recipe.origins[model.file]]) for model in recipe.models}
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


def _converted(model: Model, data: bytes) -> bytes:
    for name in model.rewrites:
        if name not in CONVERTERS:
            raise SourceUnusable(f"{model.file}: this version has no converter {name}")
        data = CONVERTERS[name](data)
    return data


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
