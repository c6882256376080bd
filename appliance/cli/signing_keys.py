"""Opens a publisher's key: a file under a passphrase, or a key in a PKCS#11 token.

What it signs belongs to `publish_commands`.
"""

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer
from securesystemslib.signer import Signer, SSlibKey

from models.errors import SigningKeyUnusable
from models.publishing_keys import HeldSigner, make_key_file, open_key_file, point_of, public_of_point, read_public
from models.publishing_keys import write_public as write_public_file
from sync.compact import decode_part, encode_part
from sync.home import TokenSettings
from sync.keyfile import read_secret
from sync.pkcs11_key import TokenConnection, make_token_key
from sync.signing import PublicJwk

_MAX_SECRET: Final = 1024

Passphrase = Annotated[
    Path | None,
    typer.Option("--passphrase", envvar="KELDIM_PASSPHRASE_FILE", help="File (mode 0600) with it; asked for if none."),
]
Token = Annotated[str | None, typer.Option("--token", help="Label of a PKCS#11 token that holds the key.")]
Module = Annotated[Path | None, typer.Option("--module", envvar="KELDIM_PKCS11", help="The token's driver (.so).")]
PinFile = Annotated[Path | None, typer.Option("--pin", help="File (mode 0600) with the token's PIN.")]


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """Where a key is. path: of its file; for a token that of its public key, whose name without suffix is its label."""

    path: Path
    passphrase: Path | None = None
    token: str | None = None
    module: Path | None = None
    pin: Path | None = None

    def settings(self) -> TokenSettings | None:
        """How its token is reached; None: it is in a file. Raises SigningKeyUnusable, SettingsInvalid."""
        if self.token is None:
            return None
        if self.module is None or self.pin is None:
            raise SigningKeyUnusable("a key in a token needs --module and --pin")
        return TokenSettings(self.module, self.token, self.path.stem, self.pin)


def make(place: KeyPlace) -> SSlibKey:
    """Make a key, and the file of its public half. Raises SigningKeyUnusable, KeyUnusable."""
    settings = place.settings()
    if settings is None:
        return make_key_file(place.path, _passphrase(place, new=True))
    jwk = make_token_key(settings, lambda: _pin(settings))
    key = public_of_point(b"\x04" + decode_part(jwk.x) + decode_part(jwk.y))
    write_public_file(place.path.with_suffix(".pub"), key)
    return key


@contextlib.contextmanager
def opened(place: KeyPlace) -> Iterator[Signer]:
    """The signer of a key. Raises SigningKeyUnusable, KeyUnusable."""
    settings = place.settings()
    if settings is None:
        yield open_key_file(place.path, _passphrase(place, new=False))
        return
    key = read_public(place.path.with_suffix(".pub"))
    point = point_of(key)
    jwk = PublicJwk(encode_part(point[1:33]), encode_part(point[33:]))
    connection = TokenConnection(settings, lambda: _pin(settings), jwk)
    try:
        yield HeldSigner(key, connection.sign)
    finally:
        connection.close()


def _pin(settings: TokenSettings) -> str:
    if settings.pin is None:
        raise SigningKeyUnusable("a key in a token needs --pin")
    return read_secret(settings.pin, _MAX_SECRET).decode("utf-8", "replace").strip()


def _passphrase(place: KeyPlace, *, new: bool) -> str:
    if place.passphrase is not None:
        return read_secret(place.passphrase, _MAX_SECRET).decode("utf-8", "replace").rstrip("\n")
    if not sys.stdin.isatty():
        raise SigningKeyUnusable(f"nobody is here to type the passphrase of {place.path.name}: use --passphrase")
    return str(typer.prompt(f"Passphrase of {place.path.name}", hide_input=True, confirmation_prompt=new, err=True))
