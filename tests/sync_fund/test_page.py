"""The page for people: readable, escaped, without personal data."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

from sync.fund.fleet import Desk, Health
from sync.fund.gateway import Overview
from sync.fund.log import LogState
from sync.fund.log_rows import StoredCheckpoint
from sync.fund.page import render
from sync.fund.rows import NO_EVENTS, Device, DeviceSummary, Head
from sync.signing import PublicJwk

NO_LOG = LogState(0, None, 0, 0, 600, None)
EVIL = "<script>alert(1)</script>\"'&"
KEY = PublicJwk("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")


class Tags(HTMLParser):
    """Collects tags and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag; no attribute runs or loads anything."""
        assert not [name for name, _ in attrs if name.startswith("on") or name in {"src", "href"}]
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.text += data + " "


def _summary(name: str, **changes: object) -> DeviceSummary:
    fields: dict[str, object] = {"head": NO_EVENTS, "forks": 0, "refusals": 0, "last_seen": None} | changes
    blocked = fields.pop("blocked", None)
    return DeviceSummary(device=Device(name, name, name, name, KEY, blocked), **fields)  # type: ignore[arg-type]


def test_what_comes_from_outside_is_escaped() -> None:
    """Names, reasons and kinds: shown as they are, never as markup."""
    page = render(Overview((_summary(EVIL, blocked=EVIL),), {EVIL: 3}), NO_LOG)
    assert "<script" not in page
    tags = Tags(page)
    assert "script" not in tags.tags
    assert tags.text.count(EVIL) == 6


def test_what_a_desk_says_it_runs_is_escaped_and_shown() -> None:
    """A desk's report is text of whoever holds its key."""
    desk = Desk(
        EVIL, EVIL, EVIL, Health.GAVE_UP, EVIL, 4, EVIL, 2, EVIL, EVIL, (EVIL,), 9, timedelta(seconds=7), None, {}
    )
    page = render(Overview((), {}, (desk,)), NO_LOG)
    assert "<script" not in page
    text = Tags(page).text
    assert text.count("release 4, settings 2") == 2
    assert " gave up " in text
    assert " 7 " in text
    assert EVIL in text


def test_the_page_shows_heads_counts_and_times() -> None:
    """In numbers a person can compare."""
    seen = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
    page = render(
        Overview(
            (_summary("desk-1", head=Head(42, "ab" * 32), forks=1, refusals=2, last_seen=seen), _summary("desk-2")),
            {"checked_in": 40, "declined": 2},
        ),
        NO_LOG,
    )
    text = Tags(page).text
    assert "42 events of 2 devices" in text
    assert "abababababababab " in text
    assert "2026-11-22 17:00:00" in text
    assert "never" in text
    assert text.count(" open ") == 2


def test_a_revoked_device_is_shown_as_that() -> None:
    """Its revocation stands before a block; what is certified of its key stands beside the class."""
    summary = _summary("desk-1", blocked="forked at event 3")
    device = replace(summary.device, revoked="stolen", attested="proven")
    text = Tags(render(Overview((replace(summary, device=device),), {}), NO_LOG)).text
    assert "revoked: stolen" in text
    assert "forked" not in text
    assert "proven" in text


def test_an_empty_fund_says_so() -> None:
    """No bare heads of tables."""
    assert Tags(render(Overview((), {}), NO_LOG)).text.count("none yet") == 3


def test_the_page_shows_the_log_its_promise_and_its_fault() -> None:
    """How many events, who cosigned, how long it may take; and in red when nothing is signed any more."""
    log = LogState(42, StoredCheckpoint(40, bytes(32), "", ("line",)), 1, 2, 600, None)
    text = Tags(render(Overview((), {}), log)).text
    assert "log: 42 events, checkpoint of 40 events cosigned by 1 of 2 witnesses" in text
    assert "within 600 s" in text
    broken = render(Overview((), {}), replace(log, broken="the tree changed"))
    assert "BROKEN: the tree changed" in broken
    assert "<p class=bad>" in broken
