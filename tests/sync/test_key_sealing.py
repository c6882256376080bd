"""Keys sealed by the real systemd-creds: with the host's key, with a TPM; taken back; cut off anywhere. Needs root."""

import os
import shutil
from pathlib import Path

import pytest

from appliance.composition import DESK_MIGRATIONS
from sync.desk_database import open_desk_database
from sync.errors import KeyUnusable, SettingsInvalid
from sync.home import Home
from sync.key_errors import RotationUnfinished, SealUnusable
from sync.key_report import inspect_keys
from sync.key_sealing import seal_keys, unseal_keys
from sync.key_source import (
    CREDENTIAL_PREFIX,
    CREDENTIALS_VARIABLE,
    GIVEN,
    FileKeys,
    KeyName,
    KeyOrigin,
    Role,
    open_key_store,
    open_keys,
)
from sync.keyfile import load_key
from sync.sealed_keys import Seal, open_credential, seal_credential, sealed_with
from tests.fakes.software_tpm import software_tpm
from tests.fakes.working_desk import make_home

AMONG = '\n[policy]\ntries = 2\n\n[keys] # none yet\nsource = "file"\n\n[log]\nlevel = "INFO"\n'


class Cut(BaseException):
    """The power goes."""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A desk with plain keys."""
    home = make_home(tmp_path)
    home.config.write_text(home.config.read_text() + AMONG)
    return home


def silent(_: str) -> None:
    """Nobody waits."""


def plain_keys(home: Home) -> dict[KeyName, bytes]:
    """As files."""
    return {name: load_key(home.keys / name) for name in KeyName}


def opens(home: Home) -> bool:
    """The database opens with the keys of the source the desk is set to."""
    open_desk_database(home, open_keys(home, {}), DESK_MIGRATIONS).close()
    return True


def hand_over(home: Home, role: Role, folder: Path) -> dict[str, str]:
    """What systemd does for a unit with LoadCredentialEncrypted=keldim:FOLDER; the environment of the service."""
    folder.mkdir()
    for path in (home.sealed / role).iterdir():
        name = CREDENTIAL_PREFIX + path.name
        (folder / name).write_bytes(open_credential(name, path.read_bytes()))
    return {CREDENTIALS_VARIABLE: str(folder)}


def test_sealed_keys_reach_the_services_and_no_plain_file_stays(home: Home, tmp_path: Path) -> None:
    """Each service gets its own keys and no other; the desk's other settings are as before."""
    before = plain_keys(home)
    seal_keys(home, Seal.HOST, "", silent)
    report = inspect_keys(home)
    assert (report.origin, report.plain, report.surplus) == (KeyOrigin.CREDENTIAL, (), ())
    assert report.seals == frozenset({Seal.HOST})
    assert not report.by_tpm
    assert "tries = 2" in home.config.read_text()
    for role, names in GIVEN.items():
        keys = open_keys(home, hand_over(home, role, tmp_path / role))
        assert {name: keys.load(name) for name in names} == {name: before[name] for name in names}
    sync = open_keys(home, {CREDENTIALS_VARIABLE: str(tmp_path / Role.SYNC)})
    with pytest.raises(KeyUnusable, match="not given"):
        sync.load(KeyName.TEMPLATE)
    for path in (path for path in home.root.rglob("*") if path.is_file()):
        content = path.read_bytes()
        assert not any(key in content or key.hex().encode() in content for key in before.values()), path.name


@pytest.mark.parametrize("seal", [Seal.TPM2, Seal.HOST_AND_TPM2])
def test_a_key_sealed_to_a_tpm_opens_with_that_tpm_only(home: Home, seal: Seal) -> None:
    """The report says so, and another TPM gives a known failure with a remedy."""
    before = plain_keys(home)
    with software_tpm():
        seal_keys(home, seal, "7", silent)
        assert inspect_keys(home).by_tpm
        assert open_keys(home, {}).load(KeyName.TEMPLATE) == before[KeyName.TEMPLATE]
        assert opens(home)
    with software_tpm(), pytest.raises(SealUnusable) as caught:
        open_keys(home, {}).load(KeyName.TEMPLATE)
    assert caught.value.remedy


def test_a_credential_is_bound_to_its_name() -> None:
    """The template key does not pass for the database key."""
    sealed = seal_credential("keldim_db.key", bytes(32), Seal.HOST)
    assert sealed_with(sealed) is Seal.HOST
    assert open_credential("keldim_db.key", sealed) == bytes(32)
    with pytest.raises(SealUnusable, match="systemd-creds"):
        open_credential("keldim_template.key", sealed)
    assert sealed_with(b"no credential") is None


def test_without_systemd_creds_sealing_says_so(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the desk stays as it was."""
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SealUnusable, match="not installed"):
        seal_keys(home, Seal.HOST, "", silent)
    assert inspect_keys(home).origin is KeyOrigin.FILE
    assert opens(home)


def _cut_off(home: Home, steps: int, *, back: bool) -> bool:
    """Seal or unseal, with a power cut after so many steps; False when it came to its end before."""
    told = 0

    def tell(_: str) -> None:
        nonlocal told
        told += 1
        if told > steps:
            raise Cut

    try:
        unseal_keys(home, tell) if back else seal_keys(home, Seal.HOST, "", tell)
    except Cut:
        return True
    return False


@pytest.mark.parametrize("back", [False, True], ids=["seal", "unseal"])
def test_cut_off_at_any_step_the_desk_opens_and_the_next_run_ends_it(home: Home, back: bool) -> None:
    """After each step that is told, in both directions."""
    before = plain_keys(home)
    if back:
        seal_keys(home, Seal.HOST, "", silent)
    steps = 0
    while _cut_off(home, steps, back=back):
        assert opens(home)
        keys = open_keys(home, {})
        assert {name: keys.load(name) for name in KeyName} == before
        steps += 1
    assert steps >= 3
    report = inspect_keys(home)
    assert report.surplus == ()
    assert (report.origin, bool(report.sealed)) == ((KeyOrigin.FILE, False) if back else (KeyOrigin.CREDENTIAL, True))


def test_sealed_keys_rotate(home: Home) -> None:
    """Staged for both services, then put into use for both, under the name they open by."""
    seal_keys(home, Seal.HOST, "", silent)
    store, new = open_key_store(home), os.urandom(32)
    store.stage(KeyName.DATABASE, new)
    store.stage(KeyName.DATABASE, new)
    with pytest.raises(KeyUnusable, match="never overwritten"):
        store.stage(KeyName.DATABASE, os.urandom(32))
    with pytest.raises(RotationUnfinished):
        seal_keys(home, Seal.HOST, "", silent)
    with pytest.raises(RotationUnfinished):
        unseal_keys(home, silent)
    assert store.pending(KeyName.DATABASE) == new
    assert inspect_keys(home).pending == ("db.key.next",)
    store.promote(KeyName.DATABASE)
    assert (store.load(KeyName.DATABASE), store.pending(KeyName.DATABASE)) == (new, None)
    for role in GIVEN:
        assert open_credential("keldim_db.key", (home.sealed / role / "db.key").read_bytes()) == new
    with pytest.raises(KeyUnusable, match=r"no db\.key\.next"):
        store.promote(KeyName.DATABASE)


def test_a_plain_key_that_is_another_one_is_not_removed(home: Home) -> None:
    """Somebody put an old key back beside the sealed ones: which is right is not for a program to say."""
    kept = home.root / "kept"
    shutil.copytree(home.keys, kept)
    seal_keys(home, Seal.HOST, "", silent)
    FileKeys(home).stage(KeyName.TEMPLATE, os.urandom(32))
    FileKeys(home).promote(KeyName.TEMPLATE)
    with pytest.raises(SealUnusable, match="another key"):
        seal_keys(home, Seal.HOST, "", silent)
    with pytest.raises(KeyUnusable, match="another key"):
        unseal_keys(home, silent)
    assert (home.keys / KeyName.TEMPLATE).exists()


def test_settings_that_a_program_cannot_change_stay(home: Home) -> None:
    """[keys] as an inline table: said, and nothing removed."""
    lines = home.config.read_text().replace('[keys] # none yet\nsource = "file"\n', "")
    home.config.write_text('keys = { source = "file" }\n' + lines)
    with pytest.raises(SettingsInvalid, match="cannot be changed by a program"):
        seal_keys(home, Seal.HOST, "", silent)
    assert opens(home)
