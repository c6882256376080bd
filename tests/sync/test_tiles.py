"""Tiles hold the tree: what is read from them is what was appended, and they only grow."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.merkle import HASH_BYTES, Frontier, leaf_hash, tree_of_leaves, tree_of_nodes
from sync.tiles import WIDTH, Tile, edge, grow, nodes_of, tile_of

LEAVES = [leaf_hash(number.to_bytes(4, "big")) for number in range(70_000)]


def _append(tiles: dict[Tile, bytes], size: int, upto: int) -> Frontier:
    frontier = Frontier.of(nodes_of(lambda tile: tiles[tile]), size)
    for tile, more in grow(frontier, LEAVES[size:upto]).items():
        tiles[tile] = tiles.get(tile, b"") + more
    return frontier


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 700), min_size=1, max_size=6))
def test_a_tree_grown_in_any_portions_is_the_same(portions: list[int]) -> None:
    """Roots, subtrees and the tiles themselves."""
    tiles: dict[Tile, bytes] = {}
    size = 0
    for portion in portions:
        frontier = _append(tiles, size, size + portion)
        size += portion
        assert frontier.root() == tree_of_leaves(LEAVES)(0, size)
    at_once: dict[Tile, bytes] = {}
    _append(at_once, 0, size)
    assert tiles == at_once
    assert tree_of_nodes(nodes_of(lambda tile: tiles[tile]))(0, size) == tree_of_leaves(LEAVES)(0, size)


def test_three_levels_of_tiles() -> None:
    """65,536 leaves fill the first tile of the second level, whose root is the first hash of the third."""
    tiles: dict[Tile, bytes] = {}
    _append(tiles, 0, 70_000)
    assert len(tiles[Tile(0, 5)]) == len(tiles[Tile(1, 0)]) == WIDTH * HASH_BYTES
    assert tiles[Tile(2, 0)] == tree_of_leaves(LEAVES)(0, 65_536)
    assert _append(dict(tiles), 70_000, 70_000).root() == tree_of_leaves(LEAVES)(0, 70_000)


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 65_535, 65_536, 69_999])
def test_the_edge_is_all_that_appending_reads(size: int) -> None:
    """A frontier and the next leaf's tiles come out of it."""
    tiles: dict[Tile, bytes] = {}
    _append(tiles, 0, size)
    few = {tile: tiles[tile] for tile in edge(size) if tile in tiles}
    frontier = Frontier.of(nodes_of(lambda tile: few[tile]), size)
    touched = grow(frontier, LEAVES[size : size + 1])
    assert set(touched) <= set(edge(size)) | {tile for tile in touched if tile not in tiles}
    assert tile_of(0, size) in edge(size)


def test_a_tile_that_is_too_short_is_named() -> None:
    """A node that was never stored is not computed from less."""
    with pytest.raises(ValueError, match="tile 0/0 is too short"):
        nodes_of(lambda _tile: LEAVES[0])(1, 0)
