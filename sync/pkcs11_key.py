"""The only door to a PKCS#11 token: a device key made in it, found by label, found again when the token is back.

Which token and where its PIN lies is left to the settings. What a token says about itself proves nothing to the fund,
so a key of this class is always "claimed". SoftHSM, the token of our tests, is files on a disk: whoever copies its
folder and knows the PIN signs as this desk. It is never for service. One thread at a time.
"""

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
from pkcs11.exceptions import NoSuchKey, NoSuchToken, PinIncorrect, PinInvalid, PinLenRange, PinLocked, PKCS11Error
from pkcs11.types import SignMixin
from pkcs11.util.ec import encode_named_curve_parameters

from sync.compact import encode_part
from sync.errors import KeyForeign, KeyUnsupported, PinRefused, TokenUnreachable
from sync.home import TokenSettings
from sync.signing import KeyClass, PublicJwk
from sync.strict_json import JsonObject


class _Signing(Protocol):
    """A key object that can sign; the library's types do not say so of private keys."""

    def sign(self, data: bytes, *, mechanism: Mechanism) -> bytes:
        """CKM_ECDSA over a digest: r || s."""


_POINT: Final = b"\x04\x41\x04"
"""How CKA_EC_POINT begins for P-256: an octet string of 65 bytes that holds an uncompressed point (SEC 1, 2.3.3)."""


class TokenConnection:
    """The session with this desk's key: opened when first used, and once again after it broke."""

    def __init__(self, settings: TokenSettings, pin: Callable[[], str], jwk: PublicJwk) -> None:
        """Nothing is opened yet. pin: reads the PIN when it is needed. jwk: of the key that the fund knows."""
        self._settings = settings
        self._pin = pin
        self._jwk = jwk
        self._open: tuple[pkcs11.Session, _Signing] | None = None
        self._refused: str | None = None

    def sign(self, signed: bytes) -> bytes:
        """Sign the SHA-256 of these bytes: r || s. Raises KeyUnusable."""
        digest = hashlib.sha256(signed).digest()
        if self._open is not None:
            try:
                return bytes(self._open[1].sign(digest, mechanism=Mechanism.ECDSA))
            except PKCS11Error:
                self.close()  # the token was pulled, and may be back
        try:
            return self._signed_anew(digest)
        except TokenUnreachable:
            _forget(self._settings)  # the driver may not have seen that the token is back
            return self._signed_anew(digest)

    def _signed_anew(self, digest: bytes) -> bytes:
        pin = self._pin()
        if pin == self._refused:
            raise PinRefused("the token refused this PIN before; another try could lock it")
        try:
            with _failures(), contextlib.ExitStack() as stack:
                session = stack.enter_context(_session(self._settings, pin))
                if _public(session, self._settings.label) != self._jwk:
                    raise KeyForeign("the token holds another key than the one this desk is registered with")
                key = _signing(session.get_key(object_class=ObjectClass.PRIVATE_KEY, label=self._settings.label))
                signature = bytes(key.sign(digest, mechanism=Mechanism.ECDSA))
                stack.pop_all()
        except PinRefused:
            self._refused = pin
            raise
        self._open = session, key
        return signature

    def close(self) -> None:
        """End the session."""
        if self._open is not None:
            session, self._open = self._open[0], None
            with contextlib.suppress(PKCS11Error):  # it went with the token
                session.close()


@dataclass(frozen=True, slots=True)
class TokenSigner:
    """Signs in the token."""

    connection: TokenConnection
    public_jwk: PublicJwk
    key_class: KeyClass = KeyClass.PKCS11

    @property
    def key_id(self) -> str:
        """Thumbprint of the public key."""
        return self.public_jwk.thumbprint

    def sign(self, signed: bytes) -> bytes:
        """Sign the SHA-256 of these bytes: r || s, 64 bytes. Raises KeyUnusable."""
        return self.connection.sign(signed)


@dataclass(frozen=True, slots=True)
class TokenDeviceKey:
    """A device key in a token: it has no counter and nothing to prove."""

    connection: TokenConnection
    signer: TokenSigner
    counter: None = None

    @classmethod
    def over(cls, settings: TokenSettings, pin: Callable[[], str], jwk: PublicJwk) -> "TokenDeviceKey":
        """The key of these settings, whether the token is there or not."""
        connection = TokenConnection(settings, pin, jwk)
        return cls(connection, TokenSigner(connection, jwk))

    def check(self) -> None:
        """Return when the key can sign now. Raises KeyUnusable."""
        self.signer.sign(b"keldim: can this key sign?")

    def evidence(self, nonce: bytes) -> JsonObject | None:  # noqa: ARG002 - the port's
        """None."""
        return None

    def unwrap(self, sealed: bytes) -> bytes:  # noqa: ARG002 - the port's
        """Raise KeyUnsupported."""
        raise KeyUnsupported("a key in a token opens nothing that was sealed to a TPM")

    def close(self) -> None:
        """End the session."""
        self.connection.close()


def make_token_key(settings: TokenSettings, pin: Callable[[], str]) -> PublicJwk:
    """Make the key in the token, neither readable nor extractable. One of this label is never replaced.

    A run that was cut off left such a key behind, so one with the right attributes is taken. Raises KeyUnusable.
    """
    with _failures(), _session(settings, pin(), write=True) as session:
        try:
            key = session.get_key(object_class=ObjectClass.PRIVATE_KEY, label=settings.label)
        except NoSuchKey:
            curve = {Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
            parameters = session.create_domain_parameters(KeyType.EC, curve, local=True)
            _, key = parameters.generate_keypair(
                mechanism=Mechanism.EC_KEY_PAIR_GEN,
                store=True,
                label=settings.label,
                private_template={Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False, Attribute.PRIVATE: True},
            )
        if key[Attribute.EXTRACTABLE] or not key[Attribute.SENSITIVE] or not key[Attribute.LOCAL]:
            raise KeyUnsupported("the key of this label was not made in the token, or can be read out of it")
        return _public(session, settings.label)


def _public(session: pkcs11.Session, label: str) -> PublicJwk:
    key = session.get_key(object_class=ObjectClass.PUBLIC_KEY, label=label)
    point = bytes(key[Attribute.EC_POINT])
    if key[Attribute.EC_PARAMS] != encode_named_curve_parameters("secp256r1") or not point.startswith(_POINT):
        raise KeyForeign("the key of this label is not a P-256 key")
    coordinates = point[len(_POINT) :]
    return PublicJwk(encode_part(coordinates[:32]), encode_part(coordinates[32:]))


def _signing(key: object) -> _Signing:
    if not isinstance(key, SignMixin):
        raise KeyForeign("the key of this label does not sign")
    return key


@contextlib.contextmanager
def _session(settings: TokenSettings, pin: str, write: bool = False) -> Iterator[pkcs11.Session]:
    token = pkcs11.lib(str(settings.module)).get_token(token_label=settings.token)
    with token.open(user_pin=pin, rw=write) as session:
        yield session


def _forget(settings: TokenSettings) -> None:
    """Let the driver look for its tokens anew at the next use; some do so only when they start."""
    with contextlib.suppress(PKCS11Error, RuntimeError):
        pkcs11.lib(str(settings.module)).reinitialize()


@contextlib.contextmanager
def _failures() -> Iterator[None]:
    """Turn the library's failures into ours."""
    try:
        yield
    except (PinIncorrect, PinInvalid, PinLenRange) as error:
        raise PinRefused("the token refused the PIN") from error
    except PinLocked as error:
        raise PinRefused("the token is locked after too many wrong PINs") from error
    except NoSuchToken as error:
        raise TokenUnreachable("the token is not there") from error
    except NoSuchKey as error:
        raise KeyForeign("the token holds no key of this label") from error
    except PKCS11Error as error:
        raise TokenUnreachable(f"the token does not answer: {type(error).__name__} {error}".strip()) from error
    except (KeyForeign, KeyUnsupported):
        raise
    except RuntimeError as error:  # what the library raises for a driver that cannot be loaded
        raise TokenUnreachable(f"the token's driver cannot be used: {error}") from error
