"""JSON as this project exchanges it: UTF-8, no duplicate names, no values that readers disagree about.

What the members mean is left to the callers. Refused besides what RFC 8259 refuses: duplicate names,
NaN and infinities, integers beyond 2^53 - 1, lone surrogates, nesting deeper than MAX_DEPTH.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NoReturn, TypeAlias

import orjson

from sync.errors import EnvelopeInvalid

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
"""A JSON value."""

JsonObject: TypeAlias = dict[str, Json]
"""A JSON object."""

MAX_DEPTH: Final = 8
"""Levels of nesting; our deepest document has four. Bounds the recursion below."""

MAX_INTEGER: Final = 2**53 - 1
"""The largest integer that every JSON reader keeps exactly (RFC 8259, section 6)."""


def dump(value: Mapping[str, Json]) -> bytes:
    """Compact UTF-8 JSON. What `load` would refuse is the caller's bug (ValueError)."""
    try:
        _check(dict(value), MAX_DEPTH)
    except EnvelopeInvalid as error:
        raise ValueError(f"not exchangeable JSON: {error}") from error
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8")


def load(content: bytes, most: int | None = None) -> JsonObject:
    """Read one JSON object. Raises EnvelopeInvalid.

    most: commas, counted before anything is read, also those in texts. Time goes with the number of values, so
    without it megabytes from outside take long: 2 MiB of `1,1,1` 0.75 s, the largest batch of events 1.4 ms.
    """
    if most is not None and content.count(b",") > most:
        raise EnvelopeInvalid(f"a JSON document with more than {most} commas")
    value = _plain(content)
    if value is None:
        value = _any(content)
    if content.count(b"{") + content.count(b"[") > MAX_DEPTH:  # fewer brackets cannot nest deeper
        _check_depth(value, MAX_DEPTH)
    return value


def _plain(content: bytes) -> JsonObject | None:
    """The object whose plain spelling (compact, nothing escaped that need not be) is exactly this; None for all else.

    Written again it gives the same bytes, so nothing in it is there twice, rounded, half a surrogate pair, or beyond
    2^53 - 1. None says nothing: `_any` reads it, and says what is wrong. A fifth of the time, for all honest desks.
    """
    try:
        value = orjson.loads(content)
        same = orjson.dumps(value, option=orjson.OPT_STRICT_INTEGER) == content
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None
    return value if same and isinstance(value, dict) else None


def _any(content: bytes) -> JsonObject:
    """Read any spelling of one JSON object; its depth is not looked at. Raises EnvelopeInvalid."""
    try:
        value: Json = _DECODER.decode(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise EnvelopeInvalid("not a JSON document in UTF-8") from error
    if not isinstance(value, dict):
        raise EnvelopeInvalid("not a JSON object")
    if b"\\u" in content:  # only so can half a surrogate pair be spelled in UTF-8
        _check(value, MAX_DEPTH)
    return value


@dataclass(frozen=True, slots=True)
class Members:
    """The members of a JSON object, asked for by name and type; each accessor raises EnvelopeInvalid."""

    content: JsonObject

    @classmethod
    def parse(cls, content: bytes, most: int | None = None) -> "Members":
        """Read one JSON object; most: see `load`."""
        return cls(load(content, most))

    @property
    def names(self) -> set[str]:
        """The names that are there."""
        return set(self.content)

    def text(self, name: str, pattern: re.Pattern[str] | None = None) -> str:
        """A string that matches the pattern as a whole."""
        value = self.content.get(name)
        if not isinstance(value, str) or (pattern is not None and not pattern.fullmatch(value)):
            raise EnvelopeInvalid(f"{name} is missing or not what it should be")
        return value

    def optional_text(self, name: str, pattern: re.Pattern[str]) -> str | None:
        """As `text`, or None where the member is null or absent."""
        return None if self.content.get(name) is None else self.text(name, pattern)

    def integer(self, name: str, least: int, most: int) -> int:
        """An integer between least and most, both included."""
        value = self.content.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise EnvelopeInvalid(f"{name} is missing or not an integer from {least} to {most}")
        return value

    def flag(self, name: str) -> bool:
        """True or false."""
        value = self.content.get(name)
        if not isinstance(value, bool):
            raise EnvelopeInvalid(f"{name} is missing or not true or false")
        return value

    def object(self, name: str) -> "Members":
        """A nested object."""
        value = self.content.get(name)
        if not isinstance(value, dict):
            raise EnvelopeInvalid(f"{name} is missing or not an object")
        return Members(value)

    def texts(self, name: str, most: int) -> tuple[str, ...]:
        """A list of at most so many strings."""
        value = self.content.get(name)
        if not isinstance(value, list) or len(value) > most:
            raise EnvelopeInvalid(f"{name} is missing or not a list of at most {most} strings")
        texts = tuple(item for item in value if isinstance(item, str))
        if len(texts) != len(value):
            raise EnvelopeInvalid(f"{name} holds something that is not a string")
        return texts


def _unique(pairs: list[tuple[str, Json]]) -> JsonObject:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise EnvelopeInvalid("a JSON object names a member twice")
    return members


def _no_constant(name: str) -> NoReturn:
    raise EnvelopeInvalid(f"{name} is not JSON")


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:  # before it is read: that takes time in proportion to the square of the length
        raise EnvelopeInvalid("an integer is beyond 2^53 - 1")
    number = int(digits)
    if not -MAX_INTEGER <= number <= MAX_INTEGER:
        raise EnvelopeInvalid("an integer is beyond 2^53 - 1")
    return number


def _fraction(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise EnvelopeInvalid("a number is not finite")
    return number


_MAX_DIGITS: Final = len(f"-{MAX_INTEGER}")
_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_integer, parse_float=_fraction, parse_constant=_no_constant
)
"""Made once; what it has let pass needs no second look at its numbers and names."""


def _check_depth(value: JsonObject | list[Json], depth: int) -> None:
    if value and not depth:
        raise EnvelopeInvalid(f"JSON nested deeper than {MAX_DEPTH} levels")
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, (dict, list)):
            _check_depth(item, depth - 1)


def _check(value: Json, depth: int) -> None:
    if depth < 0:
        raise EnvelopeInvalid(f"JSON nested deeper than {MAX_DEPTH} levels")
    match value:
        case list():
            for item in value:
                _check(item, depth - 1)
        case dict():
            for name, item in value.items():
                _check_text(name)
                _check(item, depth - 1)
        case str():
            _check_text(value)
        case int() | float():
            _check_number(value)


def _check_number(number: float) -> None:
    if isinstance(number, int) and abs(number) > MAX_INTEGER:
        raise EnvelopeInvalid("an integer is beyond 2^53 - 1")
    if not math.isfinite(number):
        raise EnvelopeInvalid("a number is not finite")


def _check_text(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise EnvelopeInvalid("a string holds half of a surrogate pair") from error
