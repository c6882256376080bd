"""Commands about model packs: build, pull, list, show, verify."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from appliance.cli.licence_gate import pass_gate
from appliance.cli.output import ERR, EXIT_NO, dump, say, table
from appliance.cli.place import Json, Place, place
from appliance.face.laboratory import Laboratory
from appliance.face.pack import open_pack
from models.download import Downloader, Report
from models.recipes import recipe as recipes
from models.recipes.build import CARD, licence_texts
from models.recipes.build import build as build_pack
from models.recipes.recipe import Recipe
from models.store import InstalledPack, PackStore, read_pack
from models.upstream import obtain
from sync.clock import SystemClock

app = typer.Typer(help="Model packs.", no_args_is_help=True)

UPSTREAM_VARIABLE = "KELDIM_UPSTREAM"
CACHE = ".upstream"
"""Below the folder of packs: what was downloaded, so that building again needs no network."""

Name = Annotated[str, typer.Argument(help="Which recipe; see: keldim models list.")]
Accept = Annotated[
    bool, typer.Option("--accept-licence", help="Accept a licence that does not allow every use; read it with show.")
]


@app.command()
def build(
    context: typer.Context,
    name: Name,
    sources: Annotated[
        Path | None, typer.Option("--from", help=f"Folder with the upstream files; else ${UPSTREAM_VARIABLE}.")
    ] = None,
    accept_licence: Accept = False,
) -> None:
    """Make a pack from upstream files that are here; it replaces an older one only after its self-test has passed."""
    where = place(context)
    recipe = recipes.load(name)
    pass_gate(recipe, where.packs, accepted=accept_licence)
    _build(recipe, [sources] if sources else _folders(where), where)


@app.command()
def pull(context: typer.Context, name: Name, accept_licence: Accept = False) -> None:
    """Download a pack's upstream files, verified by size and SHA-256, then build it. A broken download is continued."""
    where = place(context)
    recipe = recipes.load(name)
    pass_gate(recipe, where.packs, accepted=accept_licence)
    with _progress() as report:
        downloader = Downloader(SystemClock().monotonic, report)
        obtain(recipe.published, _folders(where), where.packs / CACHE, downloader)
    _build(recipe, _folders(where), where)


def _folders(where: Place) -> list[Path]:
    named = os.environ.get(UPSTREAM_VARIABLE)
    return ([Path(named)] if named else []) + [where.packs / CACHE]


def _build(recipe: Recipe, folders: list[Path], where: Place) -> None:
    out = where.packs / recipe.name
    with ERR.status(f"{recipe.name}: reading the model files, converting, testing"):
        digest = build_pack(recipe, folders, out, Laboratory())
    say(f"{out}: pack {recipe.name} {digest[:12]}, self-test passed")


@contextmanager
def _progress() -> Iterator[Report]:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=ERR, transient=True) as bars:
        tasks = {}

        def report(name: str, done: int, size: int) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=size)
            bars.update(tasks[name], completed=done)

        yield report


@app.command("list")
def list_packs(context: typer.Context, as_json: Json = False) -> None:
    """List the packs: installed ones, damaged ones with their fault, and recipes that can be built."""
    installed = PackStore(place(context).packs).installed()
    have = {row.name for row in installed}
    rest = [recipes.load(name) for name in recipes.names() if name not in have]
    if as_json:
        dump([_as_json(row) for row in installed] + [_recipe_json(recipe) for recipe in rest])
    else:
        shown = [_cells(row) for row in installed]
        shown += [(recipe.name, recipe.version, "", recipe.use.value, f"recipe: {recipe.summary}") for recipe in rest]
        table("", ("pack", "version", "digest", "use", "state"), shown)
    if any(row.fault for row in installed):
        raise typer.Exit(EXIT_NO)


def _state(row: InstalledPack) -> str:
    if row.manifest is None:
        return row.fault or ""
    return "whole" if row.manifest.calibration else "whole, not calibrated: for evaluation only"


def _cells(row: InstalledPack) -> tuple[str, str, str, str, str]:
    manifest = row.manifest
    if manifest is None:
        return (row.name, "", "", "", _state(row))
    return (row.name, manifest.version, (row.digest or "")[:12], manifest.use.value, _state(row))


def _as_json(row: InstalledPack) -> dict[str, str | bool | None]:
    manifest = row.manifest
    return {
        "name": row.name,
        "installed": True,
        "digest": row.digest,
        "version": manifest.version if manifest else None,
        "use": manifest.use.value if manifest else None,
        "calibrated": manifest.calibration is not None if manifest else None,
        "fault": row.fault,
    }


def _recipe_json(recipe: Recipe) -> dict[str, str | bool | None]:
    return {
        "name": recipe.name,
        "installed": False,
        "digest": None,
        "version": recipe.version,
        "use": recipe.use.value,
        "calibrated": None,
        "fault": None,
    }


@app.command()
def show(context: typer.Context, name: Annotated[str, typer.Argument(help="A pack or a recipe.")] = "builtin") -> None:
    """Show a card: what a pack is, how good it was measured to be, its limits; then its licences."""
    store = PackStore(place(context).packs)
    if store.has(name):
        contents = read_pack(store.path(name))
        manifest = contents.manifest
        card = contents.files[manifest.card]
        texts = {model.licence.text: contents.files[model.licence.text] for model in manifest.models}
    else:
        recipe = recipes.load(name)
        card, texts = recipe.beside(CARD) or b"", licence_texts(recipe)
    say(card.decode("utf-8"))
    for file, text in texts.items():
        say(f"--- {file} ---\n{text.decode('utf-8')}")


@app.command()
def verify(
    context: typer.Context, name: Annotated[str, typer.Argument(help="A pack.")] = "builtin", as_json: Json = False
) -> None:
    """Check every hash and run the golden self-test."""
    pack = open_pack(PackStore(place(context).packs).path(name), evaluation=True)
    calibrated = pack.calibration is not None
    if as_json:
        dump({"name": pack.name, "digest": pack.digest, "verified": True, "calibrated": calibrated})
    else:
        rest = "" if calibrated else "; not calibrated: opens for evaluation only"
        say(f"pack {pack.name} {pack.digest[:12]}: {len(pack.manifest.files)} files whole, self-test passed{rest}")
