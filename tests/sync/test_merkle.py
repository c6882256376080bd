"""The tree is the RFC's, whatever its size, and no proof shows what is not so."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync import merkle
from sync.merkle import EMPTY_ROOT, Frontier, leaf_hash, node_hash, tree_of_leaves, tree_of_nodes, tree_of_range

SIZES = range(301)
LEAVES = [leaf_hash(number.to_bytes(4, "big")) for number in SIZES]

CT_ENTRIES = tuple(
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
)
CT_ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
"""Known answers of CT's reference implementation (merkletree tests) for the first 1 to 8 entries."""


def mth(leaves: Sequence[bytes]) -> bytes:
    """MTH as RFC 9162, section 2.1.1, defines it."""
    if len(leaves) <= 1:
        return leaves[0] if leaves else hashlib.sha256().digest()
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH as RFC 9162, section 2.1.3.1, defines it."""
    if len(leaves) == 1:
        return []
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: Sequence[bytes], whole: bool) -> list[bytes]:
    """SUBPROOF as RFC 9162, section 2.1.4.1, defines it."""
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    if m <= k:
        return [*subproof(m, leaves[:k], whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


def stored_nodes(size: int) -> dict[tuple[int, int], bytes]:
    """Every perfect node that appending leaf after leaf completes."""
    nodes: dict[tuple[int, int], bytes] = {}
    frontier = Frontier()
    for index, leaf in enumerate(LEAVES[:size]):
        nodes |= {(level, index >> level): value for level, value in enumerate(frontier.append(leaf))}
    return nodes


NODES = stored_nodes(300)
TREE = tree_of_nodes(lambda level, index: NODES[level, index])


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_the_known_answers_of_ct(size: int) -> None:
    """The vectors of RFC 6962's reference implementation."""
    frontier = Frontier()
    for entry in CT_ENTRIES[:size]:
        frontier.append(leaf_hash(entry))
    assert frontier.root().hex() == CT_ROOTS[size - 1]


def test_roots_are_the_rfcs_for_all_sizes_up_to_300() -> None:
    """By appending, from stored nodes, and from a frontier that was read back."""
    grown = Frontier()
    for size in SIZES:
        root = mth(LEAVES[:size])
        assert grown.root() == root
        assert TREE(0, size) == root
        assert Frontier.of(lambda level, index: NODES[level, index], size).root() == root
        grown.append(LEAVES[size])
    assert Frontier().root() == EMPTY_ROOT == mth([])


def test_inclusion_proofs_are_the_rfcs_for_all_sizes_up_to_300() -> None:
    """Each size with its first, last, middle and some other leaves; each verifies, and only for its own leaf."""
    for size in SIZES[1:]:
        root = TREE(0, size)
        for index in {0, size // 3, size // 2, (size * 5) // 7, size - 1}:
            proof = merkle.inclusion_proof(TREE, index, size)
            assert list(proof) == path(index, LEAVES[:size])
            assert merkle.verify_inclusion(LEAVES[index], index, size, proof, root)
            assert not merkle.verify_inclusion(LEAVES[index + 1], index, size, proof, root)


def test_consistency_proofs_are_the_rfcs_for_all_sizes_up_to_300() -> None:
    """From some earlier sizes of each; each verifies, and not for another earlier root."""
    for second in SIZES[1:]:
        for first in {1, second // 3, second // 2, (second * 5) // 7, second - 1} - {0}:
            proof = merkle.consistency_proof(TREE, first, second)
            assert list(proof) == ([] if first == second else subproof(first, LEAVES[:second], True))
            assert merkle.verify_consistency(first, second, TREE(0, first), TREE(0, second), proof)
            assert not merkle.verify_consistency(first, second, LEAVES[0], EMPTY_ROOT, proof)


@settings(deadline=None)
@given(st.data())
def test_a_range_proof_shows_the_root_and_each_inclusion_proof(data: st.DataObject) -> None:
    """Whoever has the leaves of a range needs no other proof for any of them."""
    size = data.draw(st.integers(1, 300))
    begin = data.draw(st.integers(0, size - 1))
    end = data.draw(st.integers(begin + 1, size))
    proof = merkle.range_proof(TREE, begin, end, size)
    assert len(proof) <= 2 * size.bit_length()
    tree = tree_of_range(LEAVES[begin:end], begin, size, proof)
    assert tree(0, size) == TREE(0, size)
    index = data.draw(st.integers(begin, end - 1))
    assert merkle.inclusion_proof(tree, index, size) == merkle.inclusion_proof(TREE, index, size)


@settings(deadline=None)
@given(st.data())
def test_a_range_proof_of_other_leaves_gives_another_root(data: st.DataObject) -> None:
    """A leaf exchanged, or a hash of the proof."""
    size = data.draw(st.integers(2, 300))
    begin = data.draw(st.integers(0, size - 1))
    end = data.draw(st.integers(begin + 1, size))
    proof, leaves = list(merkle.range_proof(TREE, begin, end, size)), LEAVES[begin:end]
    place = data.draw(st.integers(0, len(proof) + len(leaves) - 1))
    if place < len(proof):
        proof[place] = leaf_hash(b"forged")
    else:
        leaves[place - len(proof)] = leaf_hash(b"forged")
    assert tree_of_range(leaves, begin, size, proof)(0, size) != TREE(0, size)


@pytest.mark.parametrize(
    ("begin", "count", "size", "hashes"), [(0, 0, 5, 0), (3, 3, 5, 1), (-1, 2, 5, 2), (1, 2, 5, 1)]
)
def test_a_range_that_cannot_be_is_refused(begin: int, count: int, size: int, hashes: int) -> None:
    """Nothing, beyond the end, before the start, a proof of another length."""
    with pytest.raises(ValueError, match="range"):
        tree_of_range(LEAVES[:count], begin, size, LEAVES[:hashes])


@settings(deadline=None)
@given(st.data())
def test_forged_inclusion_proofs_are_refused(data: st.DataObject) -> None:
    """Any hash exchanged, dropped or added; another index, size or root."""
    size = data.draw(st.integers(1, 300))
    index = data.draw(st.integers(0, size - 1))
    proof, root = merkle.inclusion_proof(TREE, index, size), TREE(0, size)
    other = data.draw(st.binary(min_size=32, max_size=32))
    assert not merkle.verify_inclusion(LEAVES[index], index, size, (*proof, other), root)
    assert not merkle.verify_inclusion(other, index, size, proof, root)
    assert not merkle.verify_inclusion(LEAVES[index], index, size, proof, other)
    for wrong in (
        -1,
        size,
        data.draw(st.integers(0, size - 1).filter(lambda i: i != index) if size > 1 else st.just(size)),
    ):
        assert not merkle.verify_inclusion(LEAVES[index], wrong, size, proof, root)
    if proof:
        place = data.draw(st.integers(0, len(proof) - 1))
        assert not merkle.verify_inclusion(LEAVES[index], index, size, proof[:place] + proof[place + 1 :], root)
        assert not merkle.verify_inclusion(
            LEAVES[index], index, size, (*proof[:place], other, *proof[place + 1 :]), root
        )


@settings(deadline=None)
@given(st.data())
def test_forged_consistency_proofs_are_refused(data: st.DataObject) -> None:
    """A past that is not the past, by any root or proof; a log cut off or exchanged."""
    second = data.draw(st.integers(2, 300))
    first = data.draw(st.integers(1, second - 1))
    old, new, proof = TREE(0, first), TREE(0, second), merkle.consistency_proof(TREE, first, second)
    other = data.draw(st.binary(min_size=32, max_size=32))
    assert not merkle.verify_consistency(first, second, other, new, proof)
    assert not merkle.verify_consistency(first, second, old, other, proof)
    assert not merkle.verify_consistency(first, second, old, new, (*proof, other))
    place = data.draw(st.integers(0, len(proof) - 1))
    assert not merkle.verify_consistency(first, second, old, new, proof[:place] + proof[place + 1 :])
    assert not merkle.verify_consistency(first, second, old, new, (*proof[:place], other, *proof[place + 1 :]))
    assert not merkle.verify_consistency(second, first, new, old, proof)


@settings(deadline=None)
@given(st.data())
def test_a_log_that_dropped_or_changed_a_leaf_finds_no_proof(data: st.DataObject) -> None:
    """Not even the best proof of the rebuilt tree makes the old root part of it."""
    second = data.draw(st.integers(3, 120))
    first = data.draw(st.integers(2, second - 1))
    victim = data.draw(st.integers(0, first - 1))
    kept = LEAVES[:victim] + data.draw(st.sampled_from([[], [leaf_hash(b"rewritten")]])) + LEAVES[victim + 1 : second]
    rebuilt = tree_of_leaves(kept)
    proof = merkle.consistency_proof(rebuilt, first, len(kept)) if first < len(kept) else ()
    assert not merkle.verify_consistency(first, len(kept), TREE(0, first), rebuilt(0, len(kept)), proof)


def test_an_empty_tree_is_extended_by_every_tree() -> None:
    """Without a proof; and equal trees are consistent without one."""
    assert merkle.consistency_proof(TREE, 0, 7) == () == merkle.consistency_proof(TREE, 7, 7)
    assert merkle.verify_consistency(0, 7, EMPTY_ROOT, TREE(0, 7), ())
    assert not merkle.verify_consistency(0, 7, TREE(0, 1), TREE(0, 7), ())
    assert not merkle.verify_consistency(0, 7, EMPTY_ROOT, TREE(0, 7), (EMPTY_ROOT,))
    assert merkle.verify_consistency(7, 7, TREE(0, 7), TREE(0, 7), ())
    assert not merkle.verify_consistency(7, 7, TREE(0, 7), TREE(0, 8), ())
    assert not merkle.verify_consistency(3, 7, TREE(0, 3), TREE(0, 7), ())
    assert TREE(4, 4) == EMPTY_ROOT


def test_a_frontier_has_a_peak_for_each_digit_of_its_size() -> None:
    """Else it would go on from a tree that does not exist."""
    with pytest.raises(ValueError, match="peaks"):
        Frontier(3, LEAVES[:1])


def test_appending_completes_the_nodes_above() -> None:
    """The fourth leaf completes two of them."""
    frontier = Frontier()
    done = [frontier.append(leaf) for leaf in LEAVES[:4]]
    pair = node_hash(LEAVES[2], LEAVES[3])
    assert [len(nodes) for nodes in done] == [1, 2, 1, 3]
    assert done[3] == (LEAVES[3], pair, node_hash(done[1][1], pair))
