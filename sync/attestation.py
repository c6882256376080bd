"""What a fund may believe about a desk's key: the evidence of a TPM, judged, and an answer only that TPM can open.

Reading the bytes of a TPM is left to `tpm_structures`, asking it for evidence to `tpm_key`, certificates to the fund.

What is proven, and by what:
- that the signing key was made in a TPM and cannot leave it: the attestation key (AK) signed the key's name, which
  covers its attributes, with this request's nonce;
- that the AK is in the TPM whose endorsement certificate came along: *only* by the answer. `wrap_for` seals to the
  endorsement key, and a TPM opens that only for an AK of this name that it holds itself (Part 1, section 24). So PROVEN
  is to be issued as a certificate that travels sealed, never in the clear;
- that the endorsement key is a real TPM's: its maker's certificate, by a CA that the fund has chosen.
What is only said: everything about a "pkcs11" or "file" key, and a TPM whose maker the fund does not know.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.kdf.kbkdf import KBKDFHMAC, CounterLocation, Mode

from sync.compact import decode_part, encode_part
from sync.errors import AttestationInvalid, EnvelopeInvalid
from sync.signing import KeyClass, PublicJwk
from sync.strict_json import Json, JsonObject, Members
from sync.tpm_structures import (
    Algorithm,
    Attest,
    Attribute,
    Clock,
    EccPoint,
    PublicArea,
    RsaModulus,
    Statement,
    named,
    read_attest,
    read_nv_counter,
    read_public,
    read_signature,
    sized,
)
from sync.unreadable import UNREADABLE

MAX_SECRET: Final = 32
"""Bytes that a credential can carry: the digest of the endorsement key's name algorithm."""

_MAX_CERTIFICATE: Final = 8192
_MAX_CHAIN: Final = 4
_MAX_NONCE: Final = 1024

_ENDORSEMENT: Final = (0x4000_000B).to_bytes(4, "big")
_EK_CERTIFICATE: Final = x509.ObjectIdentifier("2.23.133.8.1")
"""tcg-kp-EKCertificate (TCG EK Credential Profile 2.4, section 3.2)."""

AK_ATTRIBUTES: Final = (
    Attribute.FIXED_TPM
    | Attribute.FIXED_PARENT
    | Attribute.SENSITIVE_DATA_ORIGIN
    | Attribute.USER_WITH_AUTH
    | Attribute.NO_DA
    | Attribute.RESTRICTED
    | Attribute.SIGN
)
"""Exactly these, and no policy: then a TPM opens a credential for it only when it holds the private half."""

_EK_ATTRIBUTES: Final = (
    Attribute.FIXED_TPM
    | Attribute.FIXED_PARENT
    | Attribute.SENSITIVE_DATA_ORIGIN
    | Attribute.ADMIN_WITH_POLICY
    | Attribute.RESTRICTED
    | Attribute.DECRYPT
)
_EK_POLICY: Final = bytes.fromhex("837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa")
"""Template L-1 and policy A, PolicySecret of the endorsement hierarchy (TCG EK Credential Profile 2.4, annex B)."""

_KEY_HAS: Final = Attribute.FIXED_TPM | Attribute.FIXED_PARENT | Attribute.SENSITIVE_DATA_ORIGIN | Attribute.SIGN
_KEY_LACKS: Final = Attribute.DECRYPT | Attribute.RESTRICTED | Attribute.X509_SIGN | Attribute.ENCRYPTED_DUPLICATION


class Attested(StrEnum):
    """What is known about the class of a key. CLAIMED: the desk says so. PROVEN: a TPM of a known maker says so."""

    CLAIMED = "claimed"
    PROVEN = "proven"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a desk with a TPM sends, as the TPM made it (names of Part 2).

    key, ak, ek: TPMT_PUBLIC of the signing, attestation and endorsement key. certified, counted: TPMS_ATTEST over the
    signing key and over the counter, each with its TPMT_SIGNATURE by the AK. counter: TPMS_NV_PUBLIC.
    ek_certificates: DER, the endorsement key's own first; empty when the TPM has none.
    """

    key: bytes
    ak: bytes
    ek: bytes
    certified: bytes
    certified_signature: bytes
    counter: bytes
    counted: bytes
    counted_signature: bytes
    ek_certificates: tuple[bytes, ...]

    def as_dict(self) -> dict[str, Json]:
        """The evidence as JSON members; bytes in base64url."""
        members: dict[str, Json] = {name: encode_part(getattr(self, name)) for name in _BYTES}
        return {"v": 1, **members, "ek_certificates": [encode_part(each) for each in self.ek_certificates]}

    @classmethod
    def parse(cls, evidence: JsonObject) -> "Evidence":
        """Read the JSON members. Raises AttestationInvalid."""
        members = Members(evidence)
        try:
            if members.names != {"v", "ek_certificates", *_BYTES}:
                raise AttestationInvalid("the evidence does not have the members it should")
            members.integer("v", 1, 1)
            parts = {name: decode_part(members.text(name)) for name in _BYTES}
            listed = evidence["ek_certificates"]
            if not isinstance(listed, list) or len(listed) > _MAX_CHAIN:
                raise AttestationInvalid(f"ek_certificates is not a list of at most {_MAX_CHAIN}")
            chain = tuple(decode_part(each) for each in listed if isinstance(each, str))
        except EnvelopeInvalid as error:
            raise AttestationInvalid(f"the evidence is malformed: {error}") from error
        if len(chain) < len(listed) or any(len(each) > _MAX_CERTIFICATE for each in chain):
            raise AttestationInvalid("a certificate of the evidence is not one")
        return cls(**parts, ek_certificates=chain)


_BYTES: Final = (
    "key",
    "ak",
    "ek",
    "certified",
    "certified_signature",
    "counter",
    "counted",
    "counted_signature",
)


@dataclass(frozen=True, slots=True)
class TpmState:
    """What the TPM itself counted when it made the evidence; as good as the evidence is. counter: of roll-backs."""

    counter: int
    clock: Clock


def nonce_digest(nonce: bytes) -> bytes:
    """What the TPM is given to sign along, 32 bytes, whatever the length of the nonce."""
    return hashlib.sha256(b"keldim attestation v1\0" + nonce).digest()


def check_evidence(
    evidence: JsonObject | None, jwk: PublicJwk, key_class: KeyClass, nonce: bytes, roots: Sequence[x509.Certificate]
) -> Attested:
    """Judge a desk's evidence about its signing key.

    nonce: the fund's, of this request, 16 bytes or more. roots: CAs of TPM makers that the fund trusts, roots or
    intermediate ones. PROVEN holds only if the answer goes out through `wrap_for`; see above. How long an endorsement
    certificate is valid is not looked at: it tells where a chip was born, and makers let theirs run out.

    Raises AttestationInvalid: malformed, or of another key, nonce or kind of key than it should be.
    """
    if (evidence is not None) != (key_class is KeyClass.TPM2):
        raise AttestationInvalid("evidence comes with a key in a TPM, and with no other")
    if evidence is None:
        return Attested.CLAIMED
    parts = Evidence.parse(evidence)
    _check_parts(parts, jwk, nonce)
    return Attested.PROVEN if _made_by_known_maker(parts, roots) else Attested.CLAIMED


def read_state(evidence: JsonObject, jwk: PublicJwk, nonce: bytes) -> TpmState:
    """The counter and clock in evidence that holds up. Raises AttestationInvalid as `check_evidence`."""
    _, counted = _check_parts(Evidence.parse(evidence), jwk, nonce)
    return TpmState(int.from_bytes(counted.contents, "big"), counted.clock)


def wrap_for(evidence: JsonObject, secret: bytes) -> bytes:
    """Seal a secret to the TPM of this evidence, by its endorsement key and the name of its AK (MakeCredential).

    secret: 1 to 32 bytes, e.g. the key of an answer. TPM 2.0 Library, Part 1, section 24; the result is a
    TPM2B_ID_OBJECT and a TPM2B_ENCRYPTED_SECRET, one after the other. Raises AttestationInvalid.
    """
    if not 1 <= len(secret) <= MAX_SECRET:
        raise ValueError(f"a credential carries 1 to {MAX_SECRET} bytes")
    parts = Evidence.parse(evidence)
    ek, name = read_public(parts.ek), read_public(parts.ak).name
    seed = secrets.token_bytes(MAX_SECRET)
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), b"IDENTITY\0")
    encrypted_seed = _rsa(ek).encrypt(seed, oaep)
    encryptor = Cipher(AES(_derived(seed, b"STORAGE", name, 16)), CFB(bytes(16))).encryptor()
    identity = encryptor.update(sized(secret)) + encryptor.finalize()
    mac = hmac.HMAC(_derived(seed, b"INTEGRITY", b"", 32), hashes.SHA256())
    mac.update(identity + name)
    return sized(sized(mac.finalize()) + identity) + sized(encrypted_seed)


def _derived(seed: bytes, label: bytes, context: bytes, length: int) -> bytes:
    """KDFa (Part 1, section 11.4.10.2), which is the counter mode of NIST SP 800-108 with HMAC-SHA256."""
    place = CounterLocation.BeforeFixed
    return KBKDFHMAC(hashes.SHA256(), Mode.CounterMode, length, 4, 4, place, label, context, None).derive(seed)


def _check_parts(parts: Evidence, jwk: PublicJwk, nonce: bytes) -> tuple[Attest, Attest]:
    """Everything but the maker: gives the statements about key and counter. Raises AttestationInvalid."""
    key, ak, ek = read_public(parts.key), read_public(parts.ak), read_public(parts.ek)
    _check_key(key, jwk)
    _check_ak(ak)
    if not isinstance(ek.key, RsaModulus) or (ek.attributes, ek.policy) != (_EK_ATTRIBUTES, _EK_POLICY):
        raise AttestationInvalid("the endorsement key is not one of RSA by the usual template")
    certified = _signed(parts.certified, parts.certified_signature, ak, nonce)
    if certified.statement is not Statement.CREATED_OR_LOADED_KEY or certified.name != key.name:
        raise AttestationInvalid("the TPM certified something other than the signing key")
    counted = _signed(parts.counted, parts.counted_signature, ak, nonce)
    if counted.statement is not Statement.NV or counted.name != read_nv_counter(parts.counter).name:
        raise AttestationInvalid("the TPM certified something other than the counter")
    if len(counted.contents) != 8:
        raise AttestationInvalid("a counter has 8 bytes")
    return certified, counted


def _check_key(key: PublicArea, jwk: PublicJwk) -> None:
    if not isinstance(key.key, EccPoint) or (encode_part(key.key.x), encode_part(key.key.y)) != (jwk.x, jwk.y):
        raise AttestationInvalid("the evidence is about another key")
    if not key.has(_KEY_HAS) or key.has_any(_KEY_LACKS):
        raise AttestationInvalid("the key is not one that was made in its TPM, stays in it, and signs only")


def _check_ak(ak: PublicArea) -> None:
    if not isinstance(ak.key, EccPoint) or ak.key.scheme is not Algorithm.ECDSA:
        raise AttestationInvalid("the attestation key is not a P-256 key for ECDSA")
    if ak.attributes != AK_ATTRIBUTES or ak.policy:
        raise AttestationInvalid("the attestation key does not have the attributes it must have")


def _signed(content: bytes, signature: bytes, ak: PublicArea, nonce: bytes) -> Attest:
    """A statement of the TPM that the AK signed for this nonce. Raises AttestationInvalid."""
    if len(nonce) > _MAX_NONCE:
        raise AttestationInvalid("the nonce is too long")
    if not isinstance(ak.key, EccPoint):
        raise TypeError("checked before")
    attest, (r, s) = read_attest(content), read_signature(signature)
    x, y = (int.from_bytes(part, "big") for part in (ak.key.x, ak.key.y))
    try:
        key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        key.verify(utils.encode_dss_signature(r, s), content, ec.ECDSA(hashes.SHA256()))
    except (ValueError, InvalidSignature) as error:
        raise AttestationInvalid("the attestation key did not sign this") from error
    if attest.signer != named(_ENDORSEMENT + ak.name):
        raise AttestationInvalid("the attestation key is not of the endorsement hierarchy")
    if not secrets.compare_digest(attest.extra, nonce_digest(nonce)):
        raise AttestationInvalid("the evidence was made for another request")
    return attest


def _made_by_known_maker(parts: Evidence, roots: Sequence[x509.Certificate]) -> bool:
    """Whether a CA of the fund's choice vouches for the endorsement key. Raises AttestationInvalid: malformed."""
    if not parts.ek_certificates:
        return False
    try:
        chain = [x509.load_der_x509_certificate(each) for each in parts.ek_certificates]
        leaf, wanted = chain[0].public_key(), _rsa(read_public(parts.ek)).public_numbers()
        if not isinstance(leaf, rsa.RSAPublicKey) or leaf.public_numbers() != wanted:
            raise AttestationInvalid("the endorsement certificate is for another key")
        if _is_authority(chain[0]) or not _for_endorsement(chain[0]):
            raise AttestationInvalid("the first certificate is not that of an endorsement key")
        below = chain[0]
        for above in (*chain[1:], None):
            if any(_issued(below, root) for root in roots):
                return True
            if above is None or not _is_authority(above) or not _issued(below, above):
                return False
            below = above
    except UNREADABLE as error:
        raise AttestationInvalid("a certificate of the evidence cannot be read") from error
    return False


def _issued(below: x509.Certificate, above: x509.Certificate) -> bool:
    try:
        below.verify_directly_issued_by(above)
    except UNREADABLE:
        return False
    return True


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _for_endorsement(certificate: x509.Certificate) -> bool:
    """By its extended key usage; early TPMs have none."""
    try:
        return _EK_CERTIFICATE in certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True


def _rsa(ek: PublicArea) -> rsa.RSAPublicKey:
    if not isinstance(ek.key, RsaModulus):
        raise AttestationInvalid("only RSA endorsement keys are supported")
    try:
        return rsa.RSAPublicNumbers(ek.key.exponent, int.from_bytes(ek.key.modulus, "big")).public_key()
    except ValueError as error:
        raise AttestationInvalid("the endorsement key is not an RSA key") from error
