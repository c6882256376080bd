"""The `keldim-release` command, of the system's Python: lists the program's releases and goes from one to another.

Services, timer and packages call it, too. What it does is `switching`'s.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from appliance.releases.errors import ReleaseMissing
from appliance.releases.shelf import Shelf
from appliance.releases.state import LOOKS_WELL, MAX_LOOKS, State, Version, is_version
from appliance.releases.switching import Switching
from appliance.releases.system import Debian
from sync.errors import KnownFailure


def _version(text: str) -> Version:
    if not is_version(text):
        raise ReleaseMissing(f"{text!r} is no version")
    return Version(text)


def _word(state: State, version: Version) -> str:
    """What a release is here, for people."""
    why = state.why_given_up(version)
    if version == state.trial:
        return f"on trial, look {state.looks} of {MAX_LOOKS}, well for {state.well} of {LOOKS_WELL}"
    if version == state.proven:
        return "proven; the way back" if state.trial else "in use"
    if why is not None:
        return f"given up: {why}"
    return "in use before" if version == state.before else "installed"


def _list(switching: Switching, *, as_json: bool) -> None:
    state, versions = switching.shelf.state(), switching.shelf.versions()
    if as_json:
        rows = [{"version": version, "state": _word(state, version)} for version in versions]
        whole = {"in_use": state.in_use, "trial": state.trial, "proven": state.proven, "releases": rows}
        sys.stdout.write(json.dumps(whole, indent=2) + "\n")
        return
    for version in versions:
        sys.stdout.write(f"{'*' if version == state.in_use else ' '} {version}\t{_word(state, version)}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="keldim-release", description="Goes from one release of Keldim to another, and back by itself."
    )
    parser.add_argument("--root", type=Path, default=Path("/"), help=argparse.SUPPRESS)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    listing = commands.add_parser("list", help="the releases on this machine")
    listing.add_argument("--json", action="store_true", help="machine-readable output")
    activate = commands.add_parser("activate", help="put a release on trial, and start the services anew")
    activate.add_argument("version")
    activate.add_argument("--again", action="store_true", help="though it was given up here")
    activate.add_argument(
        "--one-way", action="store_true", help="in use for good: it may move the records on; make a back-up first"
    )
    confirm = commands.add_parser("confirm", help="keep the release on trial")
    confirm.add_argument(
        "--seen-working", action="store_true", help="you have seen it work; services and doctor are not asked"
    )
    back = commands.add_parser("rollback", help="end the trial, or go back to the release before")
    for command in (activate, back):
        command.add_argument("--no-restart", action="store_true", help="leave running services as they are")
    commands.add_parser("watch", help="what the timer does: look at a trial, keep or end it")
    for name, text in (
        ("starting", "what a service calls before it starts"),
        ("stopped", "what a service calls when it has ended; $SERVICE_RESULT says how"),
    ):
        commands.add_parser(name, help=text).add_argument("unit")
    for name, text in (
        ("adopt", "what the package calls: use this release if there is none"),
        ("may-remove", "what a package calls: fails for a release in use"),
    ):
        commands.add_parser(name, help=text).add_argument("version")
    return parser


def _act(switching: Switching, given: argparse.Namespace) -> None:
    """One command. Raises KnownFailure."""
    actions: dict[str, Callable[[], State]] = {
        "activate": lambda: switching.activate(
            _version(given.version), one_way=given.one_way, again=given.again, restart=not given.no_restart
        ),
        "confirm": lambda: switching.confirm(seen_working=given.seen_working),
        "rollback": lambda: switching.roll_back(restart=not given.no_restart),
        "watch": switching.watch,
        "starting": lambda: switching.starting(given.unit),
        "stopped": lambda: switching.stopped(given.unit, well=os.environ.get("SERVICE_RESULT") == "success"),
        "adopt": lambda: switching.adopt(_version(given.version)),
    }
    if given.command == "list":
        _list(switching, as_json=given.json)
    elif given.command == "may-remove":
        switching.require_removable(_version(given.version))
    else:
        state = actions[given.command]()
        if given.command in {"activate", "confirm", "rollback", "adopt"} and state.in_use is not None:
            sys.stdout.write(f"{state.in_use}: {_word(state, state.in_use)}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 done, 2 wrong usage, 3 a known failure, which is told with its remedy."""
    given = _parser().parse_args(arguments)
    try:
        _act(Switching(Shelf(given.root), Debian(given.root)), given)
    except KnownFailure as failure:
        sys.stderr.write(f"{failure.code} {failure}\n  {failure.remedy}\n")
        return failure.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
