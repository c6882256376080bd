"""How the fund's SQLite file is asked: statements whose failures have names, and values as its columns hold them.

What is asked is left to `sync.fund.embedded` and `sync.fund.log_embedded`.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from sync.database import Database, Value, known


class Statements:
    """Statements on one connection. All raise DatabaseFailure."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        self._db = db

    def rows(self, statement: str, values: tuple[Value, ...] = ()) -> list[tuple[Value, ...]]:
        """All that a question gives."""
        with known():
            return list(self._db.execute(statement, values).fetchall())

    def run(self, statement: str, values: tuple[Value, ...]) -> None:
        """Change something, inside the caller's transaction."""
        with known():
            self._db.execute(statement, values)


def append_only(db: Database, tables: Iterable[str]) -> None:
    """Triggers by which nothing in these tables is changed or deleted; part of released migrations, so never edited."""
    for table in tables:
        for deed in ("UPDATE", "DELETE"):
            db.execute(
                f"CREATE TRIGGER {table}_no_{deed.lower()} BEFORE {deed} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )


def integer(value: Value) -> int:
    """A value of an INTEGER column of a STRICT table."""
    assert isinstance(value, int)  # noqa: S101  # the schema says so
    return value


def timestamp(at: datetime) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")
