"""A desk as the fund sees it while it joins: keys in a folder, requests by hand, every member to be changed."""

import secrets
from dataclasses import dataclass, replace
from pathlib import Path

from sync.joining import Request, read_invitation, write_request
from sync.sealing import SealedBox
from sync.signing import FileSigner, KeyClass
from sync.tls_key import tls_request


@dataclass(frozen=True)
class Joiner:
    """Keys of one desk."""

    signer: FileSigner
    box: SealedBox
    tls_file: Path

    @classmethod
    def create(cls, folder: Path) -> "Joiner":
        """New keys in a new folder."""
        folder.mkdir(parents=True)
        return cls(FileSigner.create(folder / "k.pem"), SealedBox.create(folder / "b.pem"), folder / "tls.key")

    def request(self, invitation: str, key_class: KeyClass = KeyClass.FILE) -> Request:
        """What an honest desk asks for."""
        read = read_invitation(invitation)
        return Request(
            device=read.device,
            clinic=read.clinic,
            desk=read.desk,
            nonce=read.nonce,
            renews=None,
            key_class=key_class,
            public_jwk=self.signer.public_jwk,
            csr_pem=tls_request(self.tls_file, read.device),
            sealing_jwk=self.box.public_jwk,
            evidence=None,
        )

    def renewal(self, invitation: str, fingerprint: str) -> Request:
        """A request to renew a device certificate."""
        return replace(self.request(invitation), renews=fingerprint, nonce=secrets.token_hex(32))

    def token(self, request: Request) -> str:
        """Signed with the desk's key."""
        return write_request(self.signer, request)
