"""Keys of publishers: in files under a passphrase, or held by a token; what does not fit is a known failure."""

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from models.errors import SigningKeyUnusable
from models.publishing_keys import HeldSigner, make_key_file, open_key_file, public_of_point, read_public

PASSPHRASE = "four words of a song"


def test_a_key_file_opens_with_its_passphrase_only(tmp_path: Path) -> None:
    """It signs what its public file verifies; nobody else may read it."""
    path = tmp_path / "root-1.pem"
    public = make_key_file(path, PASSPHRASE)
    signature = open_key_file(path, PASSPHRASE).sign(b"metadata")
    read_public(tmp_path / "root-1.pub").verify_signature(signature, b"metadata")
    assert read_public(tmp_path / "root-1.pub").keyid == public.keyid
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert b"ENCRYPTED" in path.read_bytes()
    with pytest.raises(SigningKeyUnusable, match="passphrase"):
        open_key_file(path, PASSPHRASE + "!")


def test_a_key_is_never_overwritten_and_a_short_passphrase_refused(tmp_path: Path) -> None:
    """Both would lose it."""
    make_key_file(tmp_path / "key.pem", PASSPHRASE)
    with pytest.raises(SigningKeyUnusable, match="cannot be made"):
        make_key_file(tmp_path / "key.pem", PASSPHRASE)
    with pytest.raises(SigningKeyUnusable, match="12 characters"):
        make_key_file(tmp_path / "other.pem", "short")


def test_what_is_no_key_is_named(tmp_path: Path) -> None:
    """Missing, too long, another curve, not PEM."""
    other = ed25519.Ed25519PrivateKey.generate()
    (tmp_path / "ed.pem").write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (tmp_path / "ed.pub").write_bytes(other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    (tmp_path / "long.pub").write_bytes(b"x" * 5000)
    (tmp_path / "text.pub").write_bytes(b"x")
    for name in ("ed.pub", "long.pub", "text.pub", "none.pub"):
        with pytest.raises(SigningKeyUnusable):
            read_public(tmp_path / name)
    with pytest.raises(SigningKeyUnusable):
        open_key_file(tmp_path / "ed.pem", PASSPHRASE)
    with pytest.raises(SigningKeyUnusable, match="no point"):
        public_of_point(b"\x04" + b"\x01" * 64)


def test_a_held_key_signs_as_its_holder_does() -> None:
    """A token gives r and s; the repository has them in DER."""
    key = ec.generate_private_key(ec.SECP256R1())

    def sign(data: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(data, ec.ECDSA(SHA256())))
        return r.to_bytes(32) + s.to_bytes(32)

    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    signer = HeldSigner(public_of_point(point), sign)
    signer.public_key.verify_signature(signer.sign(b"metadata"), b"metadata")
