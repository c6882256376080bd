"""Takes in what came on a stick: the same judging as over the network, and receipts to carry back.

The files are `sync.carry`'s, the judging the gateway's. It works while the gateway serves: the store decides.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sync.carry import RECEIPTS, CarriedReceipt, device_of, read_events, receipts_file
from sync.carry_errors import CarriedRefused, StickUnusable
from sync.durable import replace_file
from sync.fund.denial import RequestDenied
from sync.fund.gateway import Gateway
from sync.sealing import SealedBox
from sync.strict_json import Members


@dataclass(frozen=True, slots=True)
class Imported:
    """One file taken in: events of a desk, and where its receipts are."""

    device: str
    events: int
    receipts: Path


def import_files(gateway: Gateway, box: SealedBox, paths: Sequence[Path]) -> tuple[Imported, ...]:
    """Judge the events of these files; every file is read to its end before anything of any is taken.

    Raises CarriedInvalid, StickUnusable, CarriedRefused, DatabaseFailure, KeyUnusable.
    """
    for path in paths:
        for _ in read_events(path, box):
            pass
    return asyncio.run(_import(gateway, box, paths))


async def _import(gateway: Gateway, box: SealedBox, paths: Sequence[Path]) -> tuple[Imported, ...]:
    await gateway.open()
    try:
        return tuple([await _take(gateway, box, path) for path in paths])
    finally:
        await gateway.close()


async def _take(gateway: Gateway, box: SealedBox, path: Path) -> Imported:
    device, receipts, events = device_of(path), list[CarriedReceipt](), 0
    target = path.with_suffix("." + RECEIPTS)
    try:
        for batch in read_events(path, box):
            answer = await gateway.carried(device, batch.tokens)
            receipts.append(CarriedReceipt(batch.first, batch.last, Members.parse(answer).text("receipt")))
            events += len(batch.tokens)
    except RequestDenied as denied:
        raise CarriedRefused(f"{device}: {denied.code}: {denied}") from denied
    finally:
        if receipts:
            _write(target, receipts_file(device, receipts))
    return Imported(device, events, target)


def _write(path: Path, content: bytes) -> None:
    try:
        replace_file(path, content)
    except OSError as error:
        raise StickUnusable(f"{path.name} cannot be written: {error.strerror}") from error
