"""How often each peer may ask: a token bucket for each, in bounded memory.

Whose request it is, and answering it, is left to `sync.fund.counter` and `sync.fund.app`.
"""

import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from sync.fund.denial import RequestDenied

MAX_PEERS: Final = 10_000
"""Buckets kept, some 2 MB; the one unused longest goes first, and it would be full again in seconds anyhow."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Requests: so many a second for ever, and so many at once.

    A desk sends one batch at a time, at most some 30 a second in a fast network; 50,000 events of backlog are 250.
    """

    per_second: float = 20.0
    burst: float = 200.0


class Buckets:
    """A bucket for each peer; belongs to one event loop."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, peer: str, now: float) -> None:
        """Count one request of a peer. now: seconds, monotonic. Raises RequestDenied (429) when its bucket is empty."""
        level, filled = self._buckets.pop(peer, (self._rate.burst, now))
        level = min(self._rate.burst, level + (now - filled) * self._rate.per_second)
        allowed = level >= 1
        self._buckets[peer] = (level - 1 if allowed else level, now)
        if len(self._buckets) > MAX_PEERS:
            self._buckets.popitem(last=False)
        if not allowed:
            wait = math.ceil((1 - level) / self._rate.per_second)
            raise RequestDenied(429, "busy", "this peer asks too often", wait)
