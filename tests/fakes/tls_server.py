"""A TLS server whose answers are written byte by byte by a test."""

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

Answer = Callable[[ssl.SSLSocket, bytes], None]
"""Gets the connection and the request's head; writes whatever it likes."""


@contextlib.contextmanager
def tls_server(
    certificate: Path, answer: Answer, maximum: ssl.TLSVersion | None = None, clients: Path | None = None
) -> Iterator[int]:
    """Serve one answer per connection on a free port of this machine; gives the port.

    certificate: PEM with its key. clients: authority whose certificate a client must show.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    if maximum is not None:
        context.maximum_version = maximum
    if clients is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients)

    def talk(connection: socket.socket) -> None:
        connection.settimeout(5)
        with connection, context.wrap_socket(connection, server_side=True) as secure:
            answer(secure, _head(secure))

    with _listening(talk) as port:
        yield port


@contextlib.contextmanager
def resetting_server() -> Iterator[int]:
    """Reset every connection as soon as it is there; gives the port."""

    def reset(connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    with _listening(reset) as port:
        yield port


@contextlib.contextmanager
def _listening(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)

        def serve() -> None:
            while not ended.is_set():
                with contextlib.suppress(OSError, TimeoutError):
                    talk(listener.accept()[0])

        thread = threading.Thread(target=serve, name="tls-server")
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            ended.set()
            thread.join(10)
            assert not thread.is_alive(), "the server's thread does not end"


def _head(secure: ssl.SSLSocket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        part = secure.recv(65536)
        if not part:
            break
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += secure.recv(65536)
    return head


def reply(status: int, body: bytes = b"", headers: str = "") -> Answer:
    """A well-formed answer."""

    def answer(secure: ssl.SSLSocket, head: bytes) -> None:
        del head
        lines = f"HTTP/1.1 {status} Status\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{headers}\r\n"
        secure.sendall(lines.encode() + body)

    return answer
