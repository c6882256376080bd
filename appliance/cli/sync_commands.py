"""Commands about delivery to the fund: run, now, status, receipt, log, export, import-receipts."""

import signal
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from appliance import logs
from appliance.cli.output import EXIT_NO, dump, say, table, tell_failure
from appliance.cli.place import Json, place
from sync.__main__ import (
    export_to,
    import_from,
    open_receipts,
    read_log_status,
    read_status,
    run_forever,
    run_once,
    salvage_to,
)
from sync.clock import SystemClock
from sync.home import load_settings
from sync.salvage import Salvaged

app = typer.Typer(help="Delivery of events to the fund.", no_args_is_help=True)


@app.command()
def run(context: typer.Context) -> None:
    """Deliver until stopped; a separate process from the desk."""
    home = place(context).home
    load_settings(home)  # where there is no desk, no folder of one is made for a log
    logs.start(home.log / "sync.log", "INFO", console="INFO")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    run_forever(home, SystemClock(), stop.is_set)


@app.command()
def now(context: typer.Context, as_json: Json = False) -> None:
    """Deliver everything that waits, once."""
    report = run_once(place(context).home, SystemClock(), force=True)
    if as_json:
        dump(
            {
                "sent": report.sent,
                "settled": report.settled,
                "refused": report.refused,
                "held": report.held,
                "failure": None if report.failure is None else report.failure.code,
            }
        )
    else:
        say(f"sent {report.sent}, settled {report.settled}, refused {report.refused}, held {report.held}")
    if report.failure is not None:
        tell_failure(report.failure)
        raise typer.Exit(report.failure.exit_code)


@app.command()
def status(context: typer.Context, as_json: Json = False) -> None:
    """Backlog, its age, parked events with their reasons, last contact."""
    found, log = read_status(place(context).home, SystemClock()), read_log_status(place(context).home)
    contact = None if found.last_contact is None else datetime.fromtimestamp(found.last_contact, UTC).isoformat()
    if as_json:
        dump(
            {
                "pending": found.pending,
                "settled": found.settled,
                "parked": [{"seq": p.seq, "held": p.held, "reason": p.reason} for p in found.parked],
                "parked_count": found.parked_count,
                "unsigned": found.unsigned,
                "oldest_pending_age_s": found.oldest_pending_age_s,
                "last_error": found.last_error,
                "last_contact": contact,
                "alarm": found.alarm,
                "log": {
                    "proven": log.proven,
                    "waiting": log.waiting,
                    "size": log.size,
                    "overdue": log.overdue,
                    "evidence": list(log.evidence),
                    "error": log.error,
                    "alarm": log.alarm,
                },
            }
        )
    else:
        say(found.summary())
        say(f"last contact: {contact or 'never'}")
        say(log.summary())
        if found.parked:
            rows = [(p.seq, "held" if p.held else "refused", p.reason) for p in found.parked]
            table("parked events", ("seq", "state", "reason"), rows)
    if found.alarm or found.parked_count or log.alarm:
        raise typer.Exit(EXIT_NO)


@app.command()
def receipt(
    context: typer.Context,
    seq: Annotated[int, typer.Argument(help="Number of the event in this desk's chain.")],
    to: Annotated[Path | None, typer.Option(help="File to write (.tlog-proof); standard output without it.")] = None,
) -> None:
    """Write the proof that one event is in the fund's log; anybody checks it with `keldim receipt verify`."""
    with open_receipts(place(context).home) as receipts:
        text = receipts.offline(seq).text
    _write(text, to)


@app.command()
def log(
    context: typer.Context,
    to: Annotated[Path | None, typer.Option(help="File for the newest checkpoint; standard output without it.")] = None,
) -> None:
    """Show the newest checkpoint this desk verified, to be compared with others, and any evidence against the log."""
    with open_receipts(place(context).home) as receipts:
        checkpoint, evidence = receipts.checkpoint(), receipts.evidence()
    if checkpoint is not None:
        _write(checkpoint, to)
    for each in evidence:
        say(f"EVIDENCE {each.what}\nthis desk saw:\n{each.ours}\nthe fund showed:\n{each.theirs}")
    if evidence:
        raise typer.Exit(EXIT_NO)


def _write(text: str, to: Path | None) -> None:
    if to is None:
        sys.stdout.write(text)
        return
    try:
        with to.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise typer.BadParameter(f"{to}: {error.strerror}", param_hint="--to") from error


@app.command()
def export(
    context: typer.Context,
    directory: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="Folder on a stick.")],
    saved: Annotated[
        Path | None,
        typer.Option(
            "--from", exists=True, file_okay=False, help="A dead desk's back-up, or its folder on an old disk."
        ),
    ] = None,
    after: Annotated[int, typer.Option(min=0, help="With --from: the last event that the fund has of it.")] = 0,
    as_json: Json = False,
) -> None:
    """Write what is not delivered to one file, sealed to the fund. Delivery over the network goes on as ever.

    With --from, the events of a dead desk, as they were signed; its copy is only read, and needs none of its keys.
    Exit code 4 when its journal is damaged: what stands before the damage is written.
    """
    if saved is not None:
        _hand_in(salvage_to(place(context).home, saved, directory, after), as_json=as_json)
        return
    found = export_to(place(context).home, directory)
    if as_json:
        dump({"file": found and str(found.path), "first": found and found.first, "last": found and found.last})
    elif found is None:
        say("everything is delivered; nothing to export")
    else:
        say(f"events {found.first} to {found.last} written to {found.path}")
        say("at the fund: keldim fund import FILE; then here: keldim sync import-receipts FILE")


def _hand_in(done: Salvaged, *, as_json: bool) -> None:
    found = done.exported
    if as_json:
        told = {"device": done.device, "file": str(found.path), "first": found.first, "last": found.last}
        dump(told | {"stopped": done.stopped})
    else:
        say(f"events {found.first} to {found.last} of {done.device} written to {found.path}")
        say("at the fund: keldim fund import FILE, then keldim fund block; no receipts go back, the desk is dead")
        if done.stopped is not None:
            say(f"NOTHING BEHIND THEM COULD BE TAKEN: {done.stopped}")
    if done.stopped is not None:
        raise typer.Exit(EXIT_NO)


@app.command()
def import_receipts(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Receipts that the fund wrote.")],
    as_json: Json = False,
) -> None:
    """Settle what the fund's receipts on a stick prove."""
    done = import_from(place(context).home, file, SystemClock())
    if as_json:
        dump({"receipts": done.receipts, "settled": done.settled, "refused": done.refused, "held": done.held})
    else:
        say(f"{done.receipts} receipts: settled {done.settled}, refused {done.refused}, held {done.held}")
