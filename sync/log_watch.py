"""When the desk looks into the fund's log: after deliveries, now and then, more slowly while it fails.

What is verified and kept is left to `log_receipts`, the bytes' way to `transport`.
"""

import logging
from typing import Final, Protocol

from sync.clock import Clock
from sync.errors import (
    DeviceRefused,
    EnvelopeInvalid,
    LogUntrue,
    NotLogged,
    ProtocolViolation,
    RequestRefused,
    SettingsInvalid,
    SyncFailure,
    TransportFailure,
)
from sync.home import Home
from sync.log_checkpoint import LogPolicy
from sync.log_receipts import LogReceipts
from sync.strict_json import Members

_log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 30.0
"""While events wait for their proof; a checkpoint is made every few seconds, and one answer has many proofs."""

IDLE_EVERY_S: Final = 3600.0
"""While none waits: a log whose past changes is noticed within the hour."""

_MAX_ANSWERS: Final = 1000
"""Answers in one look: 64,000 runs."""


class LogExchange(Protocol):
    """The way to the fund's log; `transport.Transport` in production."""

    def get_inclusion(self, after: int, old: int) -> bytes:
        """Ask where events are. Raises NotLogged, TransportFailure, DeviceRefused, and other refusals."""


class LogWatch:
    """Looks into the log for one desk."""

    def __init__(self, receipts: LogReceipts, exchange: LogExchange, clock: Clock) -> None:
        """Look through this exchange."""
        self._receipts = receipts
        self._exchange = exchange
        self._clock = clock
        self._looked: float | None = None

    def step(self, *, force: bool = False) -> SyncFailure | None:
        """Look if it is time, when the fund could be reached just now; what went wrong, or None.

        Raises DatabaseFailure.
        """
        pause = LOOK_EVERY_S if self._receipts.waiting() else IDLE_EVERY_S
        if not force and self._looked is not None and self._clock.monotonic() < self._looked + pause:
            return None
        failure: SyncFailure | None = None
        try:
            for _ in range(_MAX_ANSWERS):
                if not self._receipts.take(self._exchange.get_inclusion(*self._receipts.wanted()), self._now()):
                    break
        except (
            TransportFailure,
            DeviceRefused,
            RequestRefused,
            ProtocolViolation,
            EnvelopeInvalid,
            LogUntrue,
        ) as caught:
            failure = caught
            _log.warning("the fund's log: %s %s", caught.code, caught)
        except NotLogged:
            _log.info("the fund's log has no checkpoint yet")
        self._receipts.look(self._now(), failure)
        self._looked = self._clock.monotonic()
        return failure

    def _now(self) -> float:
        return self._clock.moment().wall.timestamp()


def load_policy(home: Home) -> LogPolicy | None:
    """Whom this desk believes about the log; None when its fund has none. Raises SettingsInvalid."""
    try:
        return LogPolicy.read(Members.parse(home.log_policy.read_bytes()))
    except FileNotFoundError:
        return None
    except (OSError, EnvelopeInvalid) as error:
        raise SettingsInvalid(f"{home.log_policy.name} cannot be used: {error}") from error
