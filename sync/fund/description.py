"""The gateway's OpenAPI description: what every path takes and every answer it gives, for generated clients.

The paths themselves are `sync.fund.app`'s and `sync.fund.log_app`'s; a test holds both to what is said here.
"""

from typing import Annotated, Final, TypeAlias

from fastapi import FastAPI, Path, Query
from pydantic import BaseModel, Field

from sync.log_checkpoint import MAX_SIZE
from sync.protocol import MAX_EVENTS
from sync.squeeze import ENCODING

JSON: Final = "application/json"
TEXT: Final = "text/plain; charset=utf-8"
HTML: Final = "text/html; charset=utf-8"
BYTES: Final = "application/octet-stream"

OF_DEVICE: Final = (400, 403, 404)
"""How what a device asks can be denied."""

OF_BODY: Final = (408, 413, 415)
"""How what has a body can be denied beside."""

_SCHEME: Final = "deviceCertificate"

Responses: TypeAlias = dict[int | str, dict[str, object]]
"""FastAPI's type: by status, what OpenAPI says of an answer."""

DeviceId: TypeAlias = Annotated[
    str, Path(description="As registered.", json_schema_extra={"pattern": "^[a-z0-9-]+$", "maxLength": 63})
]
"""Described, not validated: what is no id is denied as an unknown device."""

Nonce: TypeAlias = Annotated[
    str, Query(description="32 hex digits, always new.", json_schema_extra={"pattern": "^[0-9a-f]{32}$"})
]
"""Described, not validated, as well."""

Old: TypeAlias = Annotated[int, Query(ge=0, le=MAX_SIZE, description="Size of the checkpoint seen last.")]
After: TypeAlias = Annotated[int, Query(ge=0, le=MAX_SIZE, description="Number of the last event that was proven.")]
TilePath: TypeAlias = Annotated[
    str,
    Path(
        description="As C2SP tlog-tiles: level, number in groups of three digits, width of a partial tile.",
        json_schema_extra={"pattern": r"^[0-9]{1,2}/(x[0-9]{3}/)*[0-9]{3}(\.p/[0-9]{1,3})?$"},
        examples=["0/000", "0/x001/067.p/12"],
    ),
]


class Problem(BaseModel):
    """Why a whole request was denied; nothing changed at the fund."""

    code: str = Field(examples=["malformed", "unknown_device", "device_blocked", "too_large", "busy"])
    message: str


class Batch(BaseModel):
    """Events of one device in the order of its chain."""

    events: list[str] = Field(min_length=1, max_length=MAX_EVENTS, description="JWS compact, typ visit+jws")


class SignedReceipt(BaseModel):
    """What was decided about each event of the request, in its order."""

    receipt: str = Field(description="JWS compact, typ receipt+jws, signed by the fund")


class SignedHead(BaseModel):
    """The end of a device's chain as the fund has it."""

    head: str = Field(description="JWS compact, typ head+jws, signed by the fund")


class CertificateRequest(BaseModel):
    """A request for a TLS certificate."""

    csr: str = Field(description="PKCS #10 in PEM, signed by the new key")


class IssuedCertificate(BaseModel):
    """A TLS certificate of the device."""

    certificate: str = Field(description="X.509 in PEM")


class ProvenEvents(BaseModel):
    """Accepted events of a device, side by side in the log."""

    index: int = Field(ge=0, description="place of the first in the log")
    seq: int = Field(ge=1, description="its number in the device's chain")
    count: int = Field(ge=1)
    proof: list[str] = Field(description="hashes, base64")


class Proven(BaseModel):
    """Where events are in the log; section 7 of PROTOCOL.md says how it is verified."""

    v: int
    growth: str
    runs: list[ProvenEvents]
    upto: int = Field(ge=0)


class Health(BaseModel):
    """The gateway can store."""

    status: str = "ok"


def answers(content: dict[str, object] | type[BaseModel], *denials: int) -> Responses:
    """What a path answers: 200 with this, and denied as said here; too many requests, and no storing, everywhere."""
    good: dict[str, object] = {"model": content} if isinstance(content, type) else {"content": content}
    good["description"] = "done"
    denied: Responses = {status: _denial(status) for status in (*denials, 429, 503)}
    return {200: good, **denied}


def plain(media_type: str) -> dict[str, object]:
    """Content that is text or bytes."""
    return {media_type: {"schema": {"type": "string"}}}


def body_of(model: type[BaseModel]) -> dict[str, object]:
    """A body that the path reads itself, because its size and time are limited while it is read."""
    return {
        "requestBody": {"required": True, "content": {JSON: {"schema": model.model_json_schema()}}},
        "parameters": [_ENCODING],
    }


_ENCODING: Final = {
    "name": "Content-Encoding",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "enum": [ENCODING]},
}

_DENIED: Final = {
    400: "malformed: the request itself, not an event in it",
    403: "unknown_device, unknown_witness, or device_... or certificate_...: see PROTOCOL.md",
    404: "not_found, no_checkpoint: nothing is there, or not yet",
    408: "malformed: the body did not come in time",
    413: "too_large",
    415: "malformed: another type or encoding of the body",
    429: "busy; see Retry-After",
    503: "busy; see Retry-After",
}


def _denial(status: int) -> dict[str, object]:
    said: dict[str, object] = {"model": Problem, "description": _DENIED[status]}
    if status in {429, 503}:
        seconds = {"schema": {"type": "integer", "minimum": 1}, "required": True, "description": "seconds to wait"}
        said["headers"] = {"Retry-After": seconds}
    return said


class DescribedApp(FastAPI):
    """An application that describes what it does, not what the framework does for others."""

    def openapi(self) -> dict[str, object]:
        """Without 422, which is answered 400 here, and with the certificate that the devices' paths ask for."""
        if self.openapi_schema is None:
            described = super().openapi()
            for path, operations in described["paths"].items():
                for operation in operations.values():
                    operation["responses"].pop("422", None)
                    if path.startswith("/v1/devices/"):
                        operation["security"] = [{_SCHEME: []}]
            parts = described["components"]
            for name in ("HTTPValidationError", "ValidationError"):
                parts["schemas"].pop(name, None)
            parts["securitySchemes"] = {_SCHEME: {"type": "mutualTLS", "description": "PROTOCOL.md section 6"}}
        return super().openapi()
