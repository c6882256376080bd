"""How fast this machine's core verifies P-256 signatures with nothing around it: the limit a gateway is held against.

What a gateway does besides is left to `delivery`.
"""

import hashlib

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from appliance.bench.race import Stopwatch, timed

_MESSAGE = bytes(800)
"""About the signing input of a visit."""


def verification_us(turns: int, watch: Stopwatch) -> float:
    """Median microseconds of thread CPU of one ES256 verification, SHA-256 of the message included."""
    key = ec.generate_private_key(ec.SECP256R1())
    algorithm = ec.ECDSA(utils.Prehashed(hashes.SHA256()))
    signature = key.sign(hashlib.sha256(_MESSAGE).digest(), algorithm)
    public = key.public_key()
    each = 100

    def verify(_: int) -> None:
        for _ in range(each):
            public.verify(signature, hashlib.sha256(_MESSAGE).digest(), algorithm)

    verify(0)
    return timed(verify, turns, watch).cpu_ms * 1000 / each
