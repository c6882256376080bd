"""A TPM for systemd-creds: swtpm on a socket in a folder, ended with the block.

systemd-creds leaves its sessions to the kernel's resource manager (/dev/tpmrm0), which swtpm has not: a command of the
same name before it in the path flushes them, then becomes the real one.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

PATIENCE_S = 10.0


@contextlib.contextmanager
def software_tpm() -> Iterator[None]:
    """Sets SYSTEMD_TPM2_DEVICE and the path while the block runs."""
    with tempfile.TemporaryDirectory(prefix="tpm-") as name:  # short: a socket's path has at most 107 bytes
        folder = Path(name)
        state, socket, control = folder / "state", folder / "tpm", folder / "tpm.ctrl"
        state.mkdir()
        command = ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={state}", "--flags", "not-need-init"]
        command += ["--server", f"type=unixio,path={socket}", "--ctrl", f"type=unixio,path={control}"]
        with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
            try:
                end = time.monotonic() + PATIENCE_S
                while not (socket.exists() and control.exists()):
                    assert process.poll() is None, process.stderr and process.stderr.read()
                    assert time.monotonic() < end, "swtpm does not start"
                    time.sleep(0.02)
                with pytest.MonkeyPatch.context() as patch:
                    patch.setenv("SYSTEMD_TPM2_DEVICE", f"swtpm:path={socket}")
                    patch.setenv("PATH", f"{_with_flush(folder, socket)}:{os.environ['PATH']}")
                    yield
            finally:
                process.terminate()


def _with_flush(folder: Path, socket: Path) -> Path:
    real = shutil.which("systemd-creds")
    assert real is not None, "systemd-creds is not installed"
    place = folder / "bin"
    place.mkdir()
    flush = "".join(f"tpm2_flushcontext -T swtpm:path={socket} {which} >&2\n" for which in ("-l", "-t"))
    script = place / "systemd-creds"
    script.write_text(f'#!/bin/sh\n{flush}exec {real} "$@"\n')
    script.chmod(0o700)
    return place
