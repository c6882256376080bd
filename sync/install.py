"""Installs the fund's answer at the desk: everything is checked before anything is written.

The request it answers was made by `provision`; the certificates are read by `certificates`. Installing may be repeated
after a cut; the settings come last, and with them the desk belongs to the fund.
"""

import contextlib
import json
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sync.certificates import DeviceCertificate, TlsCertificate, read_device_certificate, read_tls_certificate
from sync.compact import decode_part
from sync.device_key import DeviceKey, open_device_key
from sync.durable import create_file, replace_file
from sync.errors import DeskProvisioned, DiskFailing, EnvelopeInvalid, SealInvalid, SettingsInvalid
from sync.home import (
    DeviceSettings,
    FundSettings,
    Home,
    SyncSettings,
    is_installed,
    load_key_settings,
    parse_settings,
)
from sync.join_errors import AnswerInvalid, JoinIncomplete
from sync.joining import Answer, FundFacts, Grant, Request, read_answer, read_grant
from sync.key_source import open_keys
from sync.keyfile import load_key, write_secret
from sync.papers import Papers
from sync.recovery import desk_keys
from sync.recovery_document import seal_recovery
from sync.sealing import SealedBox, unlock
from sync.signing import PublicJwk
from sync.strict_json import Members, dump
from sync.tls_key import put_into_use, tls_certificate_in, tls_key_of

Check = Callable[[bytes], object]
"""Told the keldim.toml that is about to be written; raises KnownFailure when the desk could not run with it."""


@dataclass(frozen=True, slots=True, repr=False)
class _Joining:
    """What is written once: the pseudonym key, the desk's own keys sealed to the fund, keldim.toml."""

    pseudonym_key: bytes
    recovery: bytes
    config: bytes


def install(home: Home, answer_token: str, now: datetime, check: Check = lambda _content: None) -> DeviceCertificate:
    """Put the fund's answer to the last request into use; gives the device certificate. Again: nothing changes.

    Raises JoinIncomplete (no request was made), AnswerInvalid (foreign, altered, to another request, ended),
    CertificateInvalid, DeskProvisioned, SettingsInvalid, KeyUnusable, DiskFailing. Nothing is changed then.
    """
    papers = Papers(home)
    made, fund = papers.request(), papers.invitation().fund
    if made is None:
        raise JoinIncomplete("this desk has made no request")
    request, answer = made[1], read_answer(answer_token, fund.public_jwk)
    if answer.request != request.digest or answer.device != request.device:
        raise AnswerInvalid("the answer is to another request")
    if papers.installed(answer_token):
        papers.tidy()
        return read_device_certificate(home.certificate.read_bytes(), home.device_ca.read_bytes())
    with contextlib.closing(open_device_key(home, load_key_settings(home))) as key:
        grant = _opened(papers, answer, key)
        device, tls = _certificates(grant, request, fund, key)
    if now >= min(device.ends, tls.ends):
        raise AnswerInvalid("a certificate in the answer has ended, or this desk's clock is wrong")
    if tls.public_jwk not in (tls_key_of(papers.tls_request_key), _key_in_use(home, fund)):
        raise AnswerInvalid("the TLS certificate is for a key that this desk does not have")
    joins = None if is_installed(home) else _joining(home, grant, request, fund)
    check(home.config.read_bytes() if joins is None else joins.config)
    try:
        _write(home, grant, fund, joins)
    except OSError as error:
        raise DiskFailing(f"{home.root.name} cannot be written: {error.strerror}") from error
    papers.keep_installed(answer_token)
    papers.tidy()
    return device


def _opened(papers: Papers, answer: Answer, key: DeviceKey) -> Grant:
    """What the answer gives. Raises AnswerInvalid, KeyUnusable."""
    context = answer.request.encode("ascii")
    try:
        sealed = Members(answer.sealed)
        content, method = decode_part(sealed.text("content")), sealed.text("method")
        if method == "hpke":
            return read_grant(SealedBox.load(papers.request_key).open(content, context))
        if method == "tpm2":
            return read_grant(unlock(key.unwrap(decode_part(sealed.text("credential"))), content, context))
    except (EnvelopeInvalid, SealInvalid) as error:
        raise AnswerInvalid("the answer does not open with this desk's key") from error
    raise AnswerInvalid("the answer is sealed in an unknown way")


def _certificates(
    grant: Grant, request: Request, fund: FundFacts, key: DeviceKey
) -> tuple[DeviceCertificate, TlsCertificate]:
    """Both certificates, for this desk and its keys. Raises CertificateInvalid, AnswerInvalid."""
    authority = fund.device_ca_pem.encode("utf-8")
    device = read_device_certificate(grant.device_pem.encode("utf-8"), authority)
    tls = read_tls_certificate(grant.tls_pem.encode("utf-8"), authority)
    if {device.facts.device, tls.device} != {request.device}:
        raise AnswerInvalid("the answer is for another device")
    if device.public_jwk != key.signer.public_jwk or device.facts.key_class != key.signer.key_class:
        raise AnswerInvalid("the device certificate is for another key")
    return device, tls


def _key_in_use(home: Home, fund: FundFacts) -> PublicJwk | None:
    return tls_certificate_in(home.tls, fund.device_ca_pem.encode()).public_jwk if home.tls.exists() else None


def _joining(home: Home, grant: Grant, request: Request, fund: FundFacts) -> _Joining:
    """What a desk needs that joins. Raises AnswerInvalid, DeskProvisioned, SettingsInvalid, KeyUnusable."""
    secret = grant.pseudonym_key
    if secret is None:
        raise AnswerInvalid("the answer brings no pseudonym key")
    if home.pseudonym_key.exists() and load_key(home.pseudonym_key) != secret:
        raise DeskProvisioned("the home holds the pseudonym key of another fund")
    recovery = seal_recovery(desk_keys(request.device, open_keys(home)), fund.sealing_jwk)
    return _Joining(secret, recovery, _config(home, request, grant, fund))


def _config(home: Home, request: Request, grant: Grant, fund: FundFacts) -> bytes:
    """keldim.toml as it will be. Raises SettingsInvalid, AnswerInvalid, DeskProvisioned."""
    content = home.config.read_bytes()
    device = DeviceSettings(request.device, request.clinic, request.desk)
    told = FundSettings(fund.url, home.fund_ca, fund.public_jwk, sealing=fund.sealing_jwk)
    present_toml = tomllib.loads(content.decode("utf-8"))
    if grant.policy and "policy" in present_toml:
        raise SettingsInvalid("keldim.toml has a section [policy], and the fund sets one: remove the desk's")
    try:
        policy_only = set(tomllib.loads(grant.policy)) <= {"policy"}
    except tomllib.TOMLDecodeError as error:
        raise AnswerInvalid("the policy in the answer is not TOML") from error
    if not policy_only:
        raise AnswerInvalid("the policy in the answer sets something else")
    written = b"\n".join((content, _sections(device, told).encode("utf-8"), grant.policy.encode("utf-8")))
    parsed = parse_settings(written, home)
    if parsed != SyncSettings(device, told, parsed.key):
        raise AssertionError("keldim.toml must read back as it was meant")
    return written


def _sections(device: DeviceSettings, fund: FundSettings) -> str:
    sealing = f"sealing_jwk = {_inline(fund.sealing)}\n" if fund.sealing else ""
    return (
        "[device]\n"
        f"device = {_quoted(device.device)}\nclinic = {_quoted(device.clinic)}\ndesk = {_quoted(device.desk)}\n\n"
        "[fund]\n"
        f'url = {_quoted(fund.url)}\nca = "fund/ca.pem"\npublic_jwk = {_inline(fund.jwk)}\n{sealing}'
    )


def _inline(jwk: PublicJwk) -> str:
    return "{ " + ", ".join(f"{name} = {_quoted(str(value))}" for name, value in jwk.as_dict().items()) + " }"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # also a TOML basic string: names hold no control characters


def _write(home: Home, grant: Grant, fund: FundFacts, joins: _Joining | None) -> None:
    """Write everything, the settings last. joins: what only a desk that joins needs, not one that renews."""
    _once(home.fund_ca, fund.ca_pem)
    _once(home.device_ca, fund.device_ca_pem)
    if joins is not None and not home.pseudonym_key.exists():
        write_secret(home.pseudonym_key, joins.pseudonym_key)
    replace_file(home.log_policy, dump(fund.log.members()))  # a new invitation may name other witnesses
    replace_file(home.certificate, grant.device_pem.encode("utf-8"))
    put_into_use(Papers(home).tls_request_key, grant.tls_pem.encode("utf-8"), home.tls)
    if joins is not None:
        replace_file(home.recovery, joins.recovery)
        replace_file(home.config, joins.config)


def _once(path: Path, content: str) -> None:
    if not path.exists():
        create_file(path, content.encode("utf-8"))
    elif path.read_bytes() != content.encode("utf-8"):
        raise DeskProvisioned(f"{path.name} is that of another fund")
