"""The door to systemd-creds: a small secret becomes a credential that only this machine opens, and back.

Where credentials lie and which of them a service gets is left to `key_source` and the unit files. Reading the host's
key or the TPM needs root; a service never comes here, systemd hands it the opened credentials.
"""

import shutil
import subprocess
from base64 import b64decode
from enum import StrEnum
from typing import Final

from sync.key_errors import SealUnusable

_TIMEOUT_S: Final = 60
"""A real TPM takes a second or two; one that does not answer must not hang a command."""


class Seal(StrEnum):
    """What a credential is sealed with: `--with-key` of systemd-creds(1)."""

    HOST = "host"
    TPM2 = "tpm2"
    HOST_AND_TPM2 = "host+tpm2"


_KINDS: Final = {
    "5a1c6a86df9d4096b1d5a65e0862f19a": Seal.HOST,
    "0c7cc07b117645919c4b0bea08bc20fe": Seal.TPM2,
    "93a894094874449090caf2fc93cab553": Seal.HOST_AND_TPM2,
}
"""The first 16 bytes of a credential name what opens it (systemd, src/shared/creds-util.h)."""


def seal_credential(name: str, plain: bytes, seal: Seal, pcrs: str = "") -> bytes:
    """Seal a secret under a name that is authenticated with it. pcrs: e.g. "7+11"; empty: systemd's choice (7).

    Raises SealUnusable.
    """
    options = [f"--tpm2-pcrs={pcrs}"] if pcrs and seal is not Seal.HOST else []
    return _run(["encrypt", f"--name={name}", f"--with-key={seal}", *options, "-", "-"], plain)


def open_credential(name: str, sealed: bytes) -> bytes:
    """Open what `seal_credential` gave on this machine. Raises SealUnusable: another machine, name or boot state."""
    return _run(["decrypt", f"--name={name}", "-", "-"], sealed)


def sealed_with(sealed: bytes) -> Seal | None:
    """What a credential is sealed with, read from it without opening it; None for a kind unknown here."""
    try:
        return _KINDS.get(b64decode(b"".join(sealed.split())[:24], validate=True)[:16].hex())
    except ValueError:
        return None


def _run(arguments: list[str], given: bytes) -> bytes:
    command = shutil.which("systemd-creds")
    if command is None:
        raise SealUnusable("systemd-creds is not installed (systemd 250 or newer)")
    try:
        done = subprocess.run(  # noqa: S603 - our own arguments
            [command, *arguments], input=given, capture_output=True, timeout=_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SealUnusable(f"systemd-creds did not answer: {type(error).__name__}") from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise SealUnusable(f"systemd-creds: {said[-1][:200]}")
    return done.stdout
