"""Commands that open a window: kiosk. The window is a program of its own, which this one becomes.

What it can be told is the window's to say: everything after the command goes to it as it is, `--help` too.
"""

import os
import sys
from typing import NoReturn

import typer

from appliance.cli.place import place

app = typer.Typer()


PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


@app.command(context_settings=PASSED_ON, short_help="Open the patient's window over this desk.")
def kiosk(context: typer.Context) -> None:
    """Open the patient's window over this desk."""
    where = place(context)
    become("kiosk", "--home", str(where.home.root), "--packs", str(where.packs), *context.args)


def become(*arguments: str) -> NoReturn:
    """Go on as the window's program."""
    os.execv(sys.executable, [sys.executable, "-m", "kiosk_ui", *arguments])  # noqa: S606 - our own program
