"""The fund's decision about one token: each row of the table in PROTOCOL.md, and what no token can do."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync.compact import assemble, digest_of, encode_part, signing_input
from sync.envelope import EVENT_TYP, GENESIS
from sync.errors import DatabaseDamaged
from sync.fund.ingest import Verdict, examine_all, judge_batch
from sync.fund.rows import NO_EVENTS, Decided, Device, Head, View
from sync.protocol import RECEIPT_TYP, Result
from sync.signing import PublicJwk, sign_compact
from tests.sync_fund.desk import FakeDesk, taken_apart, twin_signature

NOTHING: Mapping[int, Decided] = {}

_SOME_KEY = PublicJwk("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")
"""The example key of RFC 7517, appendix A.1."""


def _judge(
    token: str, device: Device, head: Head = NO_EVENTS, decided: Mapping[int, Decided] = NOTHING, *ids: str
) -> Verdict:
    """The answer of a gateway to a batch of one. decided, ids: what is stored."""
    view = View(device, head, dict(decided), frozenset(ids))
    ((verdict, _),) = judge_batch(examine_all([token], device), view).verdicts
    return verdict


@pytest.fixture
def desk(tmp_path: Path) -> FakeDesk:
    """A desk."""
    return FakeDesk(tmp_path)


@pytest.fixture
def device(desk: FakeDesk) -> Device:
    """Its registration."""
    return Device(desk.device, "Clinic", "Desk", "file", desk.signer.public_jwk)


def test_the_first_event_of_a_chain_is_accepted(desk: FakeDesk, device: Device) -> None:
    """Row 10: it follows the empty chain."""
    token = desk.next()
    verdict = _judge(token, device)
    assert (verdict.result, verdict.seq, verdict.reason, verdict.digest) == (Result.ACCEPTED, 1, None, digest_of(token))
    assert verdict.event is not None
    assert (verdict.event.token, verdict.event.digest, verdict.event.refused) == (token, digest_of(token), None)


def test_a_token_that_is_none_is_refused_without_a_number(device: Device) -> None:
    """Row 1: anything else than a token, however odd, has a digest and a refusal."""
    for text in ("", ".", "a.b.c", "\ud800", "x" * 20_000, "..", "🙂.🙂.🙂"):
        verdict = _judge(text, device)
        assert (verdict.result, verdict.seq, verdict.reason) == (Result.REJECTED, None, "malformed")
        assert verdict.digest == digest_of(text)
        assert verdict.event is None


def test_a_signed_payload_that_is_no_event_is_malformed(desk: FakeDesk, device: Device) -> None:
    """Row 1: a good signature over something else."""
    for payload in (b"{}", b"[]", b"null", b'{"v":1,"v":1}', b"\xff", b'{"v":2}', b"[" * 9000):
        verdict = _judge(sign_compact(desk.signer, EVENT_TYP, payload), device)
        assert (verdict.seq, verdict.reason) == (None, "malformed")


def test_another_type_of_token_is_not_an_event(desk: FakeDesk, device: Device) -> None:
    """A receipt or head that the same key signed cannot pass as an event."""
    payload = taken_apart(desk.next()).payload
    assert _judge(sign_compact(desk.signer, RECEIPT_TYP, payload), device).reason == "malformed"


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "ES384"},
        {"jwk": {"kty": "EC"}},
        {"x5u": "https://127.0.0.1/"},
        {"crit": ["b64"], "b64": False},
        {"typ": None},
    ],
    ids="-".join,
)
def test_the_header_cannot_choose_how_it_is_verified(desk: FakeDesk, device: Device, header: dict[str, object]) -> None:
    """Only ES256 under the registered key: no other algorithm, no key or address from the header."""
    payload = taken_apart(desk.next()).payload
    fields = {"alg": "ES256", "kid": desk.signer.key_id, "typ": EVENT_TYP} | header
    signed = f"{encode_part(json.dumps(fields).encode())}.{encode_part(payload)}".encode()
    for token in (assemble(signed, desk.signer.sign(signed)), f"{signed.decode()}."):
        assert _judge(token, device).reason == "malformed"


def test_a_key_in_place_of_the_registered_one_is_refused(desk: FakeDesk, device: Device, tmp_path: Path) -> None:
    """Row 2: another key, whether it says so or borrows the kid."""
    other = FakeDesk(tmp_path, desk.device)
    honest = other.next()
    signed = signing_input(desk.signer.key_id, EVENT_TYP, taken_apart(honest).payload)
    for token in (honest, assemble(signed, other.signer.sign(signed))):
        verdict = _judge(token, device)
        assert (verdict.result, verdict.seq, verdict.reason) == (Result.REJECTED, None, "signature")


def test_an_event_of_another_device_is_refused(desk: FakeDesk, device: Device) -> None:
    """Row 3: signature, payload and path must agree."""
    verdict = _judge(desk.event(1, GENESIS, device="desk-other"), device)
    assert (verdict.result, verdict.seq, verdict.reason) == (Result.REJECTED, None, "device")


def test_an_event_again_is_known_also_with_the_other_signature(desk: FakeDesk, device: Device) -> None:
    """Row 4: compared by digest; (r, n - s) is the same event."""
    token = desk.next()
    stored = {1: Decided(digest_of(token), None)}
    for same in (token, twin_signature(token)):
        verdict = _judge(same, device, Head(1, desk.prev), stored)
        assert (verdict.result, verdict.seq, verdict.event, verdict.fork) == (Result.KNOWN, 1, None, None)


def test_a_refused_event_again_is_refused_for_the_same_reason(desk: FakeDesk, device: Device) -> None:
    """Row 4: the stored decision stands."""
    token = desk.next()
    stored = {1: Decided(digest_of(token), "id_reused")}
    verdict = _judge(token, device, Head(1, desk.prev), stored)
    assert (verdict.result, verdict.seq, verdict.reason) == (Result.REFUSED, 1, "id_reused")


def test_another_event_of_a_stored_number_is_a_fork(desk: FakeDesk, device: Device) -> None:
    """Row 5: the trap of taking it for a retransmission."""
    token = desk.next()
    stored = {1: Decided(digest_of(token), None)}
    rival = desk.event(1, GENESIS)
    verdict = _judge(rival, device, Head(1, desk.prev), stored)
    assert (verdict.result, verdict.seq, verdict.reason) == (Result.FORKED, 1, "seq")
    assert verdict.fork is not None
    assert (verdict.fork.kept_digest, verdict.fork.token) == (digest_of(token), rival)


def test_a_blocked_device_is_known_for_what_it_sent_but_goes_no_further(desk: FakeDesk, device: Device) -> None:
    """Row 6 comes after row 4."""
    token = desk.next()
    stored = {1: Decided(digest_of(token), None)}
    blocked = replace(device, blocked="forked at event 1")
    head = Head(1, desk.prev)
    assert _judge(token, blocked, head, stored).result is Result.KNOWN
    verdict = _judge(desk.next(), blocked, head, stored)
    assert (verdict.result, verdict.seq, verdict.reason, verdict.event) == (Result.GAP, 2, "device_blocked", None)


def test_a_number_beyond_the_next_is_a_gap(desk: FakeDesk, device: Device) -> None:
    """Row 7."""
    verdict = _judge(desk.event(3, "1" * 64), device)
    assert (verdict.result, verdict.seq, verdict.reason, verdict.event) == (Result.GAP, 3, "missing", None)


def test_the_next_number_after_another_history_is_a_fork(desk: FakeDesk, device: Device) -> None:
    """Row 8: its prev is an event the fund never saw."""
    token = desk.next()
    rival = desk.event(2, "1" * 64)
    verdict = _judge(rival, device, Head(1, digest_of(token)))
    assert (verdict.result, verdict.seq, verdict.reason) == (Result.FORKED, 2, "prev")
    assert verdict.fork is not None
    assert verdict.fork.kept_digest == digest_of(token)


def test_an_id_used_before_is_refused_but_holds_nothing_up(desk: FakeDesk, device: Device) -> None:
    """Row 9: the event is kept with its reason and the chain goes on."""
    verdict = _judge(desk.next(event_id="a" * 32), device, NO_EVENTS, NOTHING, "a" * 32)
    assert (verdict.result, verdict.seq, verdict.reason) == (Result.REFUSED, 1, "id_reused")
    assert verdict.event is not None
    assert verdict.event.refused == "id_reused"


def test_a_hole_in_the_store_stops_the_fund(desk: FakeDesk, device: Device) -> None:
    """Nothing is decided about an event that the store should have and has not."""
    with pytest.raises(DatabaseDamaged, match="event 1"):
        _judge(desk.next(), device, Head(1, desk.prev))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(0, 10_000), bit=st.integers(0, 6))
def test_no_flipped_bit_passes(desk: FakeDesk, device: Device, position: int, bit: int) -> None:
    """Any altered character makes a token refused, without a number."""
    token = desk.event(1, GENESIS, event_id="b" * 32)
    position %= len(token)
    altered = token[:position] + chr(ord(token[position]) ^ (1 << bit)) + token[position + 1 :]
    verdict = _judge(altered, device)
    assert (verdict.result, verdict.seq, verdict.event) == (Result.REJECTED, None, None)


@given(text=st.text())
def test_any_text_gives_a_verdict(text: str) -> None:
    """Whatever is offered, the answer is a refusal and never an error."""
    device = Device("desk-1", "Clinic", "Desk", "file", _SOME_KEY)
    assert _judge(text, device).result is Result.REJECTED
