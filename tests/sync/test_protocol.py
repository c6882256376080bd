"""Messages: any bytes give a value or ProtocolViolation; a receipt counts for exactly one batch."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from sync.envelope import GENESIS
from sync.errors import ProtocolViolation
from sync.protocol import (
    HEAD_TYP,
    MAX_ANSWER,
    MAX_BODY,
    MAX_COMMAS,
    MAX_EVENTS,
    MAX_RECEIPT,
    RECEIPT_TYP,
    Decision,
    Head,
    Outgoing,
    Receipt,
    Result,
    decode_batch,
    encode_batch,
    encode_head,
    encode_receipt,
    fits,
    head_members,
    offer_of,
    read_head,
    read_receipts,
    receipt_members,
)
from sync.signing import FileSigner, sign_members
from sync.strict_json import JsonObject

FUND = FileSigner(ec.generate_private_key(ec.SECP256R1()))
AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
BATCH = tuple(Outgoing(seq, f"{seq:064x}", f"token-{seq}") for seq in (7, 8))
OFFERED = offer_of(sent.digest for sent in BATCH)
GOOD = Receipt("desk-1", OFFERED, (Decision(Result.ACCEPTED),) * 2, 8, "ab" * 32, AT)


def answer(receipt: Receipt) -> bytes:
    """What the fund sends."""
    return encode_receipt(signed(receipt_members(receipt)))


def signed(members: JsonObject, typ: str = RECEIPT_TYP) -> str:
    """A token of the fund with any payload."""
    return sign_members(FUND, typ, members)


def read(body: bytes) -> Receipt:
    """Read an answer to BATCH."""
    return read_receipts(body, FUND.public_jwk, "desk-1", BATCH).receipt


DECISIONS = st.sampled_from(
    [
        Decision(Result.ACCEPTED),
        Decision(Result.KNOWN),
        Decision(Result.REFUSED, "id_reused"),
        Decision(Result.REJECTED, "signature"),
        Decision(Result.FORKED, "seq"),
        Decision(Result.GAP, "missing"),
    ]
)


@given(st.lists(DECISIONS, min_size=1, max_size=MAX_EVENTS))
def test_decisions_read_back_as_they_were_signed(decisions: list[Decision]) -> None:
    """Each at its place, whatever stands beside it."""
    batch = [Outgoing(seq, f"{seq:064x}", "t") for seq in range(1, len(decisions) + 1)]
    offered = offer_of(sent.digest for sent in batch)
    sent = replace(GOOD, offered=offered, decisions=tuple(decisions), have=len(batch))
    assert read_receipts(answer(sent), FUND.public_jwk, "desk-1", batch).receipt == sent


def test_the_longest_receipt_is_not_too_long() -> None:
    """Every event with a reason of its own, as long as reasons get."""
    decisions = tuple(Decision(Result.REJECTED, f"{place:064d}") for place in range(MAX_EVENTS))
    assert len(signed(receipt_members(replace(GOOD, decisions=decisions)))) <= MAX_RECEIPT


@pytest.mark.parametrize(
    "receipt",
    [
        replace(GOOD, decisions=()),
        replace(GOOD, decisions=GOOD.decisions[:1]),
        replace(GOOD, decisions=GOOD.decisions * 2),
        replace(GOOD, device="desk-2"),
        replace(GOOD, offered=offer_of([])),
        replace(GOOD, offered=offer_of(sent.digest for sent in BATCH[::-1])),
        replace(GOOD, have=7),
        replace(GOOD, decisions=(Decision(Result.KNOWN), Decision(Result.REFUSED, "id_reused")), have=7),
        replace(GOOD, decisions=(Decision(Result.GAP, "missing"),) * 2, have=0),
        replace(GOOD, digest=GENESIS),
    ],
)
def test_a_receipt_for_anything_else_settles_nothing(receipt: Receipt) -> None:
    """Another count, device or batch; an acceptance that the fund's own head denies; a head without its event."""
    with pytest.raises(ProtocolViolation):
        read(answer(receipt))


@pytest.mark.parametrize(
    "change",
    [
        {"v": 1},
        {"results": None},
        {"results": [["accepted", None, 2], "accepted"]},
        {"results": [["perhaps", None, 2]]},
        {"results": [[None, None, 2]]},
        {"results": [["accepted", None, True], ["accepted", None, 1]]},
        {"results": [["accepted", None, 2], ["accepted", None, 0]]},
        {"results": [["accepted", None, 3], ["accepted", None, -1]]},
        {"results": [["accepted", None, 2, 1]]},
        {"results": [["accepted", "why", 2]]},
        {"results": [["gap", None, 2]]},
        {"results": [["gap", "Not a code", 2]]},
        {"results": [["accepted", None, 2**40]]},
        {"have": -1},
        {"at": "yesterday"},
        {"offered": "short"},
        {"digest": "short"},
    ],
)
def test_a_receipt_with_a_wrong_member_is_refused(change: JsonObject) -> None:
    """Even when the fund signed it."""
    with pytest.raises(ProtocolViolation):
        read(encode_receipt(signed(receipt_members(GOOD) | change)))


def test_a_receipt_of_another_kind_or_key_is_refused() -> None:
    """A head is no receipt; a receipt of somebody else is nothing."""
    other = FileSigner(ec.generate_private_key(ec.SECP256R1()))
    for bad in (signed(receipt_members(GOOD), HEAD_TYP), sign_members(other, RECEIPT_TYP, receipt_members(GOOD))):
        with pytest.raises(ProtocolViolation):
            read(encode_receipt(bad))


def test_a_newer_fund_may_say_more() -> None:
    """Unknown members, in the receipt and beside it."""
    token = signed(receipt_members(GOOD) | {"grease": 1})
    assert read(json.dumps({"receipt": token, "grease": 1}).encode()) == GOOD


@given(st.binary(max_size=200) | st.text(max_size=60).map(lambda text: json.dumps({"receipt": text}).encode()))
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


def test_only_a_gap_leaves_an_event_undecided() -> None:
    """Every other result is the fund's word about the event itself."""
    assert [result for result in Result if not result.decides] == [Result.GAP]


def test_a_batch_of_many_small_values_is_refused_unread() -> None:
    """Two bytes each, a second of the fund's time in all; a whole batch is read, also with some commas in it."""
    with pytest.raises(ProtocolViolation, match="commas"):
        decode_batch(b'{"events":[' + b",".join([b"1"] * (MAX_COMMAS + 2)) + b"]}")
    tokens = ["a,b,c"] * MAX_EVENTS
    assert decode_batch(encode_batch(tokens)) == tuple(tokens)
