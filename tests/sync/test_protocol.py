"""Messages: any bytes give a value or ProtocolViolation; a receipt counts for exactly one event."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from sync.errors import ProtocolViolation
from sync.protocol import (
    HEAD_TYP,
    MAX_ANSWER,
    MAX_BODY,
    MAX_EVENTS,
    RECEIPT_TYP,
    Head,
    Outgoing,
    Receipt,
    Result,
    decode_batch,
    encode_batch,
    encode_head,
    encode_receipts,
    fits,
    head_members,
    read_head,
    read_receipts,
    receipt_members,
)
from sync.signing import FileSigner, sign_members
from sync.strict_json import Json, JsonObject

FUND = FileSigner(ec.generate_private_key(ec.SECP256R1()))
AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
BATCH = tuple(Outgoing(seq, f"{seq:064x}", f"token-{seq}") for seq in (7, 8))
GOOD = tuple(Receipt("desk-1", sent.digest, sent.seq, Result.ACCEPTED, None, 8, AT) for sent in BATCH)


def answer(*receipts: Receipt) -> bytes:
    """What the fund sends for these receipts."""
    return encode_receipts([sign_members(FUND, RECEIPT_TYP, receipt_members(receipt)) for receipt in receipts])


def signed(members: JsonObject, typ: str = RECEIPT_TYP) -> str:
    """A token of the fund with any payload."""
    return sign_members(FUND, typ, members)


def read(body: bytes) -> tuple[Receipt, ...]:
    """Read an answer to BATCH."""
    return tuple(one.receipt for one in read_receipts(body, FUND.public_jwk, "desk-1", BATCH))


def test_receipts_read_back_as_they_were_signed() -> None:
    """Every result, with its reason."""
    for result in Result:
        reason = None if result in {Result.ACCEPTED, Result.KNOWN} else "missing"
        receipts = tuple(replace(one, result=result, reason=reason) for one in GOOD)
        assert read(answer(*receipts)) == receipts


def test_a_refusal_may_leave_the_number_open() -> None:
    """The fund does not believe a number whose signature does not verify."""
    refused = replace(GOOD[0], seq=None, result=Result.REFUSED, reason="signature", have=6)
    assert read(answer(refused, GOOD[1]))[0] == refused


@pytest.mark.parametrize(
    "receipts",
    [
        (),
        GOOD[:1],
        (*GOOD, GOOD[1]),
        GOOD[::-1],
        (GOOD[0], GOOD[0]),
        (replace(GOOD[0], device="desk-2"), GOOD[1]),
        (replace(GOOD[0], event="0" * 64), GOOD[1]),
        (replace(GOOD[0], seq=6), GOOD[1]),
        (replace(GOOD[0], seq=None), GOOD[1]),
        (replace(GOOD[0], have=6), GOOD[1]),
        (replace(GOOD[0], result=Result.KNOWN, have=6), GOOD[1]),
    ],
)
def test_receipts_for_anything_else_settle_nothing(receipts: tuple[Receipt, ...]) -> None:
    """Another count, order, device, event, number; or an acceptance that the fund's own head denies."""
    with pytest.raises(ProtocolViolation):
        read(answer(*receipts))


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"result": "perhaps"},
        {"result": None},
        {"reason": "Not a code"},
        {"have": -1},
        {"at": "yesterday"},
        {"event": "short"},
    ],
)
def test_a_receipt_with_a_wrong_member_is_refused(change: JsonObject) -> None:
    """Even when the fund signed it."""
    tokens = [signed(receipt_members(GOOD[0]) | change), signed(receipt_members(GOOD[1]))]
    with pytest.raises(ProtocolViolation):
        read(encode_receipts(tokens))


def test_a_receipt_of_another_kind_or_key_is_refused() -> None:
    """A head is no receipt; a receipt of somebody else is nothing."""
    other = FileSigner(ec.generate_private_key(ec.SECP256R1()))
    for bad in (signed(receipt_members(GOOD[0]), HEAD_TYP), sign_members(other, RECEIPT_TYP, receipt_members(GOOD[0]))):
        with pytest.raises(ProtocolViolation):
            read(encode_receipts([bad, signed(receipt_members(GOOD[1]))]))


def test_a_newer_fund_may_say_more() -> None:
    """Unknown members, in the receipt and beside the receipts."""
    tokens: list[Json] = [signed(receipt_members(one) | {"grease": 1}) for one in GOOD]
    assert read(json.dumps({"receipts": tokens, "grease": 1}).encode()) == GOOD


@given(st.binary(max_size=200) | st.text(max_size=60).map(lambda text: json.dumps({"receipts": [text]}).encode()))
def test_any_answer_is_receipts_or_a_violation(body: bytes) -> None:
    """Nothing else comes out."""
    with pytest.raises(ProtocolViolation):
        read(body)
    with pytest.raises(ProtocolViolation):
        read_head(body, FUND.public_jwk, "desk-1", "0" * 32)


def test_an_answer_has_a_maximum() -> None:
    """Measured before it is read."""
    with pytest.raises(ProtocolViolation, match="more than"):
        read(b" " * (MAX_ANSWER + 1))


@given(st.lists(st.text(max_size=50), min_size=1, max_size=20))
def test_a_batch_arrives_as_it_was_sent(tokens: list[str]) -> None:
    """Whatever the tokens are: the fund answers to each."""
    tokens = [token.encode("utf-8", "ignore").decode() for token in tokens]
    assert decode_batch(encode_batch(tokens)) == tuple(tokens)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'{"events":[]}',
        b'{"events":"x"}',
        b'{"events":[1]}',
        b" " * (MAX_BODY + 1),
        encode_batch(["x"] * (MAX_EVENTS + 1)),
    ],
)
def test_a_request_that_is_no_batch_is_refused_as_a_whole(body: bytes) -> None:
    """Empty, too many, too large, not JSON."""
    with pytest.raises(ProtocolViolation):
        decode_batch(body)


@given(st.lists(st.integers(0, 40_000), max_size=240))
def test_what_fits_is_what_the_fund_takes(lengths: list[int]) -> None:
    """By number and by bytes; one more would not fit."""
    tokens = ["x" * length for length in lengths]
    count = fits(tokens)
    assert count <= MAX_EVENTS
    assert len(encode_batch(tokens[:count])) <= MAX_BODY
    if count < min(len(tokens), MAX_EVENTS):
        assert len(encode_batch(tokens[: count + 1])) > MAX_BODY - 1


def test_a_head_is_fresh_and_ours() -> None:
    """The nonce, the device and the signature are those of this question."""
    head = Head("desk-1", 5, "ab" * 32, False, "01" * 16, AT)
    body = encode_head(signed(head_members(head), HEAD_TYP))
    assert read_head(body, FUND.public_jwk, "desk-1", head.nonce) == head
    for device, nonce in (("desk-2", head.nonce), ("desk-1", "02" * 16)):
        with pytest.raises(ProtocolViolation, match="another question"):
            read_head(body, FUND.public_jwk, device, nonce)
    with pytest.raises(ProtocolViolation):
        read_head(encode_head(signed(head_members(head) | {"blocked": "no"}, HEAD_TYP)), FUND.public_jwk, "desk-1", "")
