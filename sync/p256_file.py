"""P-256 private keys in files: made once, read back strictly.

What a key is for is left to its holder: `signing` signs, `sealing` opens.
"""

from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from sync.errors import KeyUnusable
from sync.keyfile import read_secret, write_secret

_MAX_PEM: Final = 4096
"""Bytes of a private key file; a P-256 key in PEM takes about 240."""


def create_p256(path: Path) -> ec.EllipticCurvePrivateKey:
    """Make a new key and its PKCS #8 PEM file of mode 0600. Raises KeyUnusable when it exists or cannot be written."""
    key = ec.generate_private_key(ec.SECP256R1())
    write_secret(path, key_pem(key))
    return key


def load_p256(path: Path) -> ec.EllipticCurvePrivateKey:
    """Read a key file. Raises KeyUnusable: missing, open to others, or not a P-256 key."""
    content = read_secret(path, _MAX_PEM)
    try:
        key = load_pem_private_key(content, password=None)
    except (ValueError, TypeError) as error:
        raise KeyUnusable(f"{path.name} is not a private key in PEM") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise KeyUnusable(f"{path.name} is not a P-256 key")
    return key


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A private key as PKCS #8 PEM, in the clear: for files of mode 0600."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
