"""Commands by which a desk gets new packs and settings: models follow, update, slots.

What each does is `appliance.updating`'s; the publishers' side is `publish_commands`.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, TextColumn

from appliance.cli.output import ERR, dump, say, table
from appliance.cli.place import Json, place
from appliance.core.shadow import FEWEST_VISITS, LEAST_VISITS, LONGEST_S
from appliance.shadow import Watched, read_progress, shadow_file
from appliance.updating import Outcome, UpdateFolder, stick
from models.errors import SlotsUnusable, UpdateUnwanted
from models.releases import Followed, Ring, Wanted
from models.slot_state import State
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
    """Let this desk follow the publishers of packs and settings whose root metadata was handed over in person."""
    folder = UpdateFolder(place(context).home)
    folder.follow(Followed(ring, url), root.read_bytes(), ca.read_bytes() if ca else None)
    say(f"this desk follows ring {ring}" + (f" at {url}" if url else ", from sticks"))


@app.command()
def update(
    context: typer.Context,
    source: Annotated[
        Path | None, typer.Option("--from", exists=True, file_okay=False, help="Folder, such as a USB stick.")
    ] = None,
    at_once: Annotated[
        bool, typer.Option("--at-once", help="Try a pack without watching it beside the one in use first.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Fetch what the publishers want, verified, into the slots that are not in use; the desk tries it by itself."""
    where, clock = place(context), SystemClock()
    folder = UpdateFolder(where.home)
    followed = folder.followed()
    if followed is None:
        raise SlotsUnusable("this desk follows nobody yet: keldim models follow")
    now = clock.moment().wall.astimezone(UTC)
    packs = [row.path for row in PackStore(where.packs).installed() if row.fault is None]
    with _door(folder, followed, source) as door:
        done = folder.update(door, followed, now, _fund_time(where.home), packs, at_once=at_once)
    told = [_told("release", done.pack), _told("settings", done.settings)]
    if done.pack.refused or done.settings.refused:
        raise UpdateUnwanted("; ".join(told))
    if as_json:
        dump({**_shown(done.pack), "received": done.received, "settings": _shown(done.settings)})
        return
    for line in told:
        say(line)
    say(f"{done.received} bytes came")


def _shown(done: Outcome) -> dict[str, object]:
    release = done.wanted.release if done.wanted else None
    return {"release": release, "installed": done.installed, "waits": done.waits}


def _told(name: str, done: Outcome) -> str:
    if done.wanted is None:
        return f"{name}: nothing new is wanted of this desk"
    if done.installed:
        return f"{name} {done.wanted.release} is in a slot; the desk tries it while nobody is there"
    if done.waits:
        return f"{name} {done.wanted.release} waits until what is on trial has proven itself"
    return done.refused or f"{name} {done.wanted.release} is in use"


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
    """Show the slots of packs and settings: what is proven, on trial, never tried again, and the floor."""
    home = place(context).home
    folder = UpdateFolder(home)
    packs, settings = folder.slots.state(), folder.settings.state()
    watched = read_progress(shadow_file(home))
    seen = watched if packs.waiting and packs.waiting.digest == watched.digest else Watched()
    if as_json:
        counts = {**asdict(seen.tally), "seconds": seen.seconds} if packs.waiting else None
        dump({**_listed(packs), "watched": counts, "settings": _listed(settings)})
        return
    table("", ("packs", "release", "digest", "state"), _rows(packs))
    if packs.waiting:
        hours = f"{seen.seconds / 3600:.0f} of {LONGEST_S / 3600:.0f} hours"
        say(
            f"release {packs.waiting.release} is watched beside the one in use: {seen.tally.visits} of {LEAST_VISITS} "
            f"visits, {hours}, after which {FEWEST_VISITS} visits are enough"
        )
    say(f"no release below {packs.floor} is used" + ("" if packs.packs else "; the delivered pack is in use"))
    table("", ("settings", "release", "digest", "state"), _rows(settings))
    alone = "" if settings.packs else "; the desk's own file holds"
    say(f"no settings below {settings.floor} are used{alone}")


def _held(state: State) -> list[tuple[str, Wanted, str]]:
    standing = {state.good: "proven", state.trying: "watched" if state.waits else "on trial"}
    return [(str(slot), pack, standing.get(slot, "spare")) for slot, pack in state.packs]


def _listed(state: State) -> dict[str, object]:
    rows = [
        {"slot": slot, "release": one.release, "digest": one.digest, "state": how} for slot, one, how in _held(state)
    ]
    bad = [{"release": one.pack.release, "digest": one.pack.digest, "fault": str(one.fault)} for one in state.bad]
    return {"slots": rows, "bad": bad, "floor": state.floor, "tries": state.tries}


def _rows(state: State) -> list[tuple[object, ...]]:
    shown: list[tuple[object, ...]] = [(slot, one.release, one.digest[:12], how) for slot, one, how in _held(state)]
    return shown + [("", one.pack.release, one.pack.digest[:12], f"never again: {one.fault}") for one in state.bad]
