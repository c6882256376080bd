"""The nodes of a tree in tiles of 256 hashes, as C2SP tlog-tiles lays them out: few rows, each only ever growing.

The tree's rules are left to `merkle`, where tiles are kept to the fund's log. Pure. A tile (level, number) holds the
hashes of tree level 8 * level with the indices number * 256 and following; nodes between are computed from them.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

from sync.merkle import HASH_BYTES, Frontier, Nodes, node_hash

HEIGHT: Final = 8
WIDTH: Final = 1 << HEIGHT


class Tile(NamedTuple):
    """The place of a tile."""

    level: int
    number: int


ReadTile = Callable[[Tile], bytes]
"""The hashes of a tile so far, 32 bytes each, at most 256."""


def tile_of(level: int, index: int) -> Tile:
    """The tile from which the node of this tree level and index is read or computed."""
    return Tile(level // HEIGHT, index << level % HEIGHT >> HEIGHT)


def nodes_of(read: ReadTile) -> Nodes:
    """Nodes out of tiles. A tile that is too short is the store's failure: ValueError."""

    def node(level: int, index: int) -> bytes:
        tile, rest = tile_of(level, index), level % HEIGHT
        first = (index << rest) % WIDTH * HASH_BYTES
        part = read(tile)[first : first + (HASH_BYTES << rest)]
        if len(part) != HASH_BYTES << rest:
            raise ValueError(f"tile {tile.level}/{tile.number} is too short")
        hashes = [part[at : at + HASH_BYTES] for at in range(0, len(part), HASH_BYTES)]
        while len(hashes) > 1:
            hashes = [node_hash(*pair) for pair in zip(hashes[::2], hashes[1::2], strict=True)]
        return hashes[0]

    return node


def grow(frontier: Frontier, leaves: Iterable[bytes]) -> Mapping[Tile, bytes]:
    """Append leaf hashes; gives for each tile the hashes to be added at its end."""
    added: dict[Tile, bytearray] = {}
    for leaf in leaves:
        index = frontier.size
        for level, value in enumerate(frontier.append(leaf)):
            if level % HEIGHT == 0:
                added.setdefault(tile_of(level, index >> level), bytearray()).extend(value)
    return {tile: bytes(hashes) for tile, hashes in added.items()}


def edge(size: int) -> tuple[Tile, ...]:
    """The tiles that the frontier of a tree of this size, and its next leaf, lie in."""
    levels = range(max(size.bit_length(), 1))
    ones = {tile_of(level, (size >> level) - 1) for level in levels if size >> level & 1}
    return tuple(sorted(ones | {tile_of(level, size >> level) for level in levels if level % HEIGHT == 0}))
