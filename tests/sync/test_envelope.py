"""The format of an event: what is written reads back, and nothing else reads."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sync.compact import assemble, decode_part, digest_of, encode_part, signing_input, split
from sync.envelope import (
    EVENT_TYP,
    GENESIS,
    MAX_PAYLOAD,
    MAX_SEQ,
    MAX_TOKEN,
    Event,
    Moment,
    TimeTrust,
    event_payload,
    format_time,
    parse_event,
    parse_time,
)
from sync.errors import EnvelopeInvalid, SignatureInvalid
from sync.signing import FileSigner, sign_compact, sign_members, verify
from sync.strict_json import MAX_DEPTH, MAX_INTEGER, Members, dump, load

SIGNER = FileSigner(ec.generate_private_key(ec.SECP256R1()))
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
numbers = st.integers(-MAX_INTEGER, MAX_INTEGER) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
walls = st.datetimes(datetime(2001, 1, 1), datetime(2999, 1, 1), timezones=offsets).map(  # noqa: DTZ001 - given above
    lambda wall: wall.replace(microsecond=wall.microsecond // 1000 * 1000)
)
counts = st.integers(0, MAX_SEQ)
hexes = st.text("0123456789abcdef", min_size=64, max_size=64)
moments = st.builds(Moment, walls, counts, st.uuids().map(str), st.sampled_from(TimeTrust), counts)
events = st.builds(
    Event,
    kind=st.from_regex(r"[a-z][a-z0-9_]{0,31}", fullmatch=True),
    kind_v=st.integers(1, MAX_SEQ),
    event_id=hexes.map(lambda text: text[:32]),
    device=st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True),
    seq=st.integers(1, MAX_SEQ),
    prev=hexes,
    moment=moments,
    data=st.dictionaries(texts, values, max_size=4),
)
EVENT = Event(
    "checked_in",
    1,
    "0f" * 16,
    "desk-1",
    1,
    GENESIS,
    Moment(datetime(2026, 11, 23, 9, tzinfo=UTC), 5, "boot-1", TimeTrust.SYSTEM, 60_000),
    {"service": "Қабылдау", "score": 0.71},
)
TOKEN = sign_compact(SIGNER, EVENT_TYP, event_payload(EVENT))


def with_payload(**members: object) -> str:
    """A validly signed token whose payload differs from a good event's in these members; None removes one."""
    payload = json.loads(event_payload(EVENT))
    for name, value in members.items():
        payload[name] = value
        if value is None:
            del payload[name]
    return sign_compact(SIGNER, EVENT_TYP, json.dumps(payload).encode())


@given(events)
def test_an_event_reads_back_as_it_was_signed(event: Event) -> None:
    """Round trip, for any event."""
    token = sign_compact(SIGNER, EVENT_TYP, event_payload(event))
    compact = verify(SIGNER.public_jwk, token, EVENT_TYP, MAX_TOKEN)
    signed = parse_event(token)
    assert signed.event == event
    assert signed.digest == compact.digest == digest_of(token)
    assert len(token) <= MAX_TOKEN


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, len(TOKEN) - 1), st.characters(codec="ascii"))
@example(len(TOKEN) - 1, "A")
def test_no_character_of_a_token_can_be_changed(place: int, character: str) -> None:
    """Any other character anywhere, the padding bits of the last one included, fails verification."""
    altered = TOKEN[:place] + character + TOKEN[place + 1 :]
    if altered != TOKEN:
        with pytest.raises(EnvelopeInvalid):
            verify(SIGNER.public_jwk, altered, EVENT_TYP, MAX_TOKEN)


@given(st.text(max_size=60) | st.lists(st.sampled_from(TOKEN.split(".")), max_size=4).map(".".join))
def test_any_text_is_an_event_or_invalid(text: str) -> None:
    """Nothing but EnvelopeInvalid comes out of the parser."""
    if text == TOKEN:
        assert parse_event(text).event == EVENT
        return
    with pytest.raises(EnvelopeInvalid):
        verify(SIGNER.public_jwk, parse_event(text).token, EVENT_TYP, MAX_TOKEN)


def test_a_malleated_signature_is_the_same_event() -> None:
    """(r, n - s) verifies as well; the digest does not change, so it can never pass for a second event."""
    compact = split(TOKEN, EVENT_TYP, MAX_TOKEN)
    s = P256_ORDER - int.from_bytes(compact.signature[32:], "big")
    twin = assemble(compact.signing_input, compact.signature[:32] + s.to_bytes(32, "big"))
    assert twin != TOKEN
    assert verify(SIGNER.public_jwk, twin, EVENT_TYP, MAX_TOKEN).digest == digest_of(TOKEN)


def test_the_signature_must_be_by_the_expected_key() -> None:
    """A token of another key, and one that only claims our key's id, are refused."""
    other = FileSigner(ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(SignatureInvalid, match="another key"):
        verify(SIGNER.public_jwk, sign_compact(other, EVENT_TYP, event_payload(EVENT)), EVENT_TYP, MAX_TOKEN)
    signed = signing_input(SIGNER.key_id, EVENT_TYP, event_payload(EVENT))
    with pytest.raises(SignatureInvalid, match="does not verify"):
        verify(SIGNER.public_jwk, assemble(signed, other.sign(signed)), EVENT_TYP, MAX_TOKEN)


@pytest.mark.parametrize(
    "signature", [b"\0" * 64, b"\xff" * 64, SIGNER.sign(b"something else")], ids=["0", "ff", "other"]
)
def test_a_wrong_signature_does_not_verify(signature: bytes) -> None:
    """Zero, out of range, and of other bytes."""
    signed = signing_input(SIGNER.key_id, EVENT_TYP, event_payload(EVENT))
    with pytest.raises(SignatureInvalid):
        verify(SIGNER.public_jwk, assemble(signed, signature), EVENT_TYP, MAX_TOKEN)


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none", "kid": SIGNER.key_id, "typ": EVENT_TYP},
        {"alg": "HS256", "kid": SIGNER.key_id, "typ": EVENT_TYP},
        {"alg": "ES256", "kid": SIGNER.key_id, "typ": "receipt+jws"},
        {"alg": "ES256", "kid": SIGNER.key_id},
        {"alg": "ES256", "kid": SIGNER.key_id, "typ": EVENT_TYP, "jwk": {}},
        {"alg": "ES256", "kid": SIGNER.key_id, "typ": EVENT_TYP, "crit": ["b64"], "b64": False},
        {"alg": "ES256", "kid": "short", "typ": EVENT_TYP},
        {"alg": "ES256", "kid": 5, "typ": EVENT_TYP},
        [],
    ],
)
def test_only_the_one_header_is_read(header: object) -> None:
    """No other algorithm, no key in the header, nothing besides alg, kid, typ."""
    signed = f"{encode_part(json.dumps(header).encode())}.{encode_part(event_payload(EVENT))}".encode()
    with pytest.raises(EnvelopeInvalid):
        verify(SIGNER.public_jwk, assemble(signed, SIGNER.sign(signed)), EVENT_TYP, MAX_TOKEN)


def test_a_long_header_is_refused_unread() -> None:
    """White space makes it no other header, and reading megabytes of it costs the fund time."""
    header = dump({"alg": "ES256", "kid": SIGNER.key_id, "typ": "visit+jws"}) + b" " * 150
    signed = f"{encode_part(header)}.{encode_part(event_payload(EVENT))}".encode()
    with pytest.raises(EnvelopeInvalid, match="longer than 256"):
        split(assemble(signed, SIGNER.sign(signed)), "visit+jws", 16384)


def test_a_header_that_names_a_member_twice_is_refused() -> None:
    """Readers disagree about which one counts."""
    header = b'{"alg":"none","kid":"%s","typ":"visit+jws","alg":"ES256"}' % SIGNER.key_id.encode()
    signed = f"{encode_part(header)}.{encode_part(event_payload(EVENT))}".encode()
    with pytest.raises(EnvelopeInvalid, match="twice"):
        verify(SIGNER.public_jwk, assemble(signed, SIGNER.sign(signed)), EVENT_TYP, MAX_TOKEN)


@pytest.mark.parametrize("text", ["QQ==", "QR", "Q", "Q+", "Q/", "Q\n", " QQ", "Qé", "QQ=", "Q!Q"])
def test_base64url_has_one_spelling(text: str) -> None:
    """Padding, loose bits, the other alphabet, white space: all refused."""
    with pytest.raises(EnvelopeInvalid):
        decode_part(text)


def test_a_signature_has_64_bytes() -> None:
    """A DER signature, as most libraries give it, is not one."""
    with pytest.raises(EnvelopeInvalid, match="64 bytes"):
        parse_event(f"{TOKEN.rpartition('.')[0]}.{encode_part(b'0' * 70)}")


def test_a_token_has_a_maximum() -> None:
    """Measured before anything is decoded."""
    with pytest.raises(EnvelopeInvalid, match="longer"):
        parse_event("A" * (MAX_TOKEN + 1))


def test_unknown_members_are_ignored() -> None:
    """A newer desk may say more; an older reader reads what it knows."""
    assert parse_event(with_payload(grease={"anything": [1]})).event == EVENT


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("v", 2),
        ("v", True),
        ("v", None),
        ("kind", "Checked in"),
        ("kind", 5),
        ("kind_v", 0),
        ("kind_v", 1.0),
        ("id", "0F" * 16),
        ("device", "-desk"),
        ("device", "desk/../x"),
        ("seq", 0),
        ("seq", "1"),
        ("seq", 2**53),
        ("prev", "0" * 63),
        ("boot", ""),
        ("mono_ms", -1),
        ("wall", "2026-11-23T09:00:00"),
        ("wall", "2026-11-23 09:00:00Z"),
        ("wall", "2026-02-30T09:00:00Z"),
        ("wall", "2026-11-23T09:00:00+25:00"),
        ("clock", {"trust": "certain", "uncertainty_ms": 1}),
        ("clock", {"trust": "fund", "uncertainty_ms": -1}),
        ("clock", "fund"),
        ("data", []),
    ],
)
def test_a_wrong_member_is_refused(name: str, value: object) -> None:
    """Every member has one type and one range."""
    with pytest.raises(EnvelopeInvalid):
        parse_event(with_payload(**{name: value}))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b'{"a":1,"a":1}',
        b'{"a":{"b":1,"b":2}}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":1e999}',
        b'{"a":9007199254740993}',
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":"\\ud800"}',
        b'{"\\ud800":1}',
        b'{"a":' + b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1) + b"}",
        b"[" * 100_000,
    ],
)
def test_json_that_readers_disagree_about_is_refused(content: bytes) -> None:
    """Duplicates, NaN, huge integers, half surrogates, deep nesting."""
    with pytest.raises(EnvelopeInvalid):
        load(content)


def test_members_name_what_is_wrong() -> None:
    """Lists, flags and optional members are as strict as the rest."""
    members = Members.parse(b'{"list":["a",1],"long":["a","b"],"text":"x","none":null,"flag":1,"number":3}')
    for bad in (
        lambda: members.texts("list", 5),
        lambda: members.texts("long", 1),
        lambda: members.texts("text", 5),
        lambda: members.flag("flag"),
        lambda: members.object("text"),
    ):
        with pytest.raises(EnvelopeInvalid):
            bad()
    assert members.texts("long", 2) == ("a", "b")
    assert members.names == {"list", "long", "text", "none", "flag", "number"}


@pytest.mark.parametrize(
    "event",
    [
        replace(EVENT, seq=0),
        replace(EVENT, data={"a": float("nan")}),
        replace(EVENT, data={"a": 2**60}),
        replace(EVENT, data={"a": "x" * MAX_PAYLOAD}),
        replace(EVENT, moment=replace(EVENT.moment, wall=datetime(2026, 1, 1))),  # noqa: DTZ001 - that is the point
    ],
)
def test_what_could_not_be_read_is_never_signed(event: Event) -> None:
    """A malformed event is a bug of the caller, found before it enters the chain."""
    with pytest.raises(ValueError):  # noqa: PT011 - the messages differ
        event_payload(event)


def test_times_keep_their_offset() -> None:
    """Five hours east stay five hours east; a Z is UTC."""
    east = datetime(2026, 11, 23, 14, tzinfo=timezone(timedelta(hours=5)))
    assert format_time(east) == "2026-11-23T14:00:00.000+05:00"
    assert parse_time("2026-11-23T14:00:00.000+05:00").utcoffset() == timedelta(hours=5)
    assert parse_time("2026-11-23T09:00:00Z") == east


def test_a_digest_exists_for_any_text() -> None:
    """The fund answers to what it cannot read, too."""
    assert digest_of("a.b.c") == digest_of("a.b.other")
    assert digest_of("no dot") != digest_of("no dots")
    assert len(digest_of("\ud800.x")) == 64


def test_the_payload_is_small_and_in_utf_8() -> None:
    """Kazakh text is not blown up by escapes."""
    assert "Қабылдау".encode() in event_payload(EVENT)
    assert dump({"a": "Қ"}) == b'{"a":"\xd2\x9a"}'
    assert sign_members(SIGNER, "x", {"a": 1}).count(".") == 2
