"""Where a gateway listens: a port of its own, or a unix socket that nobody but the proxy can open.

What is answered there, and with which TLS, is left to `sync.fund.serve`.
"""

import contextlib
import json
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sync.errors import AddressInUse

BACKLOG: Final = 512
"""Connections that wait to be taken up, as many as a gateway holds (`sync.fund.serve.MAX_CONNECTIONS`)."""

SOCKET_MODE: Final = 0o660
"""Owner and group: the group is the one that the proxy's workers belong to."""

_MAX_PORT: Final = 65_535


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises AddressInUse."""
    if not 0 <= port <= _MAX_PORT:  # the resolver would take it modulo 65536
        raise AddressInUse(f"there is no port {port}")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a restart need not wait for TIME_WAIT
            listener.bind(address)
            listener.listen(BACKLOG)
        except BaseException:
            listener.close()
            raise
    except (OSError, ValueError) as error:
        raise AddressInUse(f"cannot listen at {host}, port {port}: {error}") from error
    return listener


@contextlib.contextmanager
def bound(path: Path) -> Iterator[socket.socket]:
    """A listening unix socket of SOCKET_MODE, removed at the end; one that a dead process left is replaced.

    Raises AddressInUse: somebody answers there, something else has this name, or it cannot be made.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with listener:
        try:
            _clear(path)
            listener.bind(str(path))
            own = path.stat().st_ino
            path.chmod(SOCKET_MODE)  # before it listens: until then nobody can connect
            listener.listen(BACKLOG)
        except OSError as error:
            raise AddressInUse(f"cannot listen at {path}: {error}") from error
        try:
            yield listener
        finally:
            with contextlib.suppress(OSError):  # a folder that is gone took it along
                if path.stat().st_ino == own:
                    path.unlink()


def write_ready(path: Path, listener: socket.socket) -> None:
    """Say in a file that appears whole that the gateway answers, and where: {"pid", "port"} or {"pid", "socket"}."""
    name = listener.getsockname()
    where: dict[str, object] = {"socket": name} if isinstance(name, str) else {"port": int(name[1])}
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(json.dumps({"pid": os.getpid(), **where}), encoding="ascii")
    fresh.replace(path)


def _clear(path: Path) -> None:
    """Take away a socket that nobody answers at. Raises AddressInUse, OSError."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise AddressInUse(f"{path} is there and is no socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise AddressInUse(f"another gateway answers at {path}")
