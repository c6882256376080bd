"""Any bytes give checked services or one known failure that names lines and shows no content."""

import csv
import io
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.core.errors import ServicesFileInvalid
from appliance.records.schedule import COLUMNS, FILE_MAX, parse_schedule
from appliance.records.table_file import FIELD_MAX
from tests.fakes.patients import make_iin

HEADER = ",".join(COLUMNS)
GOOD = (
    make_iin(1).digits,
    "A02.004.000",
    "Терапевт қабылдауы",
    "Приём терапевта",
    "GP visit",
    "12",
    "dr-1",
    "2026-11-22 09:30",
)


def _file(*rows: tuple[str, ...], header: str = HEADER, delimiter: str = ",") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return f"{header}\n{text.getvalue()}".encode()


def _with(column: str, value: str) -> tuple[str, ...]:
    return tuple(value if name == column else field for name, field in zip(COLUMNS, GOOD, strict=True))


def test_a_good_file_is_read() -> None:
    """All fields, in order, with their line."""
    (service,) = parse_schedule(_file(GOOD))
    assert (service.line, service.iin, service.code) == (2, make_iin(1), "A02.004.000")
    assert service.names == (("kk", "Терапевт қабылдауы"), ("ru", "Приём терапевта"), ("en", "GP visit"))
    assert (service.room, service.provider) == ("12", "dr-1")
    assert service.starts == datetime(2026, 11, 22, 9, 30)  # noqa: DTZ001 - clinic time has no offset
    assert service.day.isoformat() == "2026-11-22"
    assert repr(service) == "<ScheduledService redacted>"


def test_who_gives_a_service_may_be_named() -> None:
    """The name is for the screen; a clinic need not say it."""
    header = f"{HEADER},doctor"
    named, unnamed = parse_schedule(_file((*GOOD, "С. Ахметова"), (*_with("provider", "dr-2"), ""), header=header))
    assert (named.doctor, unnamed.doctor) == ("С. Ахметова", "")


def test_what_spreadsheets_make_of_a_file_is_read() -> None:
    """Byte order mark, semicolons, CRLF, other order of columns, blank lines, no-break spaces, an empty room."""
    header = ";".join(reversed(COLUMNS))
    row = tuple(reversed(_with("room", "")))
    content = b"\xef\xbb\xbf" + _file(row, header=header, delimiter=";").replace(b"\n", b"\r\n") + b"\r\n\r\n"
    content = content.replace(b"GP visit", " GP\u00a0visit ".encode())
    (service,) = parse_schedule(content)
    assert (service.names[2], service.room, service.line) == (("en", "GP visit"), "", 2)


def test_an_empty_list_is_a_list() -> None:
    """A day without services is no error; a file without a header is."""
    assert parse_schedule(_file()) == ()
    with pytest.raises(ServicesFileInvalid, match="line 1: no column iin"):
        parse_schedule(b"")


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("iin", "", "iin is empty"),
        ("iin", "900101300001", "check digit"),
        ("iin", "12345", "12 digits"),
        ("service_code", "A02 004", "service_code"),
        ("service_code", "A" * 41, "service_code"),
        ("service_name_kk", "", "service_name_kk is empty"),
        ("service_name_en", "x" * (FIELD_MAX + 1), "longer than 200"),
        ("service_name_ru", "two\nlines", "line break"),
        ("room", "12\x07", "cannot be shown"),
        ("provider", "", "provider is empty"),
        ("starts", "09:30", "starts is not"),
        ("starts", "22.11.2026 09:30", "starts is not"),
        ("starts", "2026-02-31 09:30", "starts is not"),
        ("starts", "2026-11-22 24:30", "starts is not"),
        ("starts", "2026-11-22T09:30+05:00", "starts is not"),
    ],
)
def test_a_wrong_field_is_named_with_its_line(column: str, value: str, message: str) -> None:
    """The line as an editor counts it, the column, and never the value."""
    second = make_iin(2).digits, *GOOD[1:]
    with pytest.raises(ServicesFileInvalid, match=message) as caught:
        parse_schedule(_file(second, _with(column, value)))
    assert str(caught.value).startswith(("line 3: ", "line 4: ") if "\n" in value else "line 3: ")
    assert not value or len(value) < 5 or value not in str(caught.value)


def test_all_wrong_lines_are_named_up_to_ten() -> None:
    """One look at the message is enough to mend the file; a broken export does not flood the screen."""
    with pytest.raises(ServicesFileInvalid) as caught:
        parse_schedule(_file(*[_with("provider", "")] * 3, GOOD, _with("starts", "x")))
    assert str(caught.value).count("line ") == 4
    with pytest.raises(ServicesFileInvalid, match="and 20 more") as caught:
        parse_schedule(_file(*[_with("provider", "")] * 30))
    assert "line 11:" in str(caught.value)
    assert "line 12:" not in str(caught.value)


def test_a_doubled_line_is_named_with_its_first() -> None:
    """The same patient, service, provider and time cannot be there twice."""
    with pytest.raises(ServicesFileInvalid, match="line 4: the same service as in line 2"):
        parse_schedule(_file(GOOD, _with("starts", "2026-11-22 10:30"), _with("room", "14")))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (HEADER.replace("room", "zimmer").encode(), "no column room"),
        (f"{HEADER},{GOOD[0]}".encode(), "column 9 is unknown"),
        (f"{HEADER},iin".encode(), "column 9 is unknown or there twice"),
        (f"{HEADER}\n1,2,3".encode(), "line 2: 3 fields instead of 8"),
        (f"{HEADER}\n{GOOD[0]}".encode("utf-16"), "line 1: not UTF-8"),
        (HEADER.encode() + b"\n\n\xff", "line 3: not UTF-8"),
        (HEADER.encode() + b"\n\0", "line 2: not a text"),
        (f'{HEADER}\n"open'.encode(), "line 2: not CSV"),
        (f'{HEADER}\n"a"b,'.encode(), "line 2: not CSV"),
        (b" " * (FILE_MAX + 1), "larger than"),
    ],
)
def test_a_file_of_another_kind_is_refused(content: bytes, message: str) -> None:
    """With what is wrong, without what stood there."""
    with pytest.raises(ServicesFileInvalid, match=message) as caught:
        parse_schedule(content)
    assert GOOD[0] not in str(caught.value)


@settings(deadline=None)
@given(st.one_of(st.binary(max_size=300), st.binary(max_size=300).map(lambda rest: HEADER.encode() + b"\n" + rest)))
def test_any_bytes_give_services_or_the_known_failure(content: bytes) -> None:
    """Nothing else ever comes out."""
    try:
        parse_schedule(content)
    except ServicesFileInvalid as failure:
        assert any(word in str(failure) for word in ("line", "JSON", "Bundle"))  # noqa: PT017 - either outcome is fine


FIELD = st.text(max_size=12)


@settings(deadline=None)
@given(st.lists(st.tuples(*[st.one_of(st.just(good), FIELD) for good in GOOD]), max_size=4), st.sampled_from(",;"))
def test_any_table_gives_services_or_the_known_failure(rows: list[tuple[str, ...]], delimiter: str) -> None:
    """Well-formed CSV with any content; what is accepted satisfies the limits."""
    try:
        services = parse_schedule(_file(*rows, header=HEADER.replace(",", delimiter), delimiter=delimiter))
    except (ServicesFileInvalid, UnicodeEncodeError):
        return
    for service in services:
        assert service.code
        assert all(name and name.isprintable() for _, name in service.names)


@settings(deadline=None)
@given(st.data())
def test_a_changed_byte_is_read_or_refused(data: st.DataObject) -> None:
    """A damaged file never crashes the import."""
    content = bytearray(_file(GOOD, (make_iin(2).digits, *GOOD[1:])))
    content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        services = parse_schedule(bytes(content))
    except ServicesFileInvalid:
        return
    assert len(services) <= 2
