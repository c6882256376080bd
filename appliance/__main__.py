"""The `keldim` command."""

import sys

from appliance.cli.app import app
from appliance.cli.output import run
from sync.memory import guard_memory


def main() -> None:
    """Run the command given on the command line and exit with its code."""
    guard_memory()
    sys.exit(run(lambda: app(prog_name="keldim")))  # also where it is started as a module


if __name__ == "__main__":
    main()
