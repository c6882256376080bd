"""A device key in a PKCS#11 token, against SoftHSM2."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pkcs11
import pytest
from pkcs11 import Attribute, ObjectClass

from sync.device_key import create_device_key, open_device_key
from sync.errors import KeyForeign, KeyUnsupported, KeyUnusable, PinRefused, TokenUnreachable
from sync.home import Home, KeySettings
from sync.signing import KeyClass, sign_compact, verify
from tests.fakes.token import MODULE, PIN, SoftToken, prepare


@pytest.fixture(scope="session")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of this process's tokens."""
    return prepare(tmp_path_factory.mktemp("softhsm"))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with its folder of keys, and nothing in it."""
    (tmp_path / "desk" / "keys").mkdir(parents=True)
    return Home(tmp_path / "desk")


@pytest.fixture
def token(tokens: Path, home: Home, request: pytest.FixtureRequest) -> Iterator[SoftToken]:
    """A token of this test's own."""
    made = SoftToken.create(tokens, f"t{abs(hash(request.node.name)) % 10**9}", home.keys / "pin")
    yield made
    for place in (made.place, made.away):
        shutil.rmtree(place, ignore_errors=True)


def settings(token: SoftToken) -> KeySettings:
    """[key] of the desk."""
    return KeySettings(KeyClass.PKCS11, token=token.settings)


def test_a_key_made_in_a_token_signs_events_and_cannot_be_read(home: Home, token: SoftToken) -> None:
    """Sensitive, not extractable, and nothing of it beside the public half lies in the home."""
    key = create_device_key(home, settings(token))
    signed = sign_compact(key.signer, "visit+jws", b"{}")
    assert verify(key.signer.public_jwk, signed, "visit+jws", 1000).payload == b"{}"
    assert (key.signer.key_class, key.counter, key.evidence(b"n" * 16)) == ("pkcs11", None, None)
    key.check()
    key.close()
    assert {path.name for path in home.keys.iterdir()} == {"pin", "device.jwk.json"}
    with pkcs11.lib(str(MODULE)).get_token(token_label=token.label).open(user_pin=PIN) as session:
        private = session.get_key(object_class=ObjectClass.PRIVATE_KEY)
        assert (private[Attribute.SENSITIVE], private[Attribute.EXTRACTABLE]) == (True, False)
        with pytest.raises(pkcs11.exceptions.AttributeSensitive):
            private[Attribute.VALUE]
    with pytest.raises(KeyUnsupported):
        key.unwrap(b"sealed")


def test_a_key_is_made_once(home: Home, token: SoftToken) -> None:
    """Also when the run that made it was cut off before it wrote the public half down."""
    first = create_device_key(home, settings(token))
    assert create_device_key(home, settings(token)).signer.public_jwk == first.signer.public_jwk
    home.device_jwk.unlink()
    assert create_device_key(home, settings(token)).signer.public_jwk == first.signer.public_jwk


def test_a_desk_opens_without_its_token_and_signs_when_it_is_back(home: Home, token: SoftToken) -> None:
    """Pulled before opening, and again between two signatures."""
    create_device_key(home, settings(token)).close()
    token.pull()
    pkcs11.lib(str(MODULE)).reinitialize()
    key = open_device_key(home, settings(token))
    assert key.signer.key_id == key.signer.public_jwk.thumbprint
    with pytest.raises(TokenUnreachable) as away:
        key.signer.sign(b"event")
    assert "Plug the token in" in away.value.remedy
    token.put_back()
    assert len(key.signer.sign(b"event")) == 64
    pkcs11.lib(str(MODULE)).reinitialize()  # as a pulled token ends its sessions
    assert len(key.signer.sign(b"event")) == 64
    key.close()


def test_another_token_of_the_same_name_is_not_this_desks(home: Home, token: SoftToken, tokens: Path) -> None:
    """It has a key of this label, but not the one that the fund knows."""
    create_device_key(home, settings(token)).close()
    shutil.rmtree(token.place)
    (home.keys / "pin").unlink()
    other = SoftToken.create(tokens, token.label, home.keys / "pin")
    try:
        empty = open_device_key(home, settings(other))
        with pytest.raises(KeyForeign):
            empty.signer.sign(b"event")
        (home.root / "other" / "keys").mkdir(parents=True)
        create_device_key(Home(home.root / "other"), settings(other)).close()
        with pytest.raises(KeyForeign):
            open_device_key(home, settings(other)).signer.sign(b"event")
    finally:
        shutil.rmtree(other.place)


@pytest.mark.parametrize("pin", [b"000000", b"", b"\xff\xff"])
def test_a_refused_pin_is_named(home: Home, token: SoftToken, pin: bytes) -> None:
    """With its own code; the PIN itself is in no message."""
    create_device_key(home, settings(token)).close()
    (home.keys / "pin").write_bytes(pin)
    with pytest.raises(PinRefused) as refused:
        open_device_key(home, settings(token)).check()
    assert "000000" not in str(refused.value)


def test_a_refused_pin_is_not_tried_twice(home: Home, token: SoftToken) -> None:
    """Each visit would be another try, and a token locks after a few; a new PIN in the file is tried."""
    create_device_key(home, settings(token)).close()
    (home.keys / "pin").write_bytes(b"000000")
    key = open_device_key(home, settings(token))
    with pytest.raises(PinRefused):
        key.check()
    with pkcs11.lib(str(MODULE)).get_token(token_label=token.label).open(user_pin=PIN, rw=True) as session:
        session.set_pin(PIN, "000000")  # so that a second try would be seen to succeed
    with pytest.raises(PinRefused, match="before"):
        key.check()
    open_device_key(home, settings(token)).check()
    with pkcs11.lib(str(MODULE)).get_token(token_label=token.label).open(user_pin="000000", rw=True) as session:
        session.set_pin("000000", PIN)
    (home.keys / "pin").write_bytes(PIN.encode())
    key.check()


def test_a_pin_that_others_can_read_is_not_used(home: Home, token: SoftToken) -> None:
    """As any secret file."""
    create_device_key(home, settings(token)).close()
    (home.keys / "pin").chmod(0o644)
    with pytest.raises(KeyUnusable, match="readable by other users"):
        open_device_key(home, settings(token)).check()


def test_the_pin_may_be_a_systemd_credential(
    home: Home, token: SoftToken, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read from the service's own folder of credentials; without that folder the failure says so."""
    by_credential = KeySettings(KeyClass.PKCS11, token=replace(token.settings, pin=None, credential="token-pin"))
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(PinRefused, match="credential"):
        create_device_key(home, by_credential)
    shutil.move(home.keys / "pin", tmp_path / "token-pin")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    create_device_key(home, by_credential).check()


def test_a_driver_that_is_none_is_a_known_failure(home: Home, token: SoftToken, tmp_path: Path) -> None:
    """Missing, or another kind of library."""
    wrong = KeySettings(KeyClass.PKCS11, token=replace(token.settings, module=tmp_path / "none.so"))
    with pytest.raises(TokenUnreachable, match="does not answer"):
        create_device_key(home, wrong)
