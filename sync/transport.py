"""The only door to the network: one HTTPS exchange with the fund, bounded in time and size.

What is said is left to `protocol`, when to try again to `outbox`; nothing is retried here.

Trust is one SSLContext with the fund's own CA, given to the connection itself: `session.verify` and the
environment (REQUESTS_CA_BUNDLE, HTTPS_PROXY) can be changed by one line in a unit file. A time-out of
`requests` is per read, so a dripping server would hold it for ever: the exchange runs in a thread
of its own, and at the deadline its sockets are shut.
"""

import contextlib
import queue
import socket
import ssl
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from sync.clock import Clock
from sync.errors import (
    AnswerLate,
    DeviceRefused,
    EnvelopeInvalid,
    FundBusy,
    KeyUnusable,
    NotLogged,
    ProtocolViolation,
    RequestRefused,
    SettingsInvalid,
    TransportFailure,
)
from sync.home import FundSettings
from sync.protocol import MAX_ANSWER
from sync.squeeze import ENCODING, squeeze
from sync.strict_json import Members

_CONNECT_S: Final = 5.0
_POLL_S: Final = 0.1
"""How soon a stop is noticed while waiting."""

_SHOWN: Final = 160
"""Characters of a message of the other side that are shown."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    retry_after: float | None
    body: bytes


class Transport:
    """The way to one fund, for one device; one exchange at a time."""

    def __init__(
        self, settings: FundSettings, device: str, clock: Clock, stopped: Callable[[], bool] = lambda: False
    ) -> None:
        """Read the fund's CA. stopped: asked while waiting; true ends the exchange. Raises SettingsInvalid."""
        try:
            ca_pem = settings.ca.read_text(encoding="ascii")
        except (OSError, ValueError) as error:
            raise SettingsInvalid(f"the fund's certificate {settings.ca.name} cannot be read") from error
        self._url = f"{settings.url}/v1/devices/{device}"
        self._deadline_s = float(settings.deadline_s)
        self._clock = clock
        self._stopped = stopped
        self._sockets: list[weakref.ref[ssl.SSLSocket]] = []
        self._ca_pem = ca_pem
        self._context = _watched(pinned_context(ca_pem), self._sockets)
        self._session = _session(self._context)

    def post_events(self, body: bytes) -> bytes:
        """Send a batch, get the body of the answer.

        Raises TransportFailure (FundBusy with the time to wait), DeviceRefused, RequestRefused, ProtocolViolation.
        """
        headers = {"Content-Type": "application/json", "Content-Encoding": ENCODING}
        return self._exchange(requests.Request("POST", f"{self._url}/events", data=squeeze(body), headers=headers))

    def get_head(self, nonce: str) -> bytes:
        """Ask for the fund's head of this device. Raises as `post_events`."""
        return self._exchange(requests.Request("GET", f"{self._url}/head", params={"nonce": nonce}))

    def renew_tls(self, body: bytes) -> bytes:
        """Ask for a certificate for the next TLS key, showing the present one. Raises as `post_events`."""
        headers = {"Content-Type": "application/json"}
        return self._exchange(requests.Request("POST", f"{self._url}/tls-certificate", data=body, headers=headers))

    def show(self, certificate: Path) -> None:
        """From the next connection on show this certificate: a PEM with its key. Raises KeyUnusable."""
        context = _watched(pinned_context(self._ca_pem), self._sockets)
        try:
            context.load_cert_chain(certificate)
        except (OSError, ssl.SSLError) as error:
            raise KeyUnusable(f"{certificate.name} is not a key with its certificate") from error
        self._context = context
        self._session.close()
        self._session = _session(context)

    def get_inclusion(self, after: int, old: int) -> bytes:
        """Ask where events are in the fund's log. Raises NotLogged (no checkpoint yet), and as `post_events`."""
        return self._exchange(requests.Request("GET", f"{self._url}/inclusion", params={"after": after, "old": old}))

    def close(self) -> None:
        """Close idle connections."""
        self._session.close()

    def _exchange(self, request: requests.Request) -> bytes:
        self._sockets[:] = [one for one in self._sockets if one() is not None]
        done: queue.SimpleQueue[_Answer | TransportFailure] = queue.SimpleQueue()
        session, deadline_s = self._session, self._deadline_s
        thread = threading.Thread(
            target=lambda: done.put(_send(session, request, deadline_s)), name="exchange", daemon=True
        )
        thread.start()
        answer = self._wait(thread, done)
        if isinstance(answer, TransportFailure):
            raise answer
        return _judge(answer)

    def _wait(
        self, thread: threading.Thread, done: "queue.SimpleQueue[_Answer | TransportFailure]"
    ) -> "_Answer | TransportFailure":
        end = self._clock.monotonic() + self._deadline_s
        while self._clock.monotonic() < end and not self._stopped():
            alive = thread.is_alive()  # asked first: an answer may come between the two
            try:
                answer = done.get(timeout=_POLL_S)
            except queue.Empty:
                if not alive:
                    raise RuntimeError("the exchange ended without an answer") from None
            else:
                if isinstance(answer, TransportFailure):
                    self._hang_up()  # whether or not the thread has ended: it is done with its connections
                return answer
        self._abandon()
        if self._stopped():
            return TransportFailure("the desk is stopping")
        return AnswerLate(f"no complete answer within {self._deadline_s:.0f} s")

    def _abandon(self) -> None:
        """Wake the thread by shutting its sockets, and leave it the session: it may still be resolving a name."""
        for reference in list(self._sockets):
            sock = reference()
            if sock is not None:
                with contextlib.suppress(OSError):  # closed in the meantime
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)  # not SSLSocket's: its thread still reads
        self._session = _session(self._context)

    def _hang_up(self) -> None:
        """Close every connection: the `ssl` module leaves one open whose peer resets it before the handshake."""
        self._session.close()
        for reference in self._sockets:
            sock = reference()
            if sock is not None:
                sock.close()


class LogTransport(Transport):
    """The way to the log of one fund, for whoever is no device: a witness."""

    def __init__(self, settings: FundSettings, clock: Clock, stopped: Callable[[], bool] = lambda: False) -> None:
        """As `Transport`."""
        super().__init__(settings, "", clock, stopped)
        self._log_url = f"{settings.url}/v1/log"

    def get_growth(self, old: int) -> bytes:
        """The newest checkpoint as an extension of the one of `old` events. Raises NotLogged, and as `post_events`."""
        return self._exchange(requests.Request("GET", f"{self._log_url}/growth", params={"old": old}))

    def post_cosignature(self, body: bytes) -> bytes:
        """Hand in a cosignature. Raises as `post_events`."""
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        return self._exchange(requests.Request("POST", f"{self._log_url}/cosignatures", data=body, headers=headers))


def pinned_context(ca_pem: str) -> ssl.SSLContext:
    """TLS 1.3 and this certificate authority only. Raises SettingsInvalid when it is not a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks host names; trusts nobody yet
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        context.load_verify_locations(cadata=ca_pem)
    except (ssl.SSLError, ValueError) as error:
        raise SettingsInvalid("the fund's certificate is not a certificate in PEM") from error
    return context


def _watched(context: ssl.SSLContext, sockets: "list[weakref.ref[ssl.SSLSocket]]") -> ssl.SSLContext:
    """Let every connection of this context put itself on the list when it is made."""

    class WatchedSocket(ssl.SSLSocket):
        def __new__(cls, *args: object, **kwargs: object) -> "WatchedSocket":
            made = super().__new__(cls, *args, **kwargs)
            sockets.append(weakref.ref(made))
            return made

    context.sslsocket_class = WatchedSocket
    return context


class _PinnedAdapter(HTTPAdapter):
    """Connections of one TLS context, which nothing may add a trusted certificate to."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: object) -> None:
        super().init_poolmanager(connections, maxsize, block, ssl_context=self._context, **pool_kwargs)

    def cert_verify(self, conn: object, url: object, verify: object, cert: object) -> None:
        """Do nothing: the inherited method loads certifi's bundle into our context, so any public CA would pass."""


def _session(context: ssl.SSLContext) -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # no proxy, no CA bundle, no netrc from the environment
    session.adapters.clear()  # https only
    session.mount("https://", _PinnedAdapter(context))
    session.headers.update({"User-Agent": "keldim", "Accept": "application/json", "Accept-Encoding": "identity"})
    return session


def _send(session: requests.Session, request: requests.Request, deadline_s: float) -> _Answer | TransportFailure:
    try:
        with session.send(
            session.prepare_request(request),
            timeout=(_CONNECT_S, deadline_s),
            stream=True,
            allow_redirects=False,
        ) as response:
            body = bytearray()
            for part in response.iter_content(64 * 1024):
                body += part
                if len(body) > MAX_ANSWER:
                    break
            return _Answer(response.status_code, _seconds(response.headers.get("Retry-After", "")), bytes(body))
    except requests.exceptions.SSLError as error:
        return TransportFailure(_tls_trouble(str(error)))
    except requests.exceptions.Timeout:
        return AnswerLate("the fund does not answer in time")
    except (requests.RequestException, HTTPError, OSError) as error:
        return TransportFailure(f"the fund cannot be reached ({type(error).__name__})")


def _tls_trouble(text: str) -> str:
    """What is wrong with a connection, from OpenSSL's words."""
    if "CERTIFICATE_VERIFY_FAILED" in text:
        if "not yet valid" in text:
            return "the fund's certificate is not valid yet: most likely this machine's clock is behind; set it"
        if "has expired" in text:
            return "the fund's certificate has ended, unless this machine's clock is ahead; look at the clock first"
        return "the other side is not the fund: its certificate does not verify"
    if " alert " in text.lower():  # the other side says so, which has seen our certificate, or missed it
        return "the fund does not accept this desk's TLS certificate"
    return "no TLS 1.3 connection with the fund comes about"


def _judge(answer: _Answer) -> bytes:
    status = answer.status
    if status == HTTPStatus.OK:
        if len(answer.body) > MAX_ANSWER:
            raise ProtocolViolation(f"the answer is longer than {MAX_ANSWER} bytes")
        return answer.body
    text = f"the fund answers {status} {_explanation(answer.body)}".rstrip()
    if status == HTTPStatus.FORBIDDEN:
        raise DeviceRefused(text)
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        raise FundBusy(text, answer.retry_after)
    if status in {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY}:
        raise RequestRefused(text, status)
    if status == HTTPStatus.NOT_FOUND and text.partition(": ")[0].endswith(" no_checkpoint"):  # not any page's 404
        raise NotLogged(text)
    if status >= HTTPStatus.BAD_REQUEST:
        raise TransportFailure(text)
    raise ProtocolViolation(text)


def _explanation(body: bytes) -> str:
    """Code and message of an error, as far as they can be shown."""
    try:
        members = Members.parse(body[:MAX_ANSWER])
        text = f"{members.text('code')}: {members.text('message')}"
    except EnvelopeInvalid:
        return ""
    return "".join(c if c.isprintable() else " " for c in text[:_SHOWN])


def _seconds(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdecimal() and len(text) <= 6 else None
