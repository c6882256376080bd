"""Measuring: one row for each picture whatever happens to it, the right series, kept only on request."""

import stat
from pathlib import Path

import numpy as np
import pytest

from appliance.core.errors import CacheUnusable
from appliance.core.policy import Policy
from appliance.evaluation.cache import Cache
from appliance.evaluation.datasets import DataSet
from appliance.evaluation.measured import Measured
from appliance.evaluation.measuring import Forgetful, Instruments, Memory, measure
from appliance.evaluation.readers import read_sets
from appliance.opencv import cv2
from tests.evaluation.eyes import PACK, ColourObserver, draw

GATE = Policy().gate


def _told(what: str, done: int, of: int) -> None:
    """Nobody looks."""


def _set(root: Path) -> DataSet:
    """Two people with a good picture each, one truncated, one without a face."""
    draw(root / "a" / "1.png", 1)
    draw(root / "b" / "1.png", 2)
    whole = (root / "b" / "1.png").read_bytes()
    (root / "b" / "2.png").write_bytes(whole[: len(whole) // 2])
    draw(root / "b" / "3.png", 255)
    return read_sets(root)[0]


def _measure(data: DataSet, memory: Memory | None = None, *, live: bool = False) -> tuple[Measured, int]:
    eyes = ColourObserver()
    return measure(data, Instruments(eyes, GATE, live=live), memory or Forgetful(), _told), eyes.looked


def test_broken_and_faceless_pictures_are_counted_not_crashed_on(tmp_path: Path) -> None:
    """Each keeps its row."""
    found, _ = _measure(_set(tmp_path / "set"))
    assert found.readable.tolist() == [True, True, False, True]
    assert found.found.tolist() == [True, True, False, False]
    assert found.person.tolist() == [0, 1, 1, 1]
    assert np.linalg.norm(found.vectors, axis=1) == pytest.approx([1, 1, 0, 0])
    assert found.names[0] != ""
    assert np.isnan(found.components[2]).all()
    assert found.passed.tolist() == [True, True, False, False]


def test_live_scores_are_taken_only_where_a_set_was_made_for_them(tmp_path: Path) -> None:
    """A folder of people has no attacks to tell from; NUAA has."""
    plain, _ = _measure(_set(tmp_path / "set"), live=True)
    assert np.isnan(plain.live).all()
    draw(tmp_path / "n" / "ClientRaw" / "1" / "1_00_01_01_5.jpg", 1, live=250)
    draw(tmp_path / "n" / "ImposterRaw" / "1" / "1_00_01_01_6.jpg", 1, live=10)
    shown, _ = _measure(read_sets(tmp_path / "n")[0], live=True)
    assert shown.live[0] > 0.9
    assert shown.live[1] < 0.1
    assert shown.species.tolist() == ["live", "print"]
    assert shown.series[0] != shown.series[1]
    assert shown.sessions == ("01",)


def _film(path: Path, frames: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 30, (64, 48))
    for _ in range(frames):
        writer.write(np.full((48, 64, 3), (3, 0, 240), np.uint8))
    writer.release()


def test_a_clip_gives_fifteen_frames_a_second(tmp_path: Path) -> None:
    """Every second one of thirty; nobody known is in it, so nothing is embedded. A damaged clip is one row."""
    _film(tmp_path / "c" / "x_real.mp4", 20)
    (tmp_path / "c" / "y_fake.mp4").write_bytes(b"no film")
    found, looked = _measure(read_sets(tmp_path / "c")[0], live=True)
    assert looked == 10
    assert found.readable.tolist() == [True] * 10 + [False]
    assert found.person.tolist() == [-1] * 11
    assert not found.vectors.size
    assert len(set(found.series[:10].tolist())) == 1


def test_a_cache_spares_the_second_look(tmp_path: Path) -> None:
    """The same rows from the file, bit by bit; a changed picture, another pack or another policy is looked at again."""
    data = _set(tmp_path / "set")
    first, looked = _measure(data, Cache(tmp_path / "cache", PACK, "policy"))
    again, spared = _measure(data, Cache(tmp_path / "cache", PACK, "policy"))
    assert (looked, spared) == (3, 0)
    for name in ("vectors", "found", "readable", "quality", "passed", "components", "live"):
        assert np.array_equal(
            getattr(first, name), getattr(again, name), equal_nan=name not in ("found", "readable", "passed")
        )
    assert first.names == again.names
    draw(tmp_path / "set" / "a" / "1.png", 7)
    assert _measure(data, Cache(tmp_path / "cache", PACK, "policy"))[1] == 1
    assert _measure(data, Cache(tmp_path / "cache", PACK, "other"))[1] == 3


def test_a_kept_row_without_the_wanted_score_is_measured_again(tmp_path: Path) -> None:
    """A run without attack detection first."""
    draw(tmp_path / "n" / "ClientRaw" / "1" / "1_00_01_01_5.jpg", 1)
    draw(tmp_path / "n" / "ImposterRaw" / "1" / "1_00_01_01_6.jpg", 1)
    data = read_sets(tmp_path / "n")[0]
    assert _measure(data, Cache(tmp_path / "cache", PACK, "p"))[1] == 2
    found, looked = _measure(data, Cache(tmp_path / "cache", PACK, "p"), live=True)
    assert looked == 2
    assert np.isfinite(found.live).all()
    assert _measure(data, Cache(tmp_path / "cache", PACK, "p"), live=True)[1] == 0


def test_the_cache_is_its_owners_alone_and_told_when_damaged(tmp_path: Path) -> None:
    """Embeddings are biometric data: no other user reads the file; bytes that are no cache are not guessed at."""
    _measure(_set(tmp_path / "set"), Cache(tmp_path / "cache", PACK, "p"))
    (file,) = (tmp_path / "cache").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(CacheUnusable):
        Cache(tmp_path / "cache", PACK, "p")
    with pytest.raises(CacheUnusable):
        Cache(file, PACK, "p")
