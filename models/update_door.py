"""The door through which signed updates come in: https from an update server, or the files of a USB stick.

Nothing here is trusted: what comes is judged by `updates`. A file of a pack that broke off is continued where it ended.

Trust in the server is one TLS context, the environment adds no proxy, certificate or password, and nothing is followed
to another address. At the deadline every connection is shut, so that a dripping server holds nobody.
"""

import contextlib
import os
import socket
import ssl
import stat
import threading
import weakref
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Protocol
from urllib.parse import unquote

import requests
from requests.adapters import HTTPAdapter
from tuf.api.exceptions import DownloadError, DownloadHTTPError, DownloadLengthMismatchError, RepositoryError
from tuf.ngclient.fetcher import FetcherInterface
from urllib3.exceptions import HTTPError

from models.errors import UpdateUnreachable

Report = Callable[[int], None]
"""Called with all bytes that came so far."""

_TIMEOUT_S: Final = (10.0, 30.0)
"""To connect, and between two parts of an answer."""
_CHUNK: Final = 64 * 1024
_CHECK_S: Final = 0.2
"""How often the deadline is looked at."""


class Door(Protocol):
    """Where an update comes from. base: what the paths of a repository are appended to. received: bytes so far."""

    base: str
    received: int

    @property
    def fetcher(self) -> FetcherInterface:
        """What gets one file of the repository."""


class FolderDoor(FetcherInterface):
    """A repository in a folder, most often on a USB stick."""

    base: str = "folder:/"

    def __init__(self, folder: Path) -> None:
        """Raises UpdateUnreachable where there is no repository."""
        try:
            found = [one for one in (folder, folder / "public") if (one / "metadata").is_dir()]
        except OSError as error:
            raise UpdateUnreachable(f"the stick cannot be read: {error.strerror}") from error
        if not found:
            raise UpdateUnreachable(f"there is no model repository in {folder.name}")
        self._folder = found[0]
        self.received = 0

    @property
    def fetcher(self) -> FetcherInterface:
        """Itself."""
        return self

    def _fetch(self, url: str) -> Iterator[bytes]:
        parts = [unquote(part) for part in url.removeprefix(self.base).split("/")]
        if any(part in {"", ".", ".."} or "/" in part or "\0" in part for part in parts):
            raise DownloadError("a path leads out of the stick")
        return self._read(self._folder.joinpath(*parts))

    def _read(self, path: Path) -> Iterator[bytes]:
        try:
            # a stick can hold a link or a pipe under any name; neither is followed, neither holds us
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(handle, "rb") as file:
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    raise DownloadError(f"{path.name} on the stick is no plain file")
                while part := file.read(_CHUNK):
                    self.received += len(part)
                    yield part
        except FileNotFoundError as error:
            raise DownloadHTTPError(f"{path.name} is not on the stick", HTTPStatus.NOT_FOUND) from error
        except OSError as error:
            raise DownloadError(f"{path.name} on the stick cannot be read: {error.strerror}") from error


def require_tls(url: str) -> None:
    """Raises UpdateUnreachable for an address that is not https."""
    if not url.startswith("https://"):
        raise UpdateUnreachable("the update server's address must begin with https://")


class ServerDoor(FetcherInterface):
    """A repository behind https. A context: leaving it closes every connection."""

    def __init__(
        self,
        url: str,
        partial: Path,
        monotonic: Callable[[], float],
        deadline_s: float,
        authorities: Path | None = None,
        report: Report = lambda _: None,
    ) -> None:
        """partial: folder for files that broke off. deadline_s: for everything together, from now on.

        authorities: PEM of the only certificate authorities to trust; None: the machine's. Raises UpdateUnreachable.
        """
        require_tls(url)
        self.base = url.rstrip("/") + "/"
        self.received = 0
        self._partial, self._report = partial, report
        self._monotonic, self._end = monotonic, monotonic() + deadline_s
        self._sockets: list[weakref.ref[ssl.SSLSocket]] = []
        self._session = _session(authorities, self._sockets)
        self._closed = threading.Event()
        self._guard = threading.Thread(target=self._watch, name="update-deadline", daemon=True)

    @property
    def fetcher(self) -> FetcherInterface:
        """Itself."""
        return self

    def __enter__(self) -> "ServerDoor":
        self._guard.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()
        self._guard.join()
        self._session.close()
        for sock in self._alive():
            sock.close()

    def _alive(self) -> list[ssl.SSLSocket]:
        return [sock for reference in list(self._sockets) if (sock := reference()) is not None]

    def _watch(self) -> None:
        while not self._closed.wait(_CHECK_S):
            if self._monotonic() >= self._end:
                for sock in self._alive():
                    with contextlib.suppress(OSError):  # closed in the meantime
                        socket.socket.shutdown(sock, socket.SHUT_RDWR)

    @contextlib.contextmanager
    def download_file(self, url: str, max_length: int) -> Iterator[IO[bytes]]:
        """As the interface says; a pack's file that breaks off is kept, and continued the next time."""
        if "/targets/files/" not in url:
            with super().download_file(url, max_length) as file:
                yield file
            return
        part = self._partial / f"{url.rpartition('/')[2]}.part"
        try:
            with _opened(part) as file:
                have = file.seek(0, os.SEEK_END)
                if have < max_length:
                    self._continue(url, file, have, max_length)
                file.seek(0)
                yield file
        except (DownloadLengthMismatchError, RepositoryError):
            part.unlink(missing_ok=True)  # it is not what was signed: never continue it
            raise
        part.unlink(missing_ok=True)

    def _continue(self, url: str, file: IO[bytes], have: int, length: int) -> None:
        for part in self._parts(url, have, file):
            have = file.tell() + len(part)
            if have > length:
                raise DownloadLengthMismatchError(f"the server sends more than the {length} bytes that were signed")
            try:
                file.write(part)
            except OSError as error:
                raise DownloadError(f"what comes cannot be written: {error.strerror}") from error
        if have < length:
            raise DownloadError("the connection broke off")  # nobody had said how much was to come

    def _fetch(self, url: str) -> Iterator[bytes]:
        return self._parts(url, 0, None)

    def _parts(self, url: str, have: int, file: IO[bytes] | None) -> Iterator[bytes]:
        headers = {"Range": f"bytes={have}-"} if have else {}
        try:
            if self._monotonic() >= self._end:
                raise DownloadError("the update was not here in time")
            with contextlib.closing(
                self._session.get(url, headers=headers, stream=True, timeout=_TIMEOUT_S, allow_redirects=False)
            ) as response:
                _judge_head(response, have, file)
                while part := response.raw.read1(_CHUNK):
                    self.received += len(part)
                    self._report(self.received)
                    yield part
                    if self._monotonic() >= self._end:
                        raise DownloadError("the update was not here in time")
                told = response.headers.get("Content-Length", "")
                if told.isdecimal() and response.raw.tell() < int(told):
                    raise DownloadError("the connection broke off")
        except (requests.RequestException, HTTPError, OSError) as error:
            late = self._monotonic() >= self._end
            reason = "was not here in time" if late else f"does not come ({type(error).__name__})"
            raise DownloadError(f"the update {reason}") from error


def _opened(part: Path) -> IO[bytes]:
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        return part.open("a+b")
    except OSError as error:
        raise DownloadError(f"{part.name} cannot be written: {error.strerror}") from error


def _judge_head(response: requests.Response, have: int, file: IO[bytes] | None) -> None:
    """Check the head of an answer; where the server sends the whole file, drop what was kept of it."""
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise DownloadError("the server sends it in an encoding nobody asked for")
    if have and response.status_code == HTTPStatus.PARTIAL_CONTENT:
        if not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            raise DownloadLengthMismatchError("the server sends another part than was asked for")
    elif response.status_code == HTTPStatus.OK:
        if file is not None:
            file.truncate(0)
            file.seek(0)
    elif response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        raise DownloadLengthMismatchError("the server has a shorter file than before")
    else:
        raise DownloadHTTPError(f"the update server answers {response.status_code}", response.status_code)


class _PinnedAdapter(HTTPAdapter):
    """Connections of one TLS context, which nothing may add a trusted certificate to."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: object) -> None:
        super().init_poolmanager(connections, maxsize, block, ssl_context=self._context, **pool_kwargs)

    def cert_verify(self, conn: object, url: object, verify: object, cert: object) -> None:
        """Do nothing: the inherited method adds certifi's authorities to the context."""


def _session(authorities: Path | None, sockets: "list[weakref.ref[ssl.SSLSocket]]") -> requests.Session:
    try:
        context = ssl.create_default_context(cafile=None if authorities is None else os.fspath(authorities))
    except (OSError, ssl.SSLError) as error:
        raise UpdateUnreachable("the update server's certificate authority cannot be read") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2

    class WatchedSocket(ssl.SSLSocket):
        def __new__(cls, *args: object, **kwargs: object) -> "WatchedSocket":
            made = super().__new__(cls, *args, **kwargs)
            sockets.append(weakref.ref(made))
            return made

    context.sslsocket_class = WatchedSocket
    session = requests.Session()
    session.trust_env = False  # no proxy, no CA bundle, no netrc from the environment
    session.adapters.clear()  # https only
    session.mount("https://", _PinnedAdapter(context))
    session.headers.update({"User-Agent": "keldim", "Accept": "*/*", "Accept-Encoding": "identity"})
    return session
