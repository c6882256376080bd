"""The fast reading of plain JSON and the strict reading of any JSON are one reading."""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sync.errors import EnvelopeInvalid
from sync.strict_json import MAX_DEPTH, MAX_INTEGER, load

NUMBERS = (
    st.integers()
    | st.integers(-3, 3).map(lambda off: MAX_INTEGER + off)
    | st.integers(-3, 3).map(lambda off: 2**64 + off)
    | st.floats()
    | st.floats(width=16)
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(st.characters(codec=None), max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)
SNIPPETS = st.sampled_from(
    [b'"', b"\\u0041", b"\\ud800", b"\\/", b"e5", b"-0", b"0", b".0", b",", b" ", b"\xff", b"\xed\xa0\x80", b"\x7f",
     b'"a":1,', b"[", b"]", b"{", b"}", b"NaN", b"9007199254740992", b"\x00", b"\xef\xbb\xbf"]
)  # fmt: skip


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    """JSON objects as honest and as odd writers spell them, and almost-JSON: with something put in or cut out."""
    members = draw(st.dictionaries(st.text(max_size=3), VALUES, max_size=4))
    text = json.dumps(members, ensure_ascii=draw(st.booleans()), separators=(",", ":"))
    content = text.encode("utf-8", "surrogatepass")
    for _ in range(draw(st.integers(0, 2))):
        begin = draw(st.integers(0, len(content)))
        end = min(len(content), begin + draw(st.integers(0, 2)))
        content = content[:begin] + draw(SNIPPETS) + content[end:]
    return content


def outcome(content: bytes) -> str:
    """What reading gives, told apart to the type and the sign of zero; or the words of the refusal."""
    try:
        return repr(load(content))
    except EnvelopeInvalid as refused:
        return f"refused: {refused}"


@settings(max_examples=80)
@given(documents())
@example(b'{"a":1,"a":1}')
@example(b'{"a":-0}')
@example(b'{"a":-0.0}')
@example(b'{"a":9007199254740991}')
@example(b'{"a":9007199254740992}')
@example(b'{"a":18446744073709551616}')
@example(b'{"a":1e400}')
@example(b'{"a":NaN}')
@example(b'{"a":1e5}')
@example(b'{"a":"\\ud800"}')
@example(b'{"a":"\xed\xa0\x80"}')
@example(b'{"a":' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}")
@example(b'{"a":' + b"[" * (MAX_DEPTH - 1) + b"0" + b"]" * (MAX_DEPTH - 1) + b"}")
@example(b'{"a":' + b"[" * 2000 + b"]" * 2000 + b"}")
def test_a_plain_document_reads_as_the_same_document_with_a_space(content: bytes) -> None:
    """A space more means nothing, and only the strict reader takes it: same value, same refusal."""
    assert outcome(content) == outcome(content + b" ")


@pytest.mark.parametrize("content", [b'{"a":1}', b'{"a":0.05,"b":["\xd2\x9a"],"c":{"d":null,"e":true}}'])
def test_plain_documents_are_read(content: bytes) -> None:
    """What a desk writes."""
    assert load(content) == json.loads(content)
