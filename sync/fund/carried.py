"""Takes in what came on a stick: the same judging as over the network, and receipts to carry back.

The files are `sync.carry`'s, the judging the gateway's. It works while the gateway serves: the store decides. A list of
files is no transaction: each batch is kept when it has its receipt, and the same list may be given again at any time.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sync.carry import RECEIPTS, CarriedReceipt, device_of, read_events, receipts_file
from sync.carry_errors import StickUnusable
from sync.durable import replace_file
from sync.fund.denial import RequestDenied
from sync.fund.gateway import Gateway
from sync.sealing import SealedBox
from sync.strict_json import Members


@dataclass(frozen=True, slots=True)
class Imported:
    """One file: the events of a desk that were judged, where their receipts are, and why the fund took no more of it.

    refused: None when it was taken in whole. Without events there is no file of receipts.
    """

    device: str
    events: int
    receipts: Path
    refused: str | None = None


def import_files(gateway: Gateway, box: SealedBox, paths: Sequence[Path]) -> tuple[Imported, ...]:
    """Judge the events of these files; every file is read to its end before anything of any is taken.

    A desk of which the fund takes nothing holds up no other: see `Imported.refused`. After any failure what was judged
    has its receipts beside its file, and the same list goes on from there: events that were taken in are known.
    Raises CarriedInvalid (nothing of any file was taken), StickUnusable, DatabaseFailure, KeyUnusable.
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
    target, refused = path.with_suffix("." + RECEIPTS), None
    try:
        for batch in read_events(path, box):
            answer = await gateway.carried(device, batch.tokens)
            receipts.append(CarriedReceipt(batch.first, batch.last, Members.parse(answer).text("receipt")))
            events += len(batch.tokens)
    except RequestDenied as denied:
        refused = f"{denied.code}: {denied}"
    finally:
        if receipts:
            _write(target, receipts_file(device, receipts))
    return Imported(device, events, target, refused)


def _write(path: Path, content: bytes) -> None:
    try:
        replace_file(path, content)
    except OSError as error:
        raise StickUnusable(f"{path.name} cannot be written: {error.strerror}") from error
