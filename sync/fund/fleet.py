"""All desks of a fund by what they run and how they are: one value per desk, from what each signed about itself.

Pure. Where it is shown, on the page and by `keldim fleet status`, is left to these; what a desk's report holds belongs
to `appliance.core.machine_events`. A report is signed, but whoever signed it may have been anybody's desk: what is not
as it should be is shown as unknown.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sync.envelope import parse_event
from sync.fund.rows import DeviceSummary, LastHeard
from sync.strict_json import Json, JsonObject

SILENT: Final = timedelta(days=1)
"""A desk that was not heard for longer is silent: one that is switched on renews and delivers daily."""

BEHIND: Final = timedelta(hours=1)
"""How old a desk's newest event may have been when it arrived."""

_SHOWN: Final = 64
"""Characters of a name or number that a desk chose."""


class Health(StrEnum):
    """How a desk is, the worst first."""

    CLOSED = "closed"
    """Blocked or revoked."""
    SILENT = "silent"
    BEHIND = "behind"
    GAVE_UP = "gave_up"
    """It does not run what its ring runs, or ran it and went back: a release is on its list of bad ones."""
    ON_TRIAL = "on_trial"
    WELL = "well"
    UNKNOWN = "unknown"
    """Heard, but it never said what it runs: it follows no publishers."""


@dataclass(frozen=True, slots=True)
class Desk:
    """One desk. release, settings: numbers; None: the delivered pack, the desk's own file. said: its whole report.

    backlog: how long its newest event had waited when it arrived; None: it sent none. given_up: releases and why.
    """

    device: str
    clinic: str
    desk: str
    health: Health
    ring: str
    release: int | None
    pack: str
    settings: int | None
    policy: str
    software: str
    given_up: tuple[str, ...]
    head: int
    backlog: timedelta | None
    last_seen: datetime | None
    said: JsonObject | None


def desks(summaries: Sequence[DeviceSummary], heard: Sequence[LastHeard], now: datetime) -> tuple[Desk, ...]:
    """Every desk, in the order of the summaries."""
    by_device = {one.device: one for one in heard}
    return tuple(_desk(summary, by_device.get(summary.device.device), now) for summary in summaries)


def groups(fleet: Sequence[Desk]) -> tuple[tuple[str, str, int], ...]:
    """How many desks run what: ring, what they run, number of desks."""
    counted = Counter((desk.ring or "none", running(desk)) for desk in fleet)
    return tuple((ring, what, number) for (ring, what), number in sorted(counted.items()))


def running(desk: Desk) -> str:
    """What a desk runs, in words."""
    if desk.said is None:
        return "unknown"
    pack = "delivered pack" if desk.release is None else f"release {desk.release}"
    return pack if desk.settings is None else f"{pack}, settings {desk.settings}"


def _desk(summary: DeviceSummary, heard: LastHeard | None, now: datetime) -> Desk:
    said = None if heard is None or heard.said is None else parse_event(heard.said).event.data
    backlog = None
    if heard is not None:
        backlog = max(heard.received - parse_event(heard.newest).event.moment.wall, timedelta())
    report: Mapping[str, Json] = said or {}
    settings = _object(report.get("settings"))
    given_up = (*_given_up(report, ""), *_given_up(settings, "settings "))
    return Desk(
        device=summary.device.device,
        clinic=summary.device.clinic,
        desk=summary.device.desk,
        health=_health(summary, said, backlog, bool(given_up), now),
        ring=_text(report.get("ring")),
        release=_number(report.get("release")),
        pack=_text(report.get("pack")),
        settings=_number(settings.get("release")),
        policy=_text(report.get("policy")),
        software=_text(report.get("software")),
        given_up=given_up,
        head=summary.head.seq,
        backlog=backlog,
        last_seen=summary.last_seen,
        said=said,
    )


def _health(
    summary: DeviceSummary, said: JsonObject | None, backlog: timedelta | None, gave_up: bool, now: datetime
) -> Health:
    if summary.device.blocked is not None or summary.device.revoked is not None:
        return Health.CLOSED
    if summary.last_seen is None or now - summary.last_seen > SILENT:
        return Health.SILENT
    if backlog is not None and backlog > BEHIND:
        return Health.BEHIND
    if said is None:
        return Health.UNKNOWN
    if gave_up:
        return Health.GAVE_UP
    trial = said.get("trial") is True or _object(said.get("settings")).get("trial") is True
    return Health.ON_TRIAL if trial else Health.WELL


def _given_up(report: Mapping[str, Json], kind: str) -> tuple[str, ...]:
    bad = report.get("given_up")
    rows = [_object(one) for one in bad] if isinstance(bad, list) else []
    return tuple(f"{kind}{_number(one.get('release'))} {_text(one.get('fault'))}" for one in rows)


def _object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}


def _text(value: Json) -> str:
    return value[:_SHOWN] if isinstance(value, str) else ""


def _number(value: Json) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
