"""Commands about the desk's own chain of events: verify, show, export."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from appliance.cli.opening import working_desk
from appliance.cli.output import dump, say, table
from appliance.cli.place import Json
from sync.envelope import parse_event
from sync.ledger import Entry

app = typer.Typer(help="The desk's signed events.", no_args_is_help=True)


@app.command()
def verify(context: typer.Context, as_json: Json = False) -> None:
    """Prove the whole chain: numbers, links, signatures, receipts. Names the first bad event."""
    with working_desk(context) as desk:
        report = desk.ledger.verify(desk.settings.fund.jwk)
    if as_json:
        dump({"events": report.events, "head": report.head.digest, "receipts": report.receipts, "verified": True})
    else:
        say(f"ledger: {report.events} events, chain verified, {report.receipts} receipts verified")


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
