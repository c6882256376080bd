"""Commands for the day a machine dies: back-up, and the restore on another one."""

from pathlib import Path
from typing import Annotated

import typer

from appliance.cli.opening import working_desk
from appliance.cli.output import say
from appliance.composition import DESK_MIGRATIONS
from appliance.restoring import restore as take_over
from sync.backup import Chain, make_backup, read_backup
from sync.desk_database import database_key
from sync.handing import request_handover
from sync.key_errors import RecoveryInvalid
from sync.key_source import open_keys
from sync.keyfile import write_secret
from sync.recovery_document import open_handover
from sync.sealing import SealedBox

app = typer.Typer()


@app.command()
def backup(
    context: typer.Context, folder: Annotated[Path, typer.Argument(help="Where back-ups are kept: another disk.")]
) -> None:
    """Copy the desk while it works: database, journal, sealed keys; read back at once. It holds no plain key."""
    with working_desk(context) as desk:
        settings, db = desk.settings, desk.records.db
        chain = Chain(settings.device.device, desk.key.signer.public_jwk, settings.fund.jwk)
        key = database_key(desk.home, open_keys(desk.home))
        now = desk.clock.moment().wall
        made = make_backup(desk.home, db, key, chain, DESK_MIGRATIONS, folder, now, say)
    say(f"backed up {made.head.seq} events to {made.folder}")


@app.command()
def restore(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="The folder of one back-up.")],
    request: Annotated[
        Path | None, typer.Option(help="Write the request for the fund here: keldim fund unseal-recovery.")
    ] = None,
    answer: Annotated[Path | None, typer.Option(help="What the fund made of the request.")] = None,
) -> None:
    """Take over a dead desk's records on this newly admitted one: first --request, then --answer."""
    if (request is None) == (answer is None):
        raise typer.BadParameter("give one of them", param_hint="--request, --answer")
    found = read_backup(folder)
    with working_desk(context) as desk:
        device, place = desk.settings.device.device, desk.home.keys / "handover.pem"
        if request is not None:
            box = SealedBox.load(place) if place.exists() else SealedBox.create(place)
            token = request_handover(desk.key.signer, device, found.device, box.public_jwk)
            write_secret(request, token.encode("ascii"))
            say(f"give {request} and {folder / 'recovery.json'} to the fund")
            return
        if answer is not None:
            taken = take_over(desk, folder, open_handover(_read(answer), device, SealedBox.load(place)))
            place.unlink()  # the answer opens no more
            say(f"{taken.people} patients and {taken.staff} staff taken over from {found.device}")
            say(f"{taken.erased} had been erased since, and stay erased")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise RecoveryInvalid(f"{path.name} cannot be read: {error.strerror}") from error
