"""The gateway over HTTP: paths, limits, status codes, and a description that clients can be generated from.

What a batch means is left to `sync.fund.gateway`. Whatever is sent here, the answer is 2xx or 4xx; 503 says that the
fund itself cannot store just now.
"""

import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from sync.errors import DatabaseFailure, EnvelopeInvalid, KeyUnusable, LogBroken, SettingsInvalid
from sync.fund.body import BODY_SECONDS, read_limited
from sync.fund.counter import FrontDesk
from sync.fund.denial import RequestDenied
from sync.fund.description import (
    HTML,
    JSON,
    OF_BODY,
    OF_DEVICE,
    Batch,
    CertificateRequest,
    DescribedApp,
    DeviceId,
    Health,
    IssuedCertificate,
    Nonce,
    SignedHead,
    SignedReceipt,
    answers,
    body_of,
    plain,
)
from sync.fund.gateway import Gateway
from sync.fund.log import Log
from sync.fund.log_app import add_log
from sync.fund.page import CONTENT_POLICY, render
from sync.protocol import MAX_BODY
from sync.squeeze import ENCODING, unsqueeze
from sync.strict_json import dump

logger = logging.getLogger(__name__)

DRAIN = 4 * MAX_BODY
"""Bytes of an oversized body that are read and thrown away, so that its sender gets to read the 413 and not a reset."""

FAILING_RETRY_S = 30
"""Seconds to wait when the database cannot be written: somebody has to free the disk first."""

_LENGTH_DIGITS = 12
"""A Content-Length of more digits is too large without being read as a number."""

Renew = Callable[[str, str | None, bytes], Awaitable[bytes]]
"""Device, fingerprint of the certificate shown, body: the answer to a request for a TLS certificate."""


def create_app(gateway: Gateway, log: Log, desk: FrontDesk, renew: Renew) -> FastAPI:
    """The web application in front of a gateway and its log; whoever opens them closes them."""
    app = DescribedApp(
        title="Keldim fund gateway",
        version="1",
        description="Receives signed events of clinic desks, exactly once. Formats and decisions: sync/PROTOCOL.md.",
        docs_url=None,  # the pages would load scripts from other hosts
        redoc_url=None,
    )
    _add_ingest(app, gateway, desk)
    _add_renewal(app, gateway, renew, desk)
    _add_questions(app, gateway, log, desk)
    add_log(app, log, gateway, desk)
    _add_failures(app)
    return app


def _add_ingest(app: FastAPI, gateway: Gateway, desk: FrontDesk) -> None:
    @app.post(
        "/v1/devices/{device}/events",
        summary="Offer events of a device",
        responses=answers(SignedReceipt, *OF_DEVICE, *OF_BODY),
        openapi_extra=body_of(Batch),
    )
    async def receive(device: DeviceId, request: Request) -> Response:
        """One signed receipt answers every event. Any request may be repeated, whole or in part, at any time."""
        with desk.place(request) as shown:
            known = await gateway.known(device, shown)
            content = await read_body(request)
            return Response(await gateway.receive(known, content), media_type=JSON)


def _add_renewal(app: FastAPI, gateway: Gateway, renew: Renew, desk: FrontDesk) -> None:
    @app.post(
        "/v1/devices/{device}/tls-certificate",
        summary="Renew the certificate of the connection",
        responses=answers(IssuedCertificate, *OF_DEVICE, *OF_BODY),
        openapi_extra=body_of(CertificateRequest),
    )
    async def tls_certificate(device: DeviceId, request: Request) -> Response:
        """Over a connection secured by a good TLS certificate of the device; the same key gets the same answer."""
        with desk.place(request) as shown:
            await gateway.known(device, shown)
            content = await read_body(request)
            return Response(await renew(device, shown, content), media_type=JSON)


def _add_questions(app: FastAPI, gateway: Gateway, log: Log, desk: FrontDesk) -> None:
    @app.get(
        "/v1/devices/{device}/head",
        summary="The end of a device's chain",
        responses=answers(SignedHead, *OF_DEVICE),
    )
    async def head(device: DeviceId, request: Request, nonce: Nonce) -> Response:
        """Signed, and fresh because it repeats the nonce. Answered for blocked devices as well."""
        with desk.place(request) as shown:
            return Response(await gateway.head(await gateway.known(device, shown), nonce), media_type=JSON)

    @app.get("/healthz", summary="Whether the gateway can store", responses=answers(Health))
    async def health(request: Request) -> Response:
        """Writes to the database, so 200 means that an event could be kept just now."""
        with desk.place(request):
            await gateway.probe()
            return Response(dump({"status": "ok"}), media_type=JSON)

    @app.get("/", summary="What the fund holds, for people", response_class=Response, responses=answers(plain(HTML)))
    async def page(request: Request) -> HTMLResponse:
        """Devices, heads and counts; no personal data."""
        with desk.place(request):
            shown = render(await gateway.overview(), await log.state())
            return HTMLResponse(shown, headers={"Content-Security-Policy": CONTENT_POLICY, "Cache-Control": "no-store"})


async def read_body(request: Request, seconds: float = BODY_SECONDS) -> bytes:
    """The body of a request, plain: at most MAX_BODY bytes kept, as sent and as unpacked, `seconds` waited.

    Raises RequestDenied, ClientDisconnect.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    encoding = request.headers.get("content-encoding")
    if kind != JSON or encoding not in {None, ENCODING}:
        raise RequestDenied(415, "malformed", f"the body must be {JSON}, plain or as {ENCODING}")
    announced = request.headers.get("content-length", "0")
    if len(announced) > _LENGTH_DIGITS or (announced.isdecimal() and int(announced) > DRAIN):
        raise _too_large()
    content = await read_limited(request, MAX_BODY, DRAIN, seconds)
    if content is None:
        raise _too_large()
    return content if encoding is None else _unsqueezed(content)


def _unsqueezed(content: bytes) -> bytes:
    """Raises RequestDenied, having made no more than a byte too much of it."""
    try:
        plain = unsqueeze(content, MAX_BODY)
    except EnvelopeInvalid as error:
        raise RequestDenied(400, "malformed", str(error)) from error
    if len(plain) > MAX_BODY:
        raise _too_large()
    return plain


def _too_large() -> RequestDenied:
    return RequestDenied(413, "too_large", f"a request holds at most {MAX_BODY} bytes")


def _add_failures(app: FastAPI) -> None:
    """Every failure that has a name as {"code", "message"}; a bug stays a 500 with a trace in the log."""

    async def denied(_request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestDenied)  # noqa: S101  # registered for nothing else
        return problem(error.status, error.code, str(error), error.retry_after)

    async def invalid(_request: Request, _error: Exception) -> Response:
        return problem(400, "malformed", "a parameter is missing or not what it should be")

    async def http(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101  # registered for nothing else
        status = HTTPStatus(error.status_code)
        return problem(status, status.phrase.lower().replace(" ", "_"), f"{status.phrase}; see /openapi.json")

    async def failing(_request: Request, error: Exception) -> Response:
        assert isinstance(error, DatabaseFailure | KeyUnusable | LogBroken | SettingsInvalid)  # noqa: S101  # registered for nothing else
        logger.error("%s: %s. %s", error.code, error, error.remedy)
        return problem(503, "busy", "the fund cannot store just now", FAILING_RETRY_S)

    async def gone(_request: Request, _error: Exception) -> Response:
        return problem(400, "malformed", "the body ended early")  # nobody is there to read it

    handlers: dict[type[Exception], Callable[[Request, Exception], Awaitable[Response]]] = {
        RequestDenied: denied,
        RequestValidationError: invalid,
        HTTPException: http,
        DatabaseFailure: failing,
        KeyUnusable: failing,
        SettingsInvalid: failing,
        LogBroken: failing,
        ClientDisconnect: gone,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


def problem(status: int, code: str, message: str, retry_after: int | None = None) -> Response:
    """An answer that denies a whole request."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Response(dump({"code": code, "message": message}), status, headers, JSON)
