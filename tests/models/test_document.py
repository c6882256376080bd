"""Documents: each kind of field takes its own kind of value only."""

from collections.abc import Callable

import pytest

from models import document
from models.document import MAX_DOCUMENT_BYTES, Fields, Json
from models.errors import PackDamaged


def _fields(value: Json) -> Fields:
    return document.read(document.write({"a": value}), "example.json")


TAKEN: list[tuple[Callable[[Fields], object], Json, object]] = [
    (lambda f: f.text("a"), "x y", "x y"),
    (lambda f: f.slug("a"), "x-1.y", "x-1.y"),
    (lambda f: f.sha256("a"), "0f" * 32, "0f" * 32),
    (lambda f: f.choice("a", ["x", "y"]), "y", "y"),
    (lambda f: f.flag("a"), False, False),
    (lambda f: f.whole("a", 0, 9), 9, 9),
    (lambda f: f.number("a", -1, 1), 0.5, 0.5),
    (lambda f: f.numbers("a", 2), [1, 2.5], (1.0, 2.5)),
    (lambda f: f.points("a"), [[1, 2], [3, 4]], ((1.0, 2.0), (3.0, 4.0))),
]


@pytest.mark.parametrize(("take", "value", "expected"), TAKEN)
def test_a_right_value_is_taken_once(take: Callable[[Fields], object], value: Json, expected: object) -> None:
    """And then nothing is left."""
    fields = _fields(value)
    assert fields.has("a")
    assert take(fields) == expected
    fields.end()
    assert not fields.has("a")
    with pytest.raises(PackDamaged, match=r"example\.json: field 'a' is missing"):
        take(fields)


@pytest.mark.parametrize("take", [take for take, _, _ in TAKEN])
@pytest.mark.parametrize("value", [None, "", " x", -7, 1e300, [1], [None, 1], [[1, 2, 3]], [["1", 2]], {}])
def test_a_wrong_value_is_refused(take: Callable[[Fields], object], value: Json) -> None:
    """The failure names document and field."""
    with pytest.raises(PackDamaged, match=r"example\.json: field 'a'"):
        take(_fields(value))


def test_objects_are_read_in_place() -> None:
    """With their place in the message."""
    fields = _fields([{"b": 1}, 2])
    with pytest.raises(PackDamaged, match=r"a\[1\]: not an object"):
        fields.objects("a")
    with pytest.raises(PackDamaged, match=r"example\.json: a: not an object"):
        _fields(3).object("a")
    inner = _fields({"b": 1}).object("a")
    with pytest.raises(PackDamaged, match=r"example\.json: a: unknown field 'b'"):
        inner.end()


@pytest.mark.parametrize(
    "text", ["NaN", "Infinity", "-Infinity", '{"a": NaN}', '{"a": 1, "a": 1}', "[]", "1", "\ud800"]
)
def test_what_is_no_plain_document_is_refused(text: str) -> None:
    """No number that is none, no field twice, nothing but an object."""
    with pytest.raises(PackDamaged, match=r"example\.json"):
        document.read(text.encode("utf-8", "surrogatepass"), "example.json")


def test_a_huge_document_is_refused_unread() -> None:
    """Before it is parsed."""
    with pytest.raises(PackDamaged, match="larger than"):
        document.read(b" " * (MAX_DOCUMENT_BYTES + 1), "example.json")
