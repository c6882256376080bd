"""A desk whose key lives in a TPM joins: proven where its maker is known, and nobody else opens what it is given."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from sync.clock import SystemClock
from sync.device_key import open_device_key
from sync.errors import KeyUnusable
from sync.fund.admission import Terms, admit, invite
from sync.fund.home import FundHome
from sync.fund.office import devices
from sync.home import Home, load_key_settings
from sync.install import install
from sync.join_errors import KeyClassRefused
from sync.keyfile import load_key
from sync.membership import read_membership
from sync.provision import make_desk, request_admission, request_renewal
from sync.signing import KeyClass
from tests.fakes.documents import make_fund_home
from tests.fakes.tpm import SoftwareTpm, TpmMaker

NOW = SystemClock().moment().wall
TPM_ONLY = Terms(KeyClass.TPM2)


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> TpmMaker:
    """A maker of TPMs."""
    return TpmMaker.create(tmp_path_factory.mktemp("maker") / "maker")


@pytest.fixture(scope="module")
def tpm(maker: TpmMaker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoftwareTpm]:
    """A running TPM of this maker."""
    with maker.make(tmp_path_factory.mktemp("tpm") / "t") as running:
        yield running


@pytest.fixture
def fund(tmp_path: Path, maker: TpmMaker, tpm: SoftwareTpm) -> FundHome:
    """A fund that believes this maker."""
    del tpm  # the maker's certificates come with its first TPM
    home = make_fund_home(tmp_path)
    home.tpm_roots.mkdir()
    pem = maker.root.public_bytes(Encoding.PEM) + maker.issuer.public_bytes(Encoding.PEM)
    (home.tpm_roots / "maker.pem").write_bytes(pem)
    return home


def settings_of(tpm: SoftwareTpm) -> str:
    """The first keldim.toml of a desk with this TPM."""
    return f'[key]\nclass = "tpm2"\ntcti = "{tpm.tcti}"\n'


def test_a_desk_with_a_tpm_joins_proven_and_renews(tmp_path: Path, fund: FundHome, tpm: SoftwareTpm) -> None:
    """The certificate says so; the grant was opened by the TPM; the renewal goes the same way."""
    home = Home(tmp_path / "desk")
    make_desk(home, settings_of(tpm))
    request = request_admission(home, invite(fund.root, "desk-1", "Clinic", "Desk", NOW), NOW)
    certificate = install(home, admit(fund.root, request, TPM_ONLY, NOW), NOW)
    assert (certificate.facts.key_class, certificate.facts.attested) == ("tpm2", "proven")
    assert load_key(home.pseudonym_key) == load_key(fund.pseudonym_key)
    renewed = install(home, admit(fund.root, request_renewal(home), TPM_ONLY, NOW), NOW)
    assert renewed.facts.attested == "proven"
    assert renewed.fingerprint != certificate.fingerprint
    membership = read_membership(home)
    assert (membership.key_class, membership.attested) == ("tpm2", "proven")


def test_an_unknown_maker_counts_as_a_token(tmp_path: Path, fund: FundHome, tpm: SoftwareTpm) -> None:
    """Refused where a TPM is asked for; let in as claimed where a token is enough."""
    shutil.rmtree(fund.tpm_roots)
    home = Home(tmp_path / "desk")
    make_desk(home, settings_of(tpm))
    request = request_admission(home, invite(fund.root, "desk-1", "Clinic", "Desk", NOW), NOW)
    with pytest.raises(KeyClassRefused, match="unknown maker"):
        admit(fund.root, request, TPM_ONLY, NOW)
    assert install(home, admit(fund.root, request, Terms(), NOW), NOW).facts.attested == "claimed"
    (summary,) = devices(fund.root)
    assert (summary.device.key_class, summary.device.attested) == ("tpm2", "claimed")


def test_a_copied_desk_opens_nothing_on_another_machine(
    tmp_path: Path, fund: FundHome, tpm: SoftwareTpm, maker: TpmMaker
) -> None:
    """The whole folder on a machine with another TPM: neither the answer nor the key is of any use."""
    home = Home(tmp_path / "desk")
    make_desk(home, settings_of(tpm))
    request = request_admission(home, invite(fund.root, "desk-1", "Clinic", "Desk", NOW), NOW)
    answer = admit(fund.root, request, TPM_ONLY, NOW)
    copy = Home(tmp_path / "copy")
    shutil.copytree(home.root, copy.root)
    with maker.make(tmp_path / "other") as other:
        copy.config.write_text(settings_of(other))
        with pytest.raises(KeyUnusable):
            install(copy, answer, NOW)
        with pytest.raises(KeyUnusable):
            open_device_key(copy, load_key_settings(copy)).signer.sign(b"a visit that never was")
    assert not copy.tls.exists()
    assert not copy.pseudonym_key.exists()
    install(home, answer, NOW)
