"""Commands of the reception PC: checkin, services, cameras, doctor."""

import itertools
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from appliance.capture.camera_identity import list_identities
from appliance.cli.opening import seeing_desk, working_desk
from appliance.cli.output import ERR, EXIT_INTERRUPTED, EXIT_NO, dump, say, table, warn
from appliance.cli.place import Json, Place, place
from appliance.cli.sources import opened
from appliance.cli.terminal import Confirm, Terminal
from appliance.config import Config
from appliance.config import load as load_config
from appliance.core.camera import line_for, objection
from appliance.core.device import Health
from appliance.core.errors import PersonUnknown
from appliance.core.iin import Iin
from appliance.core.types import Instant
from appliance.device_page import device_page
from appliance.health import examine
from appliance.records.schedule import parse_schedule
from appliance.services_drop import ServicesDrop
from appliance.texts import (
    Advice,
    Language,
    finding_text,
    health_text,
    part_text,
    reception_text,
    remedy_text,
)
from sync.clock import SystemClock
from sync.database import immediate
from sync.signing import KeyClass

app = typer.Typer()
services = typer.Typer(help="Today's planned services.", no_args_is_help=True)


@app.command()
def checkin(
    context: typer.Context,
    camera: Annotated[str | None, typer.Option(help="A webcam: its number, /dev/videoN or a URL.")] = None,
    video: Annotated[Path | None, typer.Option(help="A video file instead of a camera.")] = None,
    images: Annotated[Path | None, typer.Option(help="A folder of pictures, played at 15 a second.")] = None,
    skip: Annotated[float, typer.Option(help="Seconds left out at the start of the video.")] = 0.0,
    iin: Annotated[str | None, typer.Option("--iin", help="Compare with this patient only (1:1).")] = None,
    confirm: Annotated[Confirm, typer.Option(help="What a recording's patient answers.")] = Confirm.ASK,
    once: Annotated[bool, typer.Option("--once", help="End after the first visit.")] = False,
    training: Annotated[bool, typer.Option("--training", help="Practise: on a copy of which nothing is kept.")] = False,
    as_json: Json = False,
) -> None:
    """Run the desk without a window: patients step up, are recognised, confirm, and get a receipt."""
    if camera is not None and confirm is not Confirm.ASK:
        raise typer.BadParameter("at a camera the patient is asked", param_hint="--confirm")
    interrupted = False
    with seeing_desk(context, training=training, counted=True) as eyes:
        config, clock = eyes.desk.config, eyes.desk.clock
        claimed = None
        if iin is not None:
            claimed = eyes.desk.records.people.find(Iin.parse(iin))
            if claimed is None:
                raise PersonUnknown("nobody with this IIN is enrolled")
        with opened(camera, video, images, config.camera, clock, skip, eyes.desk.admission.admit) as source:
            if not (as_json or eyes.desk.training) and eyes.desk.key.signer.key_class == KeyClass.FILE:
                warn(reception_text(Advice.SOFTWARE_KEY, config.desk.language))
            terminal = Terminal(config.desk.language, confirm, quiet=as_json)
            station = eyes.station(source.name, terminal.show, Instant(clock.monotonic()), claimed)
            terminal.answer_to(station.submit)
            try:
                station.run(source, lambda: once and terminal.visits > 0)
            except KeyboardInterrupt:  # how a desk at a camera ends; what it did is told all the same
                interrupted = True
    if as_json:
        dump(terminal.outcomes)
    if interrupted:
        raise typer.Exit(EXIT_INTERRUPTED)
    if not any(outcome["receipt"] for outcome in terminal.outcomes):
        raise typer.Exit(EXIT_NO)


@app.command()
def cameras(context: typer.Context, as_json: Json = False) -> None:
    """List the cameras that are plugged in, and the line of the allow-list that means each of them."""
    file = place(context).home.config
    settings = (load_config(file) if file.exists() else Config()).camera
    found = [(c, objection(c, settings.allowed, settings.streams)) for c in list_identities()]
    if as_json:
        dump([{**asdict(c), "allowed": why is None, "objection": why, "line": line_for(c)} for c, why in found])
        return
    rows = [(c.node, c.label, c.bus, c.ids, c.driver, c.link, why or "allowed", line_for(c)) for c, why in found]
    table(
        "",
        ("node", "calls itself", "bus", "ids", "driver", "stable path", "may serve", "line for [camera] allow"),
        rows,
    )


@app.command()
def doctor(
    context: typer.Context,
    language: Annotated[
        Language | None, typer.Option(help="Short, for who is not IT: as the window's page about the device.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check everything this desk needs, each line with what to do."""
    where = place(context)
    if language is not None:
        _show_page(where, language, as_json=as_json)
        return
    with ERR.status("checking"):
        checks = list(examine(where.home, where.packs, SystemClock()))
    if as_json:
        dump([{"check": c.name, "health": c.health.value, "found": c.found, "remedy": c.remedy} for c in checks])
    else:
        table("", ("check", "health", "found", "what to do"), [(c.name, c.health, c.found, c.remedy) for c in checks])
    if any(c.health is Health.FAILED for c in checks):
        raise typer.Exit(EXIT_NO)


def _show_page(where: Place, language: Language, *, as_json: bool) -> None:
    with ERR.status("checking"):
        page = device_page(where.home, where.packs, SystemClock())
    rows = [
        {
            "part": part_text(line.part, language),
            "health": health_text(line.health, language),
            "found": finding_text(line.fact, language),
            "remedy": remedy_text(line.fact.finding, language),
        }
        for line in page.lines
    ]
    if as_json:
        dump({"device": page.device, "at": page.at, "health": page.health.value, "lines": rows})
    else:
        table(page.device, ("", "", "", ""), [tuple(row.values()) for row in rows])
    if page.health is Health.FAILED:
        raise typer.Exit(EXIT_NO)


@services.command("import")
def import_services(
    context: typer.Context, file: Annotated[Path, typer.Argument(help="CSV file, or a FHIR R4 Bundle of appointments.")]
) -> None:
    """Take over planned services.

    Columns: iin, service_code, service_name_kk, service_name_ru, service_name_en, room, provider, starts
    (YYYY-MM-DD HH:MM); optional: code, six digits that the patient was told, to check in without a face; doctor, the
    name that the patient is shown. All lines or none.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}") from error
    say(f"services: {_keep(context, content)}")


def _keep(context: typer.Context, content: bytes) -> str:
    lines = parse_schedule(content)
    with working_desk(context) as desk, immediate(desk.records.db):
        done = desk.records.services.keep(lines, desk.clock.moment().wall)
    return f"{done.added} new, {done.changed} changed, {done.unchanged} as they were"


@services.command("watch")
def watch_services(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Where the clinic's system drops its files.")],
    every: Annotated[float, typer.Option(min=0.1, help="Seconds between two looks.")] = 5.0,
    once: Annotated[bool, typer.Option("--once", help="Take what is there and end.")] = False,
) -> None:
    """Take over each CSV file or FHIR Bundle that is dropped into a folder; Ctrl-C ends it.

    Files go to its subfolders done and refused, the latter with the reasons beside them.
    """
    clock, drop, refused = SystemClock(), ServicesDrop(folder), False
    try:
        for look in itertools.count():
            for taken in drop.look(lambda content: _keep(context, content)):
                refused = refused or not taken.kept
                (say if taken.kept else warn)(f"{taken.name}: {taken.said}")
            if once and look:
                break
            clock.sleep(min(every, 0.5) if once else every)
    except OSError as error:
        raise typer.BadParameter(f"{folder}: {error.strerror}") from error
    except KeyboardInterrupt:
        raise typer.Exit(EXIT_INTERRUPTED) from None
    if refused:
        raise typer.Exit(EXIT_NO)


@services.command("list")
def list_services(
    context: typer.Context,
    day: Annotated[str | None, typer.Option(help="YYYY-MM-DD; today without it.")] = None,
    as_json: Json = False,
) -> None:
    """List a day's services and which of them are confirmed."""
    with working_desk(context) as desk:
        try:
            chosen = date.fromisoformat(day) if day else desk.clock.moment().wall.date()
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--day") from error
        rows = desk.records.services.on(chosen)
        language = desk.config.desk.language.value
    if as_json:
        dump([{"service": r.service, "code": r.code, "starts": r.starts_at, "event": r.event} for r in rows])
        return
    shown = [(r.starts_at[11:], r.code, dict(r.names)[language], r.room, r.event or "open") for r in rows]
    table(chosen.isoformat(), ("time", "code", "service", "room", "confirmed by event"), shown)
