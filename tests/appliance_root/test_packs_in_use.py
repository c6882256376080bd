"""Which packs a desk opens: its slot's, then the delivered one; earlier ones only where templates of them exist."""

import logging
import shutil
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import pytest

from appliance.core.errors import PackInvalid
from appliance.core.policy import Policy
from appliance.core.types import PackDigest
from appliance.packs_in_use import Delivered, OpenedPacks, open_packs, ring_of
from models.manifest import MANIFEST_NAME
from models.manifest_document import write_manifest
from models.releases import Followed, Ring, Wanted, write_followed
from models.slot_state import Bad, Fault
from models.slots import Slots
from models.store import read_pack
from sync.home import Home
from tests.fakes.bad_packs import slow, with_embedder
from tests.models.manifests import manifest_of


@dataclass
class Desk:
    """A desk with a delivered pack and two slots."""

    slots: Slots
    delivered: Path

    def open(self, *held: str) -> OpenedPacks:
        """As a start does."""
        ticks = count()
        packs = Delivered((self.delivered,), self.delivered.parent)
        held_packs = [PackDigest(one) for one in held]
        return open_packs(self.slots, packs, Policy(), held_packs, lambda: next(ticks) * 0.01, counted=True)


@pytest.fixture
def desk(tmp_path: Path, pack_path: Path) -> Desk:
    """With the builtin pack."""
    return Desk(Slots(tmp_path / "slots"), shutil.copytree(pack_path, tmp_path / "packs" / "builtin"))


@pytest.fixture
def newer(tmp_path: Path, pack_path: Path) -> tuple[Path, Wanted]:
    """The builtin pack with another embedder, which does the same."""
    folder = with_embedder(pack_path, tmp_path / "newer", slow(1))
    return folder, Wanted(3, read_pack(folder).digest)


def test_without_updates_the_delivered_pack_is_opened(desk: Desk) -> None:
    """No release, no trial."""
    opened = desk.open()
    assert (opened.first.digest, opened.release, opened.trial) == (read_pack(desk.delivered).digest, None, False)


def test_a_new_pack_comes_first_and_the_one_with_templates_after_it(desk: Desk, newer: tuple[Path, Wanted]) -> None:
    """An earlier pack costs an embedding per frame, so it is opened only for templates there are."""
    desk.slots.install(*newer)
    before = read_pack(desk.delivered).digest
    opened = desk.open(before)
    assert (opened.first.digest, opened.release, opened.trial) == (newer[1].digest, newer[1], True)
    assert [pack.digest for pack in opened.earlier] == [before]
    assert [pack.digest for pack in desk.open().earlier] == [before], "on trial: the desk may go back to it"
    desk.slots.mark_good(newer[1])
    assert desk.open().earlier == ()


def test_a_damaged_earlier_pack_closes_no_desk(
    desk: Desk, newer: tuple[Path, Wanted], caplog: pytest.LogCaptureFixture
) -> None:
    """Who only has templates of it is not recognised, and the log says so."""
    desk.slots.install(*newer)
    before = read_pack(desk.delivered).digest
    (desk.delivered / "embedder.onnx").write_bytes(b"x")
    with caplog.at_level(logging.WARNING):
        opened = desk.open(before)
    assert opened.earlier == ()
    assert "is not recognised" in caplog.text


def test_a_pack_that_this_version_cannot_open_is_given_up(desk: Desk, tmp_path: Path, pack_path: Path) -> None:
    """Whole as files, signed and all, but its golden pictures are none."""
    folder = shutil.copytree(pack_path, tmp_path / "broken")
    contents = read_pack(folder)
    files = {**contents.files, contents.manifest.golden: b"no golden pictures"}
    (folder / contents.manifest.golden).write_bytes(b"no golden pictures")
    listed = manifest_of(contents.manifest.models, files).files
    (folder / MANIFEST_NAME).write_bytes(write_manifest(replace(contents.manifest, files=listed)))
    wanted = Wanted(4, read_pack(folder).digest)
    desk.slots.install(folder, wanted)
    assert desk.open().release is None
    assert desk.slots.state().bad == (Bad(wanted, Fault.SELF_TEST),)


def test_without_any_slot_a_damaged_delivered_pack_is_a_failure(desk: Desk) -> None:
    """There is nothing to fall back to."""
    (desk.delivered / "embedder.onnx").write_bytes(b"x")
    with pytest.raises(PackInvalid):
        desk.open()


def test_the_ring_is_read_where_it_was_noted(tmp_path: Path) -> None:
    """Nobody's where there is no note, or a damaged one."""
    home = Home(tmp_path)
    assert ring_of(home) == ""
    (tmp_path / "updates").mkdir()
    (tmp_path / "updates" / "follow.json").write_bytes(write_followed(Followed(Ring.EARLY)))
    assert ring_of(home) == "early"
    (tmp_path / "updates" / "follow.json").write_bytes(b"{")
    assert ring_of(home) == ""
