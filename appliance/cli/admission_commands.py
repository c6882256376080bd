"""Commands of the fund's officer about desks: fund invite, admit, revoke, certificates.

What is decided is `sync.fund.admission`'s; the other commands of the fund are `fund_commands`.
"""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from appliance import config
from appliance.cli.output import dump, say, table
from appliance.cli.place import Folder, Json
from sync.clock import SystemClock
from sync.envelope import format_time
from sync.fund import admission
from sync.joining import read_invitation, read_request
from sync.papers import read_message, write_message
from sync.signing import KeyClass

app = typer.Typer()


@app.command()
def invite(
    folder: Folder,
    device: Annotated[str, typer.Argument(help="Name of the device at the fund: a-z, 0-9, hyphen.")],
    clinic: Annotated[str, typer.Option(help="Name of the clinic.")],
    desk: Annotated[str, typer.Option(help="Name of the desk.")],
    days: Annotated[int, typer.Option(min=1, max=90, help="How long the invitation is good.")] = 14,
    out: Annotated[Path | None, typer.Option(help="Where it is written; DEVICE.invitation.jws without it.")] = None,
) -> None:
    """Invite a desk, once. The file holds no secret and may go by mail; a revoked desk is invited again."""
    token = admission.invite(folder, device, clinic, desk, SystemClock().moment().wall, timedelta(days=days))
    file = out or Path(f"{device}.invitation.jws")
    write_message(file, token)
    say(f"invitation written to {file}, good for {days} days")
    say(f"when the desk asks, tell it the fund's key: {read_invitation(token).fund.public_jwk.thumbprint}")


@app.command()
def admit(
    folder: Folder,
    request: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The desk's request.")],
    key_class: Annotated[
        KeyClass, typer.Option("--key-class", help="The weakest place of the key that is accepted.")
    ] = KeyClass.PKCS11,
    key: Annotated[str | None, typer.Option(help="The desk's key as its people told it; any other is refused.")] = None,
    policy: Annotated[Path | None, typer.Option(help="TOML file with the section [policy] of the desk.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where it is written; DEVICE.answer.jws without it.")] = None,
) -> None:
    """Answer a desk's request, to admit it or to renew its certificates. The same request gets the same answer."""
    token = read_message(request)
    rules = ""
    if policy is not None:
        try:
            rules = policy.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise typer.BadParameter(f"{policy}: {error}", param_hint="--policy") from error
        config.parse(rules.encode("utf-8"))
    answer = admission.admit(folder, token, admission.Terms(key_class, rules, key), SystemClock().moment().wall)
    asked = read_request(token)
    file = out or Path(f"{asked.device}.answer.jws")
    write_message(file, answer)
    say(f"{asked.device} ({asked.clinic}, {asked.desk}): class {asked.key_class}, key {asked.public_jwk.thumbprint}")
    say(f"answer written to {file}; the secret in it opens at this desk only")


@app.command()
def revoke(
    folder: Folder,
    device: str,
    reason: Annotated[str, typer.Option(help="A code for the registry: a-z, 0-9, underscore, e.g. stolen.")],
) -> None:
    """Revoke a desk's certificates at once. It is let in again by a new invitation, with the same key."""
    admission.revoke(folder, device, reason, SystemClock().moment().wall)
    say(f"revoked {device}")


@app.command()
def certificates(folder: Folder, as_json: Json = False) -> None:
    """List every certificate that was issued to a desk, the oldest first."""
    rows = admission.certificates(folder)
    if as_json:
        dump(
            [
                {
                    "fingerprint": row.fingerprint,
                    "device": row.device,
                    "purpose": row.purpose.value,
                    "begins": format_time(row.begins),
                    "ends": format_time(row.ends),
                    "revoked": None if row.revoked is None else format_time(row.revoked),
                    "reason": row.reason,
                }
                for row in rows
            ]
        )
        return
    shown = [(row.device, row.purpose, row.fingerprint[:16], row.ends.date(), row.reason or "") for row in rows]
    table("", ("device", "for", "fingerprint", "until", "revoked for"), shown)
