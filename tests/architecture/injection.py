"""Runs the import linter in the present folder once per forbidden line; a program of its own, for test_contracts.py.

It reads a JSON list of [module, line] from its input and writes a JSON list of what the linter said, first
without any line. One process, because starting Python takes longer than linting.
"""

import contextlib
import io
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path.cwd()))

from importlinter.cli import lint_imports  # the packages of this folder come first


def lint() -> str:
    """What the linter says about the folder as it stands."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = lint_imports(no_cache=True)
    return f"exit {code}\n{said.getvalue()}"


def lint_with(module: str, line: str) -> str:
    """What the linter says while the module has one more line."""
    file = Path(module)
    before = file.read_text(encoding="utf-8") if file.exists() else None
    file.write_text(f"{before or ''}\n{line}\n", encoding="utf-8")
    try:
        return lint()
    finally:
        if before is None:
            file.unlink()
        else:
            file.write_text(before, encoding="utf-8")


if __name__ == "__main__":
    sys.stdout.write(json.dumps([lint(), *(lint_with(module, line) for module, line in json.load(sys.stdin))]))
