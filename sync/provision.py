"""Makes a desk: directories, keys, an empty ledger; then the request by which it joins a fund or renews.

The answer is left to `install`, reading the home back to `home`. Every step may be repeated: a run that was cut off is
finished by the next one, and no key is ever overwritten or made a second time.
"""

import contextlib
import secrets
from datetime import datetime

from sync.certificates import read_device_certificate
from sync.database import open_database
from sync.device_key import DeviceKey, create_device_key, open_device_key
from sync.durable import create_file
from sync.errors import DatabaseMissing, DatabaseUnreachable, DeskProvisioned
from sync.home import FundSettings, Home, is_installed, load_key_settings, load_settings, parse_key_settings
from sync.join_errors import InvitationSpent, JoinIncomplete
from sync.joining import FundFacts, Invitation, Request, read_invitation, write_request
from sync.keyfile import create_key, load_key
from sync.papers import Papers, write_message
from sync.schema import LEDGER_MIGRATIONS
from sync.sealing import SealedBox
from sync.signing import KeyClass, PublicJwk
from sync.tls_key import tls_request
from sync.transport import pinned_context


def make_desk(home: Home, settings_toml: str = "") -> PublicJwk:
    """Make a desk that belongs to no fund yet, or finish making it; gives the public half of its device key.

    settings_toml: the first keldim.toml, [key] among it. A desk that is there is left as it is. Raises SettingsInvalid,
    DeskProvisioned (keldim.toml names another key), KeyUnusable, DatabaseUnreachable (the home cannot be made), and as
    `open_database`.
    """
    content = settings_toml.encode("utf-8")
    meant = parse_key_settings(content, home)
    try:
        for directory in (home.root, home.keys, home.fund, home.log):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not home.config.exists():
            create_file(home.config, content)
    except OSError as error:
        raise DatabaseUnreachable(f"{home.root} cannot be written: {error.strerror}") from error
    if load_key_settings(home) != meant:
        raise DeskProvisioned(f"{home.config.name} names another place for the device key")
    if Papers(home).request_file.exists() or is_installed(home):
        if not home.database.exists():
            raise DatabaseMissing(f"there is no database at {home.database.name}")
        with contextlib.closing(open_device_key(home, meant)) as key:
            return key.signer.public_jwk
    if not home.database.exists():  # later a missing key is a lost one, and a new one would hide it
        for file in (home.database_key, home.template_key):
            if not file.exists():
                create_key(file)
    load_key(home.template_key)
    with contextlib.closing(create_device_key(home, meant)) as key:
        made = key.signer.public_jwk
    open_database(home.database, load_key(home.database_key), [LEDGER_MIGRATIONS], create=True).close()
    return made


def request_admission(home: Home, invitation_token: str, now: datetime) -> str:
    """The request of this desk to the fund that invites it; the same again for the same invitation.

    Raises InvitationInvalid, InvitationSpent (it has ended), DeskProvisioned (this desk is another one, or another
    fund's), JoinIncomplete (not made yet), KeyUnusable, DiskFailing.
    """
    invitation, papers = read_invitation(invitation_token), Papers(home)
    _check_facts(home, invitation.fund)
    _check_made(home)
    _check_same(home, invitation)
    made = papers.request()
    if made is not None and made[1].nonce == invitation.nonce:
        return made[0]
    if now >= invitation.expires:
        raise InvitationSpent("the invitation has ended")
    desk = (invitation.device, invitation.clinic, invitation.desk)
    token = _request(papers, desk, invitation.nonce, None)
    write_message(papers.invitation_file, invitation_token)
    write_message(papers.request_file, token)
    return token


def request_renewal(home: Home) -> str:
    """The request to renew the device certificate, signed with the present key; the same again until it is answered.

    Raises JoinIncomplete (never admitted), CertificateInvalid, KeyUnusable, DiskFailing.
    """
    papers = Papers(home)
    if not is_installed(home):
        raise JoinIncomplete("this desk has no certificate to renew")
    present = read_device_certificate(home.certificate.read_bytes(), home.device_ca.read_bytes())
    made = papers.request()
    if made is not None and made[1].renews == present.fingerprint:
        return made[0]
    desk = (present.facts.device, present.facts.clinic, present.facts.desk)
    token = _request(papers, desk, secrets.token_hex(32), present.fingerprint)
    write_message(papers.request_file, token)
    return token


def _check_made(home: Home) -> None:
    if not home.database.exists():
        raise JoinIncomplete("this desk has not been made yet")


def _check_facts(home: Home, fund: FundFacts) -> None:
    """Refuse facts that could not be used later. Raises SettingsInvalid."""
    FundSettings(fund.url, home.fund_ca, fund.public_jwk)
    pinned_context(fund.ca_pem)
    pinned_context(fund.device_ca_pem)


def _check_same(home: Home, invitation: Invitation) -> None:
    """A desk that belongs to a fund follows invitations of that fund to itself only. Raises DeskProvisioned."""
    if not is_installed(home):
        return
    settings, present, new = load_settings(home), Papers(home).invitation().fund, invitation.fund
    if _keys_of(new) != _keys_of(present) or invitation.device != settings.device.device:
        raise DeskProvisioned(f"{home.root.name} already belongs to another desk or fund")


def _keys_of(fund: FundFacts) -> tuple[PublicJwk, str, str]:
    return fund.public_jwk, fund.ca_pem, fund.device_ca_pem


def _request(papers: Papers, desk: tuple[str, str, str], nonce: str, renews: str | None) -> str:
    """Sign a request with the device key. desk: device, clinic, desk."""
    with contextlib.closing(open_device_key(papers.home, load_key_settings(papers.home))) as key:
        return _signed(papers, key, desk, nonce, renews)


def _signed(papers: Papers, key: DeviceKey, desk: tuple[str, str, str], nonce: str, renews: str | None) -> str:
    device, clinic, name = desk
    box = SealedBox.load(papers.request_key) if papers.request_key.exists() else SealedBox.create(papers.request_key)
    request = Request(
        device=device,
        clinic=clinic,
        desk=name,
        nonce=nonce,
        renews=renews,
        key_class=KeyClass(key.signer.key_class),
        public_jwk=key.signer.public_jwk,
        csr_pem=tls_request(papers.tls_request_key, device),
        sealing_jwk=box.public_jwk,
        evidence=key.evidence(bytes.fromhex(nonce)),
    )
    return write_request(key.signer, request)
