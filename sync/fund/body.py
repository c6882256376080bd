"""Reads what a request sends: so many bytes, for so long.

What the bytes mean, and how much is too much, is left to the paths (`sync.fund.app`, `sync.fund.log_app`).
"""

import asyncio

from starlette.requests import Request

from sync.fund.denial import RequestDenied

BODY_SECONDS = 30.0
"""A full batch over a 1 Mbit/s line takes 17 s; who is slower sends fewer events."""


async def read_limited(request: Request, keep: int, drain: int, seconds: float = BODY_SECONDS) -> bytes | None:
    """The body; None when it is longer than `keep` bytes, of which up to `drain` are read and thrown away.

    Raises RequestDenied when it did not come in so many seconds, ClientDisconnect.
    """
    chunks, size = [], 0
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                size += len(chunk)
                if size > drain:
                    break
                if size <= keep:
                    chunks.append(chunk)
    except TimeoutError as error:
        raise RequestDenied(408, "malformed", "the body did not come in time") from error
    return b"".join(chunks) if size <= keep else None
