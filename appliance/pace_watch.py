"""Tells the fund of visits that are confirmed faster than people can be served, whoever confirms them.

What is too fast is `core.pace`'s; a window that confirms visits has one of these.
"""

from datetime import datetime

from appliance.core.events import Alarm, Event
from appliance.core.pace import IMPOSSIBLE_PACE, WINDOW, Confirmed, Paced, too_fast
from appliance.core.policy import PaceRule
from appliance.records.services import Services
from sync.envelope import Moment


class PaceWatch:
    """At most one alarm an hour for each provider and the desk; remembered in memory."""

    def __init__(self, services: Services, rule: PaceRule, software: str) -> None:
        self._services = services
        self._rule = rule
        self._software = software
        self._told: dict[str, datetime] = {}
        self._telling: dict[str, datetime] = {}

    def alarms(self, provider: str, moment: Moment) -> tuple[Event, ...]:
        """The alarms that a visit brings with it; asked before it is recorded, inside its transaction."""
        self._telling = {}
        newest = Confirmed(provider, moment.wall)
        before = [Confirmed(*visit) for visit in self._services.newest(self._rule.desk_per_hour)]
        alarms = []
        for whose, count in too_fast(newest, before, self._rule):
            key = provider if whose is Paced.PROVIDER else ""
            last = self._told.get(key)
            if last is None or abs(moment.wall - last) >= WINDOW:
                self._telling[key] = moment.wall
                alarms.append(Alarm(IMPOSSIBLE_PACE, f"{whose}: {count} in an hour", self._software))
        return tuple(alarms)

    def recorded(self) -> None:
        """The visit and its alarms are on the disk. Before that none was told: a visit may still be refused."""
        self._told |= self._telling
