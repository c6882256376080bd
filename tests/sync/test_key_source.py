"""Where keys come from: files or credentials, never the one in the place of the other."""

import os
from pathlib import Path

import pytest

from sync.errors import KeyUnusable, SettingsInvalid
from sync.home import Home
from sync.key_errors import SealUnusable
from sync.key_source import (
    CREDENTIAL_PREFIX,
    CREDENTIALS_VARIABLE,
    NEXT,
    FileKeys,
    KeyName,
    KeyOrigin,
    KeySource,
    open_keys,
    read_key_settings,
)
from sync.keyfile import create_key
from sync.sealed_keys import Seal

CREDENTIAL = '[keys]\nsource = "credential"\n'


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with plain keys and no settings about them."""
    home = Home(tmp_path)
    home.keys.mkdir()
    home.config.write_text("")
    for name in KeyName:
        create_key(home.keys / name)
    return home


@pytest.fixture
def given(home: Home) -> Path:
    """What systemd opened for a service of this home: other keys than the plain ones."""
    home.config.write_text(CREDENTIAL)
    folder = home.root / "credentials"
    folder.mkdir()
    for name in KeyName:
        create_key(folder / (CREDENTIAL_PREFIX + name))
    return folder


def of_service(home: Home, folder: Path) -> KeySource:
    """The keys as a service sees them."""
    return open_keys(home, {CREDENTIALS_VARIABLE: str(folder)})


def test_without_settings_keys_are_files(home: Home) -> None:
    """Also under systemd: the origin is what is configured, not what happens to be there."""
    keys = of_service(home, home.root)
    assert keys.origin is KeyOrigin.FILE
    assert keys.load(KeyName.TEMPLATE) == home.template_key.read_bytes()


def test_a_service_reads_its_credentials(home: Home, given: Path) -> None:
    """The plain files beside them are not looked at."""
    keys = of_service(home, given)
    assert keys.origin is KeyOrigin.CREDENTIAL
    for name in KeyName:
        assert keys.load(name) == (given / (CREDENTIAL_PREFIX + name)).read_bytes()
        assert keys.load(name) != (home.keys / name).read_bytes()
        assert keys.pending(name) is None


def test_a_missing_credential_is_no_reason_to_read_the_plain_file(home: Home, given: Path) -> None:
    """It fails with a remedy, though the plain key is there."""
    (given / f"{CREDENTIAL_PREFIX}{KeyName.TEMPLATE}").unlink()
    with pytest.raises(KeyUnusable, match=r"not given the credential keldim_template\.key") as caught:
        of_service(home, given).load(KeyName.TEMPLATE)
    assert caught.value.remedy


def test_a_credential_of_another_length_is_refused(home: Home, given: Path) -> None:
    """A truncated key would open nothing, and say so much later."""
    path = given / f"{CREDENTIAL_PREFIX}{KeyName.DATABASE}"
    path.chmod(0o600)
    path.write_bytes(b"short")
    with pytest.raises(SealUnusable, match="holds 5 bytes instead of 32"):
        of_service(home, given).load(KeyName.DATABASE)


def test_an_unreadable_credential_is_named(home: Home, given: Path) -> None:
    """A folder where a file should be."""
    path = given / f"{CREDENTIAL_PREFIX}{KeyName.DATABASE}"
    path.unlink()
    path.mkdir()
    with pytest.raises(SealUnusable, match="cannot be read"):
        of_service(home, given).load(KeyName.DATABASE)


def test_a_next_credential_is_pending(home: Home, given: Path) -> None:
    """The whole folder is handed over, the next key too."""
    key = create_key(given / f"{CREDENTIAL_PREFIX}{KeyName.DATABASE}{NEXT}")
    assert of_service(home, given).pending(KeyName.DATABASE) == key


def test_outside_a_service_sealed_keys_are_opened_here(home: Home) -> None:
    """Nothing is sealed, so that fails; the plain files are not read."""
    home.config.write_text(CREDENTIAL)
    with pytest.raises(KeyUnusable, match=r"db\.key cannot be read"):
        open_keys(home, {}).load(KeyName.DATABASE)


def test_a_next_key_file_is_staged_once_and_then_takes_the_place(home: Home) -> None:
    """Both keys are there until the promotion, the old one is gone after it."""
    keys, new = FileKeys(home), os.urandom(32)
    old = keys.load(KeyName.DATABASE)
    keys.stage(KeyName.DATABASE, new)
    assert (keys.load(KeyName.DATABASE), keys.pending(KeyName.DATABASE)) == (old, new)
    with pytest.raises(KeyUnusable, match="never overwritten"):
        keys.stage(KeyName.DATABASE, os.urandom(32))
    keys.promote(KeyName.DATABASE)
    assert (keys.load(KeyName.DATABASE), keys.pending(KeyName.DATABASE)) == (new, None)


def test_the_settings_are_read(home: Home) -> None:
    """Seal and PCRs as written."""
    home.config.write_text('[keys]\nsource = "credential"\nseal = "tpm2"\npcrs = "7+11"\n')
    settings = read_key_settings(home)
    assert (settings.source, settings.seal, settings.pcrs) == (KeyOrigin.CREDENTIAL, Seal.TPM2, "7+11")


@pytest.mark.parametrize(
    "section", ['source = "usb"', 'seal = "paper"', 'pcrs = "7+99"', 'pcrs = "7; rm"', "pcrs = 7.5", "sauce = 1"]
)
def test_impossible_settings_are_refused(home: Home, section: str) -> None:
    """Each names the section or the setting."""
    home.config.write_text(f"[keys]\n{section}\n")
    with pytest.raises(SettingsInvalid, match="keys"):
        open_keys(home)
