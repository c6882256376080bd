"""A recipe as data: which files a pack is made from, by SHA-256, and what becomes of each; one folder, one recipe.

Reading the files belongs to `models.sources`, making the pack to `build`. Besides `recipe.toml` a folder holds the
card, and what was measured or made once: golden vectors, calibration, code book.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from models.document import Fields, Json
from models.errors import PackDamaged, PackUnknown
from models.manifest import MAX_FILE_BYTES, Model, Upstream, Use
from models.manifest_document import read_model
from models.sources import Published, Source

DATA = Path(__file__).parent / "data"
LICENCES = DATA / "licences"
RECIPE_NAME = "recipe.toml"


@dataclass(frozen=True, slots=True)
class Recipe:
    """folder: where it lies. origins: name of the source each model is made from, by the model's file.

    texts: files of licence texts in the pack, each with the name of a source or of a file in `LICENCES`.
    """

    name: str
    version: str
    summary: str
    folder: Path
    sources: tuple[Source, ...]
    models: tuple[Model, ...]
    origins: Mapping[str, str]
    texts: Mapping[str, str]

    @property
    def used(self) -> tuple[Source, ...]:
        """The sources that go into the pack; a recipe may name alternatives."""
        names = {*self.origins.values(), *self.texts.values()}
        return tuple(source for source in self.sources if source.name in names)

    @property
    def published(self) -> tuple[Published, ...]:
        """The files to have at hand."""
        return tuple(dict.fromkeys(source.published for source in self.used))

    @property
    def use(self) -> Use:
        """What the licences of all models together allow."""
        return Use.ANY if all(model.licence.use is Use.ANY for model in self.models) else Use.RESEARCH

    def beside(self, name: str) -> bytes | None:
        """A file beside the recipe, if it has one."""
        path = self.folder / name
        return path.read_bytes() if path.exists() else None


def names() -> tuple[str, ...]:
    """The recipes this version has, in order of name."""
    return tuple(sorted(path.parent.name for path in DATA.glob(f"*/{RECIPE_NAME}")))


def load(name: str) -> Recipe:
    """The recipe of this name. Raises PackUnknown."""
    if name not in names():
        raise PackUnknown(f"there is no recipe {name!r}; known: {', '.join(names())}")
    return read(DATA / name)


def read(folder: Path) -> Recipe:
    """The recipe in a folder of its name. Raises PackDamaged for whatever is missing, unknown or impossible in it."""
    what = f"{folder.name}/{RECIPE_NAME}"
    try:
        parsed: Json = tomllib.loads((folder / RECIPE_NAME).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PackDamaged(f"{what}: cannot be read ({error})") from error
    top = Fields(parsed, what)
    name, version, summary = top.slug("name"), top.slug("version"), top.text("summary")
    texts = top.object("texts").table()
    archives = (
        {archive.name: archive for archive in map(_published, top.objects("archives"))} if top.has("archives") else {}
    )
    sources = tuple(_source(fields, archives) for fields in top.objects("files"))
    by_name = {source.name: source for source in sources}
    models, origins = _models(top, by_name)
    top.end()
    recipe = Recipe(name, version, summary, folder, sources, models, origins, texts)
    if name != folder.name:
        raise PackDamaged(f"{what}: is called {name}")
    if len(by_name) != len(sources):
        raise PackDamaged(f"{what}: names a file twice")
    strange = sorted(set(texts.values()) - by_name.keys() - {path.name for path in LICENCES.iterdir()})
    if strange:
        raise PackDamaged(f"{what}: there is no licence text {strange[0]}")
    return recipe


def _published(fields: Fields) -> Published:
    published = Published(
        name=fields.text("name"),
        sha256=fields.sha256("sha256"),
        size=fields.whole("bytes", 1, MAX_FILE_BYTES),
        address=fields.text("address"),
        modified=fields.text("modified") if fields.has("modified") else None,
    )
    fields.end()
    if not published.address.startswith(("https://", "pkg:pypi/")):
        raise fields.fault("address", "is neither https nor a package URL")
    return published


def _source(fields: Fields, archives: Mapping[str, Published]) -> Source:
    if not fields.has("archive"):
        published = _published(fields)
        return Source(published.name, published.sha256, published.size, published)
    archive = archives.get(fields.text("archive"))
    if archive is None:
        raise fields.fault("archive", "is not among the archives")
    name, path, sha256 = fields.text("name"), fields.text("path"), fields.sha256("sha256")
    size = fields.whole("bytes", 1, MAX_FILE_BYTES)
    fields.end()
    return Source(name, sha256, size, archive, path)


def _models(top: Fields, sources: Mapping[str, Source]) -> tuple[tuple[Model, ...], dict[str, str]]:
    models, origins = [], {}
    for fields in top.objects("models"):
        source = sources.get(fields.text("source"))
        if source is None:
            raise fields.fault("source", "is not among the files")
        upstream = Upstream(source.address, source.sha256, source.size, source.published.modified)
        model = read_model(fields, upstream, fields.slugs("convert"))
        models.append(model)
        origins[model.file] = source.name
    return tuple(models), origins
