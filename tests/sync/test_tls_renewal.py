"""The desk shows its TLS certificate, takes up another one, renews it in time; a renewal holds up no delivery."""

import shutil
import ssl
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from sync.certificates import read_tls_certificate
from sync.clock import SystemClock
from sync.errors import KeyUnusable, TransportFailure
from sync.fund.ca import TLS_VALIDITY, DeviceAuthority
from sync.fund.home import FundHome
from sync.home import Home, load_settings
from sync.join_errors import CertificateEnded
from sync.papers import Papers
from sync.signing import FileSigner
from sync.strict_json import dump
from sync.tls_key import tls_certificate_in, tls_key_of
from sync.tls_renewal import DeskTransport
from tests.fakes.clock import ManualClock
from tests.fakes.documents import join_desk, make_fund_home
from tests.fakes.tls_server import Answer, reply, tls_server

NONCE = "ab" * 16
NOW = SystemClock().moment().wall


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> tuple[FundHome, Home]:
    """A fund and a desk that joined it; not to be changed."""
    folder = tmp_path_factory.mktemp("joined")
    fund, home = make_fund_home(folder), Home(folder / "desk")
    join_desk(home, fund.root)
    return fund, home


@pytest.fixture
def fund(joined: tuple[FundHome, Home]) -> FundHome:
    """The fund."""
    return joined[0]


@pytest.fixture
def home(joined: tuple[FundHome, Home], tmp_path: Path) -> Home:
    """A copy of the desk."""
    shutil.copytree(joined[1].root, tmp_path / "desk")
    return Home(tmp_path / "desk")


def transport(home: Home, port: int, days: float = 0) -> DeskTransport:
    """The desk's way to a server on this machine, so many days after it joined."""
    settings = load_settings(home)
    settings = replace(settings, fund=replace(settings.fund, url=f"https://127.0.0.1:{port}", deadline_s=5))
    return DeskTransport(home, settings, ManualClock(NOW + timedelta(days=days)))


def shown_by(heads: list[str | None], body: bytes = b"{}") -> Answer:
    """Answers, and notes the fingerprint of the client's certificate."""

    def answer(secure: ssl.SSLSocket, head: bytes) -> None:
        der = secure.getpeercert(binary_form=True)
        pem = None if der is None else ssl.DER_cert_to_PEM_cert(der)
        heads.append(pem)
        reply(200, body)(secure, head)

    return answer


def own(home: Home) -> str:
    """The certificate in the desk's file."""
    return home.tls.read_text()[home.tls.read_text().index("-----BEGIN CERTIFICATE") :]


def test_a_server_that_asks_is_shown_the_certificate(fund: FundHome, home: Home) -> None:
    """By each connection; whoever has none, or another fund's, is told that it is the certificate."""
    heads: list[str | None] = []
    with tls_server(fund.server, shown_by(heads), clients=fund.device_ca) as port:
        way = transport(home, port)
        assert way.get_head(NONCE) == b"{}"
        assert way.post_events(b"{}") == b"{}"
        way.close()
        home.tls.unlink()
        naked = transport(home, port)
        with pytest.raises(TransportFailure, match=r"not accept this desk's TLS certificate|no TLS 1\.3 connection"):
            naked.get_head(NONCE)
        naked.close()
    assert heads == [own_of(fund, heads[0])] * 2


def own_of(fund: FundHome, pem: str | None) -> str:
    """A certificate that the fund's authority issued to this desk."""
    assert pem is not None
    assert read_tls_certificate(pem.encode(), fund.device_ca.read_bytes()).device == "desk-1"
    return pem


def test_a_certificate_installed_meanwhile_is_taken_up(fund: FundHome, home: Home) -> None:
    """By the next request for the head, without a restart of the process."""
    heads: list[str | None] = []
    with tls_server(fund.server, shown_by(heads), clients=fund.device_ca) as port:
        way = transport(home, port)
        way.get_head(NONCE)
        other = DeviceAuthority.load(fund)
        key = home.tls.read_text().split("-----BEGIN CERTIFICATE")[0]
        jwk = tls_certificate_in(home.tls, other.pem).public_jwk
        fresh = home.root / "fresh.pem"
        fresh.write_text(key + other.certify_tls("desk-1", jwk, NOW).pem)
        fresh.chmod(0o600)
        fresh.replace(home.tls)
        way.get_head(NONCE)
        way.close()
    assert heads[0] != heads[1]
    assert heads[1] == own(home)


def issuing(fund: FundHome, home: Home, at: datetime, asked: list[bytes], spoil: Callable[[str], str] = str) -> Answer:
    """A gateway that issues a certificate at this time for the key that the desk asks it for. spoil: changes it."""

    def answer(secure: ssl.SSLSocket, head: bytes) -> None:
        asked.append(head.split(b" HTTP")[0])
        body = b"{}"
        if b"/tls-certificate" in head:
            jwk = tls_key_of(Papers(home).tls_next_key)
            assert jwk is not None
            body = dump({"certificate": spoil(DeviceAuthority.load(fund).certify_tls("desk-1", jwk, at).pem)})
        reply(200, body)(secure, head)

    return answer


def test_a_certificate_is_renewed_in_its_last_thirty_days(fund: FundHome, home: Home) -> None:
    """With a new key, over the connection of the old one, which is shown no more afterwards."""
    before, late, moment = own(home), 60.5, NOW + timedelta(days=0.9)  # good already: TLS reads the machine's clock
    asked: list[bytes] = []
    answer = issuing(fund, home, moment, asked)
    with tls_server(fund.server, answer, clients=fund.device_ca) as port:
        early = transport(home, port, 59)
        early.get_head(NONCE)
        early.close()
        assert own(home) == before
        way = transport(home, port, late)
        way.get_head(NONCE)
        way.get_head(NONCE)
        way.close()
    posts = [line for line in asked if line.startswith(b"POST")]
    assert posts == [b"POST /v1/devices/desk-1/tls-certificate"]
    renewed = tls_certificate_in(home.tls, fund.device_ca.read_bytes())
    assert renewed.ends == moment.replace(microsecond=0) + TLS_VALIDITY
    assert not Papers(home).tls_next_key.exists()
    assert home.tls.stat().st_mode & 0o777 == 0o600


def other_key(fund: FundHome) -> Callable[[str], str]:
    """Puts a certificate for another key in the place of the right one."""
    jwk = FileSigner.load(fund.signing_key).public_jwk
    return lambda _pem: DeviceAuthority.load(fund).certify_tls("desk-1", jwk, NOW).pem


def other_device(fund: FundHome, home: Home) -> Callable[[str], str]:
    """Puts another device's certificate, for the same key, in its place."""

    def changed(_pem: str) -> str:
        jwk = tls_key_of(Papers(home).tls_next_key)
        assert jwk is not None
        return DeviceAuthority.load(fund).certify_tls("desk-2", jwk, NOW).pem

    return changed


@pytest.mark.parametrize("wrong", ["another key", "another device", "no certificate"])
def test_a_certificate_that_does_not_fit_is_not_taken(fund: FundHome, home: Home, wrong: str) -> None:
    """The head is there all the same; the next contact asks for the same key again."""
    spoil = {
        "another key": other_key(fund),
        "another device": other_device(fund, home),
        "no certificate": lambda _pem: "none",
    }[wrong]
    before = home.tls.read_bytes()
    asked: list[bytes] = []
    answer = issuing(fund, home, NOW, asked, spoil)
    with tls_server(fund.server, answer, clients=fund.device_ca) as port:
        way = transport(home, port, 70)
        assert way.get_head(NONCE) == b"{}"
        first = Papers(home).tls_next_key.read_bytes()
        assert way.get_head(NONCE) == b"{}"
        way.close()
    assert home.tls.read_bytes() == before
    assert Papers(home).tls_next_key.read_bytes() == first
    assert len(asked) == 4


def test_the_end_of_the_own_certificate_is_named(fund: FundHome, home: Home) -> None:
    """A fund that hangs up, and a certificate that has ended: that is why, or the clock is."""

    def hang_up(secure: ssl.SSLSocket, head: bytes) -> None:
        del secure, head

    with tls_server(fund.server, hang_up, clients=fund.device_ca) as port:
        way = transport(home, port, 95)
        with pytest.raises(CertificateEnded, match="has ended"):
            way.get_head(NONCE)
        way.close()
        young = transport(home, port)
        with pytest.raises(TransportFailure) as failure:
            young.get_head(NONCE)
        assert not isinstance(failure.value, CertificateEnded)
        young.close()


def test_a_damaged_key_file_is_a_failed_contact(fund: FundHome, home: Home) -> None:
    """While the process runs it is told and tried again; at its start it is a failure of its own."""
    with tls_server(fund.server, reply(200, b"{}"), clients=fund.device_ca) as port:
        way = transport(home, port)
        way.get_head(NONCE)
        home.tls.write_bytes(b"damaged")
        with pytest.raises(TransportFailure, match=r"tls\.pem"):
            way.get_head(NONCE)
        way.close()
        with pytest.raises(KeyUnusable):
            transport(home, port)
