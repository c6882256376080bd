"""The first run of a desk on a terminal: one step after the other, each as often as is wanted.

What a step does is `desk_setup`'s; the window shows the same steps.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from appliance.cli.output import EXIT_NO, dump, prompt, say, table, warn
from appliance.cli.place import Json, Place, place
from appliance.cli.sources import opened
from appliance.composition import delivered
from appliance.config import load
from appliance.core.setup_steps import Outcome, SetupProgress, SetupStep, StepResult
from appliance.desk_setup import CAMERA_FAILURES, DeskSetup
from appliance.face.pack import open_pack
from appliance.face.pipeline import FacePipeline
from appliance.packs_in_use import slots_of
from appliance.texts import Language, SetupWord, setup_word, step_question, step_result, step_text
from sync.clock import SystemClock

app = typer.Typer()

_OWN_NAMES = {Language.KAZAKH: "Қазақша", Language.RUSSIAN: "Русский", Language.ENGLISH: "English"}


class _NobodyAnswers(Exception):
    """Standard input has ended."""


@dataclass(frozen=True, slots=True)
class _Source:
    camera: str | None
    video: Path | None
    images: Path | None


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
    as_json: Json = False,
) -> None:
    """Make this desk ready, step by step: clinic, language, camera, light, clock, printer.

    What was found is kept, so that it can be gone on with later; each step can be taken again.
    """
    where = place(context)
    setup = DeskSetup(where.home, SystemClock())
    if not status:
        recorded = video is not None or images is not None
        source = _Source(camera if camera is not None or recorded else "0", video, images)
        try:
            _Dialogue(where, setup, source, aside=as_json).go(step)
        except _NobodyAnswers:
            warn("Standard input has ended: the set-up can be gone on with later.")
    progress = setup.progress
    _tell(progress, setup.first_language, as_json=as_json)
    if progress.following is not None:
        raise typer.Exit(EXIT_NO)


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


class _Dialogue:
    """Asks and shows; aside: on the error stream, where the output is for a machine."""

    def __init__(self, where: Place, setup: DeskSetup, source: _Source, *, aside: bool) -> None:
        self._where, self._setup, self._source, self._aside = where, setup, source, aside
        self._language = setup.first_language
        self._steps: dict[SetupStep, Callable[[], StepResult]] = {
            SetupStep.CLINIC: self._clinic,
            SetupStep.LANGUAGE: self._choose_language,
            SetupStep.CAMERA: self._camera,
            SetupStep.LIGHT: self._light,
            SetupStep.CLOCK: setup.time,
            SetupStep.PRINTER: self._printer,
        }

    def go(self, only: SetupStep | None) -> None:
        """Take one step, or all that are left, until somebody stops. Raises _NobodyAnswers, KnownFailure."""
        step = only or self._setup.progress.following
        while step is not None:
            self._line(f"— {step_text(step, self._language)}")
            result = self._steps[step]()
            self._line(f"  {step_result(result, self._language)}")
            if result.outcome is Outcome.FAILED:
                words = (SetupWord.AGAIN, SetupWord.SKIP, SetupWord.STOP)
                answer = words[self._choose([setup_word(word, self._language) for word in words])]
                if answer is SetupWord.AGAIN:
                    continue
                if answer is SetupWord.STOP:
                    return
                self._setup.skip(step)
            step = None if only else self._setup.progress.following

    def _clinic(self) -> StepResult:
        found = self._setup.place()
        if found is None:
            return self._setup.clinic(right=False)
        for line in (found.clinic, found.desk, found.device, found.fund):
            self._line(f"  {line}")
        self._line(step_question(SetupStep.CLINIC, self._language))
        return self._setup.clinic(right=self._yes())

    def _choose_language(self) -> StepResult:
        self._line(step_question(SetupStep.LANGUAGE, self._language))
        languages = list(Language)
        self._language = languages[self._choose([_OWN_NAMES[language] for language in languages])]
        return self._setup.language(self._language)

    def _camera(self) -> StepResult:
        self._line(step_question(SetupStep.CAMERA, self._language))
        settings = load(self._where.home.config).camera
        source = self._source
        try:
            with opened(source.camera, source.video, source.images, settings, self._setup.clock) as frames:
                return self._setup.camera(frames)
        except CAMERA_FAILURES as failure:
            return self._setup.camera_failed(failure.code)

    def _light(self) -> StepResult:
        self._line(step_question(SetupStep.LIGHT, self._language))
        config, source = load(self._where.home.config), self._source
        here, slot = delivered(config, self._where.packs), slots_of(self._where.home).peek()
        observer = FacePipeline(open_pack(slot or here.paths[0], accepted=here.licences))
        try:
            with opened(source.camera, source.video, source.images, config.camera, self._setup.clock) as frames:
                return self._setup.light(frames, observer, config.policy.gate)
        except CAMERA_FAILURES as failure:
            return self._setup.camera_failed(failure.code, SetupStep.LIGHT)

    def _printer(self) -> StepResult:
        names = self._setup.printers()
        if not names:
            return self._setup.printer("", "", self._yes)
        self._line(step_question(SetupStep.PRINTER, self._language))
        chosen = self._choose([*names, setup_word(SetupWord.SKIP, self._language)])
        name = "" if chosen == len(names) else names[chosen]
        page = "\n".join(setup_word(SetupWord.PAGE, language) for language in Language)

        def came_out() -> bool:
            self._line(setup_word(SetupWord.CAME_OUT, self._language))
            return self._yes()

        return self._setup.printer(name, page + "\n", came_out)

    def _yes(self) -> bool:
        return self._choose([setup_word(word, self._language) for word in (SetupWord.YES, SetupWord.NO)]) == 0

    def _choose(self, answers: list[str]) -> int:
        """The place of the chosen answer; the first one for an empty line. Raises _NobodyAnswers."""
        for number, answer in enumerate(answers, 1):
            self._line(f"  {number}. {answer}")
        while True:
            prompt("[1]: ", aside=self._aside)
            typed = sys.stdin.readline()
            if not typed:
                raise _NobodyAnswers
            given = typed.strip() or "1"
            if given.isascii() and given.isdigit() and 1 <= int(given) <= len(answers):
                return int(given) - 1

    def _line(self, text: str) -> None:
        prompt(f"{text}\n", aside=self._aside)
