"""Commands by which a desk gets new packs: models follow, update, slots.

What each does is `appliance.updating`'s; the publishers' side is `publish_commands`.
"""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, TextColumn

from appliance.cli.output import ERR, dump, say, table
from appliance.cli.place import Json, place
from appliance.updating import UpdateFolder, stick
from models.errors import SlotsUnusable
from models.releases import Followed, Ring
from models.store import PackStore
from models.update_door import Door, Report
from sync.clock import SystemClock
from sync.desk_database import open_desk_database
from sync.home import Home
from sync.key_source import open_keys
from sync.ledger import LEDGER_MIGRATIONS, read_anchor

app = typer.Typer()


@app.command()
def follow(
    context: typer.Context,
    root: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="The publishers' 1.root.json, by hand.")],
    ring: Annotated[Ring, typer.Option(help="Whose packs this desk runs.")] = Ring.ALL,
    url: Annotated[str, typer.Option(help="Address of the repository, https; none: packs come on a stick.")] = "",
    ca: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="The only certificate authority to trust there.")
    ] = None,
) -> None:
    """Let this desk follow the publishers of packs whose root metadata was handed over in person."""
    folder = UpdateFolder(place(context).home)
    folder.follow(Followed(ring, url), root.read_bytes(), ca.read_bytes() if ca else None)
    say(f"this desk follows ring {ring}" + (f" at {url}" if url else ", from sticks"))


@app.command()
def update(
    context: typer.Context,
    source: Annotated[
        Path | None, typer.Option("--from", exists=True, file_okay=False, help="Folder, such as a USB stick.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Fetch what the publishers want, verified, into the slot that is not in use; the desk's next start tries it."""
    where, clock = place(context), SystemClock()
    folder = UpdateFolder(where.home)
    followed = folder.followed()
    if followed is None:
        raise SlotsUnusable("this desk follows nobody yet: keldim models follow")
    now = clock.moment().wall.astimezone(UTC)
    packs = [row.path for row in PackStore(where.packs).installed() if row.fault is None]
    with _door(folder, followed, source) as door:
        done = folder.update(door, followed, now, _fund_time(where.home), packs)
    if as_json:
        release = done.wanted.release if done.wanted else None
        dump({"release": release, "installed": done.installed, "received": done.received})
    elif done.wanted is None:
        say("the publishers want nothing new of this desk")
    elif done.installed:
        say(f"release {done.wanted.release} is in a slot, {done.received} bytes came; the desk's next start tries it")
    else:
        say(f"release {done.wanted.release} is in use; {done.received} bytes came")


@contextlib.contextmanager
def _door(folder: UpdateFolder, followed: Followed, source: Path | None) -> Iterator[Door]:
    if source is not None:
        yield stick(source)
        return
    with _progress() as report, folder.server(followed, SystemClock().monotonic, report) as door:
        yield door


@contextlib.contextmanager
def _progress() -> Iterator[Report]:
    with Progress(TextColumn("{task.completed} bytes came"), console=ERR, transient=True) as bars:
        task = bars.add_task("", total=None)

        def report(received: int) -> None:
            bars.update(task, completed=received)

        yield report


def _fund_time(home: Home) -> datetime | None:
    """The last time that the fund signed; None for a desk without a ledger. Raises DatabaseFailure, KeyUnusable."""
    if not home.database.exists():
        return None
    with contextlib.closing(open_desk_database(home, open_keys(home), [LEDGER_MIGRATIONS])) as db:
        anchor = read_anchor(db)
    return None if anchor is None else anchor.wall.astimezone(UTC) - timedelta(milliseconds=anchor.uncertainty_ms)


@app.command()
def slots(context: typer.Context, as_json: Json = False) -> None:
    """Show the two slots: which pack is proven, which is on trial, which are never tried again, and the floor."""
    state = UpdateFolder(place(context).home).slots.state()
    standing = {state.good: "proven", state.trying: "on trial"}
    held = [(str(slot), pack, standing.get(slot, "spare")) for slot, pack in state.packs]
    bad = [{"release": one.pack.release, "digest": one.pack.digest, "fault": str(one.fault)} for one in state.bad]
    if as_json:
        rows = [{"slot": slot, "release": one.release, "digest": one.digest, "state": how} for slot, one, how in held]
        dump({"slots": rows, "bad": bad, "floor": state.floor, "tries": state.tries})
        return
    shown = [(slot, one.release, one.digest[:12], how) for slot, one, how in held]
    shown += [("", one.pack.release, one.pack.digest[:12], f"never again: {one.fault}") for one in state.bad]
    table("", ("slot", "release", "digest", "state"), shown)
    say(f"no release below {state.floor} is used" + ("" if held else "; the delivered pack is in use"))
