"""Key files and public keys."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jws
from joserfc.jwk import ECKey

from sync.compact import assemble, signing_input
from sync.errors import EnvelopeInvalid, KeyUnusable, SignatureInvalid
from sync.keyfile import create_key, load_key, read_secret, write_secret
from sync.signing import FileSigner, PublicJwk, sign_compact, verify
from sync.strict_json import JsonObject

RFC7638_STYLE = PublicJwk("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")
"""The key of RFC 7515, appendix A.3."""


def test_a_key_survives_its_file(tmp_path: Path) -> None:
    """The same key, the same id, 64 bytes of signature."""
    made = FileSigner.create(tmp_path / "device.pem")
    read = FileSigner.load(tmp_path / "device.pem")
    assert (read.key_id, read.public_jwk, read.key_class) == (made.key_id, made.public_jwk, "file")
    assert len(read.sign(b"bytes")) == 64
    assert (tmp_path / "device.pem").stat().st_mode & 0o777 == 0o600


def test_the_key_id_is_the_thumbprint_of_rfc_7638() -> None:
    """Known answer, computed independently from the RFC's rule for the key of RFC 7515 A.3."""
    assert RFC7638_STYLE.thumbprint == "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U"
    assert PublicJwk.parse(RFC7638_STYLE.as_dict() | {"use": "sig"}) == RFC7638_STYLE


@pytest.mark.parametrize(
    "change",
    [{"kty": "RSA"}, {"crv": "P-384"}, {"d": "secret"}, {"x": 5}, {"x": "AA"}, {"y": "A" * 43}, {"y": None}],
)
def test_only_a_public_p256_key_is_one(change: JsonObject) -> None:
    """Another curve, a private key, a point off the curve."""
    with pytest.raises(EnvelopeInvalid):
        PublicJwk.parse({**RFC7638_STYLE.as_dict(), **change})


def test_a_key_file_is_never_overwritten(tmp_path: Path) -> None:
    """It may be the only copy; and nothing is left over from the attempt."""
    key = create_key(tmp_path / "db.key")
    with pytest.raises(KeyUnusable, match="never overwritten"):
        create_key(tmp_path / "db.key")
    assert load_key(tmp_path / "db.key") == key
    assert [path.name for path in tmp_path.iterdir()] == ["db.key"]


def test_a_key_file_in_no_directory_is_a_known_failure(tmp_path: Path) -> None:
    """With the name of the file, not its path."""
    with pytest.raises(KeyUnusable, match=r"db\.key"):
        create_key(tmp_path / "missing" / "db.key")
    with pytest.raises(KeyUnusable, match="cannot be read"):
        load_key(tmp_path / "db.key")


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_key_has_32_bytes(tmp_path: Path, length: int) -> None:
    """Cut off or too long."""
    write_secret(tmp_path / "db.key", b"k" * length)
    with pytest.raises(KeyUnusable):
        load_key(tmp_path / "db.key")


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """Group and world have no business there."""
    create_key(tmp_path / "db.key")
    (tmp_path / "db.key").chmod(0o640)
    with pytest.raises(KeyUnusable, match="readable by other users"):
        load_key(tmp_path / "db.key")


def test_a_file_that_is_no_p256_key_is_refused(tmp_path: Path) -> None:
    """Garbage, RSA, another curve, an encrypted key."""
    rsa_key = rsa.generate_private_key(65537, 2048).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    p384 = ec.generate_private_key(ec.SECP384R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for name, content in (("a.pem", b"garbage"), ("b.pem", rsa_key), ("c.pem", p384), ("d.pem", b"")):
        write_secret(tmp_path / name, content)
        with pytest.raises(KeyUnusable):
            FileSigner.load(tmp_path / name)
    write_secret(tmp_path / "long", b"x" * 20)
    with pytest.raises(KeyUnusable, match="longer"):
        read_secret(tmp_path / "long", 19)


def test_another_implementation_verifies_what_we_sign(tmp_path: Path) -> None:
    """joserfc, an implementation of the RFCs that shares no code with ours, takes our token under our JWK."""
    signer = FileSigner.create(tmp_path / "device.pem")
    token = sign_compact(signer, "visit+jws", "құжат".encode())
    key = ECKey.import_key({"kty": "EC", "crv": "P-256", "x": signer.public_jwk.x, "y": signer.public_jwk.y})
    seen = jws.deserialize_compact(token, key, algorithms=["ES256"])
    assert seen.payload.decode() == "құжат"


def test_we_verify_what_another_implementation_signs() -> None:
    """And the other way round; one changed character of any part is refused."""
    key = ECKey.generate_key("P-256")
    public = key.as_dict(private=False)
    jwk = PublicJwk(str(public["x"]), str(public["y"]))
    header = {"alg": "ES256", "kid": jwk.thumbprint, "typ": "visit+jws"}
    token = jws.serialize_compact(header, b"payload", key)
    assert verify(jwk, token, "visit+jws", 1000).payload == b"payload"
    for place in (len(token) // 2, len(token) - 40):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        with pytest.raises((EnvelopeInvalid, SignatureInvalid)):
            verify(jwk, changed, "visit+jws", 1000)


@pytest.mark.parametrize("signature", [bytes(64), b"\xff" * 64, b"\0" * 32 + b"\1" * 32])
def test_a_signature_outside_the_group_is_refused(tmp_path: Path, signature: bytes) -> None:
    """Zero and numbers above the order of the curve are refused as signatures, not as a bug."""
    signer = FileSigner.create(tmp_path / "device.pem")
    token = assemble(signing_input(signer.key_id, "visit+jws", b"payload"), signature)
    with pytest.raises(SignatureInvalid):
        verify(signer.public_jwk, token, "visit+jws", 1000)
