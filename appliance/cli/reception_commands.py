"""Commands of the reception where there is no window: reception queue."""

from typing import Annotated

import typer

from appliance.cli.opening import working_desk
from appliance.cli.output import dump, table
from appliance.cli.place import Json, place
from appliance.cli.window_commands import PASSED_ON, become
from appliance.reception_texts import causes_text, status_text

app = typer.Typer(help="What the reception sees.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """What the reception sees."""


@app.command("open", context_settings=PASSED_ON, short_help="Open the reception's window over this desk.")
def open_window(context: typer.Context) -> None:
    """Open the reception's window over this desk."""
    where = place(context)
    become("reception", "--home", str(where.home.root), "--packs", str(where.packs), *context.args)


@app.command()
def queue(
    context: typer.Context,
    search: Annotated[str, typer.Option(help="Part of a name, or the last four digits of an IIN.")] = "",
    as_json: Json = False,
) -> None:
    """Show today's services, those whose patient needs help first; names as first name and initial, IINs cut."""
    with working_desk(context) as desk:
        now, language = desk.clock.moment().wall, desk.config.desk.language
        seen = desk.reception_queue().show(now, search)
    if as_json:
        rows = [
            {
                "service": row.service,
                "starts": row.starts,
                "name": row.name,
                "last4": row.last4,
                "service_name": dict(row.names)[language.value],
                "room": row.room,
                "status": row.status.value,
                "causes": {cause.code.value: cause.times for cause in row.causes},
                "call": row.call,
                "claimed": row.claimed,
                "receipt": row.receipt,
            }
            for row in seen.rows
        ]
        calls = [{"call": call.call, "at": call.at, "claimed": call.claimed} for call in seen.calls]
        strangers = [
            {"event": each.event, "at": each.at, "causes": [c.value for c in each.causes]} for each in seen.strangers
        ]
        dump({"rows": rows, "calls": calls, "strangers": strangers})
        return
    shown = [
        (
            *(row.starts, row.name, row.last4, dict(row.names)[language.value], row.room),
            *(status_text(row.status, language), causes_text(row.causes, language)),
        )
        for row in seen.rows
    ]
    table(now.date().isoformat(), ("time", "patient", "IIN", "service", "room", "status", "why"), shown)
