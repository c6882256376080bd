"""`keldim fund reconcile` and `fund rates`: what an auditor gets, and what a wrong file is told."""

import contextlib
import csv
import json
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.claims_file import COLUMNS, FILE_MAX, parse_claims
from appliance.core.errors import ClaimsFileInvalid, ReportUnwritable
from appliance.records.table_file import FIELD_MAX
from appliance.records.vault import pseudonym
from sync.fund.home import FundHome
from sync.fund.office import create_fund
from sync.fund.reconciliation import Claim
from sync.keyfile import load_key
from tests.cli.terminal import keldim
from tests.core.test_events import CHECKED_IN, MANUAL
from tests.fakes.patients import make_iin
from tests.sync_fund.blocking import open_gateway
from tests.sync_fund.conftest import URL, Fund
from tests.sync_fund.desk import NOON, FakeDesk, StillClock, batch

KEY = b"k" * 32
HEADER = ",".join(COLUMNS)
LINE = f"c-1,Clinic 7,{make_iin(1).digits},A02.1,doctor-7,2026-11-22"


def file_of(*lines: str, header: str = HEADER) -> bytes:
    """As a fund's system exports it."""
    return "\n".join((header, *lines, "")).encode()


@pytest.fixture(scope="module")
def fund(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fund to which one desk delivered two visits of a day, and one event of the next."""
    root = tmp_path_factory.mktemp("claims") / "fund"
    site = Fund(root, create_fund(root, URL, NOON))
    desk = FakeDesk(root.parent, "desk-1")
    site.admit(desk)
    key = load_key(FundHome(root).pseudonym_key)
    gateway = open_gateway(root, StillClock(NOON + timedelta(1)))
    events = []
    for who, event in ((1, CHECKED_IN), (2, MANUAL)):
        data = json.loads(json.dumps(event.data())) | {"patient": pseudonym(make_iin(who), key)}
        events.append(desk.next(kind=event.KIND, data=data))
    gateway.receive("desk-1", batch([*events, desk.next(kind="alarm", at=NOON + timedelta(1))]))
    gateway.close()
    return root


@pytest.fixture
def claims(tmp_path: Path) -> Path:
    """Three claims of that day: two were confirmed, the third patient never came."""
    lines = [LINE.replace(make_iin(1).digits, make_iin(who).digits).replace("c-1", f"=c-{who}") for who in (1, 2, 3)]
    file = tmp_path / "claims.csv"
    file.write_bytes(file_of(*lines))
    return file


def test_an_auditor_sees_what_nobody_confirmed(fund: Path, claims: Path, tmp_path: Path) -> None:
    """A table by clinic, the doubtful claims, all of them in a file with the place of their proof; no IIN anywhere."""
    out = tmp_path / "verdicts.csv"
    done = keldim("fund", "reconcile", claims, "--dir", fund, "--out", out)
    assert done.code == 0, done.err
    assert "Clinic 7" in done.out
    assert "=c-3" in done.out
    rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    assert [(row["claim"], row["verdict"], row["evidence"], row["device"], row["seq"]) for row in rows] == [
        ("'=c-1", "confirmed", "face", "desk-1", "1"),
        ("'=c-2", "confirmed", "by_hand", "desk-1", "2"),
        ("'=c-3", "unconfirmed", "", "", ""),
    ]
    told = keldim("fund", "reconcile", claims, "--dir", fund, "--json")
    assert [each["verdict"] for each in told.json["claims"]] == ["confirmed", "confirmed", "unconfirmed"]  # type: ignore[attr-defined]
    assert (told.json["not_claimed"], told.json["late"]) == ({}, [])
    for who in (1, 2, 3):
        assert make_iin(who).digits not in done.out + done.err + told.out + out.read_text(encoding="utf-8")


def test_what_waits_is_told_with_the_desk_it_waits_for(fund: Path, tmp_path: Path) -> None:
    """Of the next day only the desk's first event is here; twenty are shown, a file would have them all."""
    file = tmp_path / "claims.csv"
    next_day = LINE.replace("2026-11-22", "2026-11-23")
    file.write_bytes(file_of(*(next_day.replace("c-1", f"c-{number}") for number in range(25))))
    done = keldim("fund", "reconcile", file, "--dir", fund)
    assert (done.code, done.out.count("2026-11-23")) == (0, 21)
    assert "and 5 more" in done.out
    assert "waiting for desk-1 of Clinic 7: delivered up to 2026-11-23" in done.out
    file.write_bytes(file_of(LINE))
    assert "not confirmed" not in keldim("fund", "reconcile", file, "--dir", fund).out


def test_the_file_of_verdicts_needs_a_place(fund: Path, claims: Path, tmp_path: Path) -> None:
    """Told as what it is."""
    out = tmp_path / "none" / "x.csv"
    keldim("fund", "reconcile", claims, "--dir", fund, "--out", out).failed_with(ReportUnwritable)


def test_rates_of_the_last_days_or_of_named_ones(fund: Path) -> None:
    """By desk unless said otherwise; days the wrong way round are wrong usage."""
    days = ("--from", "2026-11-22", "--to", "2026-11-22")
    (desk,) = keldim("fund", "rates", "--dir", fund, *days, "--json").rows
    assert (desk["who"], desk["confirmed"], desk["by_people"]) == ("Clinic 7, Reception (desk-1)", 2, 0.5)
    for by in ("operator", "clinic"):
        shown = keldim("fund", "rates", "--dir", fund, "--by", by, *days)
        assert (shown.code, "injury 1" in shown.out) == (0, True)
    assert "nothing from" in keldim("fund", "rates", "--dir", fund, "--to", "2026-01-31").out
    assert keldim("fund", "rates", "--dir", fund, *reversed(days)).code == 2
    assert keldim("fund", "rates", "--dir", fund, "--from", "2026-11-23", "--to", "2026-11-22").code == 2
    assert keldim("fund", "rates", "--dir", fund, "--json").code == 0


def test_a_good_file_gives_claims_with_pseudonyms() -> None:
    """Semicolons, a byte order mark, columns in any order, blanks around fields."""
    day = NOON.date()
    expected = Claim("c-1", "Clinic 7", pseudonym(make_iin(1), KEY), "A02.1", "doctor-7", day)
    assert parse_claims(file_of(LINE), KEY) == (expected,)
    turned = ";".join(reversed(COLUMNS)), " ; ".join(reversed(LINE.split(",")))
    assert parse_claims(b"\xef\xbb\xbf" + file_of(turned[1], header=turned[0]), KEY) == (expected,)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (file_of(LINE.replace("2026-11-22", "2026-02-31")), "line 2: date"),
        (file_of(LINE.replace("2026-11-22", "22.11.2026")), "line 2: date"),
        (file_of(LINE, LINE), "line 3: the same number as in line 2"),
        (file_of(LINE.replace("A02.1", "")), "line 2: service_code is empty"),
        (file_of(LINE.replace("A02.1", "x" * (FIELD_MAX + 1))), "line 2: service_code is longer"),
        (file_of(LINE.replace(make_iin(1).digits, "123")), "line 2: "),
        (file_of(LINE, header=HEADER.replace("date", "day")), "line 1: no column date"),
        (b"\xff", "not UTF-8"),
        (b"x" * (FILE_MAX + 1), "larger than"),
    ],
    ids=["no day", "other form", "twice", "empty", "long", "iin", "column", "bytes", "size"],
)
def test_a_wrong_file_is_told_by_line(content: bytes, told: str) -> None:
    """Nothing of it is compared, and what stood there is not repeated."""
    with pytest.raises(ClaimsFileInvalid) as failure:
        parse_claims(content, KEY)
    assert told in str(failure.value)
    assert make_iin(1).digits not in str(failure.value)


@given(st.binary(max_size=80))
def test_any_bytes_are_claims_or_one_failure(content: bytes) -> None:
    """Nothing else ever comes out."""
    with contextlib.suppress(ClaimsFileInvalid):
        parse_claims(file_of() + content, KEY)
