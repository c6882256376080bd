"""Certificates: strict verification accepts them, they are renewed in time, and keys are never lent out."""

import socket
import ssl
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from sync.errors import FundIncomplete, KeyUnusable
from sync.fund.home import FundHome
from sync.fund.keys import RENEW_BEFORE, SERVER_VALIDITY, load_facts, renew_certificate
from sync.fund.profile import CA_VALIDITY
from sync.fund.serve import tls_context
from tests.sync_fund.conftest import Fund, live_fund
from tests.sync_fund.desk import NOON


def _context(home: FundHome) -> ssl.SSLContext:
    return tls_context(home.server, home.device_ca)


def _certificate(fund: Fund) -> x509.Certificate:
    return x509.load_pem_x509_certificate(FundHome(fund.root).server.read_bytes())


def _handshake(server: ssl.SSLContext, client: ssl.SSLContext, host: str) -> str | None:
    """Connect both over a socket pair; the version of TLS that came about."""
    here, there = socket.socketpair()

    def answer() -> None:
        try:
            with server.wrap_socket(there, server_side=True) as secured:
                secured.recv(1)
        except OSError:
            there.close()

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        with client.wrap_socket(here, server_hostname=host) as secured:
            version = secured.version()
            secured.send(b"x")
            return version
    finally:
        here.close()
        thread.join(10)


def _client(fund: Fund) -> ssl.SSLContext:
    """A client as strict as Python 3.13 makes it by default."""
    context = ssl.create_default_context(cadata=fund.document.ca_pem)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


@pytest.mark.parametrize(
    ("url", "host"),
    [("https://127.0.0.1", "127.0.0.1"), ("https://[::1]:8443", "::1"), ("https://fund.example:1", "fund.example")],
)
def test_a_strict_client_accepts_the_certificate_for_the_host_of_the_url(tmp_path: Path, url: str, host: str) -> None:
    """TLS 1.3, chain of two, key identifiers, usages: nothing left to complain about."""
    fund = live_fund(tmp_path / "fund", url)
    assert _handshake(_context(FundHome(fund.root)), _client(fund), host) == "TLSv1.3"
    with pytest.raises(ssl.SSLCertVerificationError):
        _handshake(_context(FundHome(fund.root)), _client(fund), "other.example")


def test_an_older_protocol_is_not_spoken(tmp_path: Path) -> None:
    """TLS 1.2 is refused."""
    fund = live_fund(tmp_path / "fund")
    client = _client(fund)
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError):
        _handshake(_context(FundHome(fund.root)), client, "127.0.0.1")


def test_a_good_certificate_is_kept(fund: Fund) -> None:
    """Until thirty days before its end."""
    before = FundHome(fund.root).server.read_bytes()
    assert not renew_certificate(FundHome(fund.root), NOON)
    assert not renew_certificate(FundHome(fund.root), NOON + SERVER_VALIDITY - RENEW_BEFORE)
    assert FundHome(fund.root).server.read_bytes() == before


def test_a_certificate_near_its_end_is_renewed_with_a_new_key(fund: Fund) -> None:
    """By the same authority, for the same host; the time is the caller's."""
    before, later = _certificate(fund), NOON + SERVER_VALIDITY - RENEW_BEFORE + timedelta(seconds=1)
    assert renew_certificate(FundHome(fund.root), later)
    after = _certificate(fund)
    assert after.public_key() != before.public_key()
    assert after.issuer == before.issuer
    assert after.not_valid_after_utc == later + SERVER_VALIDITY
    assert FundHome(fund.root).server.stat().st_mode & 0o777 == 0o600


def test_a_lost_or_foreign_certificate_is_replaced(fund: Fund, tmp_path: Path) -> None:
    """Missing, nonsense, of another fund: the authority is here, so nobody has to be called."""
    home = FundHome(fund.root)
    home.server.unlink()
    assert renew_certificate(home, NOON)
    home.server.write_bytes(b"nonsense")
    assert renew_certificate(home, NOON)
    home.server.write_bytes(FundHome(live_fund(tmp_path / "other").root).server.read_bytes())
    assert renew_certificate(home, NOON)
    assert not renew_certificate(home, NOON)


def test_a_certificate_never_outlives_its_authority(fund: Fund) -> None:
    """Near the end of the authority the last certificate is kept; after it the gateway does not start."""
    home, end = FundHome(fund.root), NOON + CA_VALIDITY
    assert renew_certificate(home, end - timedelta(days=10))
    assert _certificate(fund).not_valid_after_utc == end
    assert not renew_certificate(home, end - timedelta(days=5))
    with pytest.raises(KeyUnusable, match="authority"):
        renew_certificate(home, end)


def test_a_moved_fund_gets_a_certificate_for_its_new_host(fund: Fund) -> None:
    """The address in fund.json decides."""
    home = FundHome(fund.root)
    home.document.write_bytes(home.document.read_bytes().replace(b"127.0.0.1:8443", b"fund.example"))
    assert load_facts(home).url == "https://fund.example"
    assert renew_certificate(home, NOON)
    names = _certificate(fund).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["fund.example"]


def test_a_server_key_open_to_others_is_not_used(fund: Fund) -> None:
    """Fail closed: it may have been copied."""
    home = FundHome(fund.root)
    home.server.chmod(0o640)
    with pytest.raises(KeyUnusable, match="readable"):
        renew_certificate(home, NOON)


@pytest.mark.parametrize("name", ["document", "ca_certificate"])
def test_a_lost_document_is_named(fund: Fund, name: str) -> None:
    """It comes back from the backup, not from thin air."""
    home = FundHome(fund.root)
    getattr(home, name).unlink()
    with pytest.raises(FundIncomplete):
        renew_certificate(home, NOON)


def test_a_damaged_authority_key_is_named(fund: Fund, tmp_path: Path) -> None:
    """Unreadable, or that of another authority."""
    home = FundHome(fund.root)
    home.ca_key.write_bytes(b"nonsense")
    with pytest.raises(FundIncomplete):
        renew_certificate(home, NOON)
    home.ca_key.write_bytes(FundHome(live_fund(tmp_path / "other").root).ca_key.read_bytes())
    with pytest.raises(KeyUnusable, match="does not belong"):
        renew_certificate(home, NOON)


def test_a_server_file_without_a_key_is_named(fund: Fund) -> None:
    """What the TLS library says is not for an operator."""
    home = FundHome(fund.root)
    home.server.write_bytes(home.ca_certificate.read_bytes())
    with pytest.raises(KeyUnusable, match="certificate"):
        _context(home)
