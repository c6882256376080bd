"""The Merkle tree of RFC 9162, section 2.1: hashes, proofs, their verification, and the state an append needs.

Where hashes are kept is left to whoever gives a `Subtree`; what a leaf stands for to `log_checkpoint`. Pure.

A proof is made from `Subtree`s, the hashes of ranges [begin, end) of leaves that are subtrees of the tree: out of
stored perfect nodes, out of all leaves, or out of a verified range of them.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Final

Subtree = Callable[[int, int], bytes]
"""MTH(D[begin:end]) of a subtree of the tree, 32 bytes."""

Nodes = Callable[[int, int], bytes]
"""(level, index) -> hash of the perfect subtree over leaves [index * 2^level, (index + 1) * 2^level)."""

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()
"""The root of a tree without leaves."""

MAX_PROOF: Final = 63
"""Hashes in a proof of any tree that can exist (C2SP tlog-witness)."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a leaf's entry (RFC 9162, section 2.1.1)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node (RFC 9162, section 2.1.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def split(begin: int, end: int) -> int:
    """Where the subtree over two or more leaves divides: left is the largest power of two that leaves a rest."""
    return begin + (1 << ((end - begin - 1).bit_length() - 1))


def tree_of_nodes(nodes: Nodes) -> Subtree:
    """Subtrees out of stored perfect nodes; reads O(log n) of them for one hash."""

    def subtree(begin: int, end: int) -> bytes:
        size = end - begin
        if size == 0:
            return EMPTY_ROOT
        if size & (size - 1) == 0:
            level = size.bit_length() - 1
            return nodes(level, begin >> level)
        middle = split(begin, end)
        return node_hash(subtree(begin, middle), subtree(middle, end))

    return subtree


def tree_of_leaves(leaves: Sequence[bytes]) -> Subtree:
    """Subtrees out of all leaf hashes; O(n) for one hash."""

    def subtree(begin: int, end: int) -> bytes:
        frontier = Frontier()
        for leaf in leaves[begin:end]:
            frontier.append(leaf)
        return frontier.root()

    return subtree


def tree_of_range(leaves: Sequence[bytes], begin: int, size: int, proof: Sequence[bytes]) -> Subtree:
    """The tree of this size as far as a range proof of the leaves [begin, begin + len(leaves)) shows it.

    `subtree(0, size)` is its root: the proof is good when that is the root one trusts. Raises ValueError when the proof
    has not the number of hashes that such a range needs.
    """
    end = begin + len(leaves)
    if not 0 <= begin < end <= size:
        raise ValueError("the range is not in the tree")
    outside = list(_outside(begin, end, 0, size))
    if len(outside) != len(proof):
        raise ValueError(f"a proof of this range has {len(outside)} hashes, not {len(proof)}")
    given = dict(zip(outside, proof, strict=True))
    inner = tree_of_leaves(leaves)

    def subtree(low: int, high: int) -> bytes:
        if (low, high) in given:
            return given[low, high]
        if begin <= low and high <= end:
            return inner(low - begin, high - begin)
        middle = split(low, high)
        return node_hash(subtree(low, middle), subtree(middle, high))

    return subtree


def range_proof(subtree: Subtree, begin: int, end: int, size: int) -> tuple[bytes, ...]:
    """The subtrees that lie beside the leaves [begin, end), from left to right: what is missing to compute the root.

    At most 2 log2(size) hashes, however many leaves; for one leaf they are its inclusion proof in another order.
    """
    return tuple(subtree(low, high) for low, high in _outside(begin, end, 0, size))


def inclusion_proof(subtree: Subtree, index: int, size: int) -> tuple[bytes, ...]:
    """PATH(index, D_size), from the leaf's sibling up (RFC 9162, section 2.1.3.1)."""
    path: list[bytes] = []
    begin, end = 0, size
    while end - begin > 1:
        middle = split(begin, end)
        if index < middle:
            path.append(subtree(middle, end))
            end = middle
        else:
            path.append(subtree(begin, middle))
            begin = middle
    return tuple(reversed(path))


def consistency_proof(subtree: Subtree, first: int, second: int) -> tuple[bytes, ...]:
    """PROOF(first, D_second) for 0 <= first <= second (RFC 9162, section 2.1.4.1); empty for equal or no leaves."""
    if first in {0, second}:
        return ()
    path: list[bytes] = []
    begin, end, whole = 0, second, True
    while first != end:
        middle = split(begin, end)
        if first <= middle:
            path.append(subtree(middle, end))
            end = middle
        else:
            path.append(subtree(begin, middle))
            begin, whole = middle, False
    if not whole:
        path.append(subtree(begin, end))
    return tuple(reversed(path))


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the leaf hash stands at this place of the tree with this root (RFC 9162, section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, current = index, size - 1, leaf
    for other in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            current = node_hash(other, current)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            current = node_hash(current, other)
        place, last = place >> 1, last >> 1
    return last == 0 and current == root


def verify_consistency(first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the tree of `second` leaves begins with the tree of `first` leaves (RFC 9162, section 2.1.4.2)."""
    if first == second:
        return not proof and first_root == second_root
    if not 0 <= first < second:
        return False
    if first == 0:
        return not proof and first_root == EMPTY_ROOT
    if not proof:
        return False
    path = [first_root, *proof] if first & (first - 1) == 0 else list(proof)
    place, last = first - 1, second - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = path[0]
    for other in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old, new = node_hash(other, old), node_hash(other, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, other)
        place, last = place >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root


class Frontier:
    """The right edge of a tree, all that appending needs: one hash for each binary digit 1 of its size."""

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        """Go on from a tree of this size. peaks: its perfect subtrees, largest first."""
        if size.bit_count() != len(peaks):
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} peaks, not {len(peaks)}")
        self.size = size
        self._peaks = list(peaks)

    @classmethod
    def of(cls, nodes: Nodes, size: int) -> "Frontier":
        """The frontier of a stored tree."""
        levels = [level for level in reversed(range(size.bit_length())) if size >> level & 1]
        return cls(size, [nodes(level, (size >> level) - 1) for level in levels])

    def append(self, leaf: bytes) -> tuple[bytes, ...]:
        """Append a leaf hash; gives the perfect nodes this completes, level 0 (the leaf itself) first."""
        completed, digits = [leaf], self.size
        while digits & 1:
            completed.append(node_hash(self._peaks.pop(), completed[-1]))
            digits >>= 1
        self._peaks.append(completed[-1])
        self.size += 1
        return tuple(completed)

    def root(self) -> bytes:
        """The root of the tree."""
        if not self._peaks:
            return EMPTY_ROOT
        root = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            root = node_hash(peak, root)
        return root


def _outside(begin: int, end: int, low: int, high: int) -> Iterator[tuple[int, int]]:
    """The largest subtrees of [low, high) without any leaf of [begin, end), left to right."""
    if high <= begin or end <= low:
        yield low, high
    elif low < begin or end < high:
        middle = split(low, high)
        yield from _outside(begin, end, low, middle)
        yield from _outside(begin, end, middle, high)
