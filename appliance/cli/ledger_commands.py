"""Commands about the desk's own chain of events: verify, recover, show, export."""

import contextlib
import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from appliance.cli.opening import working_desk
from appliance.cli.output import dump, say, table, warn
from appliance.cli.place import Json, place
from appliance.composition import DESK_MIGRATIONS
from sync.clock import SystemClock
from sync.copies import Copies, Right, compare, prove_journal
from sync.database import Database, open_database
from sync.desk_database import open_desk_database
from sync.device_key import open_device_key
from sync.drafts import drafts_waiting
from sync.envelope import parse_event
from sync.errors import DatabaseFailure, LedgerBroken
from sync.home import load_settings
from sync.journal import Journal
from sync.key_source import KeyName, open_keys
from sync.ledger import Entry
from sync.recover import recover as rebuild
from sync.worker import single_flight

app = typer.Typer(help="The desk's signed events.", no_args_is_help=True)


@app.command()
def verify(context: typer.Context, as_json: Json = False) -> None:
    """Prove both copies of the chain, database and journal, and the receipts. Names the first bad event.

    Nothing is repaired, and which copy is right is said where they differ.
    """
    home = place(context).home
    settings = load_settings(home)
    jwk, device = open_device_key(home, settings.key).signer.public_jwk, settings.device.device
    journal = Journal(home.journal)
    try:
        db = open_desk_database(home, open_keys(home), DESK_MIGRATIONS)
    except DatabaseFailure as failure:
        head, fault = prove_journal(journal, jwk, device)
        say(f"journal: {head.seq} events verified{f'; {fault}' if fault else ''}")
        say("A database is built from the journal by: keldim ledger recover")
        raise failure from None
    with contextlib.closing(db):
        found = compare(db, journal, jwk, device, settings.fund.jwk)
        waiting = drafts_waiting(db)
    if as_json:
        dump(_verified(found, waiting))
    else:
        _tell(found, waiting)
    if found.difference is not None:
        raise typer.Exit(LedgerBroken.exit_code)


def _verified(found: Copies, waiting: int) -> dict[str, object]:
    report, differs = found.database, found.difference
    return {
        "events": None if report is None else report.events,
        "head": None if report is None else report.head.digest,
        "receipts": None if report is None else report.receipts,
        "journal": found.journal.seq,
        "waiting": waiting,
        "verified": differs is None,
        "first_bad": None if differs is None else {"seq": differs.seq, "right": differs.right.value},
        "torn_ends": list(found.asides),
    }


def _tell(found: Copies, waiting: int) -> None:
    report, differs = found.database, found.difference
    if report is not None:
        say(f"ledger: {report.events} events, chain verified, {report.receipts} receipts verified")
    say(f"journal: {found.journal.seq} events verified")
    if waiting:
        say(f"{waiting} events wait for the device key")
    if found.asides:
        say(f"torn ends of the journal, kept aside: {', '.join(found.asides)}")
    if differs is not None:
        warn(f"event {differs.seq}: in the database it {differs.database}; in the journal it {differs.journal}")
        warn(f"{LedgerBroken.code} right: {differs.right.value}. {_REMEDIES[differs.right]}")


_REMEDIES = {
    Right.DATABASE: "Stop the desk, keep a copy of the journal, then start it: a cut journal is completed.",
    Right.JOURNAL: "Stop the desk, then: keldim ledger recover",
    Right.NEITHER: LedgerBroken.remedy,
}


@app.command()
def recover(context: typer.Context, as_json: Json = False) -> None:
    """Build the database anew from the journal. Stop both services first; the old files are renamed and kept.

    Events are delivered again, and the fund answers that it knows them. Records of people come along as far as the old
    database can be read; otherwise restore the clinic's back-up, or enrol again.
    """
    home = place(context).home
    settings, keys = load_settings(home), open_keys(home)
    jwk, device = open_device_key(home, settings.key).signer.public_jwk, settings.device.device

    def open_at(path: Path, create: bool) -> Database:
        return open_database(path, keys.load(KeyName.DATABASE), DESK_MIGRATIONS, create=create)

    with single_flight(home.sync_lock):
        at = SystemClock().moment().wall
        done = rebuild(home.database, Journal(home.journal), jwk, device, at, open_at)
    if as_json:
        dump(
            {
                "events": done.events,
                "from_database": done.from_database,
                "aside": done.aside,
                "carried": dict(done.carried),
                "lost": list(done.lost),
            }
        )
        return
    say(f"{done.events} events, {done.from_database} of them only in the old database")
    if done.aside is not None:
        say(f"the old database is kept as {done.aside}")
    if done.lost:
        say(f"not recovered: {', '.join(done.lost)}. Restore the clinic's back-up, or enrol and import again.")


def _content(entry: Entry) -> dict[str, object]:
    event = parse_event(entry.token).event
    return {
        "seq": entry.seq,
        "id": entry.event_id,
        "kind": entry.kind,
        "wall": entry.wall.isoformat(),
        "trust": entry.trust.value,
        "digest": entry.digest,
        "data": dict(event.data),
    }


@app.command()
def show(
    context: typer.Context,
    event: Annotated[str | None, typer.Argument(help="Number or id of one event; without it the last ones.")] = None,
    last: Annotated[int, typer.Option(help="How many of the last events.")] = 20,
    as_json: Json = False,
) -> None:
    """Show events as they were signed."""
    with working_desk(context) as desk:
        head = desk.ledger.head().seq
        first = max(head - last, 0) if event is None else 0
        entries = desk.ledger.entries(first, head + 1)
    if event is not None:
        entries = tuple(e for e in entries if event in (str(e.seq), e.event_id))
        if not entries:
            raise typer.BadParameter(f"there is no event {event}", param_hint="EVENT")
    if as_json or event is not None:
        dump([_content(entry) for entry in entries])
        return
    rows = [(e.seq, e.kind, e.wall.isoformat(timespec="seconds"), e.trust, e.event_id, e.digest[:12]) for e in entries]
    table("", ("seq", "kind", "time", "trust", "id", "digest"), rows)


@app.command()
def export(
    context: typer.Context,
    file: Annotated[Path | None, typer.Option("--to", help="File to write; standard output without it.")] = None,
) -> None:
    """Write every signed event and receipt as JSON lines, for the fund or an auditor."""
    with working_desk(context) as desk:
        if file is None:
            desk.ledger.export(sys.stdout)
            return
        try:
            with file.open("x", encoding="ascii") as stream:
                count = desk.ledger.export(stream)
        except OSError as error:
            raise typer.BadParameter(f"{file}: {error.strerror}", param_hint="--to") from error
    say(json.dumps({"events": count, "file": str(file)}))
