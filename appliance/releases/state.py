"""What a machine knows of its releases: which is proven, which is on trial and how far, which were given up; pure.

Keeping it on the disk, and the link that follows from it, belongs to `shelf`.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, NewType

Version = NewType("Version", str)
"""As in the name of the package: keldim-VERSION."""

MAX_TRIES: Final = 3
"""Starts of one service that may end badly or by a power cut during a trial; as for packs (`models.slot_state`)."""

LOOKS_WELL: Final = 6
"""Looks in a row that must find the desk well before a release is kept: an hour of the timer's ten minutes."""

MAX_LOOKS: Final = 144
"""Looks after which a trial that nobody confirmed ends: a day of running. Counted, because a clock may be wrong."""

_FORMAT: Final = 1
_MAX_BAD: Final = 50
_NAME: Final = re.compile(r"[0-9][A-Za-z0-9.+~]{0,63}")


def is_version(text: str) -> bool:
    """Whether this can be a release's version, and so the name of a folder."""
    return _NAME.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A release that is not tried again by itself, and why."""

    version: Version
    why: str


@dataclass(frozen=True, slots=True)
class State:
    """proven: in use for good. trial: in use until confirmed or given up. before: proven earlier, a way back.

    tries: starts of each service in the trial that have not ended well. looks: of the timer; well: the last in a row.
    """

    proven: Version | None = None
    trial: Version | None = None
    before: Version | None = None
    tries: tuple[tuple[str, int], ...] = ()
    looks: int = 0
    well: int = 0
    given_up: tuple[GivenUp, ...] = ()

    @property
    def in_use(self) -> Version | None:
        """What the link shall point to."""
        return self.trial or self.proven

    @property
    def started(self) -> frozenset[str]:
        """Services that started in the trial and were not asked to stop since."""
        return frozenset(unit for unit, _ in self.tries)

    def why_given_up(self, version: Version) -> str | None:
        """Why a release is not tried again; None: it may be."""
        return next((one.why for one in self.given_up if one.version == version), None)

    def kept(self, version: Version) -> bool:
        """Whether a release may not be removed."""
        return version in {self.proven, self.trial}

    def adopted(self, version: Version) -> "State":
        """A release is in use for good, without a trial."""
        before = self.before if version == self.proven else self.proven
        return replace(self._settled(), proven=version, before=before, given_up=self._others(version))

    def tried(self, version: Version) -> "State":
        """A release is on trial."""
        return replace(self._settled(), trial=version, given_up=self._others(version))

    def confirmed(self) -> "State":
        """The release on trial is kept."""
        return self.adopted(self.trial) if self.trial is not None else self

    def ended(self, why: str) -> "State":
        """The release on trial is given up for the proven one."""
        if self.trial is None:
            return self
        given_up = (*self._others(self.trial), GivenUp(self.trial, why))[-_MAX_BAD:]
        return replace(self._settled(), given_up=given_up)

    def starting(self, unit: str) -> "State":
        """A service of the trial starts; counted before it does."""
        if self.trial is None:
            return self
        tries = dict(self.tries)
        tries[unit] = tries.get(unit, 0) + 1
        return replace(self, tries=tuple(sorted(tries.items())))

    def exhausted(self, unit: str) -> bool:
        """Whether a service has had all its starts."""
        return self.trial is not None and dict(self.tries).get(unit, 0) >= MAX_TRIES

    def ended_well(self, unit: str) -> "State":
        """A service of the trial was stopped, not broken: its starts count anew."""
        return replace(self, tries=tuple(pair for pair in self.tries if pair[0] != unit))

    def looked(self) -> "State":
        """The timer looks; counted before the desk is asked."""
        return replace(self, looks=self.looks + 1) if self.trial is not None else self

    def felt(self, *, well: bool) -> "State":
        """What that look found."""
        return replace(self, well=self.well + 1 if well else 0) if self.trial is not None else self

    def _settled(self) -> "State":
        return replace(self, trial=None, tries=(), looks=0, well=0)

    def _others(self, version: Version) -> tuple[GivenUp, ...]:
        return tuple(one for one in self.given_up if one.version != version)


def write_state(state: State) -> bytes:
    """The bytes of a state."""
    value = {
        "format": _FORMAT,
        "proven": state.proven,
        "trial": state.trial,
        "before": state.before,
        "tries": dict(state.tries),
        "looks": state.looks,
        "well": state.well,
        "given_up": {one.version: one.why for one in state.given_up},
    }
    return (json.dumps(value, indent=2) + "\n").encode()


def read_state(data: bytes) -> State | None:
    """Read a state; None when it is not one. The guard then keeps what the link points to."""
    try:
        value: object = json.loads(data)
    except ValueError:
        return None
    if not isinstance(value, dict) or value.get("format") != _FORMAT:
        return None
    try:
        return State(
            proven=_version(value["proven"]),
            trial=_version(value["trial"]),
            before=_version(value["before"]),
            tries=tuple(sorted((str(unit), _count(tries)) for unit, tries in _map(value["tries"]).items())),
            looks=_count(value["looks"]),
            well=_count(value["well"]),
            given_up=tuple(GivenUp(_named(name), str(why)) for name, why in _map(value["given_up"]).items()),
        )
    except (KeyError, ValueError):
        return None


def _version(value: object) -> Version | None:
    return None if value is None else _named(value)


def _named(value: object) -> Version:
    if not isinstance(value, str) or not is_version(value):
        raise ValueError("no version")
    return Version(value)


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("no count")
    return value


def _map(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise ValueError("no map")  # noqa: TRY004 - of a file, not of a caller
    return value
