"""Commands by which a desk joins a fund, and stays in it: device init, request, install, renew, status.

What each does is `sync.provision`'s and `sync.install`'s; the fund's side is `admission_commands`.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from appliance import config
from appliance.cli.output import EXIT_NO, dump, say, table, warn
from appliance.cli.place import Json, place
from appliance.texts import Language
from sync.__main__ import read_status
from sync.clock import SystemClock
from sync.envelope import format_time
from sync.errors import KnownFailure
from sync.home import Home
from sync.install import install as install_answer
from sync.joining import read_invitation
from sync.membership import Membership, Step, read_membership
from sync.papers import read_message, write_message
from sync.provision import make_desk, request_admission, request_renewal
from sync.signing import KeyClass

app = typer.Typer(help="This desk's identity: its key, its certificates, its fund.", no_args_is_help=True)

_NEXT = {
    Step.NOTHING: "keldim device init",
    Step.MADE: "keldim device request --invitation FILE, with the file from the fund",
    Step.REQUESTED: "keldim device install FILE, with the fund's answer",
    Step.INSTALLED: "",
}

_CONFIG = """
[desk]
language = {language}

[pack]
name = "builtin"
"""

Out = Annotated[Path, typer.Option("--out", help="Where the request is written, for the fund.")]


@app.command()
def init(
    context: typer.Context,
    key_class: Annotated[
        KeyClass, typer.Option("--key-class", help="Where the device key lives; a file is for demonstration only.")
    ] = KeyClass.FILE,
    key: Annotated[
        list[str] | None,
        typer.Option("--key", help="A setting of [key] as in keldim.toml, NAME=VALUE: --key 'token=\"desk\"'."),
    ] = None,
    language: Annotated[Language, typer.Option(help="First language of the screen.")] = Language.KAZAKH,
) -> None:
    """Make this desk: device key, encrypted database, keldim.toml. May be repeated."""
    home = place(context).home
    section = "\n".join(("[key]", f'class = "{key_class.value}"', *(key or ())))
    made = make_desk(home, section + "\n" + _CONFIG.format(language=json.dumps(language.value)))
    say(f"desk made in {home.root}; device key of class {key_class.value}: {made.thumbprint}")
    say(f"next: {_NEXT[Step.MADE]}")


@app.command()
def request(
    context: typer.Context,
    invitation: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="The invitation, as the fund sent it.")],
    out: Out = Path("request.jws"),
) -> None:
    """Write the request to the fund that invites this desk. May be repeated."""
    token = read_message(invitation)
    made = request_admission(place(context).home, token, _now())
    write_message(out, made)
    fund = read_invitation(token).fund
    say(f"the fund at {fund.url} has the key {fund.public_jwk.thumbprint}: compare it by telephone")
    say(f"request written to {out}; send it to the fund. next: {_NEXT[Step.REQUESTED]}")


@app.command()
def renew(context: typer.Context, out: Out = Path("request.jws")) -> None:
    """Write the request to renew the device certificate, signed with the present key. May be repeated."""
    write_message(out, request_renewal(place(context).home))
    say(f"request written to {out}; send it to the fund. next: {_NEXT[Step.REQUESTED]}")


@app.command()
def install(
    context: typer.Context,
    answer: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The fund's answer.")],
) -> None:
    """Put the fund's answer into use. May be repeated; an answer that does not fit changes nothing."""
    home = place(context).home
    certificate = install_answer(home, read_message(answer), _now(), config.parse)
    facts = certificate.facts
    say(f"device {facts.device} of {facts.clinic}, {facts.desk}: certified until {certificate.ends.date()}")
    say(f"key class {facts.key_class}, {facts.attested}")


@app.command()
def status(context: typer.Context, as_json: Json = False) -> None:
    """Show how this desk stands with its fund. Exit code 4: something needs a person."""
    home, now = place(context).home, _now()
    membership = read_membership(home)
    warnings, view = list(membership.warnings(now)), _fund_view(home, membership)
    if view.get("alarm"):
        warnings.append(str(view["alarm"]))
    document = _document(membership) | {f"fund_{name}": value for name, value in view.items()}
    if as_json:
        dump(document | {"warnings": warnings})
    else:
        table("", ("", ""), [(name, "" if value is None else value) for name, value in document.items()])
        for warning in warnings:
            warn(warning)
        if _NEXT[membership.step]:
            say(f"next: {_NEXT[membership.step]}")
    if warnings:
        raise typer.Exit(EXIT_NO)


def _fund_view(home: Home, membership: Membership) -> dict[str, object]:
    """What the fund said last, and when; empty before the desk is installed, or when its database is out of reach."""
    if membership.step is not Step.INSTALLED:
        return {}
    try:
        status = read_status(home, SystemClock())
    except KnownFailure as failure:
        warn(f"{failure.code} {failure}: what the fund said last is not known")
        return {}
    contact = None if status.last_contact is None else datetime.fromtimestamp(status.last_contact, UTC)
    return {"heard": _time(contact), "error": status.last_error, "alarm": status.alarm, "waiting": status.pending}


def _document(membership: Membership) -> dict[str, object]:
    return {
        "step": membership.step.value,
        "device": membership.device,
        "key_class": membership.key_class,
        "attested": membership.attested,
        "certificate_ends": _time(membership.certificate_ends),
        "tls_certificate_ends": _time(membership.tls_ends),
        "renewing": membership.renewing,
        "fund_key": membership.fund_key,
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else format_time(at)


def _now() -> datetime:
    return SystemClock().moment().wall
