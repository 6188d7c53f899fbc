"""Merkle trees of RFC 9162, section 2.1: roots, inclusion and consistency proofs, and their verification.

Pure functions over SHA-256 hashes, 32 bytes each. A leaf hash begins with 0x00 and a node hash with 0x01, so that no
node can pass for a leaf.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import reduce


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The hash of a tree with these leaf hashes; of the empty tree, the hash of nothing."""
    if not leaves:
        return hashlib.sha256().digest()
    row = list(leaves)
    while len(row) > 1:  # an odd last one goes up as it is: the same tree as by the recursion over powers of two
        paired = [node_hash(row[i], row[i + 1]) for i in range(0, len(row) - 1, 2)]
        row = paired + row[len(row) - len(row) % 2 :]
    return row[0]


def roots(leaves: Sequence[bytes]) -> Iterator[bytes]:
    """Roots of the first leaf, of the first two and so on, at no more than log2(n) hashes each."""
    peaks: list[bytes] = []
    for count, leaf in enumerate(leaves, 1):
        peaks.append(leaf)
        for _ in range((count & -count).bit_length() - 1):
            right = peaks.pop()
            peaks[-1] = node_hash(peaks[-1], right)
        yield reduce(lambda right, left: node_hash(left, right), reversed(peaks))


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """PATH(index, leaves), section 2.1.3.1: siblings from the leaf to the root. Raises IndexError outside 0..n-1."""
    if not 0 <= index < len(leaves):
        raise IndexError(f"leaf {index} of {len(leaves)}")
    if len(leaves) == 1:
        return []
    k = _split(len(leaves))
    if index < k:
        return [*inclusion_proof(leaves[:k], index), root(leaves[k:])]
    return [*inclusion_proof(leaves[k:], index - k), root(leaves[:k])]


def consistency_proof(leaves: Sequence[bytes], size: int) -> list[bytes]:
    """PROOF(size, leaves), section 2.1.4.1: that the first `size` leaves are a tree which this one has grown from.

    Raises IndexError unless 1 <= size <= n.
    """
    if not 1 <= size <= len(leaves):
        raise IndexError(f"a tree of {size} leaves in one of {len(leaves)}")
    return _subproof(leaves, size, whole=True)


def _subproof(leaves: Sequence[bytes], size: int, whole: bool) -> list[bytes]:
    if size == len(leaves):
        return [] if whole else [root(leaves)]
    k = _split(len(leaves))
    if size <= k:
        return [*_subproof(leaves[:k], size, whole), root(leaves[k:])]
    return [*_subproof(leaves[k:], size - k, whole=False), root(leaves[:k])]


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


def _split(n: int) -> int:
    """The largest power of two below n."""
    return 1 << (n - 1).bit_length() - 1
