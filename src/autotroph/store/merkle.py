"""Merkle trees of RFC 9162, section 2.1: roots, inclusion and consistency proofs, and their verification.

Pure functions over SHA-256 hashes, 32 bytes each. A leaf hash begins with 0x00 and a node hash with 0x01, so that no
node can pass for a leaf.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """A tree that grows leaf by leaf, of which only the roots of its complete subtrees are kept: log2(n) hashes."""

    def __init__(self) -> None:
        self._size = 0
        self._peaks: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        self._size += 1
        for _ in range((self._size & -self._size).bit_length() - 1):
            leaf = node_hash(self._peaks.pop(), leaf)
        self._peaks.append(leaf)

    def root(self) -> bytes:
        """Of an empty tree, the hash of nothing."""
        if not self._peaks:
            return hashlib.sha256().digest()
        return reduce(lambda right, left: node_hash(left, right), reversed(self._peaks))

    def __len__(self) -> int:
        return self._size


def root(leaves: Iterable[bytes]) -> bytes:
    """The hash of a tree with these leaf hashes."""
    tree = Frontier()
    for leaf in leaves:
        tree.append(leaf)
    return tree.root()


def roots(leaves: Iterable[bytes]) -> Iterator[bytes]:
    """Roots of the first leaf, of the first two and so on, at no more than log2(n) hashes each."""
    tree = Frontier()
    for leaf in leaves:
        tree.append(leaf)
        yield tree.root()


class Tree:
    """A tree that is kept whole, for proofs. An odd last node goes up as it is: the same tree as by the RFC's recursion
    over powers of two."""

    def __init__(self, leaves: Sequence[bytes]):
        self._rows = [list(leaves)]
        while len(row := self._rows[-1]) > 1:
            paired = [node_hash(row[i], row[i + 1]) for i in range(0, len(row) - 1, 2)]
            self._rows.append(paired + row[len(row) - len(row) % 2 :])

    def __len__(self) -> int:
        return len(self._rows[0])

    def inclusion(self, index: int) -> list[bytes]:
        """PATH(index, leaves), section 2.1.3.1: siblings from the leaf to the root, at most ceil(log2(n)) of them.

        Raises IndexError outside 0..n-1.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"leaf {index} of {len(self)}")
        return list(self._siblings(0, index))

    def consistency(self, size: int) -> list[bytes]:
        """PROOF(size, leaves), section 2.1.4.1: that the first `size` leaves are a tree which this one has grown from.

        At most ceil(log2(n)) + 1 hashes: the largest subtree in which the old tree ends, left out where it is the old
        tree, and its siblings up to the root. Raises IndexError unless 1 <= size <= n.
        """
        if not 1 <= size <= len(self):
            raise IndexError(f"a tree of {size} leaves in one of {len(self)}")
        if size == len(self):
            return []
        height = (size & -size).bit_length() - 1
        at = (size - 1) >> height
        return [*([self._rows[height][at]] if at else []), *self._siblings(height, at)]

    def _siblings(self, height: int, at: int) -> Iterator[bytes]:
        for row in self._rows[height:-1]:
            if (sibling := at ^ 1) < len(row):
                yield row[sibling]
            at >>= 1


def includes(tree: bytes, size: int, leaf: bytes, index: int, proof: Sequence[bytes]) -> bool:
    """Whether `leaf` is number `index` of the `size` leaves below root `tree`; section 2.1.3.2."""
    if not 0 <= index < size:
        return False
    at, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if at % 2 or at == last:
            found = node_hash(sibling, found)
            while at % 2 == 0 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and found == tree


def grew(old: bytes, old_size: int, new: bytes, new_size: int, proof: Sequence[bytes]) -> bool:
    """Whether root `new` of `new_size` leaves extends root `old` of `old_size`, at least 1; section 2.1.4.2."""
    if old_size == new_size:
        return old_size > 0 and old == new and not proof
    path = [old, *proof] if old_size & (old_size - 1) == 0 else list(proof)
    if not 0 < old_size < new_size or not proof:
        return False
    at, last = old_size - 1, new_size - 1
    while at % 2:
        at, last = at >> 1, last >> 1
    before = after = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if at % 2 or at == last:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
            while at % 2 == 0 and at:
                at, last = at >> 1, last >> 1
        else:
            after = node_hash(after, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and before == old and after == new
