"""Two users, one desk: both write the database, each reads its own keys, a third nothing. Needs root."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_two_users_write_one_database_and_read_only_their_own_keys() -> None:
    """Whoever made the log and the shared memory, the other goes on; modes and group stay, umask or not."""
    assert os.geteuid() == 0, "only root can become two users: run the tests as root"
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        command = [sys.executable, "-m", "tests.sync.two_users", f"{folder}/desk"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert told["turns"] == ["201", "202", "203", "204", "205", "206"]
    assert set(told["modes"]) == {"desk.db", "desk.db-wal", "desk.db-shm"}
    assert set(told["modes"].values()) == {"660 62000"}
    assert told["stranger"].startswith("DatabaseUnreachable")
    assert told["kiosk reads template.key"] == "read"
    assert told["sync reads template.key"] == "refused"
    assert told["sync reads tls.pem"] == "read"
    assert told["kiosk reads tls.pem"] == "refused"
    assert told["sync removes template.key"].startswith("PermissionError")
