"""Commands of the fund's list of model packs: fund packs allow, forbid, any, list."""

from typing import Annotated

import typer

from appliance.cli.output import dump, say
from appliance.cli.place import Folder, Json
from sync.fund.home import FundHome
from sync.fund.packs import Packs, read_packs, write_packs

packs = typer.Typer(help="Which model packs may decide a visit; without a list every pack may.", no_args_is_help=True)
app = typer.Typer()
app.add_typer(packs, name="packs")

Digests = Annotated[list[str], typer.Argument(help="Digests of packs: keldim models show NAME")]


@packs.command()
def allow(folder: Folder, digests: Digests) -> None:
    """Put packs on the list, which from now on is the only one. Events that another pack decided are refused."""
    file = FundHome(folder).packs
    write_packs(file, Packs((read_packs(file).digests or frozenset()) | set(digests)))
    _tell(folder)


@packs.command()
def forbid(folder: Folder, digests: Digests) -> None:
    """Take packs off the list."""
    file = FundHome(folder).packs
    write_packs(file, Packs((read_packs(file).digests or frozenset()) - set(digests)))
    _tell(folder)


@packs.command("any")
def any_pack(folder: Folder) -> None:
    """Keep no list any more: every pack may decide."""
    write_packs(FundHome(folder).packs, Packs())
    _tell(folder)


@packs.command("list")
def list_packs(folder: Folder, as_json: Json = False) -> None:
    """Show the list."""
    found = read_packs(FundHome(folder).packs).digests
    if as_json:
        dump(None if found is None else sorted(found))
        return
    _tell(folder)


def _tell(folder: Folder) -> None:
    found = read_packs(FundHome(folder).packs).digests
    if found is None:
        say("every pack may decide a visit")
        return
    say(f"{len(found)} packs may decide a visit")
    for digest in sorted(found):
        say(digest)
