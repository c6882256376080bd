"""The port to where the fund's log is kept.

SQLite is `sync.fund.log_embedded`, PostgreSQL `sync.fund.log_postgres`; what is kept when is left to `sync.fund.log`.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from sync.fund.log_rows import LogRun, Pending, StoredCheckpoint, TreeGrowth
from sync.tiles import Tile


class LogStore(Protocol):
    """What the log needs from the fund's database; belongs to one event loop. All methods raise DatabaseFailure."""

    async def open(self) -> None:
        """Make ready, in the loop that will ask."""

    async def close(self) -> None:
        """Let the database go."""

    async def grow(self, portion: int, step: Callable[[Pending], TreeGrowth]) -> TreeGrowth:
        """Lock the log, read at most `portion` waiting events, take the step, keep it: durable, or nothing of it.

        One at a time, whoever asks. `step` is pure; what it raises passes, and nothing is kept.
        """

    async def tiles(self, wanted: Sequence[Tile]) -> dict[Tile, bytes]:
        """These tiles as they are now; what is not stored is left out."""

    async def size(self) -> int:
        """Leaves in the tree."""

    async def looked(self, device: str) -> int:
        """Up to which number of its chain a device's events were looked at."""

    async def runs(self, device: str, after: int, limit: int) -> tuple[LogRun, ...]:
        """Up to `limit` runs of a device that reach beyond the number `after`, in order."""

    async def all_runs(self, index: int, limit: int) -> tuple[LogRun, ...]:
        """Up to `limit` runs of all devices that begin at this place of the log or later, in order."""

    async def keep_checkpoint(self, checkpoint: StoredCheckpoint, at: datetime) -> None:
        """Keep a signed checkpoint before anybody sees it; a size that has one already keeps the first."""

    async def keep_cosignature(self, size: int, witness: str, line: str, at: datetime) -> None:
        """Keep a witness's line for the checkpoint of this size; the first one of each witness stays."""

    async def checkpoints(self, after: int, limit: int) -> tuple[StoredCheckpoint, ...]:
        """Up to `limit` checkpoints of a size above `after`, with their cosignatures, in order."""

    async def newest(self, cosignatures: int) -> StoredCheckpoint | None:
        """The largest checkpoint that has at least so many cosignatures."""
