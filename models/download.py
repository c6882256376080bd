"""The door through which published files are downloaded: https only, verified by size and SHA-256, resumable.

What is wanted, and from which address, belongs to `upstream`. The other door to the network, `sync.transport`, speaks
with the fund; the desk's process that sees faces imports neither.

Trust is the machine's certificate store and certifi's; the environment adds no proxy, certificate or password. The hash
decides in the end. A server that sends almost nothing is given up; its headers may drip, and who waits can break off.
"""

import os
import ssl
from collections.abc import Callable
from contextlib import closing
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from models.errors import SourceUnusable
from models.sources import Published, verify

Report = Callable[[str, int, int], None]
"""Called with the file's name, bytes there, bytes in all."""

_TIMEOUT_S: Final = (10.0, 30.0)
"""To connect, and between two parts of an answer."""
_REDIRECTS: Final = 5
_CHUNK: Final = 64 * 1024
_SLOW_S, _SLOW_BYTES = 60.0, 60 * 1024
"""Fewer bytes in this time: the server drips. A kilobyte a second is below every line a clinic would have."""


def _silent(name: str, done: int, size: int) -> None:
    del name, done, size


class Downloader:
    """Downloads one file after the other; `models.upstream.Fetcher`."""

    def __init__(
        self, monotonic: Callable[[], float], report: Report = _silent, authorities: Path | None = None
    ) -> None:
        """monotonic: seconds. authorities: PEM of the only certificate authorities to trust; None: the machine's."""
        self._monotonic = monotonic
        self._report = report
        self._session = _session(authorities)

    def fetch(self, url: str, target: Path, sha256: str, size: int) -> None:
        """Put the file at the address into `target`, once it is whole and the one that was asked for.

        What came before a connection broke is kept beside it and not asked for again. Raises SourceUnusable.
        """
        part = target.with_name(f".{target.name}.part")
        try:
            have = part.stat().st_size if part.exists() else 0
            if have < size:
                with part.open("ab") as stream:
                    self._transfer(url, stream, have, size, target.name)
            verify(part, Published(target.name, sha256, size, url))
            part.replace(target)
        except _Unwanted as error:
            part.unlink(missing_ok=True)
            raise SourceUnusable(f"{target.name}: {error}") from error
        except requests.RequestException as error:
            raise SourceUnusable(f"{target.name}: {_reason(error, url)}") from error
        except HTTPError as error:
            raise SourceUnusable(f"{target.name}: the connection broke off ({type(error).__name__})") from error
        except OSError as error:
            raise SourceUnusable(f"{target.name} cannot be written: {error.strerror}") from error
        except SourceUnusable as error:
            whole = part.exists() and part.stat().st_size >= size
            part.unlink() if whole else None
            raise SourceUnusable(f"{target.name}: {error}") from error

    def _transfer(self, url: str, stream: BinaryIO, have: int, size: int, name: str) -> None:
        headers = {"Range": f"bytes={have}-"} if have else {}
        with closing(self._session.get(url, headers=headers, stream=True, timeout=_TIMEOUT_S)) as response:
            have = _start(response, stream, have, size)
            mark, counted = self._monotonic(), have
            while part := response.raw.read1(_CHUNK):
                have += len(part)
                if have > size:
                    raise _Unwanted(f"the server sends more than its {size} bytes")
                stream.write(part)
                self._report(name, have, size)
                if self._monotonic() - mark > _SLOW_S:
                    if have - counted < _SLOW_BYTES:
                        raise SourceUnusable(f"the server hardly sends anything: {have} of {size} bytes are there")
                    mark, counted = self._monotonic(), have
        if have < size:
            raise SourceUnusable(f"the connection broke off after {have} of {size} bytes; the next try goes on there")


class _Unwanted(Exception):
    """What came is not the file; nothing of it is kept."""


def _start(response: requests.Response, stream: BinaryIO, have: int, size: int) -> int:
    """Check the head of an answer, and give how many bytes of the file are kept from before."""
    if response.status_code == HTTPStatus.PARTIAL_CONTENT and have:
        if not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            raise _Unwanted("the server sends another part than was asked for")
    elif response.status_code == HTTPStatus.OK:
        stream.truncate(0)
        have = 0
    elif response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        raise _Unwanted("the server has another file than before; try again")
    else:
        raise SourceUnusable(f"{urlsplit(response.url).hostname} answers {response.status_code}")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise _Unwanted("the server sends it in an encoding nobody asked for")
    told = response.headers.get("Content-Length", "")
    if told.isdecimal() and have + int(told) != size:
        raise _Unwanted(f"the server has {have + int(told)} bytes instead of {size}")
    return have


def _reason(error: requests.RequestException, url: str) -> str:
    host = urlsplit(url).hostname
    if isinstance(error, requests.exceptions.SSLError):
        return f"the certificate of {host} does not verify"
    if isinstance(error, requests.exceptions.InvalidSchema):
        return f"{host} leads to an address that is not https"
    if isinstance(error, requests.exceptions.TooManyRedirects):
        return f"{host} leads on without end"
    if isinstance(error, requests.exceptions.Timeout):
        return f"{host} does not answer in time"
    return f"{host} cannot be reached ({type(error).__name__})"


class _TrustingAdapter(HTTPAdapter):
    """Connections of one TLS context."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__(pool_connections=2, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: object) -> None:
        super().init_poolmanager(connections, maxsize, block, ssl_context=self._context, **pool_kwargs)


class _PinnedAdapter(_TrustingAdapter):
    def cert_verify(self, conn: object, url: object, verify: object, cert: object) -> None:
        """Do nothing: the inherited method adds certifi's authorities to the context."""


def _session(authorities: Path | None) -> requests.Session:
    context = ssl.create_default_context(cafile=None if authorities is None else os.fspath(authorities))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    session = requests.Session()
    session.trust_env = False  # no proxy, no CA bundle, no netrc from the environment
    session.max_redirects = _REDIRECTS
    session.adapters.clear()  # https only, also where a redirect leads
    session.mount("https://", _TrustingAdapter(context) if authorities is None else _PinnedAdapter(context))
    session.headers.update({"User-Agent": "keldim", "Accept": "*/*", "Accept-Encoding": "identity"})
    return session
