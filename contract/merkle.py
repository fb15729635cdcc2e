"""Merkle trees as RFC 6962, section 2.1, has them: one root for many leaves, a path for each.

A leaf is hashed behind a 0x00, a node behind a 0x01: so no node can pass for a leaf.
"""

import hashlib
from collections.abc import Sequence

HASH_BYTES = 32
MAX_PATH = 32  # of a tree of four thousand million leaves


class PathError(ValueError):
    """A path does not lead from such a leaf to a root."""


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def _node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """A tree over at least one leaf, whose hashes are all kept."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        """Build it over the hashes of leaves. Raises ValueError if there is none."""
        if not leaves:
            raise ValueError("a tree without a leaf")
        self._levels = [list(leaves)]
        while len(self._levels[-1]) > 1:
            self._levels.append(_above(self._levels[-1]))

    @property
    def size(self) -> int:
        """Return how many leaves it has."""
        return len(self._levels[0])

    @property
    def root(self) -> bytes:
        """Return the hash that stands for all of them."""
        return self._levels[-1][0]

    def path(self, index: int) -> list[bytes]:
        """Return what a leaf is hashed with, one after the other, to come to the root."""
        path = []
        for level in self._levels[:-1]:
            beside = index ^ 1
            if beside < len(level):  # else it is the last one and moves up as it is
                path.append(level[beside])
            index >>= 1
        return path


def root_of(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """Return the root of the tree of this size that has a leaf's hash at this place.

    Raises PathError if no path to it can be of this length.
    """
    if not 0 <= index < size:
        raise PathError("the tree has no such leaf")
    hashes, found, last = list(reversed(path)), leaf, size - 1
    while last:
        if index & 1 or index < last:
            if not hashes:
                raise PathError("the path is too short")
            beside = hashes.pop()
            found = _node_hash(beside, found) if index & 1 else _node_hash(found, beside)
        index, last = index >> 1, last >> 1
    if hashes:
        raise PathError("the path is too long")
    return found


def _above(level: Sequence[bytes]) -> list[bytes]:
    """Return the level above; one without a partner moves up, which makes RFC 6962's tree."""
    pairs = zip(level[::2], level[1::2], strict=False)
    return [*(_node_hash(left, right) for left, right in pairs), *level[len(level) & ~1 :]]
