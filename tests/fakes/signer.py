"""A device key that can be out of reach, or fail in any other way."""

from sync.signing import PublicJwk, Signer


class FaultySigner:
    """Implements `sync.signing.Signer`; raises what it is told to, before or after it has signed."""

    def __init__(self, signer: Signer, before: Exception | None = None) -> None:
        self._signer = signer
        self.before = before
        self.after: Exception | None = None

    @property
    def key_id(self) -> str:
        """As the real one."""
        return self._signer.key_id

    @property
    def key_class(self) -> str:
        """As the real one."""
        return self._signer.key_class

    @property
    def public_jwk(self) -> PublicJwk:
        """As the real one."""
        return self._signer.public_jwk

    def sign(self, signed: bytes) -> bytes:
        """Sign, or fail."""
        if self.before is not None:
            raise self.before
        signature = self._signer.sign(signed)
        if self.after is not None:
            raise self.after
        return signature
