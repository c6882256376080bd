"""Turns a prompt into sound: a recording where there is one, else espeak-ng; and rings. All by programs of their own.

When and whether to speak is decided in `voice`. A desk without a sound card, a player or a voice is silent, which
`keldim doctor` tells; it is never a failure of the visit.
"""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from appliance.loudspeaker import VoiceReport, find_voice, recordings, try_voice
from appliance.texts import Language
from kiosk_ui.voice_prompts import Prompt, prompt_name, prompt_words

BELL: Final = Path(__file__).with_name("sounds") / "bell.wav"
"""Two soft tones, 0.9 s: heard across a hall, no alarm."""

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

    def ring(self, volume: float) -> Utterance | None:
        """Ring the bell that calls the reception; volume: 0..1. None where nothing plays it."""


class ProgramSpeaker:
    """Recordings from `folder/LANGUAGE/NAME.wav`, else espeak-ng."""

    def __init__(self, folder: Path | None) -> None:
        """folder: of the recordings, None without any. Which programs there are is looked up once."""
        self._folder = folder
        self._found = find_voice(folder)

    def report(self) -> VoiceReport:
        """What can be said here; tries it, without a sound."""
        return try_voice(self._found)

    def say(self, prompt: Prompt, language: Language, volume: float) -> "Utterance | None":
        """Start the program. None without one, or when it cannot be started."""
        return _start(self._command(prompt, language, volume))

    def ring(self, volume: float) -> "Utterance | None":
        """As `say`."""
        return _start(self._play(BELL, volume))

    def _command(self, prompt: Prompt, language: Language, volume: float) -> Sequence[str] | None:
        recording = self._recording(prompt, language)
        if recording is not None and self._found.player is not None:
            return self._play(recording, volume)
        if self._found.espeak is None:
            return None
        return espeak_command(self._found.espeak, prompt, language, volume)

    def _play(self, file: Path, volume: float) -> Sequence[str] | None:
        player = self._found.player
        if player is None:
            return None
        match Path(player).name:
            case "pw-play":
                return [player, f"--volume={volume:.2f}", str(file)]
            case "paplay":
                return [player, f"--volume={round(volume * 65_536)}", str(file)]
            case _:
                return [player, "-q", str(file)]

    def _recording(self, prompt: Prompt, language: Language) -> Path | None:
        name = f"{prompt_name(prompt)}.wav"
        return next((path for path in recordings(self._folder, language) if path.name == name), None)


def espeak_command(program: str, prompt: Prompt, language: Language, volume: float) -> list[str]:
    """How espeak-ng is asked to say a prompt."""
    loud = str(round(volume * _LOUDEST))
    return [program, "-v", language.value, "-s", str(WORDS_A_MINUTE), "-a", loud, "--", prompt_words(prompt, language)]


def _start(command: Sequence[str] | None) -> "Utterance | None":
    if command is None:
        return None
    try:
        return _Program(command)
    except OSError:  # removed, or no memory for another process: silence, as without it
        return None


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
