"""The whole release, with every package of the lock: built, installed by dpkg, used, purged.

What it does not try is `make deb-check`'s: a bare Debian, the libraries of the system that the packages ask for, the
demonstration.
"""

import json
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

import pytest

from firmware_notes.debian.__main__ import build
from firmware_notes.debian.payload import PACKAGES
from firmware_notes.debian.source import Source, read_source
from tests.e2e.sandbox import may_sandbox
from tests.fakes.working_desk import make_home
from tests.packaging.machine import Machine, locked, taken

pytestmark = pytest.mark.usefixtures("uncounted")  # what runs here is what was installed

VERSION = "0.1.0"


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """A root with the packages installed; a gigabyte and a half, taken away however the test ends."""
    may_sandbox()
    try:
        source = Source(read_source().root, VERSION, 1_700_000_000)
        debs = build(source, tmp_path / "debs", lambda folder: taken(folder, locked()), level=1)
        made = Machine.fresh(tmp_path / "root")
        made.install(debs)
        shutil.rmtree(tmp_path / "debs")
        yield made
    finally:
        for name in ("debs", "root"):
            shutil.rmtree(tmp_path / name, ignore_errors=True)


def test_the_whole_release_works_where_it_was_installed(machine: Machine, pack_path: Path) -> None:
    """Every package of the lock is there, Qt and the networks load, a desk is examined without a failure; then gone."""
    release = machine.root / "opt/keldim/releases" / VERSION
    found = {one.name.lower().replace("_", "-"): one.version for one in distributions(path=[str(release / PACKAGES)])}
    left_out = {"setuptools"}
    assert found.items() >= {name: version for name, version in locked().items() if name not in left_out}.items()
    assert set(found) - set(locked()) <= {"keldim"}
    assert machine.dpkg("--verify", f"keldim-{VERSION}", "keldim").stdout == ""
    assert machine.keldim("--version").stdout == f"keldim {VERSION}\n"
    window = machine.keldim("--help", command="keldim-window")
    assert "Usage: keldim-window " in window.stdout, window.stderr
    home = make_home(machine.root / "srv")
    given = {"KELDIM_HOME": f"/mnt/{home.root.relative_to(machine.root)}", "KELDIM_PACKS": str(pack_path.parent)}
    examined = machine.keldim("doctor", "--json", command="keldim", **given)
    assert examined.returncode == 0, examined.stdout + examined.stderr
    checks = {check["check"]: check["health"] for check in json.loads(examined.stdout)}
    assert (checks["model pack"], checks["window"], checks["ledger"]) == ("ok", "ok", "ok"), examined.stdout
    assert sys.prefix not in examined.stdout + examined.stderr
    done = machine.dpkg("--purge", "keldim", f"keldim-{VERSION}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not release.exists()
