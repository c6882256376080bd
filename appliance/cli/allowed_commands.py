"""Commands of the fund's lists of what may decide a visit: fund packs, fund policies; each allow, forbid, any, list."""

from typing import Annotated

import typer

from appliance.cli.output import dump, say
from appliance.cli.place import Folder, Json
from sync.fund.allowed import Decider, read_list, write_list
from sync.fund.home import FundHome

app = typer.Typer()

Ids = Annotated[
    list[str],
    typer.Argument(help="Digests of packs: keldim models show NAME. Ids of policies: keldim fleet status."),
]


def _add(decider: Decider, plural: str) -> None:
    group = typer.Typer(
        help=f"Which {plural} may decide a visit; without a list every {decider} may.", no_args_is_help=True
    )
    app.add_typer(group, name=plural)

    @group.command()
    def allow(folder: Folder, ids: Ids) -> None:
        """Put some on the list, which from now on is the only one. Events that another one decided are refused."""
        root = FundHome(folder).root
        write_list(root, decider, (read_list(root, decider) or frozenset()) | set(ids))
        tell(folder)

    @group.command()
    def forbid(folder: Folder, ids: Ids) -> None:
        """Take some off the list."""
        root = FundHome(folder).root
        found = read_list(root, decider)
        if found is None:  # an empty list would refuse every visit of the country
            raise typer.BadParameter(f"every {decider} may decide: there is no list yet, allow those that may")
        write_list(root, decider, found - set(ids))
        tell(folder)

    @group.command("any")
    def every(folder: Folder) -> None:
        """Keep no list any more: every one may decide."""
        write_list(FundHome(folder).root, decider, None)
        tell(folder)

    @group.command("list")
    def show(folder: Folder, as_json: Json = False) -> None:
        """Show the list."""
        found = read_list(FundHome(folder).root, decider)
        if as_json:
            dump(None if found is None else sorted(found))
            return
        tell(folder)

    def tell(folder: Folder) -> None:
        found = read_list(FundHome(folder).root, decider)
        if found is None:
            say(f"every {decider} may decide a visit")
            return
        say(f"{len(found)} {plural} may decide a visit")
        for one in sorted(found):
            say(one)


_add(Decider.PACK, "packs")
_add(Decider.POLICY, "policies")
