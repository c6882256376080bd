"""The log over HTTP: checkpoint, growth, tiles and cosignatures for everybody; inclusion for a device.

What is answered is left to `sync.fund.log`. Nothing here says anything about a person, and everything is verified by
whoever reads it, so the general paths ask for no certificate of a device.
"""

import re
from typing import Final

from fastapi import FastAPI, Request, Response

from sync.errors import EnvelopeInvalid
from sync.fund.body import read_limited
from sync.fund.counter import FrontDesk
from sync.fund.denial import RequestDenied
from sync.fund.description import BYTES, JSON, OF_DEVICE, TEXT, After, DeviceId, Old, Proven, TilePath, answers, plain
from sync.fund.gateway import Gateway
from sync.fund.log import Log
from sync.log_answer import encode_inclusion
from sync.note import MAX_NOTE
from sync.tiles import WIDTH, Tile

_TILE: Final = re.compile(r"(\d{1,2})/((?:x\d{3}/)*\d{3})(?:\.p/(\d{1,3}))?")
"""Level, number in groups of three digits, width of a partial tile (C2SP tlog-tiles)."""


def add_log(app: FastAPI, log: Log, gateway: Gateway, desk: FrontDesk) -> None:
    """Add the log's paths to the gateway's application."""
    _add_public(app, log, desk)
    _add_tiles(app, log, desk)

    @app.get(
        "/v1/devices/{device}/inclusion",
        summary="Where a device's events are in the log",
        responses=answers(Proven, *OF_DEVICE),
    )
    async def inclusion(
        request: Request,
        device: DeviceId,
        after: After = 0,
        old: Old = 0,
    ) -> Response:
        """Proofs for accepted events after a number, under a checkpoint that extends the one already seen."""
        with desk.place(request) as shown:
            await gateway.known(device, shown)
            answer = await log.inclusion(device, after, old)
            if answer is None:
                raise _none()
            return Response(encode_inclusion(answer), media_type=JSON)


def _add_public(app: FastAPI, log: Log, desk: FrontDesk) -> None:
    @app.get(
        "/v1/log/checkpoint",
        summary="The newest checkpoint, with its cosignatures",
        response_class=Response,
        responses=answers(plain(TEXT), 404),
    )
    async def checkpoint(request: Request) -> Response:
        """A signed note (C2SP tlog-checkpoint)."""
        with desk.place(request):
            newest = await log.newest()
            if newest is None:
                raise _none()
            return Response(newest.text, media_type=TEXT, headers={"Cache-Control": "no-store"})

    @app.get(
        "/v1/log/growth",
        summary="The newest checkpoint as an extension of an older one",
        response_class=Response,
        responses=answers(plain(TEXT), 400, 404),
    )
    async def growth(request: Request, old: Old = 0) -> Response:
        """Old size, consistency proof and checkpoint: the body of add-checkpoint (C2SP tlog-witness)."""
        with desk.place(request):
            found = await log.growth(old)
            if found is None:
                raise _none()
            return Response(found.text, media_type=TEXT, headers={"Cache-Control": "no-store"})

    @app.post(
        "/v1/log/cosignatures",
        summary="Add a witness's cosignature",
        response_class=Response,
        responses=answers(plain(TEXT), 400, 403, 408, 413),
        openapi_extra={"requestBody": {"required": True, "content": plain(TEXT)}},
    )
    async def cosign(request: Request) -> Response:
        """The size of the checkpoint on a line, then signature lines; those of unknown witnesses are ignored."""
        with desk.place(request):
            content = await read_limited(request, MAX_NOTE, MAX_NOTE)
            if content is None:
                raise RequestDenied(413, "too_large", f"cosignatures have at most {MAX_NOTE} bytes")
            try:
                kept = await log.cosign(content.decode("utf-8"))
            except (EnvelopeInvalid, UnicodeDecodeError) as error:
                raise RequestDenied(400, "malformed", "not cosignatures of a checkpoint of this log") from error
            if not kept:
                raise RequestDenied(403, "unknown_witness", "none of the signatures is a trusted witness's")
            return Response(f"{kept}\n", media_type=TEXT)


def _add_tiles(app: FastAPI, log: Log, desk: FrontDesk) -> None:
    @app.get(
        "/v1/log/tile/{path:path}",
        summary="A tile of the tree",
        response_class=Response,
        responses=answers(plain(BYTES), 400, 404),
    )
    async def tile(request: Request, path: TilePath) -> Response:
        """As C2SP tlog-tiles; entries are not served: a leaf's entry is an event's digest, which its owner has."""
        match = _TILE.fullmatch(path)
        if match is None:
            raise RequestDenied(400, "malformed", "not the path of a tile")
        level, number, width = match.groups()
        digits, wanted = number.replace("x", "").replace("/", ""), int(width or WIDTH)
        if not 1 <= wanted <= WIDTH or len(digits) > 15:
            raise RequestDenied(400, "malformed", "not the path of a tile")
        with desk.place(request):
            hashes = await log.tile(Tile(int(level), int(digits)), wanted)
        if hashes is None:
            raise RequestDenied(404, "not_found", "the log has no such tile yet")
        caching = {"Cache-Control": "public, max-age=31536000, immutable"}  # a tile of a width never changes
        return Response(hashes, media_type="application/octet-stream", headers=caching)


def _none() -> RequestDenied:
    return RequestDenied(404, "no_checkpoint", "there is no such checkpoint yet")
