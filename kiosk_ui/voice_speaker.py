"""Turns a prompt into sound: a recording where there is one, else espeak-ng; both are programs of their own.

When and whether to speak is decided in `voice`. A desk without a sound card, a player or a voice is silent, which
`VoiceReport` tells; it is never a failure of the visit.
"""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from appliance.texts import Language
from kiosk_ui.voice_prompts import Prompt, prompt_name, prompt_words

ESPEAK: Final = "espeak-ng"
WORDS_A_MINUTE: Final = 140
"""espeak-ng's own 175 are too fast for somebody who hears a robot's Kazakh for the first time."""

_LOUDEST: Final = 200
"""espeak-ng's amplitude; 100 is its normal."""

_END_S: Final = 1.0


class Utterance(Protocol):
    """Something that is being said."""

    def running(self) -> bool:
        """Whether it is still heard."""

    def stop(self) -> None:
        """Fall silent at once. Does not wait."""


class Speaker(Protocol):
    """Says a prompt."""

    def say(self, prompt: Prompt, language: Language, volume: float) -> Utterance | None:
        """Begin; volume: 0..1. None when it cannot be said here."""


@dataclass(frozen=True, slots=True)
class VoiceReport:
    """What a desk can say. recorded: prompts by language. espeak: whether it is installed. player: of recordings."""

    recorded: tuple[tuple[Language, int], ...]
    espeak: bool
    player: str

    @property
    def silent(self) -> bool:
        """Nothing can be heard."""
        return not self.espeak and not (self.player and any(count for _, count in self.recorded))

    def summary(self) -> str:
        """One line for IT."""
        if self.silent:
            return f"voice: silent, neither recordings with a player nor {ESPEAK}"
        counts = ", ".join(f"{count} {language}" for language, count in self.recorded if count)
        played = f"recordings: {counts} by {self.player}" if self.player and counts else "no recordings"
        return f"voice: {played}; {ESPEAK if self.espeak else f'no {ESPEAK}'}"


class ProgramSpeaker:
    """Recordings from `folder/LANGUAGE/NAME.wav`, else espeak-ng."""

    def __init__(self, folder: Path | None) -> None:
        """folder: of the recordings, None without any. Which programs there are is looked up once."""
        self._folder = folder
        self._espeak = shutil.which(ESPEAK)
        names = ("pw-play", "paplay", "aplay")  # the first two know of volume
        self._player = next((found for found in map(shutil.which, names) if found), None)

    def report(self) -> VoiceReport:
        """What can be said here."""
        counts = tuple((language, len(self._recordings(language))) for language in Language)
        return VoiceReport(counts, self._espeak is not None, Path(self._player).name if self._player else "")

    def say(self, prompt: Prompt, language: Language, volume: float) -> "Utterance | None":
        """Start the program. None without one, or when it cannot be started."""
        command = self._command(prompt, language, volume)
        if command is None:
            return None
        try:
            return _Program(command)
        except OSError:  # removed, or no memory for another process: silence, as without it
            return None

    def _command(self, prompt: Prompt, language: Language, volume: float) -> Sequence[str] | None:
        recording = self._recording(prompt, language)
        if recording is not None and self._player is not None:
            match Path(self._player).name:
                case "pw-play":
                    return [self._player, f"--volume={volume:.2f}", str(recording)]
                case "paplay":
                    return [self._player, f"--volume={round(volume * 65_536)}", str(recording)]
                case _:
                    return [self._player, "-q", str(recording)]
        if self._espeak is None:
            return None
        return espeak_command(self._espeak, prompt, language, volume)

    def _recording(self, prompt: Prompt, language: Language) -> Path | None:
        name = f"{prompt_name(prompt)}.wav"
        return next((path for path in self._recordings(language) if path.name == name), None)

    def _recordings(self, language: Language) -> list[Path]:
        return [] if self._folder is None else sorted((self._folder / language.value).glob("*.wav"))


def espeak_command(program: str, prompt: Prompt, language: Language, volume: float) -> list[str]:
    """How espeak-ng is asked to say a prompt."""
    loud = str(round(volume * _LOUDEST))
    return [program, "-v", language.value, "-s", str(WORDS_A_MINUTE), "-a", loud, "--", prompt_words(prompt, language)]


class _Program:
    """One run of a program; whoever started the next one has stopped this."""

    def __init__(self, command: Sequence[str]) -> None:
        silence = subprocess.DEVNULL
        self._process = subprocess.Popen(command, stdin=silence, stdout=silence, stderr=silence)  # noqa: S603 - ours

    def running(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(_END_S)  # a killed process is gone within milliseconds
