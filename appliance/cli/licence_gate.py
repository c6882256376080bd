"""Asks the operator to accept a licence that does not allow every use, before a pack with such models is made.

What was accepted is kept by `models.acceptance`.
"""

import getpass
import sys
from pathlib import Path

import typer

from appliance.cli.output import say
from models.acceptance import Acceptances, restricted
from models.errors import LicenceNotAccepted
from models.recipes.build import licence_texts
from models.recipes.recipe import Recipe
from sync.clock import SystemClock


def pass_gate(recipe: Recipe, packs: Path, *, accepted: bool) -> None:
    """Return once every licence is accepted, here and now or earlier. accepted: the option says so.

    Without the option a terminal is asked. Raises LicenceNotAccepted.
    """
    kept = Acceptances(packs)
    open_ones = kept.missing(restricted(recipe.models, licence_texts(recipe)))
    if not open_ones:
        return
    names = ", ".join(licence.licence for licence in open_ones)
    if not accepted:
        if not sys.stdin.isatty():
            raise LicenceNotAccepted(f"pack {recipe.name} is not for every use: {names}")
        for licence in open_ones:
            say(licence.text.decode("utf-8"))
        say(f"Pack {recipe.name} is for non-commercial research only. A clinic that treats patients may not use it.")
        if not typer.confirm("Accept these licences for this machine?", default=False):
            raise LicenceNotAccepted(f"pack {recipe.name}: the licences were not accepted: {names}")
    kept.record(open_ones, getpass.getuser(), SystemClock().moment().wall.isoformat(timespec="seconds"))
