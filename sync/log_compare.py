"""Compares checkpoints that one log gave to different people: two of one size with two roots are a split view.

Where they come from is left to the caller: a desk's newest checkpoint, a receipt, a witness's. Pure.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sync.log_checkpoint import Checkpoint, LogPolicy, contradictory, parse_offline, read_checkpoint

_PROOF = "c2sp.org/tlog-proof"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came out. checkpoints: by the name of what they came from. contradictions: in words, with the names."""

    checkpoints: Mapping[str, Checkpoint]
    contradictions: tuple[str, ...]


def compare(
    found: Mapping[str, str], policy: LogPolicy, root_at: Callable[[int], bytes | None] = lambda _size: None
) -> Comparison:
    """Compare checkpoints or receipts, by the name of what they came from.

    root_at: the root of the log's first so many events by the tree one has, None where one has none.
    Raises EnvelopeInvalid, SignatureInvalid: one of them is not of this log, and proves nothing against it.
    """
    checkpoints = {
        name: read_checkpoint(parse_offline(text).note if text.startswith(_PROOF) else text, policy, 0).checkpoint
        for name, text in found.items()
    }
    names = list(checkpoints)
    wrong = [
        f"{one} and {other}: two logs of {checkpoints[one].size} events, both signed"
        for place, one in enumerate(names)
        for other in names[place + 1 :]
        if contradictory(checkpoints[one], checkpoints[other])
    ]
    for name, checkpoint in checkpoints.items():
        root = root_at(checkpoint.size)
        if root is not None and root != checkpoint.root:
            wrong.append(f"{name}: the fund's log does not begin with the {checkpoint.size} events that were signed")
    return Comparison(checkpoints, tuple(wrong))
