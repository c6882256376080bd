"""The device authority: its certificates say who a desk is, are good for one purpose, and end in time."""

import base64
import socket
import ssl
import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.certificates import DeviceFacts, read_device_certificate, read_tls_certificate
from sync.clock import SystemClock
from sync.errors import CertificateInvalid, EnvelopeInvalid, FundIncomplete, KeyUnusable
from sync.fund.ca import DEVICE_VALIDITY, TLS_VALIDITY, DeviceAuthority, read_csr
from sync.fund.home import FundHome
from sync.fund.profile import CA_VALIDITY, common
from sync.fund.rows import Purpose
from sync.p256_file import key_pem
from sync.signing import PublicJwk, jwk_of
from tests.sync_fund.desk import NOON

FACTS = DeviceFacts("desk-1", "Емхана № 7", "Тіркеу", "tpm2", "proven")
KEY = ec.generate_private_key(ec.SECP256R1())
JWK = jwk_of(KEY.public_key())


def authority_in(folder: Path, now: datetime = NOON) -> DeviceAuthority:
    """A new authority."""
    home = FundHome(folder)
    home.keys.mkdir(parents=True)
    return DeviceAuthority.create(home, now)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> DeviceAuthority:
    """One authority for tests that only read it."""
    return authority_in(tmp_path_factory.mktemp("authority"))


def csr(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> str:
    """A request for this key, in somebody else's name."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(common("somebody-else"))
    signed = builder.sign(key, hashes.SHA256() if isinstance(key, ec.EllipticCurvePrivateKey) else None)
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def test_a_device_certificate_tells_who_the_desk_is_and_how_its_key_is_kept(authority: DeviceAuthority) -> None:
    """Device, clinic, desk, class of the key, proven or claimed; two years."""
    issued = authority.certify_device(FACTS, JWK, NOON)
    read = read_device_certificate(issued.pem.encode(), authority.pem)
    assert (read.facts, read.public_jwk, read.fingerprint) == (FACTS, JWK, issued.fingerprint)
    assert (issued.purpose, issued.device, issued.key_id) == (Purpose.DEVICE, "desk-1", JWK.thumbprint)
    assert (read.begins, read.ends) == (NOON - timedelta(days=1), NOON + DEVICE_VALIDITY)
    assert (issued.begins, issued.ends) == (read.begins, read.ends)


def test_a_tls_certificate_names_the_device_and_ends_after_ninety_days(authority: DeviceAuthority) -> None:
    """Short, because its key lies on a disk."""
    issued = authority.certify_tls("desk-1", JWK, NOON)
    read = read_tls_certificate(issued.pem.encode(), authority.pem)
    assert (read.device, read.public_jwk, read.fingerprint) == ("desk-1", JWK, issued.fingerprint)
    assert read.ends - NOON == TLS_VALIDITY == timedelta(days=90)
    assert issued.good_at(NOON)
    assert not issued.good_at(NOON + TLS_VALIDITY)


def test_no_certificate_takes_the_place_of_the_other(authority: DeviceAuthority) -> None:
    """The key that signs events opens no connection, and the other way round."""
    device, tls = authority.certify_device(FACTS, JWK, NOON), authority.certify_tls("desk-1", JWK, NOON)
    with pytest.raises(CertificateInvalid, match="another purpose"):
        read_device_certificate(tls.pem.encode(), authority.pem)
    with pytest.raises(CertificateInvalid, match="another purpose"):
        read_tls_certificate(device.pem.encode(), authority.pem)


def test_another_funds_certificate_is_refused(authority: DeviceAuthority, tmp_path: Path) -> None:
    """Same names, other key."""
    other = authority_in(tmp_path)
    issued = other.certify_device(FACTS, JWK, NOON)
    with pytest.raises(CertificateInvalid):
        read_device_certificate(issued.pem.encode(), authority.pem)


@pytest.mark.filterwarnings("ignore:Parsed a serial number")  # the library's word about an altered one
@settings(max_examples=150, deadline=None)
@given(place=st.integers(0, 10_000), flip=st.integers(1, 255))
def test_a_certificate_altered_in_one_byte_is_refused_or_the_same(
    authority: DeviceAuthority, place: int, flip: int
) -> None:
    """Whatever still reads says exactly what the authority signed (a PEM has bytes without meaning)."""
    pem = bytearray(authority.certify_device(FACTS, JWK, NOON).pem.encode())
    pem[place % len(pem)] ^= flip
    try:
        read = read_device_certificate(bytes(pem), authority.pem)
    except CertificateInvalid:
        return
    assert (read.facts, read.public_jwk) == (FACTS, JWK)


def of_version(pem: str, version: int) -> bytes:
    """The same certificate or request, saying another version of its format."""
    kind = pem.splitlines()[0].strip("- ").removeprefix("BEGIN ")
    der = bytearray(base64.b64decode("".join(pem.splitlines()[1:-1])))
    place = der.index(b"\xa0\x03\x02\x01\x02") + 4 if kind == "CERTIFICATE" else der.index(b"\x02\x01\x00") + 2
    der[place] = version
    return f"-----BEGIN {kind}-----\n{base64.encodebytes(der).decode()}-----END {kind}-----\n".encode()


def test_an_unknown_version_of_the_format_is_refused(authority: DeviceAuthority) -> None:
    """A failure of its own class in the library; of a certificate and of a request."""
    with pytest.raises(CertificateInvalid):
        read_device_certificate(of_version(authority.certify_device(FACTS, JWK, NOON).pem, 7), authority.pem)
    with pytest.raises(EnvelopeInvalid):
        read_csr(of_version(csr(KEY), 7).decode())


def test_what_is_no_certificate_is_named_so(authority: DeviceAuthority) -> None:
    """Nothing, two at once, too long."""
    pem = authority.certify_device(FACTS, JWK, NOON).pem.encode()
    for wrong in (b"", b"\xff", pem + pem, pem + b"\n" * 20_000):
        with pytest.raises(CertificateInvalid):
            read_device_certificate(wrong, authority.pem)


def test_nothing_is_certified_after_the_authority_has_ended(authority: DeviceAuthority) -> None:
    """And nothing it certifies outlives it."""
    end = NOON + CA_VALIDITY
    assert authority.certify_tls("desk-1", JWK, end - timedelta(days=2)).ends == end
    with pytest.raises(KeyUnusable, match="ended"):
        authority.certify_tls("desk-1", JWK, end)
    with pytest.raises(KeyUnusable, match="ended"):
        authority.certify_device(FACTS, JWK, end)


def test_an_authority_is_loaded_with_its_own_key_only(tmp_path: Path) -> None:
    """A missing file, another fund's key."""
    made = authority_in(tmp_path / "fund")
    home = FundHome(tmp_path / "fund")
    assert DeviceAuthority.load(home).pem == made.pem
    home.device_ca_key.write_bytes(key_pem(KEY))
    with pytest.raises(KeyUnusable, match="does not belong"):
        DeviceAuthority.load(home)
    home.device_ca.unlink()
    with pytest.raises(FundIncomplete):
        DeviceAuthority.load(home)


def test_a_request_proves_the_key_and_nothing_else() -> None:
    """Its names are not read; another curve, a broken signature, no PEM at all: refused."""
    assert read_csr(csr(KEY)) == JWK
    pem = csr(KEY)
    middle = len(pem) // 2
    forged = x509.load_pem_x509_csr(pem.encode()).public_bytes(serialization.Encoding.DER)[:-1] + b"\x01"
    wrong = [
        csr(ec.generate_private_key(ec.SECP384R1())),
        csr(ed25519.Ed25519PrivateKey.generate()),
        "-----BEGIN CERTIFICATE REQUEST-----\n" + pem_body(forged) + "-----END CERTIFICATE REQUEST-----\n",
        pem[:middle],
        "é",
        pem + " " * 9000,
    ]
    for text in wrong:
        with pytest.raises(EnvelopeInvalid):
            read_csr(text)


def pem_body(der: bytes) -> str:
    """The body of a PEM."""
    return base64.encodebytes(der).decode()


def _answering(context: ssl.SSLContext, there: socket.socket) -> threading.Thread:
    def answer() -> None:
        try:
            with context.wrap_socket(there, server_side=True) as secured:
                secured.send(b"x")
                secured.recv(1)
        except OSError:
            there.close()

    thread = threading.Thread(target=answer)
    thread.start()
    return thread


@pytest.mark.parametrize(("purpose", "welcome"), [("tls", True), ("device", False), ("foreign", False)])
def test_openssl_lets_in_a_tls_certificate_of_this_authority_only(tmp_path: Path, purpose: str, welcome: bool) -> None:
    """What a gateway's TLS decides with the authority as its only anchor, as strict as Python 3.13 by default."""
    now = SystemClock().moment().wall  # TLS reads the machine's clock
    authority = authority_in(tmp_path / "fund", now)
    issuer = authority_in(tmp_path / "other", now) if purpose == "foreign" else authority
    issued = issuer.certify_device(FACTS, JWK, now) if purpose == "device" else issuer.certify_tls("desk-1", JWK, now)
    chain = tmp_path / "tls.pem"
    chain.write_bytes(key_pem(KEY) + issued.pem.encode())
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(chain)
    server.verify_mode = ssl.CERT_REQUIRED
    server.verify_flags |= ssl.VERIFY_X509_STRICT
    server.load_verify_locations(cadata=authority.pem.decode())
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    client.load_cert_chain(chain)
    here, there = socket.socketpair()
    thread = _answering(server, there)
    try:
        with here, client.wrap_socket(here) as secured:
            assert (secured.recv(1) == b"x") is welcome  # TLS 1.3: a refused client learns it when it reads
    except OSError:
        assert not welcome
    finally:
        thread.join(10)


def test_a_jwk_that_is_no_point_is_not_certified(authority: DeviceAuthority) -> None:
    """The caller has parsed it; certified is only what is a key."""
    with pytest.raises(EnvelopeInvalid):
        authority.certify_tls("desk-1", PublicJwk("A" * 43, "A" * 43), NOON)
