"""The only door to Argon2: a PIN becomes a hash that can be checked and not turned back.

Who may try, and how often, is `core.shift`'s and the use case's; where hashes are kept, `operators`'s.
"""

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from appliance.core.operators import Pin


class PinHasher:
    """Argon2id, RFC 9106 section 4, second recommended option: 64 MiB, 3 passes, 4 lanes; 0.14 s on two cores.

    A PIN of 6 digits alone would not withstand somebody who has the hash, whatever the hash costs: what protects it is
    the database's encryption and the pauses after wrong PINs. The hash makes it slow for whoever has both.
    """

    __slots__ = ("_argon2",)

    def __init__(self, passes: int = 3, memory_kib: int = 64 * 1024, lanes: int = 4) -> None:
        self._argon2 = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=lanes, type=Type.ID)

    def hash(self, pin: Pin) -> str:
        """The PHC string to keep, with a salt of its own."""
        return self._argon2.hash(pin.digits)

    def fits(self, kept: str, pin: Pin) -> bool:
        """Whether it is the hash of this PIN; False for a hash that cannot be read, too."""
        try:
            return self._argon2.verify(kept, pin.digits)
        except (VerifyMismatchError, VerificationError, InvalidHashError):
            return False
