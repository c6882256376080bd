"""Whoever opens a model tells nobody: the inference library's own reports are off before it is loaded."""

import os
import subprocess
import sys
from pathlib import Path

SILENCED_BY_OTHERS = ("CI", "ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS")
"""With any of these the library is silent by itself, and the test would prove nothing."""


def test_opening_a_pack_leaves_no_number_of_this_machine(pack_path: Path, tmp_path: Path) -> None:
    """The library keeps it, and a queue of reports, in the home folder where it may report."""
    bare = {name: value for name, value in os.environ.items() if name not in SILENCED_BY_OTHERS}
    for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        bare.pop(name, None)
    program = f"import pathlib, appliance.face.pack as p; p.open_pack(pathlib.Path({str(pack_path)!r}))"
    home = bare | {"HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], env=home, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert list(tmp_path.rglob("*")) == []
