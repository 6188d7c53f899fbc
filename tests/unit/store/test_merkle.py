"""Merkle trees against the vectors that certificate transparency publishes, and proofs against alteration.

Source of the vectors: the eight-leaf tree of google/certificate-transparency (`merkletree/merkle_tree_test.cc`), which
its successors and other implementations of RFC 6962 and RFC 9162 test against, too.
"""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autotroph.store.merkle import (
    Tree,
    grew,
    includes,
    leaf_hash,
    root,
    roots,
)

ENTRIES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
LEAVES = [leaf_hash(bytes.fromhex(entry)) for entry in ENTRIES]
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
NODES = {
    "a": "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "b": "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "c": "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    "d": "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "e": "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "f": "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
}


def test_the_empty_tree_is_the_hash_of_nothing() -> None:
    assert root([]) == hashlib.sha256(b"").digest()


@pytest.mark.parametrize("size", range(1, 9))
def test_published_roots(size: int) -> None:
    assert root(LEAVES[:size]).hex() == ROOTS[size - 1]
    assert [found.hex() for found in roots(LEAVES[:size])] == ROOTS[:size]


def test_roots_of_all_beginnings_are_those_of_the_beginnings() -> None:
    leaves = leaves_of(70)
    assert list(roots(leaves)) == [root(leaves[:n]) for n in range(1, 71)]


@pytest.mark.parametrize(
    ("index", "size", "proof"),
    [(0, 1, ""), (0, 8, "abc"), (5, 8, "def"), (2, 3, "*1"), (1, 5, "0bd")],
)
def test_published_inclusion_proofs(index: int, size: int, proof: str) -> None:
    known = {
        "abc": [NODES["a"], NODES["b"], NODES["c"]],
        "def": [NODES["d"], NODES["e"], ROOTS[3]],
        "*1": [ROOTS[1]],
        "0bd": [ROOTS[0], NODES["b"], NODES["d"]],
        "": [],
    }[proof]
    assert [node.hex() for node in Tree(LEAVES[:size]).inclusion(index)] == known


@pytest.mark.parametrize(
    ("old", "new", "proof"),
    [
        (1, 1, []),
        (1, 8, [NODES["a"], NODES["b"], NODES["c"]]),
        (6, 8, [NODES["f"], NODES["e"], ROOTS[3]]),
        (2, 5, [NODES["b"], NODES["d"]]),
    ],
)
def test_published_consistency_proofs(old: int, new: int, proof: list[str]) -> None:
    assert [node.hex() for node in Tree(LEAVES[:new]).consistency(old)] == proof


def leaves_of(n: int) -> list[bytes]:
    return [leaf_hash(str(i).encode()) for i in range(n)]


def altered(proof: list[bytes], where: int, bit: int) -> list[bytes]:
    node = bytearray(proof[where])
    node[bit // 8] ^= 1 << bit % 8
    return [*proof[:where], bytes(node), *proof[where + 1 :]]


@given(st.data(), st.integers(1, 130))
@settings(max_examples=60, deadline=None)
def test_an_inclusion_proof_holds_and_an_altered_one_does_not(data: st.DataObject, n: int) -> None:
    leaves = leaves_of(n)
    index = data.draw(st.integers(0, n - 1))
    tree, proof = root(leaves), Tree(leaves).inclusion(index)
    assert len(proof) <= (n - 1).bit_length()
    assert includes(tree, n, leaves[index], index, proof)
    assert not includes(tree, n, leaf_hash(b"another"), index, proof)
    assert not includes(leaf_hash(b"another"), n, leaves[index], index, proof)
    assert not includes(tree, n, leaves[index], index, [*proof, tree])
    other = data.draw(st.integers(-2, n + 2).filter(lambda i: i != index))
    assert not includes(tree, n, leaves[index], other, proof)
    if proof:
        where, bit = data.draw(st.integers(0, len(proof) - 1)), data.draw(st.integers(0, 255))
        assert not includes(tree, n, leaves[index], index, altered(proof, where, bit))
        assert not includes(tree, n, leaves[index], index, proof[:-1])


@given(st.data(), st.integers(1, 130))
@settings(max_examples=60, deadline=None)
def test_a_consistency_proof_holds_and_an_altered_one_does_not(data: st.DataObject, n: int) -> None:
    leaves = leaves_of(n)
    size = data.draw(st.integers(1, n))
    old, new, proof = root(leaves[:size]), root(leaves), Tree(leaves).consistency(size)
    assert len(proof) <= (n - 1).bit_length() + 1
    assert grew(old, size, new, n, proof)
    assert not grew(leaf_hash(b"another"), size, new, n, proof)
    assert not grew(old, size, leaf_hash(b"another"), n, proof)
    assert not grew(old, size, new, n, [*proof, new])
    assert not grew(old, 0, new, n, proof)
    assert not grew(old, n + 1, new, n, proof)
    if proof:
        where, bit = data.draw(st.integers(0, len(proof) - 1)), data.draw(st.integers(0, 255))
        assert not grew(old, size, new, n, altered(proof, where, bit))
        assert not grew(old, size, new, n, proof[:-1])


@given(st.data(), st.integers(2, 130))
@settings(max_examples=40, deadline=None)
def test_no_proof_joins_a_rewritten_history(data: st.DataObject, n: int) -> None:
    """An honest proof over leaves of which one old one was replaced does not reach the old root."""
    leaves = leaves_of(n)
    size = data.draw(st.integers(1, n))
    forged = [*leaves]
    forged[data.draw(st.integers(0, size - 1))] = leaf_hash(b"another")
    assert not grew(root(leaves[:size]), size, root(forged), n, Tree(forged).consistency(size))


def test_what_is_not_there_has_no_proof() -> None:
    for index in (-1, 8):
        with pytest.raises(IndexError):
            Tree(LEAVES).inclusion(index)
    for size in (0, 9):
        with pytest.raises(IndexError):
            Tree(LEAVES).consistency(size)
