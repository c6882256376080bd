"""Recordings come first, espeak-ng stands in, and a desk without either is silent and says so."""

import struct
import subprocess
import threading
import wave
from pathlib import Path

import pytest

from appliance.core.quality import Hint
from appliance.core.session import State
from appliance.loudspeaker import ESPEAK
from appliance.texts import Language
from kiosk_ui.voice_prompts import prompt_words
from kiosk_ui.voice_speaker import BELL, ProgramSpeaker, Utterance, espeak_command

KK = Language.KAZAKH


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder as the only one where programs are found."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """One recording, in Kazakh."""
    folder = tmp_path / "voice"
    (folder / "kk").mkdir(parents=True)
    (folder / "kk" / "hint-closer.wav").write_bytes(b"RIFF")
    return folder


def program(folder: Path, name: str) -> Path:
    """A program that writes down its arguments and the end of its work; gives the file."""
    said = folder.parent / f"{name}.said"
    path = folder / name
    path.write_text(f'#!/bin/sh\nprintf "%s|" "$@" > {said}.new\n/bin/mv {said}.new {said}\n')
    path.chmod(0o755)
    return said


def heard(utterance: Utterance | None, said: Path) -> list[str]:
    """The arguments, once the program has ended."""
    assert utterance is not None
    while utterance.running():
        threading.Event().wait(0.01)
    return said.read_text().split("|")[:-1]


PLAYERS = pytest.mark.parametrize(
    ("name", "arguments"),
    [("pw-play", ["--volume=0.50"]), ("paplay", ["--volume=32768"]), ("aplay", ["-q"])],
)


@PLAYERS
def test_a_recording_is_played(programs: Path, recordings: Path, name: str, arguments: list[str]) -> None:
    """By whichever player is installed, although there is a robot, too."""
    program(programs, ESPEAK)
    said = program(programs, name)
    speaker = ProgramSpeaker(recordings)
    path = recordings / "kk" / "hint-closer.wav"
    assert heard(speaker.say(Hint.CLOSER, KK, 0.5), said) == [*arguments, str(path)]


def test_what_is_not_recorded_is_spoken_by_the_robot(programs: Path, recordings: Path) -> None:
    """In the language of the screen, with the words of the screen."""
    program(programs, "aplay")
    said = program(programs, ESPEAK)
    speaker = ProgramSpeaker(recordings)
    words = prompt_words(Hint.CLOSER, Language.RUSSIAN)
    wanted = ["-v", "ru", "-s", "140", "-a", "100", "--", words]
    assert heard(speaker.say(Hint.CLOSER, Language.RUSSIAN, 0.5), said) == wanted


def test_a_desk_without_a_voice_is_silent_and_says_so(programs: Path, recordings: Path) -> None:
    """No program, or only recordings that nothing plays."""
    for folder in (None, recordings, recordings / "missing"):
        speaker = ProgramSpeaker(folder)
        assert speaker.say(Hint.CLOSER, KK, 1.0) is None
        assert speaker.ring(1.0) is None
        assert speaker.report().silent
    program(programs, "aplay")
    assert not ProgramSpeaker(recordings).report().silent
    assert ProgramSpeaker(None).report().silent
    program(programs, ESPEAK)
    assert not ProgramSpeaker(None).report().silent


@PLAYERS
def test_the_bell_is_played(programs: Path, name: str, arguments: list[str]) -> None:
    """By the same players; a sound of about a second that is neither silence nor too loud for its format."""
    said = program(programs, name)
    assert heard(ProgramSpeaker(None).ring(0.5), said) == [*arguments, str(BELL)]
    with wave.open(str(BELL), "rb") as sound:
        frames, rate = sound.getnframes(), sound.getframerate()
        samples = struct.unpack(f"<{frames}h", sound.readframes(frames))
    assert 0.5 < frames / rate < 1.5
    assert 10_000 < max(map(abs, samples)) < 32_767


def test_a_program_that_is_gone_is_silence(programs: Path) -> None:
    """Uninstalled while the window runs."""
    program(programs, ESPEAK)
    speaker = ProgramSpeaker(None)
    (programs / ESPEAK).unlink()
    assert speaker.say(State.HOLD, KK, 1.0) is None


def test_speech_is_broken_off(programs: Path) -> None:
    """At once, and no process is left; stopping again does nothing."""
    path = programs / ESPEAK
    path.write_text("#!/bin/sh\nexec /bin/sleep 60\n")
    path.chmod(0o755)
    utterance = ProgramSpeaker(None).say(State.HOLD, KK, 1.0)
    assert utterance is not None
    assert utterance.running()
    utterance.stop()
    assert not utterance.running()
    utterance.stop()


@pytest.mark.parametrize("language", Language)
def test_espeak_has_a_voice_for_each_language(tmp_path: Path, language: Language) -> None:
    """The real program (Debian package espeak-ng) makes a second or more of sound, not of silence."""
    path = tmp_path / "said.wav"
    command = espeak_command(ESPEAK, State.NOT_RECOGNISED, language, 0.5)
    done = subprocess.run([command[0], "-w", str(path), *command[1:]], capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    with wave.open(str(path), "rb") as sound:
        frames, rate, width = sound.getnframes(), sound.getframerate(), sound.getsampwidth()
        samples = struct.unpack(f"<{frames}h", sound.readframes(frames))
    assert width == 2
    assert frames / rate >= 1.0
    assert max(map(abs, samples)) > 2000
