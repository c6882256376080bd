"""The text of a receipt's code holds the whole signed event, and nothing else is read as one."""

import hashlib
import zlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import receipt_text
from sync.compact import SIGNATURE_BYTES, assemble, encode_part, signing_input, split
from sync.envelope import EVENT_TYP, MAX_PAYLOAD
from sync.errors import EnvelopeInvalid
from sync.receipt_text import MAX_DIGITS, PREFIX, read_receipt, write_receipt
from sync.signing import FileSigner, verify_event
from tests.fakes.receipts import Visits

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
KEY, SIGNATURE = bytes(range(32)), bytes(range(SIGNATURE_BYTES))


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> FileSigner:
    """A device key."""
    return FileSigner.create(tmp_path_factory.mktemp("key") / "device.pem")


def squeezed(payload: bytes) -> bytes:
    """As a receipt holds it."""
    dictionary = receipt_text._DICTIONARY
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_DEFAULT_STRATEGY, dictionary)
    return squeezer.compress(payload) + squeezer.flush()


def text_of(content: bytes) -> str:
    """A text with this content after the mark."""
    return f"{PREFIX}{int.from_bytes(content, 'big')}"


@pytest.mark.parametrize("seed", range(3))
def test_the_token_comes_back_byte_for_byte(signer: FileSigner, seed: int) -> None:
    """By face and without: what verifies is what the desk signed."""
    visits = Visits(signer, seed=seed)
    for token in (visits.checked_in(NOON), visits.without_face(NOON)):
        text = write_receipt(token)
        assert read_receipt(text).token == token
        assert verify_event(signer.public_jwk, read_receipt(text).token).event.device == visits.device


def test_a_receipt_is_short_enough_for_a_phone(signer: FileSigner) -> None:
    """At most 1,450 digits, 602 bytes of a code, for an event of more than 2,000 characters (decision 25)."""
    token = Visits(signer).checked_in(NOON)
    assert len(token) > 2000
    assert len(write_receipt(token)) <= 1450


def test_white_space_does_no_harm(signer: FileSigner) -> None:
    """A mail wraps lines, a file ends with one."""
    token = Visits(signer).checked_in(NOON)
    text = write_receipt(token)
    assert read_receipt(f" {text[:70]}\r\n{text[70:200]} {text[200:]}\n").token == token


@given(st.binary(min_size=1, max_size=600))
def test_any_payload_comes_back(payload: bytes) -> None:
    """Not only events as they are today."""
    token = assemble(signing_input(encode_part(KEY), EVENT_TYP, payload), SIGNATURE)
    assert read_receipt(write_receipt(token)).payload == payload


@given(st.text(max_size=40) | st.integers(0, 10**400).map(str))
def test_anything_else_is_refused(text: str) -> None:
    """By one failure; nothing else is ever raised."""
    for shown in (text, PREFIX + text):
        with pytest.raises(EnvelopeInvalid):
            read_receipt(shown)


@pytest.mark.parametrize(
    "text",
    [
        PREFIX,
        f"{PREFIX}0{'1' * 300}",
        f"{PREFIX}{'1' * (MAX_DIGITS + 1)}",
        f"{PREFIX}{'١' * 300}",
        "1" * 300,
        text_of(b"\x02" + KEY + SIGNATURE + squeezed(b"{}")),
        text_of(b"\x01" + KEY + SIGNATURE),
        text_of(b"\x01" + KEY + SIGNATURE + squeezed(b"{}")[:-1]),
        text_of(b"\x01" + KEY + SIGNATURE + squeezed(b"{}") + b"\x00"),
        text_of(b"\x01" + KEY + SIGNATURE + b"\xff\xff"),
        text_of(b"\x01" + KEY + SIGNATURE + squeezed(b"a" * (MAX_PAYLOAD + 1))),
    ],
    ids=["empty", "zero", "long", "digits", "prefix", "mark", "short", "cut", "more", "damaged", "bomb"],
)
def test_a_malformed_text_is_refused(text: str) -> None:
    """Other digits, other lengths, another mark, a content that is cut, padded, damaged or unpacks to too much."""
    with pytest.raises(EnvelopeInvalid):
        read_receipt(text)


@given(st.integers(0, 1300), st.integers(1, 9))
def test_a_changed_digit_never_proves_anything_else(signer: FileSigner, at: int, by: int) -> None:
    """It is no receipt any more, or not of this key; at most it spells the same event otherwise (unused bits)."""
    token = Visits(signer).checked_in(NOON)
    text = write_receipt(token)
    place = len(PREFIX) + at % (len(text) - len(PREFIX))
    changed = f"{text[:place]}{(int(text[place]) + by) % 10}{text[place + 1 :]}"
    try:
        read = verify_event(signer.public_jwk, read_receipt(changed).token)
    except EnvelopeInvalid:
        return
    assert read.token == token


def test_only_the_token_of_an_event_becomes_a_receipt(signer: FileSigner) -> None:
    """No other type, no other spelling of the header, nothing too long for a code."""
    token = Visits(signer).checked_in(NOON)
    with pytest.raises(EnvelopeInvalid):
        write_receipt("a.b.c")
    compact = split(token, EVENT_TYP, 16_384)
    spaced = encode_part(b'{"typ":"visit+jws","alg":"ES256","kid":"%s"}' % signer.key_id.encode())
    _, payload, end = token.split(".")
    with pytest.raises(EnvelopeInvalid, match="header"):
        write_receipt(f"{spaced}.{payload}.{end}")
    noise = b"".join(hashlib.sha256(bytes([n])).digest() for n in range(60))
    long = assemble(signing_input(encode_part(KEY), EVENT_TYP, noise), compact.signature)
    with pytest.raises(EnvelopeInvalid, match="too long"):
        write_receipt(long)


def test_the_dictionary_is_part_of_the_format() -> None:
    """Altering it makes receipts on paper unreadable: take another number in the prefix instead."""
    known = "59a206cc8be73ba9ef01b72e6d2524e991e3a1d431c89bb3c73078c93adb8c01"
    assert hashlib.sha256(receipt_text._DICTIONARY).hexdigest() == known
