"""TLS certificates are renewed over the connection that a good one secures, and by nobody else."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from sync.certificates import read_tls_certificate
from sync.fund.admission import certificates, revoke
from sync.fund.ca import TLS_VALIDITY, DeviceAuthority
from sync.fund.denial import RequestDenied
from sync.fund.home import FundHome
from sync.fund.office import block_device
from sync.fund.renewal import FRESH, MAX_KEYS, Renewal
from sync.fund.rows import Purpose
from sync.fund.store import FundStore
from sync.fund.stores import gateway_store
from sync.strict_json import Members, dump
from sync.tls_key import tls_key_of, tls_request
from tests.sync_fund.conftest import Fund
from tests.sync_fund.desk import NOON, FakeDesk


@dataclass(frozen=True)
class Desk:
    """A desk that was let in, and the fund's side of its renewals."""

    fund: Fund
    desk: FakeDesk
    store: FundStore
    runner: asyncio.Runner

    def shown(self) -> str:
        """The fingerprint of the TLS certificate it was let in with."""
        tls = [c for c in certificates(self.fund.root) if c.purpose is Purpose.TLS and c.device == self.desk.device]
        return tls[0].fingerprint

    def renew(self, body: bytes, now: datetime, shown: str | None = None, device: str | None = None) -> bytes:
        """Ask for a certificate; gives the PEM."""
        renewal = Renewal(self.store, DeviceAuthority.load(FundHome(self.fund.root)))
        answer = self.runner.run(renewal.renew(device or self.desk.device, shown or self.shown(), body, now))
        return Members.parse(answer).text("certificate").encode()

    def asking(self, key_file: Path) -> bytes:
        """The body of a request for this key."""
        return dump({"csr": tls_request(key_file, self.desk.device)})


@pytest.fixture
def desk(fund: Fund, tmp_path: Path) -> Iterator[Desk]:
    """A desk with its certificates of noon."""
    store = gateway_store(FundHome(fund.root), NOON)
    with asyncio.Runner() as runner:
        runner.run(store.open())
        yield Desk(fund, fund.desk(tmp_path), store, runner)
        runner.run(store.close())


def test_a_desk_gets_a_certificate_for_its_next_key(desk: Desk, tmp_path: Path) -> None:
    """Of its own name, 90 days from now; it is in the registry, and the old one stays good until its end."""
    now, key = NOON + timedelta(days=70), tmp_path / "next.key"
    pem = desk.renew(desk.asking(key), now)
    read = read_tls_certificate(pem, FundHome(desk.fund.root).device_ca.read_bytes())
    assert (read.device, read.public_jwk, read.ends) == (desk.desk.device, tls_key_of(key), now + TLS_VALIDITY)
    known = {c.fingerprint: c for c in certificates(desk.fund.root)}
    assert known[read.fingerprint].good_at(now)
    assert known[desk.shown()].good_at(now)
    again = NOON + timedelta(days=95)
    assert desk.renew(desk.asking(tmp_path / "third.key"), again, read.fingerprint) != pem


def test_a_lost_answer_is_given_again(desk: Desk, tmp_path: Path) -> None:
    """The same key: the same certificate while it is fresh, whatever a desk in a loop asks."""
    body = desk.asking(tmp_path / "next.key")
    first = desk.renew(body, NOON)
    assert desk.renew(body, NOON + TLS_VALIDITY - FRESH - timedelta(seconds=1)) == first
    assert desk.renew(body, NOON + TLS_VALIDITY - FRESH) != first


def denied(desk: Desk, body: bytes, now: datetime, **how: str) -> tuple[int, str]:
    """Status and code of the refusal; nothing was issued."""
    before = certificates(desk.fund.root)
    with pytest.raises(RequestDenied) as refusal:
        desk.renew(body, now, **how)
    assert certificates(desk.fund.root) == before
    return refusal.value.status, refusal.value.code


def test_only_a_good_certificate_of_the_device_renews_it(desk: Desk, tmp_path: Path) -> None:
    """Another desk's, a device certificate, an ended one, one nobody issued; an unknown device, an impossible name."""
    body = desk.asking(tmp_path / "next.key")
    other = desk.fund.desk(tmp_path)
    issued = certificates(desk.fund.root)
    others = next(c for c in issued if c.device == other.device and c.purpose is Purpose.TLS)
    device = next(c for c in issued if c.device == desk.desk.device and c.purpose is Purpose.DEVICE)
    for shown in (others.fingerprint, device.fingerprint, "0" * 64):
        assert denied(desk, body, NOON, shown=shown) == (403, "certificate_invalid")
    assert denied(desk, body, NOON + TLS_VALIDITY) == (403, "certificate_invalid")
    for name in ("desk-unknown", "../desk", ""):
        assert denied(desk, body, NOON, device=name or "No Name") == (403, "unknown_device")


def test_what_is_no_request_is_refused(desk: Desk, tmp_path: Path) -> None:
    """No JSON, no request in it, and the key that signs events."""
    signing = tmp_path / "signing.pem"
    signing.write_bytes(next(tmp_path.glob("desk-*/k.pem")).read_bytes())
    signing.chmod(0o600)
    for body in (b"", b"{}", dump({"csr": "no"}), dump({"csr": 1}), desk.asking(signing)):
        assert denied(desk, body, NOON) == (400, "malformed")


def test_nobody_hoards_keys(desk: Desk, tmp_path: Path) -> None:
    """So many live keys and no more."""
    for number in range(MAX_KEYS - 1):
        desk.renew(desk.asking(tmp_path / f"{number}.key"), NOON)
    assert denied(desk, desk.asking(tmp_path / "more.key"), NOON) == (403, "too_many_keys")


def test_a_revoked_or_blocked_desk_renews_nothing(desk: Desk, tmp_path: Path) -> None:
    """Revocation counts at once, in the other process too."""
    body = desk.asking(tmp_path / "next.key")
    block_device(desk.fund.root, desk.desk.device, "by_hand")
    assert denied(desk, body, NOON) == (403, "device_blocked")
    revoke(desk.fund.root, desk.desk.device, "stolen", NOON)
    assert denied(desk, body, NOON) == (403, "device_revoked")
