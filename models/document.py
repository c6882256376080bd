"""Strict reading of JSON documents: no unknown, missing or repeated fields, no wrong types.

What the fields mean, and that a document is in its one canonical form, belongs to `manifest` and `calibration`.
"""

import json
import math
import re
from collections.abc import Iterable

from models.errors import PackDamaged

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

MAX_DOCUMENT_BYTES = 1 << 20
"""A manifest has a few kB, a calibration some ten; what is larger is not one."""

_HEX64 = re.compile(r"[0-9a-f]{64}")
_SLUG = re.compile(r"[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?")


def read(data: bytes, what: str) -> "Fields":
    """Read a document. Raises PackDamaged naming `what` and the first fault."""
    if len(data) > MAX_DOCUMENT_BYTES:
        raise PackDamaged(f"{what}: larger than {MAX_DOCUMENT_BYTES} bytes")
    try:
        value: Json = json.loads(data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise PackDamaged(f"{what}: not a JSON document ({error})") from error
    return Fields(value, what)


def write(value: Json) -> bytes:
    """The one way a document is written: UTF-8, one space a level, fields in the order given, a final line feed."""
    return (json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field is given twice")
    return found


def _no_constant(name: str) -> Json:
    raise ValueError(f"{name} is not a number")


class Fields:
    """The fields of one object, each taken once; `end` refuses the rest. Every fault raises PackDamaged."""

    def __init__(self, value: Json, where: str) -> None:
        if not isinstance(value, dict):
            raise PackDamaged(f"{where}: not an object")
        self._rest = dict(value)
        self.where = where

    def _take(self, name: str) -> Json:
        if name not in self._rest:
            raise PackDamaged(f"{self.where}: field {name!r} is missing")
        return self._rest.pop(name)

    def fault(self, name: str, what: str) -> PackDamaged:
        """The failure to raise for a field whose value is impossible."""
        return PackDamaged(f"{self.where}: field {name!r} {what}")

    def end(self) -> None:
        """Refuse fields nobody asked for."""
        if self._rest:
            raise PackDamaged(f"{self.where}: unknown field {min(self._rest)!r}")

    def text(self, name: str) -> str:
        """A text without line breaks at its ends, not empty."""
        value = self._take(name)
        if not isinstance(value, str) or not value or value != value.strip():
            raise self.fault(name, "is not a text")
        return value

    def slug(self, name: str) -> str:
        """A short name of lower-case letters, digits, dot, hyphen and underscore; safe as a file name."""
        value = self.text(name)
        if not _SLUG.fullmatch(value):
            raise self.fault(name, "is not a short name")
        return value

    def sha256(self, name: str) -> str:
        """64 lower-case hex digits."""
        value = self.text(name)
        if not _HEX64.fullmatch(value):
            raise self.fault(name, "is not a SHA-256")
        return value

    def choice(self, name: str, allowed: Iterable[str]) -> str:
        """One of the allowed texts."""
        value, names = self.text(name), sorted(allowed)
        if value not in names:
            raise self.fault(name, f"is not one of {', '.join(names)}")
        return value

    def flag(self, name: str) -> bool:
        """True or false."""
        value = self._take(name)
        if not isinstance(value, bool):
            raise self.fault(name, "is not true or false")
        return value

    def whole(self, name: str, low: int, high: int) -> int:
        """A whole number, low..high."""
        value = self._take(name)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.fault(name, f"is not a whole number from {low} to {high}")
        return value

    def number(self, name: str, low: float, high: float) -> float:
        """A finite number, low..high."""
        value = _finite(self._take(name))
        if value is None or not low <= value <= high:
            raise self.fault(name, f"is not a number from {low:g} to {high:g}")
        return value

    def numbers(self, name: str, length: int | None = None) -> tuple[float, ...]:
        """A list of finite numbers, of the given length if any."""
        found = [_finite(item) for item in self._items(name)]
        if length is not None and len(found) != length:
            raise self.fault(name, f"does not hold {length} numbers")
        good = [item for item in found if item is not None]
        if len(good) != len(found):
            raise self.fault(name, "is not a list of numbers")
        return tuple(good)

    def points(self, name: str, length: int | None = None) -> tuple[tuple[float, float], ...]:
        """A list of number pairs, of the given length if any."""
        rows = self._items(name)
        if length is not None and len(rows) != length:
            raise self.fault(name, f"does not hold {length} points")
        pairs = []
        for row in rows:
            numbers = [_finite(item) for item in row] if isinstance(row, list) else []
            if len(numbers) != 2 or numbers[0] is None or numbers[1] is None:
                raise self.fault(name, "is not a list of number pairs")
            pairs.append((numbers[0], numbers[1]))
        return tuple(pairs)

    def slugs(self, name: str) -> tuple[str, ...]:
        """A list of short names, none of them twice."""
        names = self._items(name)
        found = tuple(item for item in names if isinstance(item, str) and _SLUG.fullmatch(item))
        if len(set(found)) != len(names):
            raise self.fault(name, "is not a list of different short names")
        return found

    def table(self) -> dict[str, str]:
        """Every field that is left: a text under a short name."""
        strange = [name for name in self._rest if not _SLUG.fullmatch(name)]
        if strange:
            raise self.fault(strange[0], "has no short name")
        return {name: self.text(name) for name in list(self._rest)}

    def object(self, name: str) -> "Fields":
        """A nested object."""
        return Fields(self._take(name), f"{self.where}: {name}")

    def objects(self, name: str) -> tuple["Fields", ...]:
        """A list of nested objects."""
        return tuple(Fields(item, f"{self.where}: {name}[{i}]") for i, item in enumerate(self._items(name)))

    def has(self, name: str) -> bool:
        """Whether a field not taken yet is given."""
        return name in self._rest

    def _items(self, name: str) -> list[Json]:
        value = self._take(name)
        if not isinstance(value, list):
            raise self.fault(name, "is not a list")
        return value


def _finite(value: Json) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
