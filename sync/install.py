"""Installs the fund's answer at the desk: everything is checked before anything is written.

The request it answers was made by `provision`; the certificates are read by `certificates`. Installing may be repeated
after a cut; the settings come last, and with them the desk belongs to the fund.
"""

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
    load_settings,
    parse_settings,
)
from sync.join_errors import AnswerInvalid, JoinIncomplete
from sync.joining import Answer, FundFacts, Request, read_answer
from sync.key_source import open_keys
from sync.keyfile import KEY_BYTES, load_key, write_secret
from sync.papers import Papers
from sync.recovery import DeskKeys, seal_recovery
from sync.sealing import SealedBox
from sync.signing import PublicJwk
from sync.strict_json import dump
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
    if answer.request != request.digest:
        raise AnswerInvalid("the answer is to another request")
    key = open_device_key(home, load_key_settings(home))
    device, tls = _certificates(answer, request, fund, key)
    if _is_done(home, device, tls, fund):
        _tidy(papers)
        return device
    _check_times(device, tls, now)
    if tls.public_jwk not in (tls_key_of(papers.tls_request_key), _key_in_use(home, fund)):
        raise AnswerInvalid("the TLS certificate is for a key that this desk does not have")
    config = _config(home, request, answer, fund)
    check(config)
    joins = (
        None if is_installed(home) else _Joining(_secret(papers, answer, key), _recovery(home, fund, request), config)
    )
    try:
        _write(home, answer, fund, joins)
    except OSError as error:
        raise DiskFailing(f"{home.root.name} cannot be written: {error.strerror}") from error
    _tidy(papers)
    return device


def _certificates(
    answer: Answer, request: Request, fund: FundFacts, key: DeviceKey
) -> tuple[DeviceCertificate, TlsCertificate]:
    """Both certificates, for this desk and its keys. Raises CertificateInvalid, AnswerInvalid."""
    authority = fund.device_ca_pem.encode("utf-8")
    device = read_device_certificate(answer.device_pem.encode("utf-8"), authority)
    tls = read_tls_certificate(answer.tls_pem.encode("utf-8"), authority)
    if {answer.device, device.facts.device, tls.device} != {request.device}:
        raise AnswerInvalid("the answer is for another device")
    if device.public_jwk != key.signer.public_jwk or device.facts.key_class != key.signer.key_class:
        raise AnswerInvalid("the device certificate is for another key")
    return device, tls


def _check_times(device: DeviceCertificate, tls: TlsCertificate, now: datetime) -> None:
    if now >= min(device.ends, tls.ends):
        raise AnswerInvalid("a certificate in the answer has ended, or this desk's clock is wrong")


def _key_in_use(home: Home, fund: FundFacts) -> PublicJwk | None:
    return tls_certificate_in(home.tls, fund.device_ca_pem.encode()).public_jwk if home.tls.exists() else None


def _is_done(home: Home, device: DeviceCertificate, tls: TlsCertificate, fund: FundFacts) -> bool:
    """Whether this answer is installed; the TLS certificate may have been renewed since."""
    if not (is_installed(home) and home.certificate.exists() and home.tls.exists()):
        return False
    authority = fund.device_ca_pem.encode()
    present = read_device_certificate(home.certificate.read_bytes(), authority)
    return present.fingerprint == device.fingerprint and tls_certificate_in(home.tls, authority).ends >= tls.ends


def _secret(papers: Papers, answer: Answer, key: DeviceKey) -> bytes:
    """The pseudonym key. Raises AnswerInvalid, KeyUnusable."""
    sealed = answer.sealed or {}
    try:
        content = decode_part(str(sealed.get("content", "")))
        if sealed.get("method") == "tpm2":
            secret = key.unwrap(content)
        elif sealed.get("method") == "hpke":
            secret = SealedBox.load(papers.request_key).open(content, answer.request.encode("ascii"))
        else:
            raise AnswerInvalid("the answer's secret is sealed in an unknown way")
    except (EnvelopeInvalid, SealInvalid) as error:
        raise AnswerInvalid("the answer's secret does not open with this desk's key") from error
    if len(secret) != KEY_BYTES:
        raise AnswerInvalid(f"the pseudonym key must have {KEY_BYTES} bytes")
    if papers.home.pseudonym_key.exists() and load_key(papers.home.pseudonym_key) != secret:
        raise DeskProvisioned("the home holds the pseudonym key of another fund")
    return secret


def _config(home: Home, request: Request, answer: Answer, fund: FundFacts) -> bytes:
    """keldim.toml as it will be. Raises SettingsInvalid, AnswerInvalid, DeskProvisioned."""
    content = home.config.read_bytes()
    device = DeviceSettings(request.device, request.clinic, request.desk)
    told = FundSettings(fund.url, home.fund_ca, fund.public_jwk, sealing=fund.sealing_jwk)
    if is_installed(home):
        present = load_settings(home)
        if (present.device.device, present.fund.jwk) != (device.device, told.jwk):
            raise DeskProvisioned(f"{home.root.name} already belongs to another desk or fund")
        return content
    present_toml = tomllib.loads(content.decode("utf-8"))
    if answer.policy and "policy" in present_toml:
        raise SettingsInvalid("keldim.toml has a section [policy], and the fund sets one: remove the desk's")
    try:
        policy_only = set(tomllib.loads(answer.policy)) <= {"policy"}
    except tomllib.TOMLDecodeError as error:
        raise AnswerInvalid("the policy in the answer is not TOML") from error
    if not policy_only:
        raise AnswerInvalid("the policy in the answer sets something else")
    written = b"\n".join((content, _sections(device, told).encode("utf-8"), answer.policy.encode("utf-8")))
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


def _recovery(home: Home, fund: FundFacts, request: Request) -> bytes:
    """The keys of database and templates, sealed to the fund."""
    return seal_recovery(DeskKeys.of(request.device, open_keys(home)), fund.sealing_jwk)


def _write(home: Home, answer: Answer, fund: FundFacts, joins: _Joining | None) -> None:
    """Write everything, the settings last. joins: what only a desk that joins needs, not one that renews."""
    _once(home.fund_ca, fund.ca_pem)
    _once(home.device_ca, fund.device_ca_pem)
    if joins is not None and not home.pseudonym_key.exists():
        write_secret(home.pseudonym_key, joins.pseudonym_key)
    replace_file(home.log_policy, dump(fund.log.members()))  # a new invitation may name other witnesses
    replace_file(home.certificate, answer.device_pem.encode("utf-8"))
    put_into_use(Papers(home).tls_request_key, answer.tls_pem.encode("utf-8"), home.tls)
    if joins is not None:
        replace_file(home.recovery, joins.recovery)
        replace_file(home.config, joins.config)


def _tidy(papers: Papers) -> None:
    """What was for this answer only."""
    papers.request_key.unlink(missing_ok=True)
    papers.tls_request_key.unlink(missing_ok=True)


def _once(path: Path, content: str) -> None:
    if not path.exists():
        create_file(path, content.encode("utf-8"))
    elif path.read_bytes() != content.encode("utf-8"):
        raise DeskProvisioned(f"{path.name} is that of another fund")
