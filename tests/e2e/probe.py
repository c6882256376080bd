"""Runs inside a sandbox: tells what this process can reach; as the kiosk it also records a visit. Prints JSON."""

import json
import socket
import sys
from pathlib import Path

from sync.clock import SystemClock
from sync.errors import KeyUnusable
from sync.home import Home
from sync.key_source import KeyName, open_keys
from tests.fakes.working_desk import WorkingDesk


def connects(port: int) -> bool:
    """Whether the gateway can be reached."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return False
    return True


def readable(path: Path) -> bool:
    """Whether there is anything to read."""
    try:
        return bool(path.read_bytes())
    except OSError:
        return False


def writable(path: Path) -> bool:
    """Whether a file can be made there."""
    try:
        path.write_bytes(b"x")
    except OSError:
        return False
    path.unlink()
    return True


def given(home: Home) -> list[str]:
    """The keys this process has."""
    found = []
    for name in KeyName:
        try:
            open_keys(home).load(name)
        except KeyUnusable:
            continue
        found.append(name.value)
    return found


def main(role: str, home: Home, port: int) -> None:
    """Look around."""
    told: dict[str, object] = {
        "network": connects(port),
        "devices": [path.name for path in Path("/dev").glob("video*")] + [str(p) for p in Path("/dev").glob("tpm*")],
        "keys": given(home),
        "plain": [path.name for path in (home.template_key, home.device_key) if readable(path)],
        "sealed": [str(path) for path in home.sealed.rglob("*") if readable(path)],
        "system": writable(Path("/usr/keldim-probe")) or writable(Path("/etc/keldim-probe")),
        "home": writable(home.root / "probe"),
    }
    if role == "kiosk":
        desk = WorkingDesk(home, SystemClock())
        told["visit"] = desk.visit(0, desk.plan(0, 1)[0])
        desk.close()
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1], Home(Path(sys.argv[2])), int(sys.argv[3]))
