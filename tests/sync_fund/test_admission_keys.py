"""Joining with a key of one class as if it were of another."""

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from sync.device_key import create_device_key
from sync.errors import AttestationInvalid
from sync.fund.admission import Terms, admit, invite
from sync.fund.office import devices
from sync.home import Home, KeySettings, TpmSettings
from sync.joining import write_request
from sync.signing import KeyClass
from tests.fakes.documents import make_fund_home
from tests.fakes.joiner import Joiner
from tests.fakes.token import SoftToken, prepare
from tests.fakes.tpm import TpmMaker

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def made(folder: Path) -> Home:
    """A home with its folder of keys."""
    home = Home(folder)
    home.keys.mkdir(parents=True)
    return home


def test_a_softhsm_key_enrolled_as_tpm2_is_refused_by_the_fund(tmp_path: Path) -> None:
    """Attack 3: without evidence, with the evidence of a true TPM for this very request, and with a spoilt one."""
    fund = make_fund_home(tmp_path / "at")
    invitation = invite(fund.root, "desk-1", "Clinic", "Desk", NOON)
    request = Joiner.create(tmp_path / "joiner").request(invitation, KeyClass.TPM2)
    home, maker = made(tmp_path / "token"), TpmMaker.create(tmp_path / "maker")
    token = SoftToken.create(prepare(tmp_path), "attack", home.keys / "pin")
    with maker.make(tmp_path / "tpm") as tpm:
        with closing(
            create_device_key(made(tmp_path / "other"), KeySettings(KeyClass.TPM2, tpm=TpmSettings(tpm.tcti)))
        ) as true:
            evidence = true.evidence(bytes.fromhex(request.nonce))
        fund.tpm_roots.mkdir()
        (fund.tpm_roots / "maker.pem").write_bytes(maker.issuer.public_bytes(Encoding.PEM))
    assert evidence is not None
    with closing(create_device_key(home, KeySettings(KeyClass.PKCS11, token=token.settings))) as key:
        for offered in (None, evidence, {**evidence, "v": 2}):
            lie = replace(request, public_jwk=key.signer.public_jwk, evidence=offered)
            with pytest.raises(AttestationInvalid):
                admit(fund.root, write_request(key.signer, lie), Terms(), NOON)
    assert devices(fund.root) == ()
