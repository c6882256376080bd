"""PKCS#11 tokens made of files (SoftHSM2) in a folder of this process. To be pulled, put back, and copied."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pkcs11

from sync.home import TokenSettings
from sync.keyfile import write_secret

MODULE = next(
    path
    for path in (Path("/usr/lib/softhsm/libsofthsm2.so"), *Path("/usr/lib").glob("*/softhsm/libsofthsm2.so"))
    if path.exists()
)
PIN = "839201"


@dataclass(frozen=True)
class SoftToken:
    """One token. folder: of all tokens of this process. place: of this one's files."""

    folder: Path
    label: str
    place: Path
    settings: TokenSettings

    @classmethod
    def create(cls, folder: Path, label: str, pin_file: Path) -> "SoftToken":
        """A new token with a PIN, and the file of that PIN."""
        before = set(folder.iterdir())
        command = ["softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "4711471", "--pin", PIN]
        subprocess.run(command, check=True, capture_output=True)
        (place,) = set(folder.iterdir()) - before
        write_secret(pin_file, PIN.encode())
        pkcs11.lib(str(MODULE)).reinitialize()  # another process made it
        return cls(folder, label, place, TokenSettings(MODULE, label, "device", pin_file))

    @property
    def away(self) -> Path:
        """Where its files are while it is pulled."""
        return self.folder.parent / f"{self.place.name}.pulled"

    def pull(self) -> None:
        """Unplug it."""
        self.place.rename(self.away)

    def put_back(self) -> None:
        """Plug it in again."""
        self.away.rename(self.place)


def prepare(folder: Path) -> Path:
    """Let SoftHSM of this process keep its tokens below this folder; gives the folder of the tokens."""
    tokens = folder / "tokens"
    tokens.mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\n")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    return tokens
