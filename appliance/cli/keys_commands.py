"""Commands about the desk's keys at rest: where they are, sealing, new keys, the fund's copy."""

import grp
import pwd
from typing import Annotated

import typer

from appliance.cli.output import dump, say
from appliance.cli.place import Json, place
from appliance.key_rotation import rotate_database_key, rotate_template_key
from sync.clock import SystemClock
from sync.errors import SettingsInvalid
from sync.home import load_settings
from sync.key_report import inspect_keys
from sync.key_sealing import seal_keys, unseal_keys
from sync.key_source import open_keys
from sync.recovery import write_recovery
from sync.sealed_keys import Seal
from sync.sharing import share as share_home

app = typer.Typer(
    help="The keys of database and templates: sealed, replaced, copied to the fund.", no_args_is_help=True
)


@app.command()
def status(context: typer.Context, as_json: Json = False) -> None:
    """Where the keys lie and what seals them; opens none."""
    report = inspect_keys(place(context).home)
    seals = sorted(seal.value if seal else "unknown" for seal in report.seals)
    if as_json:
        dump(
            {
                "source": report.origin.value,
                "seals": seals,
                "tpm": report.by_tpm,
                "plain": list(report.plain),
                "sealed": list(report.sealed),
                "open_to_others": list(report.open_to_others),
                "pending": list(report.pending),
                "recovery": report.recovery,
            }
        )
        return
    say(f"source: {report.origin}; sealed with: {', '.join(seals) or 'nothing'}")
    for title, paths in (("plain", report.plain), ("sealed", report.sealed), ("rotation cut off", report.pending)):
        say(f"{title}: {', '.join(paths) or 'none'}")
    say(f"recovery copy for the fund: {'yes' if report.recovery else 'none'}")


@app.command()
def rotate(
    context: typer.Context,
    template: Annotated[bool, typer.Option("--template", help="A new key for everybody's data keys.")] = False,
    database: Annotated[bool, typer.Option("--database", help="A new key for the database file.")] = False,
) -> None:
    """Replace keys. Stop both services first. A run that was cut off is finished by the next one."""
    if not template and not database:
        raise typer.BadParameter("say which key", param_hint="--template, --database")
    home, clock = place(context).home, SystemClock()
    if template:
        say(f"template key replaced, {rotate_template_key(home, clock, say)} data keys wrapped anew")
    if database:
        say(f"database key replaced, {rotate_database_key(home, clock, say) >> 10} KiB encrypted anew")


@app.command()
def seal(
    context: typer.Context,
    with_key: Annotated[Seal, typer.Option(help="What seals them, as systemd-creds names it.")] = Seal.HOST_AND_TPM2,
    pcrs: Annotated[str, typer.Option(help='Boot state the TPM asks for, as "7+11"; else 7.')] = "",
) -> None:
    """Seal the key files to this machine by systemd-creds and remove the plain ones. As root."""
    home = place(context).home
    if not home.recovery.exists():
        raise SettingsInvalid(
            "without a recovery copy a dead machine is the end of the templates: keldim keys recovery"
        )
    seal_keys(home, with_key, pcrs, say)


@app.command()
def unseal(context: typer.Context) -> None:
    """Make the sealed keys plain files again, for work on the machine's firmware. As root."""
    unseal_keys(place(context).home, say)


@app.command()
def share(
    context: typer.Context,
    kiosk: Annotated[str, typer.Option(help="User of the desk's service.")] = "keldim-kiosk",
    sync: Annotated[str, typer.Option(help="User of the delivery.")] = "keldim-sync",
    group: Annotated[str, typer.Option(help="The group of both.")] = "keldim",
) -> None:
    """Give the desk's files to the two users of the services. As root; again after a restore."""
    try:
        numbers = (pwd.getpwnam(kiosk).pw_uid, pwd.getpwnam(sync).pw_uid, grp.getgrnam(group).gr_gid)
    except KeyError as error:
        raise typer.BadParameter(f"there is no such user or group: {error.args[0]}") from error
    share_home(place(context).home, *numbers)
    say(f"shared: {kiosk} owns the desk, {sync} delivers, group {group}")


@app.command()
def recovery(context: typer.Context) -> None:
    """Seal a copy of the keys to the fund, into the desk's folder; every back-up takes it along."""
    home = place(context).home
    settings = load_settings(home)
    if not write_recovery(home, settings.device.device, open_keys(home), settings.fund.sealing):
        raise SettingsInvalid("fund.sealing_jwk is missing in keldim.toml: take it from the fund's fund.json")
    say(f"written: {home.recovery}")
