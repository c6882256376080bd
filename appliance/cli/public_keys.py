"""Whom a command believes: device keys, certificates and the terms of a log, from files that a user names.

What is then verified with them is left to the commands. All raise SettingsInvalid for a file that holds something else,
and typer's BadParameter for one that cannot be read.
"""

import json
from pathlib import Path

import typer

from sync.certificates import DeviceCertificate, read_device_certificate
from sync.errors import EnvelopeInvalid, SettingsInvalid
from sync.log_checkpoint import LogPolicy
from sync.note import KeyKind, NoteKey
from sync.signing import PublicJwk
from sync.strict_json import Members

MAX_FILE = 256 * 1024


def read_device(
    certificate: Path | None, authority: Path | None, jwk: Path | None
) -> tuple[PublicJwk | None, DeviceCertificate | None]:
    """The key of a device, with its certificate where one was named. Raises CertificateInvalid besides."""
    if (certificate is None) != (authority is None) or (jwk is not None and certificate is not None):
        raise typer.BadParameter("--certificate with --device-ca, or --device alone", param_hint="--certificate")
    if certificate is not None and authority is not None:
        read = read_device_certificate(read_small(certificate).encode(), read_small(authority).encode())
        return read.public_jwk, read
    return None if jwk is None else _jwk(jwk), None


def read_log(terms: Path | None, log_key: str | None, witnesses: list[str]) -> LogPolicy | None:
    """The log and its witnesses, from their terms or their keys; None when neither was named."""
    if terms is not None and log_key is not None:
        raise typer.BadParameter("one of --terms and --log-key", param_hint="--terms")
    if terms is not None:
        return read_terms(terms)
    if log_key is None:
        return None
    try:
        keys = tuple(NoteKey.parse(each, KeyKind.WITNESS) for each in witnesses)
        return LogPolicy(NoteKey.parse(log_key, KeyKind.LOG), 1, keys, len(keys))
    except EnvelopeInvalid as error:
        raise SettingsInvalid(f"not the keys of a log and its witnesses: {error}") from error


def read_terms(path: Path) -> LogPolicy:
    """Whom to believe about the log, from a file of the user's. Raises SettingsInvalid."""
    try:
        return LogPolicy.read(Members.parse(read_small(path).encode("utf-8")))
    except EnvelopeInvalid as error:
        raise SettingsInvalid(f"{path.name} is not the log.json of a fund: {error}") from error


def _jwk(path: Path) -> PublicJwk:
    try:
        members = json.loads(read_small(path))
        return PublicJwk.parse(members.get("public_jwk", members))
    except (ValueError, AttributeError, EnvelopeInvalid) as error:
        raise SettingsInvalid(f"{path.name} holds no public JWK") from error


def read_small(path: Path) -> str:
    """The text of a small file."""
    try:
        if path.stat().st_size > MAX_FILE:
            raise typer.BadParameter(f"{path} is too large")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{path} cannot be read: {error}") from error
