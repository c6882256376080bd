"""Who may be a desk of this fund: invites, admits with certificates, renews, revokes.

The messages are `sync.joining`'s, the certificates `sync.fund.ca`'s, evidence of a key is judged by
`sync.attestation`, rows are kept by the registry. Each function opens the fund by its directory, as those of
`sync.fund.office`. Answering is idempotent: the same request gets the same answer, and nothing is issued twice.
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from sync.attestation import Attested, check_evidence, wrap_for
from sync.certificates import DeviceFacts
from sync.compact import encode_part
from sync.envelope import DEVICE_ID
from sync.errors import DeviceUnknown, EnvelopeInvalid
from sync.fund.ca import DeviceAuthority, read_csr, read_roots
from sync.fund.home import FundHome
from sync.fund.keys import load_facts
from sync.fund.office import open_store
from sync.fund.rows import Admission, Certificate, Device, Invited
from sync.fund.store import OfficeStore
from sync.join_errors import DeviceRevoked, InvitationInvalid, InvitationSpent, KeyClassRefused, RequestInvalid
from sync.joining import (
    NAME,
    Answer,
    Grant,
    Invitation,
    Request,
    read_request,
    write_answer,
    write_grant,
    write_invitation,
)
from sync.keyfile import KEY_BYTES, load_key
from sync.sealing import lock, seal
from sync.signing import FileSigner, KeyClass
from sync.strict_json import JsonObject

INVITATION_VALIDITY = timedelta(days=14)
"""Two weeks: a stick by post and a visit of the clinic's technician."""

REASON = re.compile(r"[a-z0-9_]{1,64}")
"""A reason is a code, so that it can be counted and says nothing about a person."""


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms a desk is admitted.

    least: the weakest class of key that is let in; a TPM that is not proven to be one counts as a token. policy: the
    section [policy] of the desk's keldim.toml as TOML, or "". key_id: thumbprint of the only key that is let in, as
    the desk's people told it; None: any, so whoever caught the invitation on its way could come first.
    """

    least: KeyClass = KeyClass.PKCS11
    policy: str = ""
    key_id: str | None = None


def invite(
    root: Path, device: str, clinic: str, desk: str, at: datetime, validity: timedelta = INVITATION_VALIDITY
) -> str:
    """Invite a desk; gives the invitation's token. A desk that was revoked is invited again by its own id.

    Raises InvitationInvalid (a name), FundIncomplete, KeyUnusable, DatabaseFailure.
    """
    if not (DEVICE_ID.fullmatch(device) and NAME.fullmatch(clinic) and NAME.fullmatch(desk)):
        raise InvitationInvalid("a device is 1 to 63 of a-z, 0-9 and hyphen; clinic and desk 1 to 80 printable ones")
    home = FundHome(root)
    facts = load_facts(home)
    invited = Invited(secrets.token_hex(32), device, clinic, desk, at + validity)
    with open_store(root) as store, store.transaction():
        store.registry.invite(invited, at)
    invitation = Invitation(facts, device, clinic, desk, invited.nonce, invited.expires)
    return write_invitation(FileSigner.load(home.signing_key), invitation)


def admit(root: Path, request_token: str, terms: Terms, at: datetime) -> str:
    """Answer a desk's request, to admit it or to renew its certificates; gives the answer's token.

    Raises RequestInvalid, InvitationSpent, KeyClassRefused, AttestationInvalid, DeviceRevoked, and as `invite`; nothing
    is issued then.
    """
    request, home = read_request(request_token), FundHome(root)
    authority, signer = DeviceAuthority.load(home), FileSigner.load(home.signing_key)
    with open_store(root) as store, store.transaction():
        answered = store.registry.admission(request.digest)
        if answered is not None:
            return answered.answer
        known = store.device(request.device)
        if request.renews is None:
            _check_invitation(store, request, at)
        else:
            _check_renewal(store, request, known)
        _check_key(store, request, known)
        device = _registered(request, _judge(home, request, terms), known)
        issued = _issue(authority, request, device, at)
        if known is None:
            store.register(device, at)
        store.registry.certify(device, issued, at)
        secret = load_key(home.pseudonym_key) if request.renews is None else None  # a desk that renews has it
        grant = Grant(issued[0].pem, issued[1].pem, terms.policy, secret)
        answer = Answer(request.digest, request.device, _sealed(grant, request), at)
        token = write_answer(signer, answer)
        store.registry.keep_admission(Admission(request.digest, request.device, request.nonce, token), at)
    return token


def revoke(root: Path, device: str, reason: str, at: datetime) -> None:
    """Take nothing more from a desk: its certificates are revoked. It is let in again by a new invitation.

    Raises DeviceUnknown, RequestInvalid (a reason that is no code), and as `open_store`.
    """
    if not REASON.fullmatch(reason):
        raise RequestInvalid("a reason is a code of a-z, 0-9 and underscore, e.g. stolen")
    with open_store(root) as store, store.transaction():
        if store.device(device) is None:
            raise DeviceUnknown(f"no device {device!r} is registered here")
        store.registry.revoke(device, reason, at)


def certificates(root: Path) -> tuple[Certificate, ...]:
    """Every certificate that this fund issued, the oldest first."""
    with open_store(root) as store:
        return store.registry.certificates()


def _check_invitation(store: OfficeStore, request: Request, at: datetime) -> None:
    """Raises RequestInvalid: not invited so; InvitationSpent: used by another request, or too old."""
    invited = store.registry.invited(request.nonce)
    if invited is None:
        raise RequestInvalid("this fund did not make the invitation that the request names")
    if (invited.device, invited.clinic, invited.desk) != (request.device, request.clinic, request.desk):
        raise RequestInvalid("the request names another desk than its invitation")
    if store.registry.admitted_with(request.nonce) is not None:
        raise InvitationSpent("another request has used this invitation")
    if at >= invited.expires:
        raise InvitationSpent("the invitation has ended")


def _check_renewal(store: OfficeStore, request: Request, known: Device | None) -> None:
    """Raises DeviceUnknown, DeviceRevoked, RequestInvalid."""
    if known is None:
        raise DeviceUnknown(f"no device {request.device!r} is registered here")
    if known.revoked is not None:
        raise DeviceRevoked(f"device {known.device} was revoked ({known.revoked}); only an invitation lets it in again")
    own = {
        c.fingerprint for c in store.registry.certificates(request.device) if c.key_id == known.public_jwk.thumbprint
    }
    if request.renews not in own:
        raise RequestInvalid("the certificate to be renewed is not one of this desk and key")


def _check_key(store: OfficeStore, request: Request, known: Device | None) -> None:
    """One key, one device, for ever: the chain of a device is signed by one key. Raises RequestInvalid."""
    if known is not None and known.public_jwk != request.public_jwk:
        raise RequestInvalid("the device is registered with another key; a new key needs a new device id")
    if known is None and store.device_of_key(request.public_jwk.thumbprint) is not None:
        raise RequestInvalid("the key is registered for another device")


def _judge(home: FundHome, request: Request, terms: Terms) -> Attested:
    """Whether it is the key meant, and its class good enough; and proven.

    Raises RequestInvalid, KeyClassRefused, AttestationInvalid.
    """
    if terms.key_id not in (None, request.public_jwk.thumbprint):
        raise RequestInvalid("the request is signed with another key than the desk's people told")
    nonce, roots = bytes.fromhex(request.nonce), read_roots(home.tpm_roots)
    attested = check_evidence(request.evidence, request.public_jwk, request.key_class, nonce, roots)
    unproven = request.key_class is KeyClass.TPM2 and attested is not Attested.PROVEN
    counts_as, order = KeyClass.PKCS11 if unproven else request.key_class, list(KeyClass)
    if order.index(counts_as) < order.index(terms.least):
        what = "a TPM of an unknown maker" if unproven else f"a key of class {counts_as}"
        raise KeyClassRefused(f"{what} is less than the fund asks for ({terms.least})")
    return attested


def _registered(request: Request, attested: Attested, known: Device | None) -> Device:
    device = Device(
        device=request.device,
        clinic=request.clinic,
        desk=request.desk,
        key_class=request.key_class.value,
        public_jwk=request.public_jwk,
        attested=attested.value,
    )
    if known is None:
        return device
    if request.renews is None:
        return replace(device, blocked=known.blocked)
    return replace(device, clinic=known.clinic, desk=known.desk, blocked=known.blocked)  # no desk renames itself


def _issue(authority: DeviceAuthority, request: Request, device: Device, at: datetime) -> Sequence[Certificate]:
    """The device certificate and the TLS certificate. Raises RequestInvalid, KeyUnusable."""
    try:
        tls = read_csr(request.csr_pem)
    except EnvelopeInvalid as error:
        raise RequestInvalid(f"the request for a TLS certificate is not usable: {error}") from error
    if tls == request.public_jwk:
        raise RequestInvalid("the key of the connection must not be the key that signs events")
    facts = DeviceFacts(device.device, device.clinic, device.desk, device.key_class, device.attested)
    return authority.certify_device(facts, device.public_jwk, at), authority.certify_tls(device.device, tls, at)


def _sealed(grant: Grant, request: Request) -> JsonObject:
    """The grant for this desk alone: to its TPM where there is one, else to the request's key.

    A TPM opens a credential only for an attestation key that it holds itself; until then, evidence of a software key
    with the endorsement certificate of somebody's TPM looks the same.
    """
    content, context = write_grant(grant), request.digest.encode("ascii")
    if request.evidence is None:
        return {"method": "hpke", "content": encode_part(seal(request.sealing_jwk, content, context))}
    key = secrets.token_bytes(KEY_BYTES)
    return {
        "method": "tpm2",
        "credential": encode_part(wrap_for(request.evidence, key)),
        "content": encode_part(lock(key, content, context)),
    }
