"""Commands of a witness of the fund's log: init, run, once, status."""

import contextlib
import signal
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from appliance import logs
from appliance.cli.output import EXIT_NO, dump, say
from appliance.cli.place import Json
from sync.clock import SystemClock
from sync.witness.book import Book
from sync.witness.home import WitnessHome, load_witness, make_witness
from sync.witness.rounds import open_witness, serve

app = typer.Typer(help="An independent witness of a fund's log.", no_args_is_help=True)
Place = Annotated[Path, typer.Option("--dir", envvar="KELDIM_WITNESS", help="The witness's directory.")]


@app.command()
def init(
    folder: Place,
    name: Annotated[str, typer.Option(help="Name of the witness, like chamber.example/w1.")],
    fund: Annotated[Path, typer.Option(help="fund.json of the fund to watch.")],
) -> None:
    """Make a witness; the fund trusts it by the key that is shown."""
    try:
        content = fund.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{fund}: {error.strerror}", param_hint="--fund") from error
    settings = make_witness(WitnessHome(folder), name, content)
    say(f"witness made; at the fund: keldim fund witness {settings.public}")


@app.command()
def run(folder: Place) -> None:
    """Ask, verify and cosign until stopped."""
    logs.start(None, "INFO", console="INFO")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    clock = SystemClock()
    with open_witness(WitnessHome(folder), clock, stop.is_set) as witness:
        serve(witness, clock, stop.is_set)


@app.command()
def once(folder: Place) -> None:
    """Make one round."""
    with open_witness(WitnessHome(folder), SystemClock()) as witness:
        size = witness.round()
    say("the fund has no checkpoint yet" if size is None else f"cosigned the log of {size} events")


@app.command()
def status(folder: Place, as_json: Json = False) -> None:
    """What was signed last, and what was refused. Exit code 1 when something was."""
    home = WitnessHome(folder)
    settings = load_witness(home)
    with contextlib.closing(Book.open(home.database)) as book:
        last = book.last(settings.log.log.name)
    when = datetime.fromtimestamp(last.time, UTC).isoformat() if last.checkpoint.size else None
    if as_json:
        dump(
            {
                "key": settings.public,
                "log": last.checkpoint.origin,
                "size": last.checkpoint.size,
                "root": last.checkpoint.root.hex(),
                "signed": when,
                "refused": last.refused,
                "why": last.why,
            }
        )
    else:
        name, log = settings.witness.name, last.checkpoint
        say(f"{name} watches {log.origin}: {log.size} events, {when or 'never signed'}")
        if last.refused:
            say(f"REFUSED {last.refused} times, last: {last.why}")
    if last.refused:
        raise typer.Exit(EXIT_NO)
