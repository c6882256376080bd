"""Commands about model packs: build, list, show, verify."""

from pathlib import Path
from typing import Annotated

import typer

from appliance.cli.output import ERR, EXIT_NO, dump, say, table
from appliance.cli.place import Json, place
from appliance.face.pack import open_pack
from models.recipes import builtin
from models.store import PackStore

app = typer.Typer(help="Model packs.", no_args_is_help=True)
RECIPES = {"builtin": builtin.build}


@app.command()
def build(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Which recipe: builtin.")],
    sources: Annotated[
        Path | None, typer.Option("--from", help="Folder with the upstream files; without it they are downloaded.")
    ] = None,
) -> None:
    """Make a pack from its upstream files; it replaces an older one only after its self-test has passed."""
    if name not in RECIPES:
        raise typer.BadParameter(f"there is no recipe {name}; known: {', '.join(RECIPES)}", param_hint="NAME")
    out = place(context).packs / name
    what = "reading the model files" if sources else "downloading 107 MB of model files"
    with ERR.status(f"{name}: {what}, converting, testing"):
        digest = RECIPES[name](out, lambda staged: _ignore(open_pack(staged, evaluation=True)), sources)
    say(f"{out}: pack {name} {digest[:12]}, self-test passed")


def _ignore(_: object) -> None:
    """A check speaks by raising."""


@app.command("list")
def list_packs(context: typer.Context, as_json: Json = False) -> None:
    """List the installed packs; damaged ones with their fault."""
    rows = PackStore(place(context).packs).installed()
    if as_json:
        dump(
            [
                {
                    "name": r.name,
                    "digest": r.digest,
                    "version": r.manifest.version if r.manifest else None,
                    "fault": r.fault,
                }
                for r in rows
            ]
        )
    else:
        shown = [
            (r.name, r.manifest.version if r.manifest else "", (r.digest or "")[:12], r.fault or "whole") for r in rows
        ]
        table("", ("pack", "version", "digest", "state"), shown)
    if any(r.fault for r in rows):
        raise typer.Exit(EXIT_NO)


@app.command()
def show(context: typer.Context, name: Annotated[str, typer.Argument(help="A pack.")] = "builtin") -> None:
    """Show a pack's card: what it is, how good it was measured to be, its limits and licences."""
    folder = PackStore(place(context).packs).path(name)
    pack = open_pack(folder)
    say((folder / pack.manifest.card).read_text(encoding="utf-8"))


@app.command()
def verify(
    context: typer.Context, name: Annotated[str, typer.Argument(help="A pack.")] = "builtin", as_json: Json = False
) -> None:
    """Check every hash and run the golden self-test."""
    pack = open_pack(PackStore(place(context).packs).path(name))
    if as_json:
        dump({"name": pack.name, "digest": pack.digest, "verified": True})
    else:
        say(f"pack {pack.name} {pack.digest[:12]}: {len(pack.manifest.files)} files whole, self-test passed")
