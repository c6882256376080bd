"""The configuration of nginx before the gateways of one fund: mutual TLS, limits, and who is there told to the gateway.

Who may do what is decided by the gateway all the same (`sync.fund.peer`): the proxy keeps strangers, slow clients and
oversized requests away from it, and shares the desks out. How it is put into use: firmware_notes/fund/nginx.md.
"""

import ipaddress
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sync.durable import replace_file
from sync.errors import ProxyImpossible
from sync.fund.counter import OF_ONE, RETRY_AFTER_S
from sync.fund.home import FundHome, parse_url, port_of
from sync.fund.keys import load_facts
from sync.fund.peer import ADDRESS_HEADER, HEADER
from sync.fund.rate import Rate
from sync.fund.stores import serves_several
from sync.note import MAX_NOTE
from sync.protocol import MAX_BODY

CLIENT_S: Final = 10
"""Seconds for a handshake with the head of a request, and between two parts of a body or an answer: a stranger who
stalls is gone then, and has held a connection of nginx, never a place of the gateway."""

ANSWER_S: Final = 30
"""Longer than the gateway waits for its database (20 s), so that its own answer comes first."""

IDLE_S: Final = 3
"""An idle connection to a gateway: shorter than the gateway keeps it (5 s), so that none is used just as it ends."""

CHUNKS: Final = 64 * 1024
"""Bytes that a body may take more in memory than it has, for how it is cut; in tiny chunks it goes through a file."""

_PATH: Final = re.compile(r"/[A-Za-z0-9._/+-]+")
"""What needs no quoting in nginx's language."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What nginx answers by itself. causes: its own statuses, also those it uses inside (494 to 497)."""

    name: str
    causes: tuple[int, ...]
    status: int
    code: str
    message: str
    retry_after: int | None = None


PROBLEMS: Final = (
    Problem("malformed", (400, 405, 411, 414, 494, 497, 501), 400, "malformed", "not a request of the protocol"),
    Problem("closed", (403,), 403, "forbidden", "this page is not answered to this address"),
    Problem("missing", (404,), 404, "not_found", "Not Found; see /openapi.json"),
    Problem("large", (413,), 413, "too_large", f"a request holds at most {MAX_BODY} bytes"),
    Problem("often", (429,), 429, "busy", "this peer asks too often", RETRY_AFTER_S),
    Problem("foreign", (495,), 403, "certificate_invalid", "the certificate of this connection does not verify here"),
    Problem("nobody", (496,), 403, "certificate_required", "a device speaks with its TLS certificate only"),
    Problem("away", (500, 502, 503, 504), 503, "busy", "no gateway answers just now", RETRY_AFTER_S),
)
"""As the gateway's own problems, so that a desk understands them."""


def nginx_configuration(
    root: Path,
    sockets: Sequence[Path],
    listen: Sequence[str] = (),
    rate: Rate = Rate(),  # noqa: B008  # a frozen value
) -> str:
    """A file for nginx's conf.d. sockets: of the gateways. listen: PORT or ADDRESS:PORT; none: the fund's own port.

    Raises ProxyImpossible (several gateways on a database that serves one, a path that would need quoting),
    FundIncomplete, KeyUnusable.
    """
    home = FundHome(root.absolute())
    url = parse_url(load_facts(home).url)
    if not sockets or (len(sockets) > 1 and not serves_several(home)):
        raise ProxyImpossible(f"this fund is served by one gateway, and {len(sockets)} sockets were given")
    listening = [_listen(each) for each in listen] or [_listen(f"{every}{port_of(url)}") for every in ("", "[::]:")]
    return "\n".join(
        (
            f"# nginx before the gateways of {url.netloc}: made by `keldim fund nginx`; make it again, do not edit it.",
            _peers(rate),
            _upstream([_plain(path) for path in sockets]),
            _server(home, listening, round(rate.burst)),
        )
    )


def write_configuration(path: Path, text: str) -> None:
    """Put a configuration in place of an older one, whole. Raises ProxyImpossible."""
    try:
        replace_file(path, text.encode("ascii"))
    except OSError as error:
        raise ProxyImpossible(f"{path} cannot be written: {error.strerror}") from error


def _listen(text: str) -> str:
    """Raises ProxyImpossible."""
    host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdecimal() and len(port) <= 5 and 0 < int(port) < 1 << 16):
        raise ProxyImpossible(f"{text!r} does not end with a port")
    if not host:
        return port
    try:
        if host[0] == "[" and host[-1] == "]" and "%" not in host:  # a zone may hold anything
            return f"[{ipaddress.IPv6Address(host[1:-1])}]:{port}"
        return f"{ipaddress.IPv4Address(host)}:{port}"
    except ValueError as error:
        raise ProxyImpossible(f"{host!r} is not an address to listen at") from error


def _plain(path: Path) -> str:
    """Raises ProxyImpossible."""
    text = str(path)
    if not _PATH.fullmatch(text):
        raise ProxyImpossible(f"the path {text!r} is not absolute, or has characters that nginx gives a meaning")
    return text


def _peers(rate: Rate) -> str:
    """Whom a request is counted for: a verified certificate, else an address. An empty key would not be counted."""
    return f"""
map $ssl_client_verify $keldim_peer {{
    SUCCESS $ssl_client_fingerprint;
    default $binary_remote_addr;
}}
map $ssl_client_verify $keldim_certificate {{
    SUCCESS $ssl_client_escaped_cert;
    default "";
}}
limit_req_zone $keldim_peer zone=keldim_requests:10m rate={round(rate.per_second)}r/s;
limit_conn_zone $keldim_peer zone=keldim_at_once:10m;"""


def _upstream(sockets: Sequence[str]) -> str:
    # None is taken for dead: a socket that nobody answers at says so at once, and its gateway is back just as quickly.
    servers = "\n".join(f"    server unix:{path} max_fails=0;" for path in sockets)
    return f"""
upstream keldim_gateways {{
{servers}
    keepalive 32;
    keepalive_timeout {IDLE_S}s;
}}"""


def _server(home: FundHome, listening: Sequence[str], burst: int) -> str:
    listens = "\n".join(f"    listen {each} ssl default_server;" for each in listening)
    return f"""
server {{
{listens}
    server_tokens off;
    access_log off;  # the gateway says what a device did; a request's line and body stay unwritten
    log_not_found off;
{_tls(_plain(home.server), _plain(home.device_ca))}
{_limits(burst)}
{_problems()}
{_HANDED_ON}
    location /v1/devices/ {{
        if ($ssl_client_verify != SUCCESS) {{
            return 496;
        }}
        client_max_body_size {MAX_BODY};  # as sent; what it unpacks to is limited by the gateway
        client_body_buffer_size {MAX_BODY + CHUNKS};  # not in a file
        proxy_pass http://keldim_gateways;
    }}
    location / {{
        client_max_body_size {MAX_NOTE};
        client_body_buffer_size {MAX_NOTE};
        proxy_pass http://keldim_gateways;
    }}
    location = / {{  # the page for people names every desk
        allow 127.0.0.1;
        allow ::1;
        deny all;
        proxy_pass http://keldim_gateways;
    }}
}}
"""


def _tls(server: str, authority: str) -> str:
    return f"""
    ssl_certificate {server};  # with its key; renewed when a gateway starts: reload nginx after it
    ssl_certificate_key {server};
    ssl_protocols TLSv1.3;
    ssl_client_certificate {authority};
    ssl_verify_client optional;  # a witness has no certificate
    ssl_verify_depth 1;
    ssl_session_tickets off;  # every connection shows its certificate
    ssl_session_cache off;"""


def _limits(burst: int) -> str:
    return f"""
    client_header_timeout {CLIENT_S}s;
    client_body_timeout {CLIENT_S}s;
    send_timeout {CLIENT_S}s;
    lingering_time {CLIENT_S}s;
    keepalive_timeout 75s;
    reset_timedout_connection on;
    client_header_buffer_size 2k;
    large_client_header_buffers 4 8k;
    underscores_in_headers off;
    limit_req zone=keldim_requests burst={burst - 1} nodelay;  # the first is not counted as burst
    limit_req_status 429;
    limit_conn keldim_at_once {OF_ONE};
    limit_conn_status 429;
"""


_HANDED_ON: Final = f"""
    # Inherited by every location, as long as none sets a header of its own: what a client sends under these names
    # never reaches a gateway.
    proxy_set_header Host $host;
    proxy_set_header Connection "";
    proxy_set_header {HEADER} $keldim_certificate;
    proxy_set_header {ADDRESS_HEADER} $remote_addr;
    proxy_http_version 1.1;
    proxy_request_buffering on;  # a slow body never takes a place of a gateway
    proxy_connect_timeout 2s;
    proxy_send_timeout {CLIENT_S}s;
    proxy_read_timeout {ANSWER_S}s;
    proxy_next_upstream error non_idempotent;  # everything may be sent again (PROTOCOL.md)
    proxy_next_upstream_tries 2;
    proxy_buffer_size 16k;
    proxy_buffers 17 16k;  # a whole answer
    proxy_max_temp_file_size 0;
"""


def _problems() -> str:
    """Where nginx's own statuses lead, and what is said there."""
    lines = []
    for each in PROBLEMS:
        causes, place = " ".join(map(str, each.causes)), f"/_problem/{each.name}"
        body = json.dumps({"code": each.code, "message": each.message}, separators=(",", ":"))
        wait = "" if each.retry_after is None else f"add_header Retry-After {each.retry_after} always; "
        # No limit of a body here: one that came in chunks would be found too large once more, and HTML be the answer.
        said = f"client_max_body_size 0; default_type application/json; {wait}return {each.status} '{body}';"
        lines += [f"    error_page {causes} ={each.status} {place};", f"    location = {place} {{ internal; {said} }}"]
    return "\n".join(lines)
