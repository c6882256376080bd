"""How much the fund's log costs: appending, storing, proving, verifying, and how large a receipt is.

Processor time of the calling thread, so a busy machine changes little. Network, database and gateway are not in it.
"""

import hashlib
import tempfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from appliance.bench.report import Figure, Report
from sync.clock import SystemClock
from sync.envelope import EVENT_TYP, Event, Moment, TimeTrust, event_payload
from sync.log_checkpoint import (
    Checkpoint,
    LogPolicy,
    OfflineProof,
    check_inclusion,
    event_leaf,
    parse_offline,
    read_checkpoint,
)
from sync.merkle import Frontier, inclusion_proof, range_proof, tree_of_nodes, tree_of_range
from sync.note import KeyKind, Note, NoteSigner
from sync.signing import FileSigner, sign_compact
from sync.tiles import Tile, grow, nodes_of

_RUN: Final = 200
"""Events of one run: a batch of a desk."""

_PORTION: Final = 2_000
"""Leaves appended at once, as the fund does."""


def measure(leaves: int, rounds: int, clock: SystemClock) -> Report:
    """Measure at a log of this many events, each figure the mean of `rounds`."""
    tiles: dict[Tile, bytes] = {}
    digests = [hashlib.sha256(number.to_bytes(8, "big")).hexdigest() for number in range(leaves)]
    token = _token()
    digests[-1] = hashlib.sha256(token.rpartition(".")[0].encode()).hexdigest()
    before = clock.thread_cpu()
    frontier = Frontier()
    for at in range(0, leaves, _PORTION):
        added = grow(frontier, (event_leaf(digest) for digest in digests[at : at + _PORTION]))
        tiles.update({tile: tiles.get(tile, b"") + hashes for tile, hashes in added.items()})
    append = clock.thread_cpu() - before
    tree = tree_of_nodes(nodes_of(_reader(tiles)))
    log = NoteSigner("fund.example/visits", KeyKind.LOG, bytes(32))
    witness = NoteSigner("chamber.example/w1", KeyKind.WITNESS, bytes([1]) * 32)
    text = Checkpoint(log.public.name, leaves, frontier.root()).text
    note = Note(text, (log.sign(text), witness.sign(text, 1_700_000_000))).serialise()
    policy = LogPolicy(log.public, 600, (witness.public,), 1)
    receipt = OfflineProof(token, leaves - 1, inclusion_proof(tree, leaves - 1, leaves), note)
    begin = leaves - _RUN
    run = range_proof(tree, begin, leaves, leaves)
    own = [event_leaf(digest) for digest in digests[begin:]]

    def each(deed: Callable[[], object]) -> float:
        start = clock.thread_cpu()
        for _ in range(rounds):
            deed()
        return (clock.thread_cpu() - start) / rounds * 1e6

    def verify() -> None:
        read = parse_offline(receipt.text)
        check_inclusion(read, digests[-1], read_checkpoint(read.note, policy))

    return Report(
        "log",
        "",
        {"events": leaves, "rounds": rounds, "run": _RUN},
        (
            Figure("append, one event", append / leaves * 1e6, "us CPU"),
            Figure("appends a second", leaves / append, "1/s"),
            Figure(
                "inclusion proof, made from tiles", each(lambda: inclusion_proof(tree, leaves // 3, leaves)), "us CPU"
            ),
            Figure(
                f"range proof of {_RUN} events, made", each(lambda: range_proof(tree, begin, leaves, leaves)), "us CPU"
            ),
            Figure(
                f"range proof of {_RUN} events, verified, one event",
                each(lambda: tree_of_range(own, begin, leaves, run)(0, leaves)) / _RUN,
                "us CPU",
            ),
            Figure("checkpoint with a witness, verified", each(lambda: read_checkpoint(note, policy)), "us CPU"),
            Figure("receipt, verified offline", each(verify), "us CPU"),
            *_sizes(receipt),
        ),
    )


def _sizes(receipt: OfflineProof) -> tuple[Figure, ...]:
    text = receipt.text.encode()
    return (
        Figure("receipt", len(text), "bytes"),
        Figure("of that the event", len(receipt.token), "bytes"),
        Figure("of that the checkpoint with one witness", len(receipt.note.encode()), "bytes"),
        Figure("receipt, deflated (as a QR code holds it)", len(zlib.compress(text, 9)), "bytes"),
    )


def _token() -> str:
    """An event as rich as a check-in."""
    with tempfile.TemporaryDirectory() as folder:
        signer = FileSigner.create(Path(folder) / "key.pem")
    moment = Moment(SystemClock().moment().wall, 1, "boot", TimeTrust.FUND, 50)
    random = [hashlib.sha256(bytes([number])).hexdigest() for number in range(4)]
    data: Mapping[str, str] = {
        "patient": random[0],
        "service": "A1",
        "room": "12",
        "provider": "P7",
        "pack": random[1],
        "template": random[2],
        "policy": random[3],
        "mode": "one_to_many",
        "liveness": "live",
    }
    event = Event("checked_in", 1, random[0][:32], "desk-1", 1, "0" * 64, moment, dict(data))
    return sign_compact(signer, EVENT_TYP, event_payload(event))


def _reader(tiles: Mapping[Tile, bytes]) -> Callable[[Tile], bytes]:
    return lambda tile: tiles[tile]
