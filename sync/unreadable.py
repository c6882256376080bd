"""What the package cryptography raises for bytes that are no certificate or request, or one it does not understand.

Whoever reads X.509 from another party names the failure as its own; the bytes may be anything.
"""

from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

UNREADABLE: Final = (
    ValueError,
    TypeError,
    InvalidSignature,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.ExtensionNotFound,
    x509.UnsupportedGeneralNameType,
)
"""Found by altering certificates byte by byte; they have no common class but Exception."""
