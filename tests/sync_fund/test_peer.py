"""Whose connection it is: certificate, path and event must agree, and a revocation counts at once."""

import ssl
from pathlib import Path
from urllib.parse import quote

import pytest
import requests

from sync.fund.admission import revoke
from sync.fund.denial import RequestDenied
from sync.fund.peer import MAX_HEADER, told_by_proxy
from sync.fund.rate import MAX_PEERS, Buckets, Rate
from sync.protocol import read_head
from sync.tls_key import tls_request
from tests.fakes.documents import rogue_certificate
from tests.sync_fund.blocking import Gateway, tls_of
from tests.sync_fund.conftest import Fund, Running
from tests.sync_fund.desk import NOON, batch

NONCE = "0123456789abcdef" * 2


@pytest.mark.parametrize("shown", [None, "0" * 64])
def test_a_connection_without_the_devices_certificate_is_not_heard(
    gateway: Gateway, fund: Fund, tmp_path: Path, shown: str | None
) -> None:
    """Neither without one nor with one that the fund never issued; not even the head is told."""
    desk = fund.desk(tmp_path)
    with pytest.raises(RequestDenied) as denied:
        gateway.receive(desk.device, batch([desk.next()]), shown)
    assert (denied.value.status, denied.value.code[:11]) == (403, "certificate")
    with pytest.raises(RequestDenied) as denied:
        gateway.head(desk.device, NONCE, shown)
    assert (denied.value.status, denied.value.code[:11]) == (403, "certificate")


def test_the_certificate_of_one_desk_does_not_carry_the_events_of_another(
    gateway: Gateway, fund: Fund, tmp_path: Path
) -> None:
    """Attack 11: certificate of A, path and events of B."""
    one, two = fund.desk(tmp_path), fund.desk(tmp_path)
    with pytest.raises(RequestDenied, match="not this device's"):
        gateway.receive(two.device, batch([two.next()]), tls_of(fund.root, one.device).fingerprint)


def test_a_revoked_desk_learns_it_and_delivers_nothing(gateway: Gateway, fund: Fund, tmp_path: Path) -> None:
    """At once, while its certificate has not ended; the signed head says why."""
    desk = fund.desk(tmp_path)
    revoke(fund.root, desk.device, "stolen", NOON)
    with pytest.raises(RequestDenied) as denied:
        gateway.receive(desk.device, batch([desk.next()]))
    assert denied.value.code == "device_revoked"
    head = read_head(gateway.head(desk.device, NONCE), fund.document.public_jwk, desk.device, NONCE)
    assert (head.blocked, head.reason) == (True, "device_revoked")


def test_over_tls_the_certificate_is_asked_for_and_compared(running: Running, tmp_path: Path) -> None:
    """None, another desk's, the own one; a rogue authority's does not get through the handshake."""
    one, two = running.fund.desk(tmp_path), running.fund.desk(tmp_path)
    url, body = f"{running.url}/v1/devices/{one.device}/events", batch([one.next()])
    head = {"Content-Type": "application/json"}
    answers = [
        running.session.post(url, data=body, headers=head, timeout=20, cert=cert)
        for cert in (None, str(running.fund.tls_file(two.device)), str(running.fund.tls_file(one.device)))
    ]
    assert [answer.status_code for answer in answers] == [403, 403, 200]
    assert [answer.json().get("code") for answer in answers[:2]] == ["certificate_required", "certificate_invalid"]
    with pytest.raises((requests.ConnectionError, ssl.SSLError)):
        running.session.post(
            url, data=body, headers=head, timeout=20, cert=str(rogue_certificate(tmp_path, one.device, NOON))
        )


def test_a_header_of_the_client_is_nobodys_certificate(running: Running, tmp_path: Path) -> None:
    """Without nginx in front the header that nginx sets is not read."""
    desk = running.fund.desk(tmp_path)
    answer = running.session.post(
        f"{running.url}/v1/devices/{desk.device}/events",
        data=batch([desk.next()]),
        headers={
            "Content-Type": "application/json",
            "X-Keldim-Client-Certificate": quote(tls_of(running.fund.root, desk.device).pem),
        },
        timeout=20,
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "certificate_required")


def test_a_desk_renews_over_the_connection(running: Running, tmp_path: Path) -> None:
    """The path of PROTOCOL.md, through TLS; without the present certificate nothing is issued."""
    desk = running.fund.desk(tmp_path)
    url = f"{running.url}/v1/devices/{desk.device}/tls-certificate"
    body = {"csr": tls_request(tmp_path / "next.key", desk.device)}
    assert running.session.post(url, json=body, timeout=20).status_code == 403
    answer = running.session.post(url, json=body, timeout=20, cert=str(running.fund.tls_file(desk.device)))
    assert answer.status_code == 200
    assert tls_of(running.fund.root, desk.device).pem == answer.json()["certificate"]


def test_the_proxys_header_is_read_as_a_certificate_or_not_at_all(fund: Fund, tmp_path: Path) -> None:
    """URL-encoded PEM; anything else is as good as none."""
    certificate = tls_of(fund.root, fund.desk(tmp_path).device)
    assert told_by_proxy(quote(certificate.pem)) == certificate.fingerprint
    for text in (None, "", "x", "%zz", "-----BEGIN CERTIFICATE-----", "A" * (MAX_HEADER + 1)):
        assert told_by_proxy(text) is None


def test_a_peer_that_asks_too_often_waits_and_others_do_not() -> None:
    """A bucket for each peer, refilled with time, in bounded memory."""
    buckets = Buckets(Rate(per_second=2, burst=3))
    for _ in range(3):
        buckets.take("a", 10.0)
    with pytest.raises(RequestDenied) as denied:
        buckets.take("a", 10.0)
    assert (denied.value.status, denied.value.retry_after) == (429, 1)
    buckets.take("b", 10.0)
    buckets.take("a", 10.6)
    for peer in range(MAX_PEERS + 10):
        buckets.take(f"p{peer}", 11.0)
    assert len(buckets._buckets) == MAX_PEERS
