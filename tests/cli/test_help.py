"""Every command explains itself."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
import typer
from typer._click.core import Command, Context
from typer.core import TyperArgument, TyperGroup, TyperOption

from appliance.cli.app import app
from tests.cli.terminal import keldim


def commands() -> Iterator[tuple[tuple[str, ...], Command]]:
    """Every command by its words."""
    root = typer.main.get_group(app)
    yield from _below(root, ())


def _below(group: TyperGroup, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Command]]:
    context = Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, name
        yield (*words, name), command
        if isinstance(command, TyperGroup):
            yield from _below(command, (*words, name))


ALL = dict(commands())
WANTED = {
    *(
        ("demo",),
        ("enrol",),
        ("checkin",),
        ("identify",),
        ("verify",),
        ("people",),
        ("staff", "pin"),
        ("reception", "queue"),
        ("forget",),
        ("cameras",),
        ("doctor",),
        ("support-bundle",),
        ("setup-desk",),
        ("bench",),
    ),
    *(("ledger", word) for word in ("verify", "show", "export")),
    *(("keys", word) for word in ("status", "rotate", "seal", "unseal", "recovery")),
    *(("sync", word) for word in ("run", "now", "status", "export", "import-receipts", "receipt", "log")),
    *(("fund", word) for word in ("serve", "nginx", "import", "events", "audit", "witness", "compare")),
    *(("witness", word) for word in ("init", "run", "once", "status")),
    ("receipt", "verify"),
    *(("models", word) for word in ("list", "build", "verify")),
}


def test_every_promised_command_is_there() -> None:
    """As the README names them."""
    assert set(ALL) >= WANTED


ELSEWHERE = [words for words, command in ALL.items() if command.context_settings.get("ignore_unknown_options")]
"""Commands that become another program: run here, they would put it in the place of the tests."""


@pytest.mark.parametrize("words", ELSEWHERE, ids=" ".join)
def test_a_command_that_becomes_another_program_shows_its_help(words: tuple[str, ...]) -> None:
    """That program's own: it ends well and lists its options."""
    assert (ALL[words].help or "").strip()
    command = [sys.executable, "-m", "appliance", *words, "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "200"})
    assert ("Usage" in done.stdout, "--packs" in done.stdout, done.stderr) == (True, True, "")


@pytest.mark.parametrize("words", [words for words in ALL if words not in ELSEWHERE], ids=" ".join)
def test_help_names_the_purpose_and_every_option(words: tuple[str, ...]) -> None:
    """`--help` ends well, begins with the command's first sentence, and no option goes without a word."""
    shown = keldim(*words, "--help")
    assert (shown.code, shown.err) == (0, "")
    command = ALL[words]
    assert (command.help or "").strip()
    for parameter in command.params:
        if isinstance(parameter, TyperOption) and not parameter.hidden:
            assert parameter.help, f"{' '.join(words)} {parameter.opts[0]}"
        assert isinstance(parameter, TyperOption | TyperArgument)


@pytest.mark.parametrize("words", [(), ("sync",), ("ledger",), ("fund",), ("models",), ("services",)], ids=" ".join)
def test_a_group_alone_lists_its_commands(words: tuple[str, ...]) -> None:
    """Nobody has to guess; and it is wrong usage all the same."""
    shown = keldim(*words)
    below = [names[-1] for names in ALL if names[:-1] == words]
    assert shown.code == 2
    assert all(name in shown.out + shown.err for name in below)


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("ledger", "nonsense"),
        ("checkin", "--nonsense"),
        ("enrol",),
        ("forget",),
        ("fund", "serve", "--port", "many"),
        ("checkin", "--confirm", "maybe"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_told_and_ends_with_2(arguments: tuple[str, ...]) -> None:
    """Before anything is opened."""
    told = keldim(*arguments)
    assert (told.code, told.out) == (2, "")
    assert "Usage" in told.err


@pytest.mark.parametrize("module", ["sync_commands", "fund_commands"])
def test_what_reaches_the_network_loads_no_camera_no_model_and_no_gallery(module: str) -> None:
    """A command imports only its own world."""
    seeing = ("cv2", "onnxruntime", "faiss", "appliance.composition", "appliance.records.vault")
    script = f"import sys, appliance.cli.app, appliance.cli.{module}; print([m for m in {seeing} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
