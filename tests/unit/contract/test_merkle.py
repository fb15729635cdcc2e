"""Merkle trees: RFC 6962's own definition, its known vectors, and paths that lead nowhere else."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.merkle import PathError, Tree, leaf_hash, root_of

# The leaves and roots of Certificate Transparency's own tests (certificate-transparency-go).
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]

HASHES = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=70)


def by_definition(leaves: Sequence[bytes]) -> bytes:
    """The root as RFC 6962, section 2.1, defines it: split at the largest power of two."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    left, right = by_definition(leaves[:split]), by_definition(leaves[split:])
    return hashlib.sha256(b"\x01" + left + right).digest()


@pytest.mark.parametrize("count", range(1, len(LEAVES) + 1))
def test_root_of_known_leaves_is_the_known_one(count: int) -> None:
    assert Tree([leaf_hash(leaf) for leaf in LEAVES[:count]]).root.hex() == ROOTS[count - 1]


def test_tree_without_a_leaf_is_refused() -> None:
    with pytest.raises(ValueError, match="without a leaf"):
        Tree([])


@given(HASHES)
def test_root_of_any_leaves_is_that_of_the_definition(leaves: list[bytes]) -> None:
    assert Tree(leaves).root == by_definition(leaves)


@given(HASHES)
def test_path_of_each_leaf_leads_to_the_root(leaves: list[bytes]) -> None:
    tree = Tree(leaves)
    for index, leaf in enumerate(leaves):
        assert root_of(leaf, index, tree.size, tree.path(index)) == tree.root


@given(st.integers(1, 70), st.data())
def test_path_leads_from_no_other_place_or_leaf_to_the_root(
    count: int, data: st.DataObject
) -> None:
    tree = Tree([leaf_hash(b"%d" % number) for number in range(count)])
    index = data.draw(st.integers(0, count - 1))
    leaf, path = leaf_hash(b"%d" % index), tree.path(index)
    assert root_of(leaf_hash(b"another"), index, count, path) != tree.root
    for other in range(count):
        assert other == index or _root_or_none(leaf, other, count, path) != tree.root


@given(HASHES, st.data())
def test_path_of_another_length_is_refused(leaves: list[bytes], data: st.DataObject) -> None:
    tree = Tree(leaves)
    index = data.draw(st.integers(0, tree.size - 1))
    path = tree.path(index)
    with pytest.raises(PathError, match="too long"):
        root_of(leaves[index], index, tree.size, [*path, bytes(32)])
    if path:
        with pytest.raises(PathError, match="too short"):
            root_of(leaves[index], index, tree.size, path[:-1])


@pytest.mark.parametrize(("index", "size"), [(-1, 1), (1, 1), (0, 0), (5, 5)])
def test_leaf_outside_the_tree_is_refused(index: int, size: int) -> None:
    with pytest.raises(PathError, match="no such leaf"):
        root_of(bytes(32), index, size, [])


def test_node_passed_off_as_a_leaf_is_another_hash() -> None:
    """What two leaves are hashed to can't be the hash of one leaf that holds both."""
    left, right = leaf_hash(b"left"), leaf_hash(b"right")
    assert Tree([leaf_hash(left + right)]).root != Tree([left, right]).root


def _root_or_none(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    try:
        return root_of(leaf, index, size, path)
    except PathError:
        return None
