"""The command that makes an archive for whoever helps from far away. What is in it is `appliance.support`'s."""

from pathlib import Path
from typing import Annotated

import typer

from appliance.cli.output import ERR, dump, say
from appliance.cli.place import Json, place
from appliance.core.errors import BundleUnwritable
from appliance.support import Member, archive, collect
from sync.clock import SystemClock
from sync.durable import create_file

app = typer.Typer()


@app.command("support-bundle")
def support_bundle(
    context: typer.Context,
    out: Annotated[
        Path | None, typer.Option(help="File to write; without it one with the time in its name, here.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Pack what helps to find a fault into one archive: doctor, versions, settings, counts, timings, logs.

    No personal data, no keys, no events: only words of the program and short numbers leave.
    """
    where, clock = place(context), SystemClock()
    now = clock.moment().wall
    path = out or Path(f"keldim-support-{now:%Y%m%dT%H%M%S}.tar.gz")
    members: list[Member] = []
    with ERR.status("collecting") as status:
        for member in collect(where.home, where.packs, clock):
            members.append(member)
            status.update(f"collecting: {member.name}")
    try:
        create_file(path, archive(members, now.timestamp()))
    except FileExistsError as error:
        raise typer.BadParameter(f"{path} is there already", param_hint="--out") from error
    except OSError as error:
        raise BundleUnwritable(f"{path.name} cannot be written: {error.strerror}") from error
    if as_json:
        size = path.stat().st_size
        dump({"file": str(path), "bytes": size, "members": {each.name: len(each.content) for each in members}})
        return
    say(f"{path}: {len(members)} files, no personal data; look into it before you send it")
