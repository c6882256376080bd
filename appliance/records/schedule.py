"""The file of planned services as the clinic's information system exports it: bytes in, checked lines out.

Keeping the services, and finding a patient's, is left to `services`.

A table (`table_file`) with the columns of `COLUMNS`, and those of `OPTIONAL` where the clinic has them; `starts` as
clinic time `YYYY-MM-DD HH:MM` (or with a `T`). An error never repeats what stood there: it could be an IIN.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from appliance.core.errors import ServicesFileInvalid
from appliance.core.iin import Iin
from appliance.core.types import Sensitive
from appliance.records.schedule_fhir import bundle_rows, looks_like_fhir
from appliance.records.table_file import FieldInvalid, check_fields, read_form, read_lines, table_rows

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

_CODE = re.compile(r"[\w./-]{1,40}")
_VISIT_CODE = re.compile(r"(\d{6})?", re.ASCII)
_NO_MOMENT = "starts is not a moment YYYY-MM-DD HH:MM"
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
    return _checked("line", table_rows(content, COLUMNS, OPTIONAL, ServicesFileInvalid))


def _checked(what: str, rows: Iterator[tuple[int, Mapping[str, str]]]) -> tuple[ScheduledService, ...]:
    return read_lines(rows, _service, _name, "the same service", ServicesFileInvalid, what)


def _name(service: ScheduledService) -> tuple[str, str, str, datetime]:
    return service.iin.digits, service.code, service.provider, service.starts


def _service(line: int, row: Mapping[str, str]) -> ScheduledService:
    check_fields(row, ("room", *OPTIONAL))
    if not _CODE.fullmatch(row["service_code"]):
        raise FieldInvalid("service_code has letters, digits, dot, hyphen and slash only, 40 at most")
    visit_code = row.get("code", "")
    if not _VISIT_CODE.fullmatch(visit_code):
        raise FieldInvalid("code is not six digits")
    return ScheduledService(
        line=line,
        iin=Iin.parse(row["iin"]),
        code=row["service_code"],
        names=tuple((language, row[f"service_name_{language}"]) for language in ("kk", "ru", "en")),
        room=row["room"],
        provider=row["provider"],
        starts=read_form(row["starts"], _STARTS, datetime.fromisoformat, _NO_MOMENT),
        visit_code=visit_code,
        doctor=row.get("doctor", ""),
    )
