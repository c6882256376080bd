"""The `keldim` command."""

import sys

from appliance.cli.app import app
from appliance.cli.output import run
from sync.memory import guard_memory


def main() -> None:
    """Run the command given on the command line and exit with its code."""
    guard_memory()
    sys.exit(run(app))


if __name__ == "__main__":
    main()
