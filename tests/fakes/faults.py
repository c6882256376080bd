"""A database that fails before or after any statement: the fault strikes with or without its effect."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlcipher3 import dbapi2

from sync.database import Database


class Strike(StrEnum):
    """When the fault comes."""

    BEFORE = "before the effect"
    AFTER = "after the effect"


class Killed(BaseException):
    """The process ends here, as by kill -9; no code of ours may catch it for good."""


def disk_full() -> Exception:
    """What SQLite raises on a full disk."""
    return _error("database or disk is full", 13)


def disk_failing() -> Exception:
    """What SQLite raises when the disk fails."""
    return _error("disk I/O error", 10)


def busy() -> Exception:
    """What SQLite raises when another process holds the database."""
    return _error("database is locked", 5)


def _error(text: str, code: int) -> Exception:
    error: Exception = dbapi2.OperationalError(text)
    error.sqlite_errorcode = code  # type: ignore[attr-defined]
    return error


@dataclass(frozen=True)
class Plan:
    """Strike at the statement with this number (from 0), before or after it, with this error."""

    step: int
    strike: Strike
    error: BaseException


class FaultyDatabase(Database):
    """The same connection as another database's; counts its statements and fails as planned.

    steps: the statements so far, as their first words.
    """

    def __init__(self, db: Database, plan: Plan | None = None) -> None:
        self.steps: list[str] = []
        self.plan: Plan | None = None
        super().__init__(db.conn, execute_plugins=False)
        self.steps.clear()
        self.plan = plan

    def execute(self, sql: str, parameters: Any = None) -> Any:
        """Run a statement, or fail."""
        number, plan = len(self.steps), self.plan
        self.steps.append(" ".join(sql.split()[:3]))
        mine = plan is not None and plan.step == number
        if mine and plan is not None and plan.strike is Strike.BEFORE:
            raise plan.error
        result = super().execute(sql, parameters)
        if mine and plan is not None:
            result.close()  # a statement that nobody ends holds its lock
            raise plan.error
        return result
