"""The file of planned services as the clinic's information system exports it: bytes in, checked lines out.

Keeping the services, and finding a patient's, is left to `services`.

UTF-8 (a byte order mark is allowed), comma or semicolon between fields, one header line with the columns of `COLUMNS`
in any order, and those of `OPTIONAL` where the clinic has them; `starts` as clinic time `YYYY-MM-DD HH:MM` (or with a
`T`). An error names lines and columns and never repeats what stood there: it could be an IIN.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from appliance.core.errors import IinInvalid, ServicesFileInvalid
from appliance.core.iin import Iin
from appliance.core.types import Sensitive
from appliance.records.schedule_fhir import bundle_rows, looks_like_fhir

COLUMNS = (
    "iin",
    "service_code",
    "service_name_kk",
    "service_name_ru",
    "service_name_en",
    "room",
    "provider",
    "starts",
)

OPTIONAL = ("code", "doctor")
"""code: six digits that the patient was told, to check in without a face; empty for who has none. doctor: name of who
gives the service, as the patient knows it; shown, never in an event."""

FILE_MAX = 8 * 1024 * 1024
"""Bytes; a day of the largest clinic (20 desks, 600 visits each) is below 4 MiB."""

FIELD_MAX = 200
"""Characters; longer ones do not fit the patient's screen and mean a broken export."""

_SHOWN_ERRORS = 10
_CODE = re.compile(r"[\w./-]{1,40}")
_VISIT_CODE = re.compile(r"(\d{6})?", re.ASCII)
_STARTS = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", re.ASCII)


@dataclass(frozen=True, slots=True, repr=False)
class ScheduledService(Sensitive):
    """One line of the file. line: its number, from 1. names: by language code. starts: clinic time, without offset.

    visit_code: what the patient was told, doctor: the name that is shown; each empty where there is none.
    """

    line: int
    iin: Iin
    code: str
    names: tuple[tuple[str, str], ...]
    room: str
    provider: str
    starts: datetime
    visit_code: str = ""
    doctor: str = ""

    @property
    def day(self) -> date:
        """The day of the service, by clinic time."""
        return self.starts.date()


def parse_schedule(content: bytes) -> tuple[ScheduledService, ...]:
    """Read a whole file, CSV or a FHIR Bundle.

    Raises ServicesFileInvalid, which names up to ten lines or entries, if a single one is wrong.
    """
    if len(content) > FILE_MAX:
        raise ServicesFileInvalid(f"the file is larger than {FILE_MAX} bytes")
    if looks_like_fhir(content):
        return _checked("entry", bundle_rows(content))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ServicesFileInvalid(f"line {line}: not UTF-8; save the file as CSV UTF-8") from error
    return _checked("line", _rows(text))


def _checked(what: str, rows: Iterator[tuple[int, Mapping[str, str]]]) -> tuple[ScheduledService, ...]:
    services, errors = [], []
    seen: dict[tuple[str, str, str, datetime], int] = {}
    for line, row in rows:
        try:
            service = _service(line, row)
        except (_FieldInvalid, IinInvalid) as error:
            errors.append(f"{what} {line}: {error}")
            continue
        first = seen.setdefault((service.iin.digits, service.code, service.provider, service.starts), line)
        if first != line:
            errors.append(f"{what} {line}: the same service as in {what} {first}")
        services.append(service)
    if errors:
        more = f" (and {len(errors) - _SHOWN_ERRORS} more)" if len(errors) > _SHOWN_ERRORS else ""
        raise ServicesFileInvalid("; ".join(errors[:_SHOWN_ERRORS]) + more)
    return tuple(services)


class _FieldInvalid(Exception):
    """A field of one line is wrong; becomes part of ServicesFileInvalid."""


def _rows(text: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Line number and fields by column; blank lines are passed over."""
    if "\0" in text:
        raise ServicesFileInvalid(f"line {text[: text.index(chr(0))].count(chr(10)) + 1}: not a text file")
    lines = io.StringIO(text, newline="")
    first = text.partition("\n")[0]
    reader = csv.reader(lines, strict=True, delimiter=";" if ";" in first and "," not in first else ",")
    try:
        header = tuple(name.strip() for name in next(reader, ()))
        _check_header(header)
        for row in reader:
            if row:
                if len(row) != len(header):
                    raise ServicesFileInvalid(f"line {reader.line_num}: {len(row)} fields instead of {len(header)}")
                yield (
                    reader.line_num,
                    dict(zip(header, (field.replace("\xa0", " ").strip() for field in row), strict=True)),
                )
    except csv.Error as error:
        raise ServicesFileInvalid(f"line {reader.line_num}: not CSV, or a quotation mark is out of place") from error


def _check_header(header: tuple[str, ...]) -> None:
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise ServicesFileInvalid(f"line 1: no column {', '.join(missing)}")
    for position, name in enumerate(header, 1):
        if name not in (*COLUMNS, *OPTIONAL) or name in header[: position - 1]:
            raise ServicesFileInvalid(f"line 1: column {position} is unknown or there twice")


def _service(line: int, row: Mapping[str, str]) -> ScheduledService:
    for column, value in row.items():
        if not value and column not in ("room", *OPTIONAL):
            raise _FieldInvalid(f"{column} is empty")
        if len(value) > FIELD_MAX:
            raise _FieldInvalid(f"{column} is longer than {FIELD_MAX} characters")
        if not value.isprintable():
            raise _FieldInvalid(f"{column} holds a line break or another character that cannot be shown")
    if not _CODE.fullmatch(row["service_code"]):
        raise _FieldInvalid("service_code has letters, digits, dot, hyphen and slash only, 40 at most")
    visit_code = row.get("code", "")
    if not _VISIT_CODE.fullmatch(visit_code):
        raise _FieldInvalid("code is not six digits")
    return ScheduledService(
        line=line,
        iin=Iin.parse(row["iin"]),
        code=row["service_code"],
        names=tuple((language, row[f"service_name_{language}"]) for language in ("kk", "ru", "en")),
        room=row["room"],
        provider=row["provider"],
        starts=_starts(row["starts"]),
        visit_code=visit_code,
        doctor=row.get("doctor", ""),
    )


def _starts(text: str) -> datetime:
    if _STARTS.fullmatch(text):
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass  # a 31 February: told below
    raise _FieldInvalid("starts is not a moment YYYY-MM-DD HH:MM")
