"""A desk's identity from an empty directory to its renewal: whole, private, repeatable, never over somebody else's."""

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sync.certificates import read_device_certificate
from sync.database import open_database
from sync.errors import (
    DatabaseMissing,
    DatabaseUnreachable,
    DeskProvisioned,
    KeyUnusable,
)
from sync.fund.admission import admit, certificates, revoke
from sync.fund.ca import DEVICE_VALIDITY, TLS_VALIDITY
from sync.fund.home import FundHome
from sync.home import Home, load_settings
from sync.install import install
from sync.join_errors import (
    DeviceRevoked,
    InvitationInvalid,
    InvitationSpent,
    JoinIncomplete,
)
from sync.joining import read_request
from sync.keyfile import load_key
from sync.ledger import LEDGER_MIGRATIONS, ledger_head
from sync.membership import Step, read_membership
from sync.papers import Papers
from sync.provision import make_desk, request_admission, request_renewal
from sync.signing import FileSigner
from sync.tls_key import tls_certificate_in
from tests.fakes.documents import join_desk, make_fund_home
from tests.sync.joining_desk import FILE, NOW, TOML, answered, contents, invitation_of


def secrets_of(home: Home) -> dict[str, bytes]:
    """The keys that must never be replaced."""
    kept = {"keys/db.key", "keys/template.key", "keys/device.pem", "keys/pseudonym.key"}
    return {name: content for name, content in contents(home).items() if name in kept}


def test_a_desk_that_joined_is_complete_and_private(home: Home, fund: Path) -> None:
    """Settings, keys, certificates, an empty ledger; nobody else can read any of it, nothing of the joining is left."""
    certificate = install(home, answered(home, fund, policy="[policy]\ntries = 2\n"), NOW)
    signer = FileSigner.load(home.device_key)
    assert certificate.public_jwk == signer.public_jwk
    assert (certificate.facts.device, certificate.facts.attested) == ("desk-1", "claimed")
    found, told = load_settings(home), FundHome(fund)
    assert (found.device.device, found.device.clinic, found.device.desk) == ("desk-1", 'Clinic "Жан"', "Front\\desk")
    assert found.fund.jwk == FileSigner.load(told.signing_key).public_jwk
    assert "[camera]" in home.config.read_text(encoding="utf-8")
    assert "tries = 2" in home.config.read_text(encoding="utf-8")
    assert load_key(home.pseudonym_key) == load_key(told.pseudonym_key)
    assert home.fund_ca.read_bytes() == told.ca_certificate.read_bytes()
    assert tls_certificate_in(home.tls, told.device_ca.read_bytes()).device == "desk-1"
    with contextlib.closing(open_database(home.database, load_key(home.database_key), [LEDGER_MIGRATIONS])) as db:
        assert ledger_head(db).seq == 0
    for path in home.root.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
    assert not Papers(home).request_key.exists()
    assert not Papers(home).tls_request_key.exists()


def test_every_step_again_changes_nothing(home: Home, fund: Path) -> None:
    """The same invitation, the same request, the same answer: every file as it was, also after years."""
    make_desk(home, TOML)
    invitation = invitation_of(fund)
    request = request_admission(home, invitation, NOW)
    answer = admit(fund, request, FILE, NOW)
    first = install(home, answer, NOW)
    before, later = contents(home), NOW + 2 * DEVICE_VALIDITY
    make_desk(home, TOML)
    assert request_admission(home, invitation, later) == request
    assert install(home, answer, later) == first
    assert contents(home) == before


class PowerCutError(Exception):
    """The machine is off."""


@contextlib.contextmanager
def power_cut_after(writes: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Let so many changes of the file system happen, then none; names them."""
    done: list[str] = []

    def counted(name: str, real: Callable[..., object]) -> Callable[..., object]:
        def change(*args: object, **more: object) -> object:
            if len(done) >= writes:
                raise PowerCutError(name)
            done.append(name)
            return real(*args, **more)

        return change

    with monkeypatch.context() as patch:
        for name in ("link", "replace", "rename", "unlink", "mkdir"):  # how files come and go
            patch.setattr(os, name, counted(name, getattr(os, name)))
        yield done


def _whole_way(home: Home, fund: Path, invitation: str) -> None:
    make_desk(home, TOML)
    answer = admit(fund, request_admission(home, invitation, NOW), FILE, NOW)
    install(home, answer, NOW)


def test_a_power_cut_between_any_two_writes_is_mended_by_repeating(
    tmp_path: Path, fund: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every place: the same command again ends well, with the key of the first time and one certificate of it."""
    cuts = 0
    while True:
        home, here = Home(tmp_path / f"desk{cuts}"), tmp_path / f"fund{cuts}"
        shutil.copytree(fund, here)
        invitation = invitation_of(here)
        try:
            with power_cut_after(cuts, monkeypatch):
                _whole_way(home, here, invitation)
        except PowerCutError:
            before = secrets_of(home) if home.root.exists() else {}
            _whole_way(home, here, invitation)
            assert before.items() <= secrets_of(home).items(), f"a key was replaced after cut {cuts}"
        else:
            break
        assert read_membership(home).step is Step.INSTALLED
        assert sorted(path.name for path in home.keys.iterdir() if not path.name.startswith(".new-")) == [
            "db.key",
            "device.pem",
            "pseudonym.key",
            "template.key",
            "tls.pem",
        ]
        cuts += 1
    assert cuts > 25


def test_an_invitation_is_followed_in_time_and_as_it_was_sent(home: Home, fund: Path) -> None:
    """Expired, altered, of a fund that no desk could reach."""
    make_desk(home, TOML)
    invitation = invitation_of(fund)
    with pytest.raises(InvitationSpent):
        request_admission(home, invitation, NOW + timedelta(days=14))
    with pytest.raises(InvitationInvalid):
        request_admission(home, invitation[:-4] + "AAAA", NOW)
    assert not Papers(home).request_file.exists()


def test_a_desk_follows_one_fund_under_one_name(home: Home, fund: Path, tmp_path: Path) -> None:
    """Before it joined it may change its mind; afterwards it is what it is."""
    make_desk(home, TOML)
    request_admission(home, invitation_of(fund, "desk-7"), NOW)
    install(home, admit(fund, request_admission(home, invitation_of(fund), NOW), FILE, NOW), NOW)
    before = contents(home)
    other = make_fund_home(tmp_path / "x").root
    for wrong in (invitation_of(fund, "desk-2"), invitation_of(other)):
        with pytest.raises(DeskProvisioned):
            request_admission(home, wrong, NOW)
    assert contents(home) == before


def test_the_steps_have_an_order(home: Home, fund: Path) -> None:
    """Each says which one is missing."""
    assert read_membership(home).step is Step.NOTHING
    with pytest.raises(JoinIncomplete):
        request_admission(home, invitation_of(fund), NOW)
    make_desk(home, TOML)
    assert read_membership(home).step is Step.MADE
    for step in (lambda: install(home, "", NOW), lambda: request_renewal(home)):
        with pytest.raises(JoinIncomplete):
            step()
    request_admission(home, invitation_of(fund), NOW)
    assert read_membership(home).step is Step.REQUESTED


def test_a_desk_that_asked_never_gets_a_second_ledger_or_key(home: Home, fund: Path) -> None:
    """Its chain is, or will be, at the fund; a new one under the same name would be a fork."""
    answered(home, fund)
    home.database.rename(home.root / "moved.db")
    with pytest.raises(DatabaseMissing):
        make_desk(home, TOML)
    (home.root / "moved.db").rename(home.database)
    home.device_key.unlink()
    with pytest.raises(KeyUnusable):
        make_desk(home, TOML)
    assert not home.device_key.exists()


@pytest.mark.parametrize("lost", ["db.key", "template.key"])
def test_a_lost_key_is_not_made_anew(home: Home, lost: str) -> None:
    """Where there is a database, a new key would only hide that the old one is gone."""
    make_desk(home, TOML)
    (home.keys / lost).unlink()
    with pytest.raises(KeyUnusable):
        make_desk(home, TOML)
    assert not (home.keys / lost).exists()


def test_the_place_of_the_key_is_chosen_once(home: Home) -> None:
    """Another class later would be a second key."""
    make_desk(home, TOML)
    with pytest.raises(DeskProvisioned, match="device key"):
        make_desk(home, '[key]\nclass = "tpm2"\n')


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A file where the home should be; it is not told as a disk that dies."""
    (tmp_path / "desk").write_bytes(b"")
    with pytest.raises(DatabaseUnreachable, match="desk"):
        make_desk(Home(tmp_path / "desk"))


def test_a_certificate_is_renewed_with_the_present_key(home: Home, fund: Path) -> None:
    """Also after its end: a request signed by the key, an answer; certificates are new, everything else stays."""
    install(home, answered(home, fund), NOW)
    before, late = contents(home), NOW + DEVICE_VALIDITY
    assert read_membership(home).warnings(late)
    request = request_renewal(home)
    assert request_renewal(home) == request
    assert read_membership(home).renewing
    certificate = install(home, admit(fund, request, FILE, late), late)
    assert certificate.ends == late.replace(microsecond=0) + DEVICE_VALIDITY
    changed = {name for name, content in contents(home).items() if before.get(name) != content}
    assert changed == {"fund/answer.jws", "fund/device.pem", "keys/tls.pem", "request.jws"}
    assert read_membership(home).warnings(late) == ()
    assert not read_membership(home).renewing


def test_what_ends_is_told_a_month_before_and_after(home: Home, fund: Path) -> None:
    """Both certificates, each with what to do."""
    install(home, answered(home, fund), NOW)
    membership = read_membership(home)
    assert membership.warnings(NOW) == ()
    (soon,) = membership.warnings(NOW + TLS_VALIDITY - timedelta(days=29))
    assert "TLS certificate ends in" in soon
    ended = membership.warnings(NOW + DEVICE_VALIDITY)
    assert ["has ended" in each for each in ended] == [True, True]
    assert "keldim device renew" in ended[0]


def test_a_revoked_desk_is_let_in_again_with_its_key(home: Home, fund: Path) -> None:
    """By a new invitation, not by a renewal; its ledger and keys stay."""
    install(home, answered(home, fund), NOW)
    before = secrets_of(home)
    revoke(fund, "desk-1", "stolen", NOW)
    with pytest.raises(DeviceRevoked):
        admit(fund, request_renewal(home), FILE, NOW)
    again = admit(fund, request_admission(home, invitation_of(fund), NOW), FILE, NOW + timedelta(hours=1))
    install(home, again, NOW + timedelta(hours=1))
    assert secrets_of(home) == before
    present = read_device_certificate(home.certificate.read_bytes(), home.device_ca.read_bytes())
    (good,) = (c for c in certificates(fund) if c.purpose == "device" and c.revoked is None)
    assert present.fingerprint == good.fingerprint


def test_the_desks_own_request_proves_its_key(home: Home, fund: Path) -> None:
    """What goes to the fund says who asks and holds no secret."""
    answered(home, fund)
    made = Papers(home).request()
    assert made is not None
    assert read_request(made[0]).public_jwk == FileSigner.load(home.device_key).public_jwk


def test_tests_join_as_desks_do(tmp_path: Path, fund: Path) -> None:
    """The short way of the other tests is the long one."""
    home = Home(tmp_path / "desk")
    join_desk(home, fund)
    assert read_membership(home).step is Step.INSTALLED
