"""The conversation of a first run: what is said and asked in each step, whoever says and asks it.

A terminal and the window are both `Host`s of it; what a step does is `desk_setup`'s.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from appliance.cli.place import Place
from appliance.cli.sources import opened
from appliance.composition import delivered
from appliance.config import load
from appliance.core.ports import FrameSource
from appliance.core.setup_steps import Outcome, SetupStep, StepResult
from appliance.core.types import Frame
from appliance.desk_setup import CAMERA_FAILURES, DeskSetup
from appliance.face.pack import open_pack
from appliance.face.pipeline import FacePipeline
from appliance.packs_in_use import slots_of
from appliance.texts import Language, SetupWord, setup_word, step_question, step_result, step_text

_OWN_NAMES = {Language.KAZAKH: "Қазақша", Language.RUSSIAN: "Русский", Language.ENGLISH: "English"}


class NobodyAnswers(Exception):
    """There is nobody at the keyboard, or the window was closed: the set-up can be gone on with later."""


class Host(Protocol):
    """Who talks with the person."""

    def begin(self, step: SetupStep, title: str) -> None:
        """A step begins, perhaps again."""

    def say(self, text: str) -> None:
        """One line of the step."""

    def choose(self, answers: list[str]) -> int:
        """The place of the answer that was chosen. Raises NobodyAnswers."""

    def spoken(self, language: Language) -> None:
        """From here on in this language."""

    def preview(self, frame: Frame) -> None:
        """What the camera sees; from any thread, and must not block."""


@dataclass(frozen=True, slots=True)
class Source:
    """The desk's camera, or a recording in its place."""

    camera: str | None
    video: Path | None
    images: Path | None


class Dialogue:
    """Takes the steps one after the other."""

    def __init__(self, where: Place, setup: DeskSetup, source: Source, host: Host) -> None:
        self._where, self._setup, self._source, self._host = where, setup, source, host
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
        """Take one step, or all that are left, until somebody stops. Raises NobodyAnswers, KnownFailure."""
        step = only or self._setup.progress.following
        while step is not None:
            self._host.begin(step, step_text(step, self._language))
            result = self._steps[step]()
            self._host.say(step_result(result, self._language))
            if result.outcome is Outcome.FAILED:
                words = (SetupWord.AGAIN, SetupWord.SKIP, SetupWord.STOP)
                answer = words[self._host.choose([setup_word(word, self._language) for word in words])]
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
            self._host.say(line)
        self._host.say(step_question(SetupStep.CLINIC, self._language))
        return self._setup.clinic(right=self._yes())

    def _choose_language(self) -> StepResult:
        self._host.say(step_question(SetupStep.LANGUAGE, self._language))
        languages = list(Language)
        self._language = languages[self._host.choose([_OWN_NAMES[language] for language in languages])]
        self._host.spoken(self._language)
        return self._setup.language(self._language)

    def _camera(self) -> StepResult:
        self._host.say(step_question(SetupStep.CAMERA, self._language))
        try:
            with self._frames() as frames:
                return self._setup.camera(frames)
        except CAMERA_FAILURES as failure:
            return self._setup.camera_failed(failure.code)

    def _frames(self) -> AbstractContextManager[FrameSource]:
        settings, source, clock = load(self._where.home.config).camera, self._source, self._setup.clock
        return opened(source.camera, source.video, source.images, settings, clock, preview=self._host.preview)

    def _light(self) -> StepResult:
        self._host.say(step_question(SetupStep.LIGHT, self._language))
        config = load(self._where.home.config)
        here, slot = delivered(config, self._where.packs), slots_of(self._where.home).peek()
        observer = FacePipeline(open_pack(slot or here.paths[0], accepted=here.licences))
        try:
            with self._frames() as frames:
                return self._setup.light(frames, observer, config.policy.gate)
        except CAMERA_FAILURES as failure:
            return self._setup.camera_failed(failure.code, SetupStep.LIGHT)

    def _printer(self) -> StepResult:
        names = self._setup.printers()
        if not names:
            return self._setup.printer("", "", self._yes)
        self._host.say(step_question(SetupStep.PRINTER, self._language))
        chosen = self._host.choose([*names, setup_word(SetupWord.SKIP, self._language)])
        name = "" if chosen == len(names) else names[chosen]
        page = "\n".join(setup_word(SetupWord.PAGE, language) for language in Language)

        def came_out() -> bool:
            self._host.say(setup_word(SetupWord.CAME_OUT, self._language))
            return self._yes()

        return self._setup.printer(name, page + "\n", came_out)

    def _yes(self) -> bool:
        return self._host.choose([setup_word(word, self._language) for word in (SetupWord.YES, SetupWord.NO)]) == 0
