"""What a desk can be heard with is looked for, tried without a sound, and told with what would help."""

from pathlib import Path

import pytest

from appliance.loudspeaker import ESPEAK, find_voice, try_voice
from appliance.texts import Language


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder as the only one where programs are found."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def program(folder: Path, name: str, script: str = "exit 0") -> None:
    """A program that does what the script says."""
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_a_machine_without_anything_is_silent_and_says_what_to_install(programs: Path, tmp_path: Path) -> None:
    """Neither voice nor bell nor card."""
    del programs
    found = try_voice(find_voice(None, tmp_path))
    assert found.silent
    assert found.summary().startswith("silent: no recordings; no espeak-ng; no player")
    assert (found.packages, found.card) == (("espeak-ng", "alsa-utils"), False)


def test_recordings_need_a_player(programs: Path, tmp_path: Path) -> None:
    """With one they are heard, and so is the bell."""
    (tmp_path / "voice" / "kk").mkdir(parents=True)
    (tmp_path / "voice" / "kk" / "hint-closer.wav").write_bytes(b"RIFF")
    (tmp_path / "snd").mkdir()
    (tmp_path / "snd" / "pcmC0D0p").touch()
    assert find_voice(tmp_path / "voice", tmp_path / "snd").silent
    program(programs, "aplay")
    found = find_voice(tmp_path / "voice", tmp_path / "snd")
    assert (found.silent, found.packages, found.card) == (False, ("espeak-ng",), True)
    assert found.summary() == "recordings: 1 kk by aplay; no espeak-ng"


@pytest.mark.parametrize("script", ["exit 1", '[ "$3" = ru ]'])
def test_a_robot_that_lacks_a_language_is_told(programs: Path, tmp_path: Path, script: str) -> None:
    """Installed is not enough: each language is tried, and with none left the desk is silent."""
    program(programs, ESPEAK, script)
    found = try_voice(find_voice(None, tmp_path))
    mute = [Language.KAZAKH, Language.ENGLISH] if "ru" in script else list(Language)
    assert (list(found.mute), found.silent) == (mute, len(mute) == 3)
    assert f"no voice for {', '.join(mute)}" in found.summary()
    assert "espeak-ng" in found.packages


def test_a_robot_that_does_not_start_is_no_voice(programs: Path, tmp_path: Path) -> None:
    """A file that is no program."""
    (programs / ESPEAK).write_bytes(b"\x7fELF")
    (programs / ESPEAK).chmod(0o755)
    assert try_voice(find_voice(None, tmp_path)).silent


def test_the_real_robot_speaks_every_language() -> None:
    """The Debian packages that a desk installs are enough for voice and bell."""
    found = try_voice(find_voice(None))
    assert (found.silent, found.mute, found.packages) == (False, (), ())
