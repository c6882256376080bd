"""The three messages by which a desk joins a fund and stays in it: invitation, request, answer.

What the fund decides is left to `fund.admission`, what the desk does with them to `provision` and `install`, the
certificates inside to `certificates`. Each is a token (JWS), so a file of one line that may travel by mail or stick:
what the answer gives is sealed to the desk. PROTOCOL.md section 6 is their specification.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sync.compact import decode_part, encode_part, split
from sync.envelope import DEVICE_ID, HEX64, MAX_SEQ, format_time, parse_time
from sync.errors import EnvelopeInvalid
from sync.join_errors import AnswerInvalid, InvitationInvalid, RequestInvalid
from sync.keyfile import KEY_BYTES
from sync.log_checkpoint import LogPolicy
from sync.signing import KeyClass, PublicJwk, Signer, sign_members, verify
from sync.strict_json import JsonObject, Members, dump

INVITATION_TYP: Final = "invitation+jws"
REQUEST_TYP: Final = "request+jws"
ANSWER_TYP: Final = "answer+jws"

MAX_MESSAGE: Final = 64 * 1024
"""Characters of a message; the longest, a request with the evidence of a TPM, takes about 12,000."""

NAME: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f]{1,80}")
"""A clinic's or desk's name: text of any script, no control characters."""

NONCE: Final = re.compile(r"[0-9a-f]{64}")
_CLASS: Final = re.compile("|".join(KeyClass))


@dataclass(frozen=True, slots=True)
class FundFacts:
    """What a desk must know of its fund, all of it public.

    ca_pem: the authority of the gateway's address. device_ca_pem: the authority of the desks' certificates.
    public_jwk: the key that signs receipts and answers. sealing_jwk: the key to which desks seal what only the fund
    may read. log: whom to believe about the fund's transparency log.
    """

    url: str
    ca_pem: str
    device_ca_pem: str
    public_jwk: PublicJwk
    sealing_jwk: PublicJwk
    log: LogPolicy

    def members(self) -> JsonObject:
        """As invitations and fund.json carry them."""
        return {
            "url": self.url,
            "ca_pem": self.ca_pem,
            "device_ca_pem": self.device_ca_pem,
            "public_jwk": self.public_jwk.as_dict(),
            "sealing_jwk": self.sealing_jwk.as_dict(),
            "log": self.log.members(),
        }


@dataclass(frozen=True, slots=True)
class Invitation:
    """A fund invites one desk, once. nonce: 64 hex digits. expires: when the fund no longer knows of it."""

    fund: FundFacts
    device: str
    clinic: str
    desk: str
    nonce: str
    expires: datetime


@dataclass(frozen=True, slots=True)
class Request:
    """A desk asks for certificates, signed with the key that is to be certified.

    nonce: of the invitation, or, to renew, 64 hex digits of the desk's own. renews: fingerprint of the device
    certificate to be renewed; None at admission. csr_pem: for the TLS key. sealing_jwk: a key used once, to seal the
    answer's secret to. evidence: of the class of the key, for the fund to check; None where the key has none.
    digest: of the request as it came (set by reading).
    """

    device: str
    clinic: str
    desk: str
    nonce: str
    renews: str | None
    key_class: KeyClass
    public_jwk: PublicJwk
    csr_pem: str
    sealing_jwk: PublicJwk
    evidence: JsonObject | None
    digest: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Grant:
    """What an answer gives, for one desk's eyes.

    device_pem, tls_pem: the certificates. policy: the section [policy] of keldim.toml as TOML, or "". pseudonym_key: 32
    bytes; None in a renewal, whose desk has it.
    """

    device_pem: str
    tls_pem: str
    policy: str
    pseudonym_key: bytes | None


@dataclass(frozen=True, slots=True)
class Answer:
    """The fund's answer to one request. request: its digest. sealed: the grant, {"method", "content", ...}.

    The certificates are sealed as well: that a desk can open them is the proof that its attestation key is in the TPM
    whose maker vouches for it.
    """

    request: str
    device: str
    sealed: JsonObject
    at: datetime


def write_invitation(signer: Signer, invitation: Invitation) -> str:
    """The token of an invitation, signed by the fund."""
    members: JsonObject = {
        "v": 1,
        **invitation.fund.members(),
        "device": invitation.device,
        "clinic": invitation.clinic,
        "desk": invitation.desk,
        "nonce": invitation.nonce,
        "expires": format_time(invitation.expires),
    }
    return sign_members(signer, INVITATION_TYP, members)


def read_invitation(token: str) -> Invitation:
    """Read an invitation that is whole. Raises InvitationInvalid.

    It is signed by the key that it names, so it was not altered on the way; that the key is the fund's, people compare
    by its thumbprint on another way.
    """
    try:
        members = Members.parse(split(token, INVITATION_TYP, MAX_MESSAGE).payload)
        jwk = PublicJwk.parse(members.object("public_jwk").content)
        verify(jwk, token, INVITATION_TYP, MAX_MESSAGE)
        _version(members)
        fund = FundFacts(
            url=members.text("url"),
            ca_pem=members.text("ca_pem"),
            device_ca_pem=members.text("device_ca_pem"),
            public_jwk=jwk,
            sealing_jwk=PublicJwk.parse(members.object("sealing_jwk").content),
            log=LogPolicy.read(members.object("log")),
        )
        return Invitation(
            fund=fund,
            device=members.text("device", DEVICE_ID),
            clinic=members.text("clinic", NAME),
            desk=members.text("desk", NAME),
            nonce=members.text("nonce", NONCE),
            expires=parse_time(members.text("expires")),
        )
    except EnvelopeInvalid as error:
        raise InvitationInvalid(f"not an invitation of a fund, or altered: {error}") from error


def write_request(signer: Signer, request: Request) -> str:
    """The token of a request, signed with the device key."""
    members: JsonObject = {
        "v": 1,
        "device": request.device,
        "clinic": request.clinic,
        "desk": request.desk,
        "nonce": request.nonce,
        "renews": request.renews,
        "key_class": request.key_class.value,
        "public_jwk": request.public_jwk.as_dict(),
        "tls_csr": request.csr_pem,
        "sealing_jwk": request.sealing_jwk.as_dict(),
        "evidence": request.evidence,
    }
    return sign_members(signer, REQUEST_TYP, members)


def read_request(token: str) -> Request:
    """Read a request whose sender holds the key it names. Raises RequestInvalid."""
    try:
        compact = split(token, REQUEST_TYP, MAX_MESSAGE)
        members = Members.parse(compact.payload)
        jwk = PublicJwk.parse(members.object("public_jwk").content)
        verify(jwk, token, REQUEST_TYP, MAX_MESSAGE)
        _version(members)
        return Request(
            device=members.text("device", DEVICE_ID),
            clinic=members.text("clinic", NAME),
            desk=members.text("desk", NAME),
            nonce=members.text("nonce", NONCE),
            renews=members.optional_text("renews", HEX64),
            key_class=KeyClass(members.text("key_class", _CLASS)),
            public_jwk=jwk,
            csr_pem=members.text("tls_csr"),
            sealing_jwk=PublicJwk.parse(members.object("sealing_jwk").content),
            evidence=None if members.content.get("evidence") is None else members.object("evidence").content,
            digest=compact.digest,
        )
    except EnvelopeInvalid as error:
        raise RequestInvalid(f"not a request of a desk, or altered: {error}") from error


def write_answer(signer: Signer, answer: Answer) -> str:
    """The token of an answer, signed by the fund."""
    members: JsonObject = {
        "v": 1,
        "request": answer.request,
        "device": answer.device,
        "sealed": answer.sealed,
        "at": format_time(answer.at),
    }
    return sign_members(signer, ANSWER_TYP, members)


def read_answer(token: str, fund: PublicJwk) -> Answer:
    """Read an answer of this fund. Raises AnswerInvalid."""
    try:
        members = Members.parse(verify(fund, token, ANSWER_TYP, MAX_MESSAGE).payload)
        _version(members)
        return Answer(
            request=members.text("request", HEX64),
            device=members.text("device", DEVICE_ID),
            sealed=members.object("sealed").content,
            at=parse_time(members.text("at")),
        )
    except EnvelopeInvalid as error:
        raise AnswerInvalid(f"not an answer of this desk's fund, or altered: {error}") from error


def write_grant(grant: Grant) -> bytes:
    """The bytes to be sealed."""
    secret = None if grant.pseudonym_key is None else encode_part(grant.pseudonym_key)
    return dump(
        {"device_pem": grant.device_pem, "tls_pem": grant.tls_pem, "policy": grant.policy, "pseudonym_key": secret}
    )


def read_grant(content: bytes) -> Grant:
    """Read what was sealed. Raises AnswerInvalid."""
    try:
        members = Members.parse(content)
        secret = None if members.content.get("pseudonym_key") is None else decode_part(members.text("pseudonym_key"))
        grant = Grant(members.text("device_pem"), members.text("tls_pem"), members.text("policy"), secret)
    except EnvelopeInvalid as error:
        raise AnswerInvalid(f"what the answer gives is not what it should be: {error}") from error
    if secret is not None and len(secret) != KEY_BYTES:
        raise AnswerInvalid(f"the pseudonym key must have {KEY_BYTES} bytes")
    return grant


def _version(members: Members) -> None:
    if members.integer("v", 1, MAX_SEQ) != 1:
        raise EnvelopeInvalid("unknown version of the message")
