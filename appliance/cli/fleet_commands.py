"""Commands about all desks of a fund: fleet status, from what the desks signed about themselves.

What is known of a desk is `sync.fund.fleet`'s, which the fund's page shows as well.
"""

from datetime import UTC

import typer

from appliance.cli.output import dump, say, table
from appliance.cli.place import Folder, Json
from sync.clock import SystemClock
from sync.envelope import format_time
from sync.fund import office
from sync.fund.fleet import Desk, groups, running

app = typer.Typer(help="All desks of a fund.", no_args_is_help=True)


@app.callback()
def fleet() -> None:
    """Hold the commands below together; there is one yet."""


@app.command()
def status(folder: Folder, as_json: Json = False) -> None:
    """Show every desk by ring, what it runs, health, what it gave up, backlog and when it was heard last.

    The word of a desk is as old as its last delivery. Backlog: how long its newest event had waited when it came.
    """
    found = office.fleet(folder, SystemClock().moment().wall.astimezone(UTC))
    if as_json:
        dump([_shown(desk) for desk in found])
        return
    columns = ("device", "clinic", "ring", "runs", "pack", "policy", "software", "health", "given up", "backlog")
    table("", (*columns, "heard"), [_row(desk) for desk in found])
    for ring, what, number in groups(found):
        say(f"ring {ring}, {what}: {number} desks")


def _row(desk: Desk) -> tuple[object, ...]:
    what = (desk.ring, running(desk), desk.pack[:12], desk.policy, desk.software, desk.health.value.replace("_", " "))
    backlog = "" if desk.backlog is None else f"{desk.backlog.total_seconds():.0f} s"
    return (desk.device, desk.clinic, *what, ", ".join(desk.given_up), backlog, _heard(desk))


def _heard(desk: Desk) -> str:
    return "never" if desk.last_seen is None else format_time(desk.last_seen)


def _shown(desk: Desk) -> dict[str, object]:
    return {
        "device": desk.device,
        "clinic": desk.clinic,
        "desk": desk.desk,
        "health": desk.health.value,
        "ring": desk.ring,
        "release": desk.release,
        "settings": desk.settings,
        "policy": desk.policy,
        "software": desk.software,
        "given_up": list(desk.given_up),
        "head": desk.head,
        "backlog_s": None if desk.backlog is None else desk.backlog.total_seconds(),
        "heard": desk.last_seen and format_time(desk.last_seen),
        "pack": desk.said,
    }
