"""The text of a receipt's code: one signed event, whole and verifiable, in few enough characters for a phone's camera.

Drawing it is left to the screen and the printer, verifying to `signing`. Text = `KELDIM1:` and one decimal number; its
big-endian bytes are 01, the thumbprint of the device's key (32), the signature r || s (64) and the payload, deflated
(RFC 1951) with a preset dictionary. From those the token comes back byte for byte: the header of an event holds
nothing but that thumbprint. Digits, because a QR code packs them as densely as bytes (3.33 bits each), and because they
survive being copied, wrapped and typed; decision 25 has the figures.
"""

import re
import zlib
from typing import Final

from sync.compact import SIGNATURE_BYTES, Compact, assemble, decode_part, encode_part, signing_input, split
from sync.envelope import EVENT_TYP, MAX_PAYLOAD, MAX_TOKEN
from sync.errors import EnvelopeInvalid

PREFIX: Final = "KELDIM1:"
"""Names the format with its dictionary; another dictionary is another number."""

MAX_DIGITS: Final = 4000
"""Of the number; a check-in takes about 1,200, the largest QR code holds 7,089. Bounds what an untrusted text costs."""

_KEY_BYTES: Final = 32
_MARK: Final = b"\x01"
_WINDOW: Final = -15
"""Deflate without header and checksum: the signature covers the content."""

_NUMBER: Final = re.compile(r"[1-9][0-9]*")

_DICTIONARY: Final = (
    b'"second_person","declared_by","given_by":"guardian","guardian","child":true,"staff_face""document""manual"'
    b'suspectsystemfilepkcs11tpm2nonepassivegallerypassive_and_challenge"right""up""down""closer""left""dot""blink"'
    b'"liveness_inconclusive""not_live""no_match""ambiguous_match""look_alike""without_face""code":"iin":"identity":'
    b'"late":{"wall":"2026-","boot":"'
    b'{"v":1,"kind":"confirmed_without_face","kind_v":1,"id":"'
    b'"method":"iin_code","reasons":["without_face"],"circumstances":{"pack":"'
    b'{"v":1,"kind":"checked_in","kind_v":2,"id":"","device":"desk-","seq":1,"prev":"","boot":"-4","mono_ms":'
    b',"wall":"2026-11-2T09:00:00.000+05:00","clock":{"trust":"fund","uncertainty_ms":,"fund":{"wall":"2026-11-2T0'
    b'.000+05:00","boot":"","mono_ms":,"uncertainty_ms":}},"data":{"patient":"","service":"","service_code":"A02.0'
    b'","provider":"","consent":"","template":"","reasons":["match","live"],"comparison":{"pack":"","mode":"list","'
    b'score":0.,"second":0.,"threshold":0.,"margin":0.,"agreement":0.,"compared":,"gallery":,"templates":,"elsewhere'
    b'":0,"extrapolated":false},"circumstances":{"pack":"","policy":"","software":"0.1.0","camera":"","began":"2026-'
    b'11-2T09:00:00.000+05:00","attempts":1,"earlier":[],"quality":,"liveness":"live","liveness_method":"challenge","'
    b'liveness_cause":"answered","liveness_score":0.,"liveness_accept":0.,"liveness_reject":0.,"liveness_steps":["'
    b'left","right"]}}}'
)
"""What events have in common, the likeliest last. Part of the format: altering a byte makes old receipts unreadable."""


def write_receipt(token: str) -> str:
    """The text for an event's token. Raises EnvelopeInvalid: no token of an event, or too long for a code."""
    compact = split(token, EVENT_TYP, MAX_TOKEN)
    squeezer = zlib.compressobj(9, zlib.DEFLATED, _WINDOW, 9, zlib.Z_DEFAULT_STRATEGY, _DICTIONARY)
    body = squeezer.compress(compact.payload) + squeezer.flush()
    content = _MARK + decode_part(compact.key_id) + compact.signature + body
    if len(content) > MAX_DIGITS * 2 // 5:  # a byte takes 2.41 digits
        raise EnvelopeInvalid("the event is too long for a code")
    text = f"{PREFIX}{int.from_bytes(content, 'big')}"
    if read_receipt(text).token != token:
        raise EnvelopeInvalid("the token has a header that no desk writes")
    return text


def read_receipt(text: str) -> Compact:
    """The event's token out of the text, taken apart and not verified; white space anywhere is ignored.

    Raises EnvelopeInvalid.
    """
    joined = "".join(text.split())
    number = joined.removeprefix(PREFIX)
    if number == joined or len(number) > MAX_DIGITS or not _NUMBER.fullmatch(number):
        raise EnvelopeInvalid(f"not the text of a receipt: {PREFIX} and at most {MAX_DIGITS} digits")
    value = int(number)
    content = value.to_bytes((value.bit_length() + 7) // 8, "big")
    key, signature, body = _parts(content)
    payload = _unsqueezed(body)
    return split(assemble(signing_input(encode_part(key), EVENT_TYP, payload), signature), EVENT_TYP, MAX_TOKEN)


def _parts(content: bytes) -> tuple[bytes, bytes, bytes]:
    end = len(_MARK) + _KEY_BYTES
    if not content.startswith(_MARK) or len(content) <= end + SIGNATURE_BYTES:
        raise EnvelopeInvalid("the text of the receipt is not complete")
    return content[len(_MARK) : end], content[end : end + SIGNATURE_BYTES], content[end + SIGNATURE_BYTES :]


def _unsqueezed(body: bytes) -> bytes:
    reader = zlib.decompressobj(_WINDOW, zdict=_DICTIONARY)
    try:
        payload = reader.decompress(body, MAX_PAYLOAD + 1)
    except zlib.error as error:
        raise EnvelopeInvalid("the text of the receipt is damaged") from error
    if len(payload) > MAX_PAYLOAD or not reader.eof or reader.unused_data:
        raise EnvelopeInvalid("the text of the receipt is not complete")
    return payload
