"""Settings on the disk: one plain file, known by its digest."""

import os
from pathlib import Path

import pytest

from models import publish
from models.errors import PackDamaged, RepositoryUnusable, SlotsUnusable
from models.releases import MAX_SETTINGS, Wanted
from models.settings_file import SETTINGS_NAME, held_settings, read_settings, settings_digest, settings_slots
from tests.fakes.publishers import NOW, Publishers


def _settings(folder: Path, data: bytes) -> tuple[Path, Wanted]:
    folder.mkdir()
    (folder / SETTINGS_NAME).write_bytes(data)
    return folder, Wanted(1, settings_digest(data))


def test_settings_are_known_by_their_bytes(tmp_path: Path) -> None:
    """Digest and size."""
    folder, wanted = _settings(tmp_path / "a", b"[policy]\n")
    held = held_settings(folder)
    assert (held.digest, held.size) == (wanted.digest, 9)


def test_what_is_no_plain_file_of_some_kilobytes_is_damaged(tmp_path: Path) -> None:
    """A folder without it, a file too long, a pipe that would hold us."""
    with pytest.raises(PackDamaged, match="cannot be read"):
        read_settings(tmp_path)
    with pytest.raises(PackDamaged, match="larger"):
        read_settings(_settings(tmp_path / "long", b"#" * (MAX_SETTINGS + 1))[0])
    (tmp_path / "pipe").mkdir()
    os.mkfifo(tmp_path / "pipe" / SETTINGS_NAME)
    with pytest.raises(PackDamaged, match="plain"):
        read_settings(tmp_path / "pipe")


def test_a_slot_whose_settings_were_altered_is_not_used(tmp_path: Path) -> None:
    """One byte on a dying disk; they are not listed as bad, so they come again."""
    slots = settings_slots(tmp_path / "slots")
    slots.install(*_settings(tmp_path / "a", b"[policy]\nfmr = 1e-5\n"))
    chosen = slots.begin()
    assert chosen is not None
    (chosen.path / SETTINGS_NAME).write_bytes(b"[policy]\nfmr = 1e-1\n")
    assert slots.begin() is None
    assert slots.state().bad == ()


def test_a_failed_disk_is_a_known_failure(tmp_path: Path) -> None:
    """Where there should be a folder."""
    source = _settings(tmp_path / "a", b"[policy]\n")
    (tmp_path / "slots").write_text("")
    with pytest.raises(SlotsUnusable):
        settings_slots(tmp_path / "slots").install(*source)


def test_the_same_settings_are_published_once_and_never_too_long(tmp_path: Path) -> None:
    """Numbers of their own, from one."""
    publishers = Publishers(tmp_path / "repository")
    assert [publishers.settings(b"# %d\n" % i).number for i in range(2)] == [1, 2]
    with pytest.raises(RepositoryUnusable, match="already"):
        publishers.settings(b"# 0\n")
    with pytest.raises(RepositoryUnusable, match="at most"):
        publish.add_settings(publishers.repository, b"#" * (MAX_SETTINGS + 1), NOW)
