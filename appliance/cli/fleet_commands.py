"""Commands about all desks of a fund: fleet status, from what the desks signed about themselves.

Which events the fund has is `sync.fund.office`'s; what a desk says, `appliance.pack_report`'s.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

import typer

from appliance.cli.output import dump, say, table
from appliance.cli.place import Folder, Json
from appliance.core.machine_events import PackInUse
from sync.envelope import format_time, parse_event
from sync.fund import office
from sync.strict_json import JsonObject

app = typer.Typer(help="All desks of a fund.", no_args_is_help=True)


@dataclass(slots=True)
class _Seen:
    """What was heard of a desk. said: its last word about its pack."""

    last: datetime | None = None
    said: JsonObject = field(default_factory=dict)


@app.callback()
def fleet() -> None:
    """Hold the commands below together; there is one yet."""


@app.command()
def status(folder: Folder, as_json: Json = False) -> None:
    """Show every desk by what it runs: release, ring, whether on trial, what it gave up, when it was heard last.

    Reads all stored events once; the word of a desk is as old as its last delivery.
    """
    heard: dict[str, _Seen] = {}
    for row in office.list_events(folder):
        seen = heard.setdefault(row.event.device, _Seen())
        seen.last = row.received
        event = parse_event(row.event.token).event
        if event.kind == PackInUse.KIND and row.event.refused is None:
            seen.said = event.data
    desks = [(one.device, heard.get(one.device.device, _Seen()), one.head.seq) for one in office.devices(folder)]
    if as_json:
        dump(
            [
                {
                    "device": device.device,
                    "clinic": device.clinic,
                    "desk": device.desk,
                    "head": head,
                    "heard": seen.last and format_time(seen.last),
                    "pack": dict(seen.said) or None,
                }
                for device, seen, head in desks
            ]
        )
        return
    rows = [
        (d.device, d.clinic, *_cells(seen), format_time(seen.last) if seen.last else "never") for d, seen, _ in desks
    ]
    table("", ("device", "clinic", "ring", "release", "pack", "state", "given up", "heard"), rows)
    for (ring, release), number in sorted(Counter((row[2], row[3]) for row in rows).items()):
        say(f"ring {ring or 'none'}, release {release or 'unknown'}: {number} desks")


def _when(last: datetime | None) -> str:
    return "never" if last is None else format_time(last)


def _cells(seen: _Seen) -> tuple[str, str, str, str, str]:
    said = seen.said
    if not said:
        return ("", "", "", "", "")
    release = said["release"]
    bad = said["given_up"]
    gone = [f"{one['release']} {one['fault']}" for one in bad if isinstance(one, dict)] if isinstance(bad, list) else []
    how = "on trial" if said["trial"] else "proven"
    shown = "delivered" if release is None else str(release)
    return (str(said["ring"]), shown, str(said["pack"])[:12], how, ", ".join(gone))
