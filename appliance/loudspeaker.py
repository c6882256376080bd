"""What this machine can be heard with: a player for recordings and the bell, espeak-ng, a sound card.

Whether something is said, and what, is the window's. Nothing is played here.
"""

import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from appliance.texts import Language

ESPEAK: Final = "espeak-ng"
_PLAYERS: Final = ("pw-play", "paplay", "aplay")
"""Of WAV files; the first two know of volume."""

_PACKAGES: Final = {"voice": "espeak-ng", "player": "alsa-utils"}
_CARDS: Final = Path("/dev/snd")
_ANSWER_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class VoiceReport:
    """What a desk can say. recorded: prompts by language.

    espeak: the program, None without it. mute: languages that it has no voice for, or does not start in. player: of
    recordings and the bell, None without one. card: there is one that plays.
    """

    recorded: tuple[tuple[Language, int], ...]
    espeak: str | None
    mute: tuple[Language, ...]
    player: str | None
    card: bool

    @property
    def silent(self) -> bool:
        """Nothing can be said."""
        robot = self.espeak is not None and len(self.mute) < len(Language)
        return not robot and not (self.player and any(count for _, count in self.recorded))

    def summary(self) -> str:
        """One line for IT."""
        counts = ", ".join(f"{count} {language}" for language, count in self.recorded if count)
        name = Path(self.player).name if self.player else ""
        parts = [f"recordings: {counts} by {name}" if counts and name else "no recordings"]
        parts += [ESPEAK if self.espeak else f"no {ESPEAK}"]
        parts += [f"no voice for {', '.join(self.mute)}"] if self.espeak and self.mute else []
        parts += [] if name else ["no player, so no bell when somebody calls for help"]
        parts += [] if self.card else ["no sound card"]
        return f"{'silent: ' if self.silent else ''}{'; '.join(parts)}"

    @property
    def packages(self) -> tuple[str, ...]:
        """Of Debian 12, that would help."""
        lacking = {"voice": self.espeak is None or bool(self.mute), "player": self.player is None}
        return tuple(_PACKAGES[what] for what, lacks in lacking.items() if lacks)


def recordings(folder: Path | None, language: Language) -> list[Path]:
    """The recorded prompts of a language in `folder/LANGUAGE/NAME.wav`; none without a folder."""
    return [] if folder is None else sorted((folder / language.value).glob("*.wav"))


def find_voice(folder: Path | None, cards: Path = _CARDS) -> VoiceReport:
    """Look only. folder: of the recordings. cards: of the system."""
    player = next((found for found in map(shutil.which, _PLAYERS) if found), None)
    return VoiceReport(
        recorded=tuple((language, len(recordings(folder, language))) for language in Language),
        espeak=shutil.which(ESPEAK),
        mute=(),
        player=player,
        card=any(cards.glob("pcmC*D*p")),
    )


def try_voice(found: VoiceReport) -> VoiceReport:
    """The same, after espeak-ng was asked for each language, without a sound: a tenth of a second."""
    program = found.espeak
    return replace(found, mute=tuple(each for each in Language if program and not _speaks(program, each)))


def _speaks(program: str, language: Language) -> bool:
    command = [program, "-q", "-v", language.value, "--", "0"]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=_ANSWER_S)  # noqa: S603 - found in PATH
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
