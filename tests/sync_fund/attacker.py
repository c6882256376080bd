"""The administrator of the fund's database, who can do whatever SQL can, with or without the triggers."""

import asyncio
import contextlib

import asyncpg

from sync.database import open_database
from sync.fund.home import FundHome
from sync.fund.log_embedded import LOG_MIGRATIONS
from sync.fund.schema import FUND_MIGRATIONS
from sync.keyfile import load_key


def attack(home: FundHome, *statements: str, triggers: bool = False) -> None:
    """Run SQL in the fund's database, whichever it is; without `triggers`, no trigger stands in the way."""
    if home.database_url.exists():
        asyncio.run(_attack(home.database_url.read_text(encoding="ascii").strip(), statements, triggers))
        return
    with contextlib.closing(
        open_database(home.database, load_key(home.database_key), [FUND_MIGRATIONS, LOG_MIGRATIONS])
    ) as db:
        if not triggers:
            db.execute("PRAGMA foreign_keys = OFF")
            for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                db.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            db.execute(statement)


def blob(home: FundHome, content: bytes) -> str:
    """Bytes as SQL writes them."""
    return f"'\\x{content.hex()}'::bytea" if home.database_url.exists() else f"x'{content.hex()}'"


async def _attack(url: str, statements: tuple[str, ...], triggers: bool) -> None:
    connection = await asyncpg.connect(url)
    try:
        if not triggers:
            await connection.execute("SET session_replication_role = replica")
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
