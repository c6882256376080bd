"""Starts the gateway from the command line: `python -m sync.fund --dir DIR serve`.

Founding a fund, registering desks and looking at its events are commands of `keldim fund`.
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from sync.errors import KnownFailure
from sync.fund.serve import serve


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code. A known failure is one line with its remedy."""
    parser = argparse.ArgumentParser(prog="python -m sync.fund", description="The fund's gateway for clinic desks.")
    parser.add_argument("--dir", type=Path, required=True, help="directory made by `keldim fund init`")
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("serve", help="serve until SIGTERM")
    command.add_argument("--host", default="127.0.0.1", help="address to listen at (default %(default)s)")
    command.add_argument("--port", type=int, help="0 takes a free one (default: that of the fund's address)")
    command.add_argument("--behind-proxy", action="store_true", help="nginx alone asks, through --socket")
    command.add_argument("--socket", type=Path, help="unix socket to listen at instead; only with --behind-proxy")
    command.add_argument("--ready-file", type=Path, help="receives pid and port (or socket) once the gateway answers")
    options = parser.parse_args(arguments)
    if options.behind_proxy != (options.socket is not None):
        parser.error("--behind-proxy and --socket go together")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    try:
        serve(options.dir, options.host, options.port, proxy=options.socket, ready_file=options.ready_file)
    except KnownFailure as failure:
        sys.stderr.write(f"{failure.code}: {failure}. {failure.remedy}\n")
        return failure.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
