"""What the fund believes about a key: evidence of real (software) TPMs, forged, spoilt and garbage."""

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync.attestation import Attested, Evidence, check_evidence, nonce_digest, read_state, wrap_for
from sync.compact import encode_part
from sync.device_key import DeviceKey, create_device_key
from sync.errors import AttestationInvalid, KeyUnusable
from sync.home import Home
from sync.signing import FileSigner, KeyClass, PublicJwk
from sync.strict_json import JsonObject
from sync.tpm_structures import Attribute, named, read_attest, read_nv_counter, read_public, read_signature, sized
from tests.fakes.tpm import SoftwareTpm, TpmMaker
from tests.sync.tpm_fixtures import in_tpm, maker, tpm

__all__ = ["maker", "tpm"]

NONCE = bytes(range(16))
MEMBERS = ("key", "ak", "ek", "certified", "certified_signature", "counter", "counted", "counted_signature")


@dataclass(frozen=True)
class Desk:
    """A desk's key, its evidence for NONCE, and the CAs of its TPM's maker."""

    key: DeviceKey
    evidence: JsonObject
    roots: tuple[x509.Certificate, ...]

    @property
    def jwk(self) -> PublicJwk:
        """The signing key."""
        return self.key.signer.public_jwk

    def judged(self, evidence: JsonObject | None, nonce: bytes = NONCE) -> Attested:
        """As the fund would."""
        return check_evidence(evidence, self.jwk, KeyClass.TPM2, nonce, self.roots)

    def changed(self, **parts: bytes) -> JsonObject:
        """The evidence with other bytes here and there."""
        return {**self.evidence, **{name: encode_part(part) for name, part in parts.items()}}


@pytest.fixture(scope="module")
def desk(maker: TpmMaker, tpm: SoftwareTpm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One desk with a TPM."""
    home = Home(tmp_path_factory.mktemp("desk"))
    home.keys.mkdir()
    key = create_device_key(home, in_tpm(tpm))
    evidence = key.evidence(NONCE)
    assert evidence is not None
    yield Desk(key, evidence, (maker.issuer,))
    key.close()


@dataclass(frozen=True)
class Forger:
    """Somebody with the evidence of a real desk, and keys in software in the place of the TPM's."""

    desk: Desk
    key: ec.EllipticCurvePrivateKey
    ak: ec.EllipticCurvePrivateKey

    @property
    def jwk(self) -> PublicJwk:
        """The signing key in software."""
        return FileSigner(self.key).public_jwk

    def evidence(self, key_attributes: int | None = None, ak_attributes: int | None = None) -> JsonObject:
        """Evidence for the software key, signed by the software attestation key; the rest is the real TPM's."""
        true = Evidence.parse(self.desk.evidence)
        key, ak = _with(true.key, self.key, key_attributes), _with(true.ak, self.ak, ak_attributes)
        certified, counted = (
            content.replace(named(true.key), named(key)).replace(_signer(true.ak), _signer(ak))
            for content in (true.certified, true.counted)
        )
        changed = replace(true, key=key, ak=ak, certified=certified, counted=counted)
        signed = replace(changed, certified_signature=self.sign(certified), counted_signature=self.sign(counted))
        return signed.as_dict()

    def sign(self, content: bytes) -> bytes:
        """TPMT_SIGNATURE."""
        raw = FileSigner(self.ak).sign(content)
        return bytes.fromhex("0018000b") + sized(raw[:32]) + sized(raw[32:])


def _with(public: bytes, key: ec.EllipticCurvePrivateKey, attributes: int | None) -> bytes:
    numbers = key.public_key().public_numbers()
    middle = public[4:8] if attributes is None else attributes.to_bytes(4, "big")
    return public[:4] + middle + public[8:-68] + b"".join(sized(n.to_bytes(32, "big")) for n in (numbers.x, numbers.y))


def _signer(ak: bytes) -> bytes:
    return named(bytes.fromhex("4000000b") + named(ak))


@pytest.fixture(scope="module")
def forger(desk: Desk) -> Forger:
    """One forger."""
    return Forger(desk, ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1()))


def test_a_key_in_a_known_makers_tpm_is_proven(desk: Desk) -> None:
    """Evidence holds for this key and nonce; counter and clock come along."""
    assert desk.judged(desk.evidence) is Attested.PROVEN
    state = read_state(desk.evidence, desk.jwk, NONCE)
    assert (state.counter, state.clock.resets) == (1, 2)
    assert state.clock.milliseconds > 0


def test_a_key_in_an_unknown_makers_tpm_is_only_claimed(desk: Desk, maker: TpmMaker) -> None:
    """No root, the root without the CA between, or a TPM that has no certificate."""
    for roots in ((), (maker.root,)):
        assert check_evidence(desk.evidence, desk.jwk, KeyClass.TPM2, NONCE, roots) is Attested.CLAIMED
    bare = replace(Evidence.parse(desk.evidence), ek_certificates=())
    assert desk.judged(bare.as_dict()) is Attested.CLAIMED


def test_the_chain_may_come_with_the_evidence(desk: Desk, maker: TpmMaker) -> None:
    """From the endorsement certificate over the CA between to the root; no certificate that is no CA stands between."""
    own = Evidence.parse(desk.evidence).ek_certificates[0]
    between = maker.issuer.public_bytes(Encoding.DER)
    for chain, expected in (((own, between), Attested.PROVEN), ((own, own), Attested.CLAIMED)):
        evidence = replace(Evidence.parse(desk.evidence), ek_certificates=chain).as_dict()
        assert check_evidence(evidence, desk.jwk, KeyClass.TPM2, NONCE, [maker.root]) is expected
    with pytest.raises(AttestationInvalid, match="another key"):
        desk.judged(replace(Evidence.parse(desk.evidence), ek_certificates=(between, own)).as_dict())


@pytest.mark.parametrize("key_class", [KeyClass.FILE, KeyClass.PKCS11])
def test_what_has_no_evidence_is_never_proven(desk: Desk, key_class: KeyClass) -> None:
    """Claimed without evidence; with the evidence of a TPM it is refused."""
    assert check_evidence(None, desk.jwk, key_class, NONCE, desk.roots) is Attested.CLAIMED
    with pytest.raises(AttestationInvalid):
        check_evidence(desk.evidence, desk.jwk, key_class, NONCE, desk.roots)


def test_a_token_or_software_key_enrolled_as_tpm2_is_refused(desk: Desk, forger: Forger) -> None:
    """Attack 3: without evidence, and with that of another desk's TPM."""
    for evidence in (None, desk.evidence):
        with pytest.raises(AttestationInvalid):
            check_evidence(evidence, forger.jwk, KeyClass.TPM2, NONCE, desk.roots)


@pytest.mark.parametrize("nonce", [b"", NONCE[:-1], NONCE + b"x", b"x" * 2000])
def test_evidence_of_another_request_is_refused(desk: Desk, nonce: bytes) -> None:
    """It may be an old one, replayed."""
    with pytest.raises(AttestationInvalid):
        desk.judged(desk.evidence, nonce)


def test_somebody_elses_endorsement_certificate_opens_nothing(desk: Desk, forger: Forger) -> None:
    """A software attestation key beside a real TPM's certificate looks right, and the answer then opens nowhere.

    The real TPM does not hold that key, so it refuses the credential; the forger does not hold the endorsement key.
    """
    evidence = forger.evidence()
    assert check_evidence(evidence, forger.jwk, KeyClass.TPM2, NONCE, desk.roots) is Attested.PROVEN
    with pytest.raises(KeyUnusable):
        desk.key.unwrap(wrap_for(evidence, b"s" * 32))
    assert desk.key.unwrap(wrap_for(desk.evidence, b"s" * 32)) == b"s" * 32


@pytest.mark.parametrize("bit", list(Attribute), ids=lambda bit: bit.name)
def test_each_attribute_that_matters_is_checked(desk: Desk, forger: Forger, bit: Attribute) -> None:
    """Of the signing key those that keep it in its TPM and to its purpose; of the attestation key all."""
    parts = Evidence.parse(desk.evidence)
    key = read_public(parts.key).attributes ^ bit
    free = Attribute.ST_CLEAR | Attribute.USER_WITH_AUTH | Attribute.ADMIN_WITH_POLICY | Attribute.NO_DA
    evidence = forger.evidence(key_attributes=key)
    if bit & free:
        check_evidence(evidence, forger.jwk, KeyClass.TPM2, NONCE, desk.roots)
    else:
        with pytest.raises(AttestationInvalid, match="made in its TPM"):
            check_evidence(evidence, forger.jwk, KeyClass.TPM2, NONCE, desk.roots)
    ak = read_public(parts.ak).attributes ^ bit
    with pytest.raises(AttestationInvalid, match="attributes it must have"):
        check_evidence(forger.evidence(ak_attributes=ak), forger.jwk, KeyClass.TPM2, NONCE, desk.roots)


def test_one_statement_does_not_stand_for_another(desk: Desk) -> None:
    """Key for counter, counter for key; each is signed well."""
    parts = Evidence.parse(desk.evidence)
    with pytest.raises(AttestationInvalid, match="signing key"):
        desk.judged(desk.changed(certified=parts.counted, certified_signature=parts.counted_signature))
    with pytest.raises(AttestationInvalid, match="counter"):
        desk.judged(desk.changed(counted=parts.certified, counted_signature=parts.certified_signature))
    with pytest.raises(AttestationInvalid):
        desk.judged(desk.changed(ek=parts.ak))
    with pytest.raises(AttestationInvalid):
        wrap_for(desk.changed(ek=parts.ak), b"s" * 32)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), member=st.sampled_from(MEMBERS))
def test_no_byte_of_the_evidence_can_be_changed(desk: Desk, data: st.DataObject, member: str) -> None:
    """Flipped, cut off, or made longer: AttestationInvalid, and nothing else."""
    content = bytes(getattr(Evidence.parse(desk.evidence), member))
    place = data.draw(st.integers(0, len(content) - 1))
    flipped = content[:place] + bytes([content[place] ^ 1 << data.draw(st.integers(0, 7))]) + content[place + 1 :]
    for spoilt in (flipped, content[:place], content + bytes(place + 1)):
        with pytest.raises(AttestationInvalid):
            desk.judged(desk.changed(**{member: spoilt}))


@pytest.mark.filterwarnings("ignore:Parsed a serial number")  # the library's word about an altered one
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_spoilt_endorsement_certificate_proves_nothing(desk: Desk, data: st.DataObject) -> None:
    """Whatever the maker signed: refused, or only claimed; never proven, and no other failure."""
    parts = Evidence.parse(desk.evidence)
    content = parts.ek_certificates[0]
    signed = x509.load_der_x509_certificate(content).tbs_certificate_bytes
    start = content.index(signed)
    place = data.draw(st.integers(start, start + len(signed) - 1))
    spoilt = content[:place] + bytes([content[place] ^ data.draw(st.integers(1, 255))]) + content[place + 1 :]
    try:
        assert desk.judged(replace(parts, ek_certificates=(spoilt,)).as_dict()) is Attested.CLAIMED
    except AttestationInvalid:
        return


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=20) | st.binary(max_size=80).map(encode_part),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.dictionaries(st.sampled_from(["v", "ek_certificates", "more", *MEMBERS]), VALUES, min_size=1))
def test_hostile_evidence_is_refused_and_nothing_else(desk: Desk, changes: JsonObject) -> None:
    """Whatever JSON stands where the members should."""
    evidence = {**desk.evidence, **changes}
    with contextlib.suppress(AttestationInvalid):
        assert desk.judged(evidence) is Attested.CLAIMED
        assert evidence["ek_certificates"] == []
    with contextlib.suppress(AttestationInvalid):
        wrap_for(evidence, b"s")


@given(content=st.binary(max_size=300))
def test_hostile_bytes_are_no_tpm_structure(content: bytes) -> None:
    """AttestationInvalid, and nothing else."""
    for read in (read_public, read_attest, read_signature, read_nv_counter):
        for start in (b"", bytes.fromhex("0001000b"), bytes.fromhex("0023000b"), bytes.fromhex("ff5443478017")):
            with pytest.raises(AttestationInvalid):
                read(start + content)
    with pytest.raises(AttestationInvalid, match="longer"):
        read_public(bytes(3000))


def test_a_credential_carries_at_most_32_bytes(desk: Desk) -> None:
    """More, or nothing, is the caller's bug."""
    for secret in (b"", b"s" * 33):
        with pytest.raises(ValueError, match="1 to 32"):
            wrap_for(desk.evidence, secret)
    assert desk.key.unwrap(wrap_for(desk.evidence, b"x")) == b"x"


def test_the_other_implementation_of_make_credential_agrees(desk: Desk) -> None:
    """What tpm2-pytss seals opens the same way, and what we seal has the same layout."""
    from tpm2_pytss import utils
    from tpm2_pytss.types import TPM2B_NAME, TPMT_PUBLIC

    parts, secret = Evidence.parse(desk.evidence), secrets.token_bytes(16)
    ek, _ = TPMT_PUBLIC.unmarshal(parts.ek)
    identity, seed = utils.make_credential(ek, secret, TPM2B_NAME(read_public(parts.ak).name))
    theirs = identity.marshal() + seed.marshal()
    assert desk.key.unwrap(theirs) == secret
    assert len(wrap_for(desk.evidence, secret)) == len(theirs)


def test_the_nonce_is_signed_as_a_digest() -> None:
    """So that a nonce of any length fits what a TPM signs along."""
    assert nonce_digest(b"") != nonce_digest(b"\0")
    assert len(nonce_digest(b"x" * 1000)) == hashes.SHA256.digest_size
