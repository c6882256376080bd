"""Prints the steps of every database's format that a release knows, as JSON: run by that release's own Python.

Whether two releases can read each other's records is decided from it by the guard (`appliance.releases`).
"""

import json
import sys

from appliance.records.cameras import CAMERA_MIGRATIONS
from appliance.records.schema import RECORDS_MIGRATIONS
from sync.database import Migrations
from sync.fund.log_embedded import LOG_MIGRATIONS
from sync.fund.postgres_schema import MIGRATIONS as POSTGRES_MIGRATIONS
from sync.fund.schema import FUND_MIGRATIONS
from sync.schema import LEDGER_MIGRATIONS


def _steps(*all_migrations: Migrations) -> list[str]:
    return sorted(f"{steps.name}/{step.name}" for steps in all_migrations for step in steps._migrations)


if __name__ == "__main__":
    desk = _steps(LEDGER_MIGRATIONS, RECORDS_MIGRATIONS, CAMERA_MIGRATIONS)
    postgres = [f"postgres/{step.number}_{step.name}" for step in POSTGRES_MIGRATIONS]
    fund = [*_steps(FUND_MIGRATIONS, LOG_MIGRATIONS), *postgres]
    sys.stdout.write(json.dumps({"desk": desk, "fund": fund}))
