"""A desk moves from one pack to another by commands: nobody is lost on the way, and nothing is erased by accident."""

import json
import shutil
from pathlib import Path

import pytest

from appliance.config import load
from appliance.core.errors import MigrationUnfinished, PackInvalid
from appliance.packs_in_use import slots_of
from models.errors import PackUnknown
from models.releases import Wanted
from models.store import read_pack
from sync.home import Home
from tests.cli.conftest import ELLEN
from tests.cli.terminal import Clinic
from tests.fakes.bad_packs import slow, with_card, with_embedder


@pytest.fixture
def moving(clinic: Clinic, pack_path: Path, tmp_path: Path) -> Clinic:
    """The clinic with another pack beside its own: another embedder, which computes the same."""
    packs = tmp_path / "packs"
    shutil.copytree(pack_path, packs / "builtin")
    with_embedder(pack_path, packs / "second", slow(1))
    return Clinic(clinic.root, packs)


def packs_of(clinic: Clinic) -> tuple[str, tuple[str, ...]]:
    """What the settings say."""
    pack = load(clinic.home / "keldim.toml").pack
    return pack.name, pack.previous


def test_a_patient_is_recognised_by_the_old_pack_after_the_change(moving: Clinic, astronaut: Path) -> None:
    """Activated, told what it means; the enrolled are found by the pack they were enrolled with."""
    before = (moving.home / "keldim.toml").read_text(encoding="utf-8")
    done = moving("models", "activate", "second", "--json")
    assert (done.code, done.err) == (0, "")
    assert (done.json["previous"], done.json["waiting"]) == (["builtin"], 1)
    assert packs_of(moving) == ("second", ("builtin",))
    assert moving("identify", "--photo", astronaut).code == 0
    assert moving("verify", "--photo", astronaut, "--iin", ELLEN.iin.digits).code == 0
    at = moving("models", "migration", "--json").json
    assert (at["pack"], at["people"], at["moved"], at["share"]) == ("second", 1, 0, 0.0)
    assert [row["pack"] for row in json.loads(json.dumps(at["waiting"]))] == ["builtin"]
    shown = moving("models", "migration")
    assert "0 of 1 people" in shown.out
    assert shown.err == ""
    assert moving("models", "activate", "builtin").code == 0
    assert (moving.home / "keldim.toml").read_text(encoding="utf-8") == before


def test_a_pack_that_sees_alike_leaves_nobody_waiting(clinic: Clinic, pack_path: Path, tmp_path: Path) -> None:
    """Other figures about the same networks: the templates there are go on."""
    packs = tmp_path / "packs"
    shutil.copytree(pack_path, packs / "builtin")
    with_card(pack_path, packs / "second", b"other figures\n")
    moving = Clinic(clinic.root, packs)
    moving("identify", "--photo", tmp_path / "none.png")  # the desk comes across its own pack
    assert moving("models", "activate", "second", "--json").json["waiting"] == 0


def test_a_pack_that_came_signed_is_what_people_move_to(moving: Clinic) -> None:
    """The pack of the slot is the desk's own, not the one it was delivered with; on trial, both are needed."""
    slots, folder = slots_of(Home(moving.home)), moving.packs / "second"
    wanted = Wanted(3, read_pack(folder).digest)
    slots.install(folder, wanted)
    for name in ("second", "builtin"):
        assert moving("models", "retire", name, "--now").code == 2, "one is on trial, the other the way back"
    slots.mark_good(wanted)
    at = moving("models", "migration", "--json").json
    assert (at["pack"], at["digest"], at["people"], at["moved"]) == ("release 3", wanted.digest, 1, 0)
    assert [row["pack"] for row in json.loads(json.dumps(at["waiting"]))] == ["builtin"]
    shown = moving("models", "migration")
    assert ("release 3" in shown.out, shown.err) == (True, "")
    assert "release 3, which came signed, stays in use" in moving("models", "activate", "builtin").out
    assert moving("models", "retire", "second", "--now").code == 2
    assert "1 patients and 0 staff have no other template" in moving("models", "retire", "builtin").out
    moving("models", "retire", "builtin", "--now").failed_with(MigrationUnfinished)


def test_nothing_is_retired_by_accident(moving: Clinic, astronaut: Path) -> None:
    """First only shown; then refused as long as somebody needs it; not even forced before the policy allows it."""
    assert moving("models", "activate", "second").code == 0
    shown = moving("models", "retire", "builtin")
    assert (shown.code, shown.err) == (0, "")
    assert "1 patients and 0 staff have no other template and would have to enrol again" in shown.out
    for options in (("--now",), ("--now", "--force")):
        moving("models", "retire", "builtin", *options).failed_with(MigrationUnfinished)
    assert moving("identify", "--photo", astronaut).code == 0
    config = moving.home / "keldim.toml"
    config.write_text(config.read_text(encoding="utf-8") + "\n[policy.migration]\nretire_share = 0.0\n")
    done = moving("models", "retire", "builtin", "--now", "--force", "--json")
    assert (done.code, done.err) == (0, "")
    assert (done.json["erased"], done.json["stranded"]) == (True, 1)
    assert packs_of(moving) == ("second", ())
    assert moving("identify", "--photo", astronaut).code == 4


def test_only_a_sound_pack_is_activated(moving: Clinic) -> None:
    """Missing or damaged: refused, and the settings stay as they were. The desk's own pack is never retired."""
    before = (moving.home / "keldim.toml").read_bytes()
    moving("models", "activate", "third").failed_with(PackUnknown)
    with (moving.packs / "second" / "embedder.onnx").open("r+b") as file:
        file.write(b"x")
    moving("models", "activate", "second").failed_with(PackInvalid)
    assert (moving.home / "keldim.toml").read_bytes() == before
    assert moving("models", "retire", "builtin").code == 2
    moving("models", "retire", "0" * 12).failed_with(PackUnknown)


def test_people_of_a_pack_that_is_not_used_are_pointed_out(moving: Clinic) -> None:
    """Somebody edited the settings by hand: the move is shown with who is cut off, and how to mend it."""
    config = moving.home / "keldim.toml"
    config.write_text(config.read_text(encoding="utf-8").replace('name = "builtin"', 'name = "second"'))
    shown = moving("models", "migration")
    assert "not recognised" in shown.out
    assert "previous" in shown.err
    digest = json.loads(json.dumps(moving("models", "migration", "--json").json["waiting"]))[0]["digest"]
    assert "builtin" not in moving("models", "retire", digest[:12]).err
