"""The first run of a desk on a terminal: one step after the other, each as often as is wanted.

What a step does is `desk_setup`'s; the window shows the same steps.
"""

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from appliance.cli.output import EXIT_NO, dump, prompt, say, table, warn
from appliance.cli.place import Json, Place, place
from appliance.cli.setup_dialogue import Dialogue, NobodyAnswers, Source
from appliance.cli.window_commands import become
from appliance.core.setup_steps import SetupProgress, SetupStep
from appliance.core.types import Frame
from appliance.desk_setup import DeskSetup
from appliance.texts import Language, SetupWord, setup_word, step_result, step_text
from sync.clock import SystemClock

app = typer.Typer()


@app.command("setup-desk")
def setup_desk(
    context: typer.Context,
    step: Annotated[SetupStep | None, typer.Option(help="Only this step, also when it has passed.")] = None,
    status: Annotated[bool, typer.Option("--status", help="Only tell how far the set-up has come.")] = False,
    camera: Annotated[
        str | None, typer.Option(help="The desk's webcam: number, /dev/videoN or URL; 0 without.")
    ] = None,
    video: Annotated[Path | None, typer.Option(help="A video file instead of a camera.")] = None,
    images: Annotated[Path | None, typer.Option(help="A folder of pictures instead, 15 a second.")] = None,
    window: Annotated[bool, typer.Option("--window", help="Ask in a window instead of here.")] = False,
    as_json: Json = False,
) -> None:
    """Make this desk ready, step by step: clinic, language, camera, light, clock, printer.

    What was found is kept, so that it can be gone on with later; each step can be taken again.
    """
    where = place(context)
    setup = DeskSetup(where.home, SystemClock())
    if not status:
        recorded = video is not None or images is not None
        source = Source(camera if camera is not None or recorded else "0", video, images)
        if window:
            run_in_window(where, source, step)
        try:
            Dialogue(where, setup, source, _Terminal(aside=as_json)).go(step)
        except NobodyAnswers:
            warn("Standard input has ended: the set-up can be gone on with later.")
    progress = setup.progress
    _tell(progress, setup.first_language, as_json=as_json)
    if progress.following is not None:
        raise typer.Exit(EXIT_NO)


def run_in_window(where: Place, source: Source, step: SetupStep | None) -> NoReturn:
    """Go on as the window's program."""
    named = [("--camera", source.camera), ("--video", source.video), ("--images", source.images), ("--step", step)]
    given = [word for name, value in named if value is not None for word in (name, str(value))]
    become("setup-desk", "--home", str(where.home.root), "--packs", str(where.packs), *given)


def _tell(progress: SetupProgress, language: Language, *, as_json: bool) -> None:
    rows = [(step, progress.of(step)) for step in SetupStep]
    if as_json:
        dump(
            {
                "ready": progress.following is None,
                "next": progress.following and progress.following.value,
                "steps": [
                    {
                        "step": step.value,
                        "outcome": found and found.outcome.value,
                        "problem": found and found.problem and found.problem.value,
                        "values": dict(found.values) if found else {},
                        "at": found.at if found else "",
                    }
                    for step, found in rows
                ],
            }
        )
        return
    shown = [
        (step_text(step, language), found.outcome.value if found else "", step_result(found, language) if found else "")
        for step, found in rows
    ]
    table("", ("", "", ""), shown)
    if progress.following is None:
        say(setup_word(SetupWord.READY, language))


class _Terminal:
    """A host on the terminal; aside: on the error stream, where the output is for a machine."""

    def __init__(self, *, aside: bool) -> None:
        self._aside = aside

    def begin(self, step: SetupStep, title: str) -> None:  # noqa: ARG002 - the port's
        self._line(f"— {title}")

    def say(self, text: str) -> None:
        self._line(f"  {text}")

    def choose(self, answers: list[str]) -> int:
        """The first one for an empty line."""
        for number, answer in enumerate(answers, 1):
            self._line(f"  {number}. {answer}")
        while True:
            prompt("[1]: ", aside=self._aside)
            typed = sys.stdin.readline()
            if not typed:
                raise NobodyAnswers
            given = typed.strip() or "1"
            if given.isascii() and given.isdigit() and 1 <= int(given) <= len(answers):
                return int(given) - 1

    def spoken(self, language: Language) -> None:
        """Every text comes in the right language already."""

    def preview(self, frame: Frame) -> None:
        """A terminal shows no picture."""

    def _line(self, text: str) -> None:
        prompt(f"{text}\n", aside=self._aside)
