"""A real https server over a folder of files, as a clinic's web server would be; it can break off or drip."""

import contextlib
import http.server
import re
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Served:
    """What is served now. folder: may be another one from one request to the next, as an attacker's is.

    cut: bytes of a pack's file after which the connection breaks off. drip: seconds between two bytes of such a file.
    untold: nobody says how long a file is, as behind some proxies.
    """

    folder: Path
    url: str = ""
    cut: int | None = None
    drip: float | None = None
    untold: bool = False
    asked: list[str] = field(default_factory=list)
    ranges: list[str] = field(default_factory=list)


class _Server(http.server.ThreadingHTTPServer):
    """Knows what it serves."""

    daemon_threads = False

    def __init__(self, served: Served) -> None:
        self.served = served
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no news."""


class _Handler(http.server.BaseHTTPRequestHandler):
    """Static files, whole or from an offset on."""

    server: _Server

    def do_GET(self) -> None:
        """Answer with one file."""
        served = self.server.served
        served.asked.append(self.path)
        path = served.folder / self.path.lstrip("/")
        if not path.is_file():
            self.send_error(404)
            return
        data = path.read_bytes()
        found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(found[1]) if found else 0
        self.send_response(206 if found else 200)
        if found:
            served.ranges.append(self.headers["Range"])
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        if not served.untold:
            self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        with contextlib.suppress(OSError):  # the client hung up
            self._body(data[start:], served if "/targets/files/" in self.path else Served(served.folder))

    def _body(self, data: bytes, served: Served) -> None:
        if served.drip is not None:
            for byte in data:
                self.wfile.write(bytes([byte]))
                time.sleep(served.drip)
        elif served.cut is not None and len(data) > served.cut:
            self.wfile.write(data[: served.cut])
            self.close_connection = True
        else:
            self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Nothing."""


@contextlib.contextmanager
def file_server(certificate: Path, folder: Path) -> Iterator[Served]:
    """Serve until the block ends, on a free port. certificate: PEM with its key."""
    served = Served(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with _Server(served) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        served.url = f"https://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="file-server")
        thread.start()
        try:
            yield served
        finally:
            server.shutdown()
            thread.join(10)
