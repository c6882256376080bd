"""What is written in the codes of a picture: the one place that imports zxing-cpp.

What a text means is left to the callers. Each names the kinds of code it expects: fewer kinds are read faster, and a
kind that nobody expects cannot be read by mistake.
"""

from enum import Enum

import numpy as np
import numpy.typing as npt
import zxingcpp


class CodeKind(Enum):
    """Kinds of code."""

    QR = zxingcpp.BarcodeFormat.QRCode
    CODE_128 = zxingcpp.BarcodeFormat.Code128
    CODE_39 = zxingcpp.BarcodeFormat.Code39


def read_codes(pixels: npt.NDArray[np.uint8], kinds: frozenset[CodeKind]) -> tuple[str, ...]:
    """The texts of all codes of these kinds that could be read whole; a code that fails its own checksum is none.

    pixels: grey (rows, columns) or BGR (rows, columns, 3).
    """
    wanted = zxingcpp.BarcodeFormats([kind.value for kind in kinds])
    found = zxingcpp.read_barcodes(np.ascontiguousarray(pixels), formats=wanted, text_mode=zxingcpp.TextMode.Plain)
    return tuple(code.text for code in found)
