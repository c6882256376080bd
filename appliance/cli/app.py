"""The root of the `keldim` command: global options, and which module holds which command.

A command imports only its own world: `keldim sync` never loads a camera, a model or a gallery.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from typer._click.core import Command, Context  # typer carries its own click and exports no name for these
from typer.core import TyperGroup

from appliance.cli.place import HOME_VARIABLE, PACKS_VARIABLE, place_of


def _desk() -> typer.Typer:
    from appliance.cli.desk_commands import app

    return app


def _people() -> typer.Typer:
    from appliance.cli.people_commands import app

    return app


def _people_list() -> typer.Typer:
    from appliance.cli.people_commands import people

    return people


def _staff() -> typer.Typer:
    from appliance.cli.staff_commands import app

    return app


def _reception() -> typer.Typer:
    from appliance.cli.reception_commands import app

    return app


def _services() -> typer.Typer:
    from appliance.cli.desk_commands import services

    return services


def _ledger() -> typer.Typer:
    from appliance.cli.ledger_commands import app

    return app


def _backup() -> typer.Typer:
    from appliance.cli.backup_commands import app

    return app


def _keys() -> typer.Typer:
    from appliance.cli.keys_commands import app

    return app


def _sync() -> typer.Typer:
    from appliance.cli.sync_commands import app

    return app


def _fund() -> typer.Typer:
    from appliance.cli.admission_commands import app as admission
    from appliance.cli.allowed_commands import app as allowed
    from appliance.cli.claims_commands import app as claims
    from appliance.cli.fund_commands import app
    from appliance.cli.log_commands import fund_app as log

    for more in (admission, allowed, claims, log):
        if more not in (group.typer_instance for group in app.registered_groups):
            app.add_typer(more)
    return app


def _fleet() -> typer.Typer:
    from appliance.cli.fleet_commands import app

    return app


def _receipt() -> typer.Typer:
    from appliance.cli.receipt_commands import app

    return app


def _witness() -> typer.Typer:
    from appliance.cli.witness_commands import app

    return app


def _setup() -> typer.Typer:
    from appliance.cli.setup_commands import app

    return app


def _support() -> typer.Typer:
    from appliance.cli.support_commands import app

    return app


def _device() -> typer.Typer:
    from appliance.cli.device_commands import app

    return app


def _models() -> typer.Typer:
    from appliance.cli.migration_commands import app as migration
    from appliance.cli.models_commands import app
    from appliance.cli.publish_commands import app as publishing
    from appliance.cli.update_commands import app as updating

    for more in (migration, publishing, updating):
        if more not in (group.typer_instance for group in app.registered_groups):
            app.add_typer(more)
    return app


def _demo() -> typer.Typer:
    from appliance.cli.demo_commands import app

    return app


def _evaluate() -> typer.Typer:
    from appliance.cli.evaluate_commands import app

    return app


def _bench() -> typer.Typer:
    from appliance.cli.bench_commands import app

    return app


def _window() -> typer.Typer:
    from appliance.cli.window_commands import app

    return app


_GROUPS: dict[str, Callable[[], typer.Typer]] = {
    "device": _device,
    "people": _people_list,
    "staff": _staff,
    "reception": _reception,
    "services": _services,
    "ledger": _ledger,
    "keys": _keys,
    "sync": _sync,
    "fund": _fund,
    "fleet": _fleet,
    "receipt": _receipt,
    "witness": _witness,
    "models": _models,
    "bench": _bench,
}
_SINGLE: dict[str, Callable[[], typer.Typer]] = {
    "demo": _demo,
    "enrol": _people,
    "kiosk": _window,
    "checkin": _desk,
    "identify": _people,
    "verify": _people,
    "forget": _people,
    "cameras": _desk,
    "doctor": _desk,
    "support-bundle": _support,
    "setup-desk": _setup,
    "backup": _backup,
    "restore": _backup,
    "evaluate": _evaluate,
}


class _Commands(TyperGroup):
    """Finds a command by name and imports it then."""

    def list_commands(self, ctx: Context) -> list[str]:  # noqa: ARG002 - the signature is click's
        return [*_SINGLE, *_GROUPS]

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:
        if cmd_name in _GROUPS:
            found = typer.main.get_group(_GROUPS[cmd_name]())
            found.name = cmd_name
            return found
        if cmd_name in _SINGLE:
            return typer.main.get_group(_SINGLE[cmd_name]()).get_command(ctx, cmd_name)
        return None


app = typer.Typer(cls=_Commands, no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)


def _tell_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"keldim {version('keldim')}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    home: Annotated[
        Path | None, typer.Option("--home", envvar=HOME_VARIABLE, help="The desk's folder.", show_default=False)
    ] = None,
    packs: Annotated[
        Path | None, typer.Option("--packs", envvar=PACKS_VARIABLE, help="Folder of model packs.", show_default=False)
    ] = None,
    version: Annotated[  # noqa: ARG001 - told before anything else
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Tell the version and end.")
    ] = False,
) -> None:
    """Keldim: a patient checks in with their face, and the fund gets an event it can trust."""
    context.obj = place_of(home, packs)
