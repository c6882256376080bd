"""What a fund may believe about a desk's key: the TPM's evidence, judged.

Reading the bytes of a TPM is left to `tpm_structures`; issuing a certificate to `provision` and the fund.
"""

from collections.abc import Sequence
from enum import StrEnum

from cryptography.x509 import Certificate

from sync.errors import AttestationInvalid
from sync.signing import KeyClass, PublicJwk
from sync.strict_json import JsonObject


class Attested(StrEnum):
    """What is known about the class of a key. CLAIMED: the desk says so. PROVEN: a TPM of a known maker says so."""

    CLAIMED = "claimed"
    PROVEN = "proven"


def check_evidence(
    evidence: JsonObject | None,
    jwk: PublicJwk,  # noqa: ARG001 - the contract's; evidence of a TPM follows
    key_class: KeyClass,
    nonce: bytes,  # noqa: ARG001 - as above
    roots: Sequence[Certificate],  # noqa: ARG001 - as above
) -> Attested:
    """Judge a desk's evidence. Raises AttestationInvalid."""
    if (evidence is not None) != (key_class is KeyClass.TPM2):
        raise AttestationInvalid("evidence belongs to a key in a TPM, and to no other")
    if key_class is KeyClass.TPM2:
        raise AttestationInvalid("evidence of a TPM cannot be judged yet")
    return Attested.CLAIMED


def wrap_for(evidence: JsonObject, secret: bytes) -> bytes:  # noqa: ARG001 - the contract's; it follows
    """Seal a secret of at most 32 bytes to the TPM that this evidence is from. Raises AttestationInvalid."""
    raise AttestationInvalid("nothing can be sealed to a TPM yet")
