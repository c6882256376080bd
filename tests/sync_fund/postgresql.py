"""A real PostgreSQL server for the tests: made, started, killed and promoted by themselves, on a unix socket alone."""

import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

_PLACES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
_UNPRIVILEGED = "nobody"
"""Who runs the server where the tests are root, which PostgreSQL refuses to be."""

PORT = 5432
"""Only the name of a file: nothing listens to a network."""


def binaries() -> Path:
    """The folder of PostgreSQL's programs."""
    if _PLACES:
        return _PLACES[0]
    found = shutil.which("initdb")
    if found is None:
        raise FileNotFoundError("PostgreSQL is not installed: the set-up installs it")
    return Path(found).parent


class Server:
    """One cluster. quick: without fsync, for tests that do not ask what a crash leaves."""

    def __init__(self, folder: Path, *, quick: bool = False) -> None:
        self.folder, self.data, self.log = folder, folder / "data", folder / "log"
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        if os.geteuid() == 0:
            shutil.chown(folder, _UNPRIVILEGED)
            for above in folder.parents:
                if above.stat().st_mode & 0o005 != 0o005 and above != Path(above.root):
                    above.chmod(above.stat().st_mode | 0o011)
        self.settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(folder),
            "port": str(PORT),
            "max_connections": "60",
            "shared_buffers": "64MB",
            "max_wal_senders": "4",
            "fsync": "off" if quick else "on",
            "full_page_writes": "off" if quick else "on",
        }

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's programs as the server's user."""
        return subprocess.run(
            [*self._prefix(), str(binaries() / program), *arguments],
            cwd=self.folder,
            check=True,
            capture_output=True,
            text=True,
            timeout=240,
        )

    def create(self) -> None:
        """Make an empty cluster whose superuser needs no password on this socket."""
        self.run("initdb", "-D", str(self.data), "-U", "keldim", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")

    def copy_of(self, primary: "Server", name: str) -> None:
        """Make a stand-by of a running primary."""
        connection = f"host={primary.folder} port={PORT} user=keldim application_name={name}"
        self.run("pg_basebackup", "-D", str(self.data), "-d", connection, "-R", "-X", "stream", "-c", "fast")

    def start(self, settings: Mapping[str, str] | None = None) -> None:
        """Start and wait until it answers."""
        self.settings |= settings or {}
        options = " ".join(f"-c {name}='{value}'" for name, value in self.settings.items())
        self.run("pg_ctl", "-D", str(self.data), "-l", str(self.log), "-o", options, "-w", "-t", "120", "start")

    def stop(self) -> None:
        """End it, orderly and at once, if it runs."""
        if (self.data / "postmaster.pid").exists():
            self.run("pg_ctl", "-D", str(self.data), "-m", "immediate", "-w", "stop")

    def kill(self) -> None:
        """Kill -9 the postmaster; its children end when they notice, before another one can start."""
        note = self.data / "postmaster.pid"
        os.kill(int(note.read_text().split()[0]), signal.SIGKILL)
        for _ in range(400):
            if not _children_of_cluster(self.data):
                # A process that is dead and not yet collected looks alive to the next one.
                for lock in (note, self.folder / f".s.PGSQL.{PORT}.lock"):
                    lock.unlink(missing_ok=True)
                return
            time.sleep(0.025)
        raise AssertionError("the server's processes do not end")

    def promote(self) -> None:
        """Make a stand-by the primary."""
        self.run("pg_ctl", "-D", str(self.data), "-w", "promote")

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Run SQL as the superuser; the rows as text."""
        arguments = ("-h", str(self.folder), "-p", str(PORT), "-U", "keldim", "-d", database, "-v", "ON_ERROR_STOP=1")
        return self.run("psql", *arguments, "-qAtc", statement).stdout.strip()

    def new_database(self) -> str:
        """Make an empty database; its address."""
        name = f"fund_{secrets.token_hex(6)}"
        self.sql(f"CREATE DATABASE {name}")
        return self.url(name)

    def url(self, database: str) -> str:
        """The address of a database."""
        return f"postgresql://keldim@/{database}?host={quote(str(self.folder), safe='')}&port={PORT}"

    @staticmethod
    def _prefix() -> list[str]:
        return ["setpriv", "--reuid", _UNPRIVILEGED, "--clear-groups"] if os.geteuid() == 0 else []


def _children_of_cluster(data: Path) -> list[int]:
    """Processes whose working directory is the cluster's."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.joinpath("cwd").readlink() == data:
                found.append(int(process.name))
        except OSError:  # ended meanwhile, or another user's
            continue
    return found
