"""A table as a clinic's or the fund's own system exports it: bytes in, fields by column out.

UTF-8 (a byte order mark is allowed), comma or semicolon between fields, one header line with the columns in any order.
An error names lines and columns and never repeats what stood there: it could be an IIN. What a field may hold is left
to whoever reads the table.
"""

import csv
import io
import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import TypeVar

from appliance.core.errors import IinInvalid
from sync.errors import KnownFailure

FIELD_MAX = 200
"""Characters; longer ones do not fit the patient's screen and mean a broken export."""

_SHOWN_ERRORS = 10

_Read = TypeVar("_Read")


def table_rows(
    content: bytes, columns: Sequence[str], optional: Sequence[str], failure: type[KnownFailure]
) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Line number and fields by column; blank lines are passed over, blanks around fields are cut off.

    Raises `failure`.
    """
    lines = io.StringIO(_text(content, failure), newline="")
    first = lines.readline()
    lines.seek(0)
    reader = csv.reader(lines, strict=True, delimiter=";" if ";" in first and "," not in first else ",")
    try:
        header = tuple(name.strip() for name in next(reader, ()))
        _check_header(header, columns, optional, failure)
        for row in reader:
            if row:
                if len(row) != len(header):
                    raise failure(f"line {reader.line_num}: {len(row)} fields instead of {len(header)}")
                yield (
                    reader.line_num,
                    dict(zip(header, (field.replace("\xa0", " ").strip() for field in row), strict=True)),
                )
    except csv.Error as error:
        raise failure(f"line {reader.line_num}: not CSV, or a quotation mark is out of place") from error


class FieldInvalid(Exception):
    """A field of one line is wrong; becomes part of the file's failure."""


def read_lines(
    rows: Iterator[tuple[int, Mapping[str, str]]],
    read: Callable[[int, Mapping[str, str]], _Read],
    name: Callable[[_Read], Hashable],
    same: str,
    failure: type[KnownFailure],
    what: str = "line",
) -> tuple[_Read, ...]:
    """Everything in a file, or nothing of it.

    read: makes one from a line's number and fields; may raise FieldInvalid, IinInvalid. name: by which two are the
    same, which is an error told with `same`. Raises `failure`, which names up to ten lines.
    """
    found, errors = [], []
    seen: dict[Hashable, int] = {}
    for line, row in rows:
        try:
            one = read(line, row)
        except (FieldInvalid, IinInvalid) as error:
            errors.append(f"{what} {line}: {error}")
            continue
        if (first := seen.setdefault(name(one), line)) != line:
            errors.append(f"{what} {line}: {same} as in {what} {first}")
        found.append(one)
    if errors:
        more = f" (and {len(errors) - _SHOWN_ERRORS} more)" if len(errors) > _SHOWN_ERRORS else ""
        raise failure("; ".join(errors[:_SHOWN_ERRORS]) + more)
    return tuple(found)


def check_fields(row: Mapping[str, str], may_be_empty: Sequence[str] = ()) -> None:
    """Nothing empty but what may be, nothing too long, nothing that cannot be shown. Raises FieldInvalid."""
    for column, value in row.items():
        if not value and column not in may_be_empty:
            raise FieldInvalid(f"{column} is empty")
        if len(value) > FIELD_MAX:
            raise FieldInvalid(f"{column} is longer than {FIELD_MAX} characters")
        if not value.isprintable():
            raise FieldInvalid(f"{column} holds a line break or another character that cannot be shown")


def read_form(text: str, form: re.Pattern[str], read: Callable[[str], _Read], told: str) -> _Read:
    """A value that is written in one way only, where its reader would take more. Raises FieldInvalid with `told`."""
    if form.fullmatch(text):
        try:
            return read(text)
        except ValueError:
            pass  # a 31 February: told below
    raise FieldInvalid(told)


def _text(content: bytes, failure: type[KnownFailure]) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise failure(f"line {line}: not UTF-8; save the file as CSV UTF-8") from error
    if "\0" in text:
        raise failure(f"line {text[: text.index(chr(0))].count(chr(10)) + 1}: not a text file")
    return text


def _check_header(
    header: tuple[str, ...], columns: Sequence[str], optional: Sequence[str], failure: type[KnownFailure]
) -> None:
    missing = [name for name in columns if name not in header]
    if missing:
        raise failure(f"line 1: no column {', '.join(missing)}")
    for position, name in enumerate(header, 1):
        if name not in (*columns, *optional) or name in header[: position - 1]:
            raise failure(f"line 1: column {position} is unknown or there twice")
