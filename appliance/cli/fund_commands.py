"""Commands of the fund's side: init, serve, nginx, renew-certificate, import, block, unblock, devices, events.

Letting desks in and out is `admission_commands`', the audit and the log `log_commands`'.
"""

from pathlib import Path
from typing import Annotated

import typer

from appliance import logs
from appliance.cli.output import dump, say, table
from appliance.cli.place import Folder, Json
from sync.carry_errors import CarriedRefused
from sync.clock import SystemClock
from sync.envelope import format_time, parse_event
from sync.fund import office
from sync.fund.carried import Imported, import_files
from sync.fund.handover import hand_over
from sync.fund.home import FundHome
from sync.fund.keys import renew_certificate
from sync.fund.proxy import nginx_configuration, write_configuration
from sync.fund.serve import make_gateway
from sync.fund.serve import serve as serve_gateway
from sync.keyfile import write_secret
from sync.sealing import SealedBox

app = typer.Typer(help="The fund's gateway.", no_args_is_help=True)


@app.command()
def init(
    folder: Folder,
    url: Annotated[str, typer.Option(help="Where desks reach the gateway, https://...")],
    database: Annotated[
        str | None, typer.Option(help="An empty PostgreSQL database, postgresql://...; without it a file.")
    ] = None,
) -> None:
    """Make a new fund: keys, certificate authorities, database."""
    office.create_fund(folder, url, SystemClock().moment().wall, database)
    say(f"fund made in {folder}; desks are let in with: keldim fund invite, keldim fund admit")


@app.command()
def serve(
    folder: Folder,
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(help="Port; that of the fund's address without it, 0 takes a free one.")
    ] = None,
    behind_proxy: Annotated[
        bool, typer.Option("--behind-proxy", help="Believe nginx who asks; with --socket.")
    ] = False,
    socket: Annotated[
        Path | None, typer.Option(help="Unix socket to listen at instead, mode 0660; only with --behind-proxy.")
    ] = None,
    ready_file: Annotated[
        Path | None, typer.Option(help="Receives pid and port (or socket) as JSON once it answers.")
    ] = None,
) -> None:
    """Receive events until stopped."""
    if behind_proxy != (socket is not None):
        raise typer.BadParameter("--behind-proxy and --socket go together")
    logs.start(None, "INFO", console="INFO")
    serve_gateway(folder, host, port, proxy=socket, ready_file=ready_file)


@app.command()
def nginx(
    folder: Folder,
    socket: Annotated[list[Path], typer.Option(help="Unix socket of a gateway; once for each gateway.")],
    listen: Annotated[
        list[str] | None, typer.Option(help="PORT or ADDRESS:PORT, repeatable; without it the fund's own port.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="File to write, e.g. /etc/nginx/conf.d/keldim.conf.")] = None,
) -> None:
    """Make the configuration of nginx before this fund's gateways. Then: nginx -t, and reload it."""
    text = nginx_configuration(folder, socket, listen or ())
    if out is None:
        typer.echo(text, nl=False)
    else:
        write_configuration(out, text)
        say(f"{out} written; now: nginx -t && systemctl reload nginx")


@app.command("renew-certificate")
def renew_server_certificate(folder: Folder) -> None:
    """Renew the server's certificate when it is due, as a gateway does when it starts. Then nginx has to reload it."""
    renewed = renew_certificate(FundHome(folder), SystemClock().moment().wall)
    say("renewed; now: systemctl reload nginx" if renewed else "not due yet")


@app.command()
def block(
    folder: Folder,
    device: str,
    reason: Annotated[str, typer.Option(help="Code shown beside the device.")] = "by_hand",
) -> None:
    """Take no more events of a desk."""
    office.block_device(folder, device, reason)
    say(f"blocked {device}")


@app.command()
def unblock(folder: Folder, device: str) -> None:
    """Let a desk in again; evidence of a fork stays."""
    office.unblock_device(folder, device)
    say(f"unblocked {device}")


@app.command("unseal-recovery")
def unseal_recovery(
    folder: Folder,
    copy: Annotated[Path, typer.Argument(exists=True, help="recovery.json of the dead desk.")],
    following: Annotated[str, typer.Option("--for", help="The new desk, admitted already.")],
    request: Annotated[Path, typer.Option(exists=True, help="Its request: keldim restore --request.")],
    answer: Annotated[Path, typer.Option("--to", help="File to write; only the new desk opens it.")],
) -> None:
    """Hand a dead desk's keys to the desk that follows, sealed to it. Block the dead one first."""
    document = hand_over(folder, copy.read_bytes(), following, request.read_text(encoding="ascii").strip())
    write_secret(answer, document)
    say(f"give {answer} to {following}: keldim restore --answer")


@app.command()
def devices(folder: Folder, as_json: Json = False) -> None:
    """List the desks with their heads, refusals and forks."""
    rows = office.devices(folder)
    if as_json:
        dump(
            [
                {
                    "device": r.device.device,
                    "clinic": r.device.clinic,
                    "desk": r.device.desk,
                    "key_class": r.device.key_class,
                    "attested": r.device.attested,
                    "blocked": r.device.blocked,
                    "revoked": r.device.revoked,
                    "certified_until": r.device.certified_until and format_time(r.device.certified_until),
                    "head": r.head.seq,
                }
                for r in rows
            ]
        )
        return
    shown = [
        (
            *(r.device.device, r.device.clinic, r.device.desk, r.device.key_class, r.device.attested, r.head.seq),
            r.device.certified_until.date() if r.device.certified_until else "",
            r.device.revoked or r.device.blocked or "",
        )
        for r in rows
    ]
    table("", ("device", "clinic", "desk", "key", "attested", "head", "until", "closed"), shown)


@app.command()
def events(
    folder: Folder,
    after: Annotated[int, typer.Option(help="Leave out events up to this number.")] = 0,
    limit: Annotated[int, typer.Option(help="How many at most.")] = 1000,
    as_json: Json = False,
) -> None:
    """Show the stored events in order of arrival."""
    rows = []
    documents = []
    for row in office.list_events(folder, after=after, limit=limit):
        event = parse_event(row.event.token).event
        received = format_time(row.received)
        rows.append((row.number, row.event.device, row.event.seq, event.kind, received, row.event.refused or ""))
        documents.append(
            {
                "number": row.number,
                "device": row.event.device,
                "seq": row.event.seq,
                "digest": row.event.digest,
                "received": received,
                "refused": row.event.refused,
                "kind": event.kind,
                "wall": format_time(event.moment.wall),
                "data": dict(event.data),
            }
        )
    if as_json:
        dump(documents)
    else:
        table("", ("number", "device", "seq", "kind", "received", "refused"), rows)


@app.command(name="import")
def import_events(
    folder: Folder,
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="Files of desks, from a stick.")],
    as_json: Json = False,
) -> None:
    """Take in events that came on a stick, and write receipts beside them, to be carried back.

    Every file is read to its end before anything is taken. Exit code 3 when a file or a desk was refused, or something
    failed on the way: what was taken in has its receipts; give the same command again, no event counts twice.
    """
    home = FundHome(folder)
    done = import_files(make_gateway(home, SystemClock()), SealedBox.load(home.sealing_key), files)
    refused = [f"{one.device}: {one.refused}" for one in done if one.refused]
    if as_json:
        dump([_imported(one) for one in done])
    else:
        for one in done:
            if one.events:
                say(f"{one.device}: {one.events} events taken in; receipts for the desk: {one.receipts}")
    if refused:
        raise CarriedRefused("; ".join(refused))


def _imported(one: Imported) -> dict[str, object]:
    receipts = str(one.receipts) if one.events else None
    return {"device": one.device, "events": one.events, "receipts": receipts, "refused": one.refused}
