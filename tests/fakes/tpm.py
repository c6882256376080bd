"""TPMs made of software (swtpm) in a folder, each with an endorsement certificate of a maker made up for the tests."""

import contextlib
import os
import socket
import subprocess
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cryptography import x509

from sync.home import TpmSettings

_MAKER = """statedir = {0}
signingkey = {0}/signkey.pem
issuercert = {0}/issuercert.pem
certserial = {0}/certserial
"""
_SETUP = """create_certs_tool = swtpm_localca
create_certs_tool_config = {0}/maker.conf
create_certs_tool_options = {0}/options
active_pcr_banks = sha256
"""


@dataclass(frozen=True)
class TpmMaker:
    """A maker of TPMs with a root CA and an issuing CA, in a folder of its own."""

    folder: Path

    @classmethod
    def create(cls, folder: Path) -> "TpmMaker":
        """Make the folder; the CAs come with the first TPM."""
        folder.mkdir(parents=True)
        (folder / "maker.conf").write_text(_MAKER.format(folder))
        (folder / "setup.conf").write_text(_SETUP.format(folder))
        (folder / "options").touch()
        return cls(folder)

    @property
    def root(self) -> x509.Certificate:
        """The root CA."""
        return x509.load_pem_x509_certificate((self.folder / "swtpm-localca-rootca-cert.pem").read_bytes())

    @property
    def issuer(self) -> x509.Certificate:
        """The CA below it, which issues the endorsement certificates."""
        return x509.load_pem_x509_certificate((self.folder / "issuercert.pem").read_bytes())

    def make(self, folder: Path, certificate: bool = True) -> "SoftwareTpm":
        """A new TPM, not running."""
        (folder / "state").mkdir(parents=True)
        command = ["swtpm_setup", "--tpm2", "--tpm-state", str(folder / "state"), "--createek"]
        command += ["--config", str(self.folder / "setup.conf"), *(["--create-ek-cert"] if certificate else [])]
        done = subprocess.run(command, check=False, capture_output=True)
        assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
        return SoftwareTpm(folder)


class SoftwareTpm:
    """One TPM. Its whole state is in the folder; copying that is what no chip allows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @cached_property
    def _socket(self) -> str:
        """Relative, so that deep folders do not exceed the 108 bytes of a socket's name."""
        return os.path.relpath(self.folder / "s")

    @property
    def tcti(self) -> str:
        """How it is reached."""
        return f"swtpm:path={self._socket}"

    @property
    def settings(self) -> TpmSettings:
        """A desk's settings for it."""
        return TpmSettings(self.tcti)

    def start(self) -> None:
        """Power on; returns when it listens."""
        Path(self._socket).unlink(missing_ok=True)
        command = ["swtpm", "socket", "--tpm2", "--flags", "startup-clear", "--tpmstate", f"dir={self.folder}/state"]
        command += ["--log", f"file={self.folder}/log", "--ctrl", f"type=unixio,path={self._socket}.ctrl"]
        self._process = subprocess.Popen([*command, "--server", f"type=unixio,path={self._socket}"])
        for _ in range(1000):
            with contextlib.suppress(FileNotFoundError, ConnectionRefusedError), socket.socket(socket.AF_UNIX) as probe:
                probe.connect(self._socket)
                return
            time.sleep(0.01)
        raise TimeoutError((self.folder / "log").read_text())

    def stop(self) -> None:
        """Power off."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        """The machine is started again."""
        self.stop()
        self.start()

    def __enter__(self) -> "SoftwareTpm":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def command(self, *arguments: str) -> None:
        """One of tpm2-tools, as somebody at the machine would use it."""
        done = subprocess.run([*arguments, "-T", self.tcti], check=False, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
