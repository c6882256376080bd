"""The Debian packages: built, put into a root of their own by dpkg, tried, rolled back, purged.

The release is lean: the program and those packages of the lock that its command line and its records need, without
their tests. All of them: `test_full_release`; in a bare Debian: `make deb-check`.
"""

import hashlib
import os
from pathlib import Path

import pytest

from firmware_notes.debian.__main__ import build
from firmware_notes.debian.payload import PACKAGES, PYTHON
from firmware_notes.debian.source import ROOT, Source, read_source
from tests.e2e.sandbox import may_sandbox
from tests.packaging.machine import Machine, taken

pytestmark = pytest.mark.usefixtures("uncounted")  # what runs here is what was installed

OLD, NEW = "0.1.0", "0.2.0"
_LEAN = (
    *(
        "typer",
        "click",
        "rich",
        "shellingham",
        "typing-extensions",
        "annotated-doc",
        "markdown-it-py",
        "mdurl",
        "pygments",
    ),
    *("sqlcipher3", "sqlite-utils", "sqlite-fts4", "click-default-group", "pluggy", "tabulate", "python-dateutil"),
    *("cryptography", "cffi", "zstandard", "numpy", "orjson"),
)
"""Where one is missing the build ends and names it."""

_EPOCH = 1_700_000_000


def _lean(folder: Path) -> None:
    taken(folder, _LEAN, without={"tests"})


def _built(out: Path, version: str) -> list[Path]:
    source = read_source(version)
    return build(Source(source.root, version, _EPOCH), out, _lean, level=1)


@pytest.fixture(scope="module")
def debs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    """Two versions of the packages: keldim-VERSION, then keldim."""
    out = tmp_path_factory.mktemp("debs")
    return {version: _built(out, version) for version in (OLD, NEW)}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, debs: dict[str, list[Path]]) -> Machine:
    """The older version is installed; not to be changed."""
    may_sandbox()
    made = Machine.fresh(tmp_path_factory.mktemp("installed"))
    made.install(debs[OLD])
    return made


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, debs: dict[str, list[Path]], installed: Machine) -> Machine:
    """Then the newer one; not to be changed."""
    made = installed.copied(tmp_path_factory.mktemp("both") / "root")
    assert f"Keldim {NEW} waits beside {OLD}" in made.install(debs[NEW])
    return made


def test_the_same_source_gives_the_same_bytes(debs: dict[str, list[Path]], tmp_path: Path) -> None:
    """Built again elsewhere, each package has the same SHA-256."""
    again = _built(tmp_path, OLD)
    assert [path.name.split("_")[:2] for path in again] == [[f"keldim-{OLD}", OLD], ["keldim", OLD]]
    sums = [[hashlib.sha256(path.read_bytes()).hexdigest() for path in paths] for paths in (debs[OLD], again)]
    assert sums[0] == sums[1]


def test_the_first_installation_is_in_use(installed: Machine) -> None:
    """Commands, units, users and folders are there, every file as packed, and the program starts from anywhere."""
    machine = installed
    assert machine.in_use == OLD
    done = machine.keldim("--version")
    assert (done.returncode, done.stdout) == (0, f"keldim {OLD}\n"), done.stderr
    assert machine.dpkg("--verify").stdout == ""
    users = (machine.root / "etc/passwd").read_text()
    assert "keldim-kiosk:" in users
    assert "keldim-sync:" in users
    desk = (machine.root / "var/lib/keldim").stat()
    if os.geteuid() == 0:
        assert f"keldim-kiosk:x:{desk.st_uid}:" in users
        assert desk.st_mode & 0o7777 == 0o2770
    for unit in (ROOT / "firmware_notes/systemd").glob("keldim-*.service"):
        folder = "user" if unit.name == "keldim-panel.service" else "system"
        assert (machine.root / "usr/lib/systemd" / folder / unit.name).read_bytes() == unit.read_bytes()
    (control,) = (machine.root / "var/lib/dpkg/info").glob(f"keldim-{OLD}*.md5sums")
    assert "/bin/pip" not in control.read_text(), "no start script of a build's path"
    files = (path for path in (machine.root / "opt/keldim").rglob("*") if path.is_file() and not path.is_symlink())
    assert [path.name for path in files if path.stat().st_mode & 0o111] == []


def test_nothing_is_imported_from_where_one_stands(installed: Machine, tmp_path: Path) -> None:
    """A module laid into the desk's folder by who may write there is not run."""
    machine = installed.copied(tmp_path / "root")
    for name in ("appliance.py", "typer.py", "sync.py"):
        (machine.root / name).write_text("raise SystemExit(77)\n")
    assert machine.keldim("--version").stdout == f"keldim {OLD}\n"


def test_a_new_version_waits_is_tried_and_given_up(both: Machine, tmp_path: Path) -> None:
    """Beside the old one until it is activated; after three starts that failed the old one is back."""
    machine = both.copied(tmp_path / "root")
    assert machine.keldim("--version").stdout == f"keldim {OLD}\n"
    done = machine.guard("activate", "--no-restart", NEW)
    assert done.returncode == 0, done.stderr
    assert machine.keldim("--version").stdout == f"keldim {NEW}\n"
    for version in (OLD, NEW):
        refused = machine.dpkg("--remove", "--force-depends", f"keldim-{version}")
        assert "E-REL-07" in refused.stderr
    for _ in range(4):
        assert machine.guard("starting", "keldim-window").returncode == 0
    assert machine.in_use == OLD
    assert machine.keldim("--version").stdout == f"keldim {OLD}\n"
    assert "E-REL-03" in machine.guard("activate", "--no-restart", NEW).stderr


def test_a_damaged_release_is_not_tried(both: Machine, tmp_path: Path) -> None:
    """One file of it is not what was packed; then one that cannot start."""
    machine = both.copied(tmp_path / "root")
    folder = machine.root / "opt/keldim/releases" / NEW
    file = folder / PACKAGES / "appliance/texts.toml"
    whole = file.read_bytes()
    file.unlink()  # the link, not what others see
    file.write_bytes(whole + b"\n")
    assert "texts.toml" in machine.guard("activate", "--no-restart", NEW).stderr
    file.write_bytes(whole)
    (folder / "bin/python3").unlink()
    assert "E-REL-02" in machine.guard("activate", "--no-restart", NEW).stderr
    assert machine.in_use == OLD
    (folder / "bin/python3").symlink_to(PYTHON)
    assert machine.guard("activate", "--no-restart", NEW).returncode == 0


def test_a_purge_leaves_the_records_and_nothing_else(installed: Machine, tmp_path: Path) -> None:
    """The desk's folder stays as it was; of the packages nothing is left but what dpkg and the users' list remember."""
    machine = installed.copied(tmp_path / "root")
    (machine.root / "var/lib/keldim/keys").mkdir(exist_ok=True, parents=True)
    (machine.root / "var/lib/keldim/keys/db.key").write_bytes(b"k")
    done = machine.dpkg("--purge", "keldim", f"keldim-{OLD}")
    assert done.returncode == 0, done.stdout + done.stderr
    left = {
        str(path.relative_to(machine.root))
        for path in machine.root.rglob("*")
        if "keldim" in str(path.relative_to(machine.root))
    }
    assert left == {"var/lib/keldim", "var/lib/keldim/keys", "var/lib/keldim/keys/db.key"}
