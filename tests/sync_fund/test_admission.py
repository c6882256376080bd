"""Who becomes a desk of the fund: invited once, with a good enough key, known by that key for ever."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync.certificates import read_device_certificate, read_tls_certificate
from sync.compact import decode_part
from sync.errors import AttestationInvalid, DeviceUnknown, FundIncomplete
from sync.fund.admission import INVITATION_VALIDITY, Terms, admit, certificates, invite, revoke
from sync.fund.ca import DEVICE_VALIDITY
from sync.fund.home import FundHome
from sync.fund.keys import load_facts
from sync.fund.office import devices
from sync.join_errors import DeviceRevoked, InvitationInvalid, InvitationSpent, KeyClassRefused, RequestInvalid
from sync.joining import Answer, Grant, Request, read_answer, read_grant, read_invitation, read_request
from sync.keyfile import load_key
from sync.signing import KeyClass, verify
from sync.tls_key import tls_key_of
from tests.fakes.joiner import Joiner
from tests.sync_fund.conftest import Fund, live_fund
from tests.sync_fund.desk import NOON

FILE = Terms(KeyClass.FILE)
LATER = NOON + timedelta(days=1)


@pytest.fixture
def joiner(tmp_path: Path) -> Joiner:
    """A desk."""
    return Joiner.create(tmp_path / "joiner")


@pytest.fixture
def invitation(fund: Fund) -> str:
    """For this desk."""
    return invite(fund.root, "desk-1", "Clinic 7", "Reception", NOON)


def granted(joiner: Joiner, answer: Answer) -> Grant:
    """What an answer gives, opened with the desk's key."""
    return read_grant(joiner.box.open(decode_part(str(answer.sealed["content"])), answer.request.encode()))


def test_an_invitation_tells_what_a_desk_needs_and_no_secret(fund: Fund, invitation: str) -> None:
    """Public facts, the desk's names, a nonce and an end; whole, signed by the fund."""
    read, home = read_invitation(invitation), FundHome(fund.root)
    assert read.fund == load_facts(home)
    assert (read.device, read.clinic, read.desk) == ("desk-1", "Clinic 7", "Reception")
    assert read.expires == NOON + INVITATION_VALIDITY
    payload = verify(read.fund.public_jwk, invitation, "invitation+jws", 65_536).payload
    for secret in (home.pseudonym_key.read_bytes(), load_key(home.database_key)):
        assert secret not in payload
    with pytest.raises(InvitationInvalid):
        invite(fund.root, "Desk 1", "Clinic", "Desk", NOON)


def test_an_admitted_desk_gets_both_certificates_and_the_pseudonym_key(
    fund: Fund, joiner: Joiner, invitation: str
) -> None:
    """For its own two keys; the secret opens for it alone."""
    request = joiner.token(joiner.request(invitation))
    facts = read_invitation(invitation).fund
    answer = read_answer(
        admit(fund.root, request, replace(FILE, policy="[policy]\ntries = 2\n"), NOON), facts.public_jwk
    )
    grant = granted(joiner, answer)
    device = read_device_certificate(grant.device_pem.encode(), facts.device_ca_pem.encode())
    tls = read_tls_certificate(grant.tls_pem.encode(), facts.device_ca_pem.encode())
    assert device.public_jwk == joiner.signer.public_jwk
    assert (device.facts.clinic, device.facts.key_class, device.facts.attested) == ("Clinic 7", "file", "claimed")
    assert (tls.device, tls.public_jwk) == ("desk-1", tls_key_of(joiner.tls_file))
    assert grant.policy == "[policy]\ntries = 2\n"
    assert grant.pseudonym_key == load_key(FundHome(fund.root).pseudonym_key)
    (summary,) = devices(fund.root)
    assert (summary.device.certified_until, summary.device.revoked) == (device.ends, None)
    assert {c.fingerprint for c in certificates(fund.root)} == {device.fingerprint, tls.fingerprint}


def test_the_same_request_gets_the_same_answer(fund: Fund, joiner: Joiner, invitation: str) -> None:
    """A lost answer is asked for again, also after the invitation has ended; nothing is issued twice."""
    request = joiner.token(joiner.request(invitation))
    first = admit(fund.root, request, FILE, NOON)
    assert admit(fund.root, request, FILE, NOON + timedelta(days=400)) == first
    assert len(certificates(fund.root)) == 2


def test_an_invitation_is_good_once_and_for_two_weeks(
    fund: Fund, joiner: Joiner, invitation: str, tmp_path: Path
) -> None:
    """Two desks with one invitation: the first. The same desk with another request: no. Too late: no."""
    with pytest.raises(InvitationSpent, match="ended"):
        admit(fund.root, joiner.token(joiner.request(invitation)), FILE, NOON + INVITATION_VALIDITY)
    admit(fund.root, joiner.token(joiner.request(invitation)), FILE, NOON)
    other = Joiner.create(tmp_path / "other")
    for again in (other, joiner):
        with pytest.raises(InvitationSpent, match="another request"):
            admit(fund.root, again.token(again.request(invitation)), FILE, NOON)
    assert len(devices(fund.root)) == 1


@pytest.mark.parametrize(
    ("change", "failure"),
    [
        (lambda r: replace(r, nonce="0" * 64), RequestInvalid),
        (lambda r: replace(r, device="desk-2"), RequestInvalid),
        (lambda r: replace(r, clinic="Clinic 8"), RequestInvalid),
        (lambda r: replace(r, desk="Back door"), RequestInvalid),
        (lambda r: replace(r, csr_pem="no request"), RequestInvalid),
        (lambda r: replace(r, renews="0" * 64), DeviceUnknown),
        (lambda r: replace(r, evidence={"quote": "made up"}), AttestationInvalid),
        (lambda r: replace(r, key_class=KeyClass.TPM2), AttestationInvalid),
    ],
    ids=["nonce", "device", "clinic", "desk", "csr", "renews", "evidence", "class"],
)
def test_a_request_that_contradicts_what_the_fund_knows_gets_nothing(
    fund: Fund,
    joiner: Joiner,
    invitation: str,
    change: Callable[[Request], Request],
    failure: type[Exception],
) -> None:
    """Correctly signed, and yet: nothing is registered, nothing issued, the invitation stays good."""
    with pytest.raises(failure):
        admit(fund.root, joiner.token(change(joiner.request(invitation))), FILE, NOON)
    assert not devices(fund.root)
    assert not certificates(fund.root)
    admit(fund.root, joiner.token(joiner.request(invitation)), FILE, NOON)


def test_the_connection_does_not_use_the_key_that_signs_events(fund: Fund, joiner: Joiner, invitation: str) -> None:
    """A stolen TLS key must not be able to sign a visit."""
    same = replace(joiner, tls_file=joiner.tls_file.with_name("k.pem"))
    with pytest.raises(RequestInvalid, match="must not be the key"):
        admit(fund.root, same.token(same.request(invitation)), FILE, NOON)


def test_a_weak_key_is_refused_unless_the_officer_says_so(fund: Fund, joiner: Joiner, invitation: str) -> None:
    """By default a file is not enough, and a token that says it is a TPM is not one."""
    with pytest.raises(KeyClassRefused, match="file"):
        admit(fund.root, joiner.token(joiner.request(invitation)), Terms(), NOON)
    with pytest.raises(KeyClassRefused, match="pkcs11"):
        admit(fund.root, joiner.token(joiner.request(invitation, KeyClass.PKCS11)), Terms(KeyClass.TPM2), NOON)
    admit(fund.root, joiner.token(joiner.request(invitation, KeyClass.PKCS11)), Terms(), NOON)
    (summary,) = devices(fund.root)
    assert (summary.device.key_class, summary.device.attested) == ("pkcs11", "claimed")


def test_a_key_that_the_officer_was_told_is_the_only_one(
    fund: Fund, joiner: Joiner, invitation: str, tmp_path: Path
) -> None:
    """Whoever caught the invitation on its way has another key."""
    told = replace(FILE, key_id=joiner.signer.key_id)
    thief = Joiner.create(tmp_path / "thief")
    with pytest.raises(RequestInvalid, match="another key"):
        admit(fund.root, thief.token(thief.request(invitation)), told, NOON)
    admit(fund.root, joiner.token(joiner.request(invitation)), told, NOON)


def test_one_key_is_one_device_for_ever(fund: Fund, joiner: Joiner, invitation: str, tmp_path: Path) -> None:
    """A new key needs a new id, and a new id a new key: a chain is signed by one key."""
    admit(fund.root, joiner.token(joiner.request(invitation)), FILE, NOON)
    again = invite(fund.root, "desk-1", "Clinic 7", "Reception", LATER)
    other = Joiner.create(tmp_path / "other")
    with pytest.raises(RequestInvalid, match="new device id"):
        admit(fund.root, other.token(other.request(again)), FILE, LATER)
    second = invite(fund.root, "desk-2", "Clinic 7", "Reception", LATER)
    with pytest.raises(RequestInvalid, match="another device"):
        admit(fund.root, joiner.token(joiner.request(second)), FILE, LATER)


def test_a_desk_renews_with_its_key_and_its_certificate(fund: Fund, joiner: Joiner, invitation: str) -> None:
    """Also when the certificate has ended; without an invitation; the new one counts."""
    admit(fund.root, joiner.token(joiner.request(invitation)), FILE, NOON)
    device = next(c for c in certificates(fund.root) if c.purpose == "device")
    late = NOON + DEVICE_VALIDITY + timedelta(days=5)
    request = joiner.token(joiner.renewal(invitation, device.fingerprint))
    token = admit(fund.root, request, FILE, late)
    assert admit(fund.root, request, FILE, late) == token
    (summary,) = devices(fund.root)
    assert summary.device.certified_until == late + DEVICE_VALIDITY
    assert len(certificates(fund.root)) == 4
    answer = read_answer(token, read_invitation(invitation).fund.public_jwk)
    assert granted(joiner, answer).pseudonym_key is None, "the desk has it"


def test_no_desk_renames_itself(fund: Fund, joiner: Joiner, invitation: str) -> None:
    """A renewal keeps the names of the registration."""
    admit(fund.root, joiner.token(joiner.request(invitation)), FILE, NOON)
    device = next(c for c in certificates(fund.root) if c.purpose == "device")
    renewal = replace(joiner.renewal(invitation, device.fingerprint), clinic="Another clinic")
    admit(fund.root, joiner.token(renewal), FILE, LATER)
    (summary,) = devices(fund.root)
    assert summary.device.clinic == "Clinic 7"


def test_nobody_renews_for_somebody_else(fund: Fund, joiner: Joiner, invitation: str, tmp_path: Path) -> None:
    """Another desk's certificate, another key."""
    admit(fund.root, joiner.token(joiner.request(invitation)), FILE, NOON)
    device = next(c for c in certificates(fund.root) if c.purpose == "device")
    tls = next(c for c in certificates(fund.root) if c.purpose == "tls")
    other = Joiner.create(tmp_path / "other")
    second = invite(fund.root, "desk-2", "Clinic 7", "Back", NOON)
    admit(fund.root, other.token(other.request(second)), FILE, NOON)
    for wrong in (other.renewal(second, device.fingerprint), other.renewal(invitation, device.fingerprint)):
        with pytest.raises(RequestInvalid):
            admit(fund.root, other.token(wrong), FILE, LATER)
    with pytest.raises(RequestInvalid):
        admit(fund.root, joiner.token(joiner.renewal(invitation, tls.fingerprint)), FILE, LATER)


def test_a_revoked_desk_gets_in_by_a_new_invitation_only(fund: Fund, joiner: Joiner, invitation: str) -> None:
    """All its certificates are revoked at once and stay so; with the same key its chain goes on."""
    admit(fund.root, joiner.token(joiner.request(invitation)), FILE, NOON)
    old = certificates(fund.root)
    revoke(fund.root, "desk-1", "stolen", LATER)
    (summary,) = devices(fund.root)
    assert (summary.device.revoked, summary.device.certified_until) == ("stolen", None)
    assert {(c.revoked, c.reason, c.good_at(LATER)) for c in certificates(fund.root)} == {(LATER, "stolen", False)}
    fingerprint = next(c.fingerprint for c in old if c.purpose == "device")
    with pytest.raises(DeviceRevoked):
        admit(fund.root, joiner.token(joiner.renewal(invitation, fingerprint)), FILE, LATER)
    again = invite(fund.root, "desk-1", "Clinic 7", "Reception", LATER)
    admit(fund.root, joiner.token(joiner.request(again)), FILE, LATER)
    (summary,) = devices(fund.root)
    assert (summary.device.revoked, summary.device.certified_until) == (None, LATER + DEVICE_VALIDITY)
    assert [c.good_at(LATER) for c in certificates(fund.root)] == [False, False, True, True]


def test_only_a_known_desk_is_revoked_and_for_a_code(fund: Fund) -> None:
    """A reason is a code: it can be counted, and says nothing about a person."""
    with pytest.raises(DeviceUnknown):
        revoke(fund.root, "desk-1", "stolen", NOON)
    with pytest.raises(RequestInvalid):
        revoke(fund.root, "desk-1", "He took it home", NOON)


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A request as it leaves a desk."""
    folder = tmp_path_factory.mktemp("honest")
    joiner = Joiner.create(folder / "joiner")
    fund = live_fund(folder / "fund")
    return joiner.token(joiner.request(invite(fund.root, "desk-1", "Clinic", "Desk", NOON)))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10_000), other=st.characters(codec="ascii"))
def test_a_request_altered_in_one_character_is_refused(honest: str, place: int, other: str) -> None:
    """Wherever it is: header, payload, signature."""
    place %= len(honest)
    altered = honest[:place] + other + honest[place + 1 :]
    if altered == honest:
        return
    with pytest.raises(RequestInvalid):
        read_request(altered)


def test_roots_that_are_no_certificates_are_named(fund: Fund, joiner: Joiner, invitation: str) -> None:
    """A fund that believes in nothing by mistake would call every TPM unknown."""
    roots = FundHome(fund.root).tpm_roots
    roots.mkdir()
    (roots / "maker.pem").write_bytes(b"no certificate")
    with pytest.raises(FundIncomplete, match=r"maker\.pem"):
        admit(fund.root, joiner.token(joiner.request(invitation)), FILE, NOON)
