"""A desk whose key lives in a PKCS#11 token joins: claimed, never replaced by a file, and silent without its token."""

from pathlib import Path

import pytest

from sync.clock import SystemClock
from sync.device_key import open_device_key
from sync.errors import DeskProvisioned, KeyUnusable
from sync.fund.admission import Terms, admit, invite
from sync.fund.home import FundHome
from sync.home import Home, load_key_settings
from sync.install import install
from sync.join_errors import KeyClassRefused
from sync.membership import Step, read_membership
from sync.papers import Papers
from sync.provision import make_desk, request_admission
from sync.signing import KeyClass
from tests.fakes.documents import make_fund_home
from tests.fakes.token import MODULE, SoftToken, prepare

NOW = SystemClock().moment().wall


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the tokens of this process are."""
    return prepare(tmp_path_factory.mktemp("softhsm"))


@pytest.fixture
def token(tokens: Path, tmp_path: Path) -> SoftToken:
    """A token with a PIN."""
    (tmp_path / "desk" / "keys").mkdir(parents=True, mode=0o700)
    return SoftToken.create(tokens, f"desk-{tmp_path.name}"[:32], tmp_path / "desk" / "keys" / "pin")


@pytest.fixture
def fund(tmp_path: Path) -> FundHome:
    """A fund."""
    return make_fund_home(tmp_path)


def settings_of(token: SoftToken) -> str:
    """The first keldim.toml of a desk with this token."""
    return (
        f'[key]\nclass = "pkcs11"\nmodule = "{MODULE}"\ntoken = "{token.label}"\nlabel = "device"\npin = "keys/pin"\n'
    )


def test_a_desk_with_a_token_joins_as_claimed(tmp_path: Path, fund: FundHome, token: SoftToken) -> None:
    """Good enough by default, not where a TPM is asked for; no key of the desk lies in a file."""
    home = Home(tmp_path / "desk")
    made = make_desk(home, settings_of(token))
    assert make_desk(home, settings_of(token)) == made
    request = request_admission(home, invite(fund.root, "desk-1", "Clinic", "Desk", NOW), NOW)
    with pytest.raises(KeyClassRefused):
        admit(fund.root, request, Terms(KeyClass.TPM2), NOW)
    certificate = install(home, admit(fund.root, request, Terms(), NOW), NOW)
    assert (certificate.facts.key_class, certificate.facts.attested) == ("pkcs11", "claimed")
    assert certificate.public_jwk == made
    assert not home.device_key.exists()


def test_without_its_token_a_desk_asks_for_nothing_and_gets_no_other_key(
    tmp_path: Path, fund: FundHome, token: SoftToken
) -> None:
    """Pulled before the request: a failure that says so. Nothing is signed by software, and later it goes on."""
    home = Home(tmp_path / "desk")
    made = make_desk(home, settings_of(token))
    token.pull()
    invitation = invite(fund.root, "desk-1", "Clinic", "Desk", NOW)
    with pytest.raises(KeyUnusable):
        request_admission(home, invitation, NOW)
    with pytest.raises(DeskProvisioned, match="device key"):
        make_desk(home, '[key]\nclass = "file"\n')
    assert not Papers(home).request_file.exists()
    assert read_membership(home).step is Step.MADE
    token.put_back()
    install(home, admit(fund.root, request_admission(home, invitation, NOW), Terms(), NOW), NOW)
    assert open_device_key(home, load_key_settings(home)).signer.public_jwk == made
