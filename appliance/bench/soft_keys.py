"""Device keys of each class without hardware: a file, a PKCS#11 token of SoftHSM2, a TPM 2.0 of swtpm.

For measuring only: what holds these keys is software, and a real token or chip is slower. Recording with them is
`recording`'s.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sync.clock import Clock
from sync.errors import KeyUnsupported
from sync.home import KeySettings, TokenSettings, TpmSettings
from sync.keyfile import write_secret
from sync.signing import KeyClass

_DRIVERS: Final = ("softhsm/libsofthsm2.so", "*/softhsm/libsofthsm2.so")
_PIN: Final = "4711471"
_START_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Holder:
    """Where a key will be made. environment: what the process that uses it has to be given."""

    settings: KeySettings
    environment: Mapping[str, str]


@contextmanager
def in_file(_folder: Path, _clock: Clock) -> Iterator[Holder]:
    """A key in a file."""
    yield Holder(KeySettings(), {})


@contextmanager
def in_token(folder: Path, _clock: Clock) -> Iterator[Holder]:
    """A new token of SoftHSM2. Raises KeyUnsupported: it is not installed, or makes none."""
    drivers = [path for pattern in _DRIVERS for path in sorted(Path("/usr/lib").glob(pattern))]
    if not drivers or shutil.which("softhsm2-util") is None:
        raise KeyUnsupported("SoftHSM2 is not installed")
    (folder / "tokens").mkdir(parents=True)
    config = folder / "softhsm2.conf"
    config.write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\n", encoding="utf-8")
    environment = {"SOFTHSM2_CONF": str(config)}
    _run(("softhsm2-util", "--init-token", "--free", "--label", "bench", "--so-pin", _PIN, "--pin", _PIN), environment)
    write_secret(folder / "pin", _PIN.encode("ascii"))
    token = TokenSettings(drivers[0], "bench", "device", folder / "pin")
    yield Holder(KeySettings(KeyClass.PKCS11, token=token), environment)


@contextmanager
def in_tpm(folder: Path, clock: Clock) -> Iterator[Holder]:
    """A new, running swtpm. Raises KeyUnsupported: it is not installed, or does not start."""
    if shutil.which("swtpm") is None or shutil.which("swtpm_setup") is None:
        raise KeyUnsupported("swtpm is not installed")
    (folder / "state").mkdir(parents=True)
    _run(("swtpm_setup", "--tpm2", "--tpm-state", str(folder / "state")), {})
    server, control = folder / "s", folder / "s.ctrl"
    command = (
        *("swtpm", "socket", "--tpm2", "--flags", "startup-clear", "--tpmstate", f"dir={folder / 'state'}"),
        *("--ctrl", f"type=unixio,path={control}", "--server", f"type=unixio,path={server}"),
    )
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:  # noqa: S603
        try:
            begin = clock.monotonic()
            while not (server.exists() and control.exists()):
                if process.poll() is not None or clock.monotonic() - begin > _START_S:
                    raise KeyUnsupported("swtpm does not start")
                clock.sleep(0.02)
            yield Holder(KeySettings(KeyClass.TPM2, tpm=TpmSettings(f"swtpm:path={server}")), {})
        finally:
            process.terminate()


Opening = Callable[[Path, Clock], AbstractContextManager[Holder]]
HOLDERS: Final[Mapping[str, Opening]] = {
    "key in a file": in_file,
    "token (SoftHSM2)": in_token,
    "TPM 2.0 (swtpm)": in_tpm,
}
"""Each way to hold a key, under the name that a report gives it."""


def _run(command: tuple[str, ...], environment: Mapping[str, str]) -> None:
    inherited = {**os.environ, **environment}
    done = subprocess.run(command, check=False, capture_output=True, env=inherited)  # noqa: S603  # our own words
    if done.returncode:
        raise KeyUnsupported(f"{command[0]} ended with code {done.returncode}")
