"""Children that are known already, or nearly, are refused before anything is spent on their evaluation."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING

from autotroph.evolve.candidate import Candidate, NoEdit
from autotroph.evolve.mutate.python import normal
from autotroph.evolve.protocols import Edit, Mutator, Parent, Surroundings

if TYPE_CHECKING:
    from datasketch import MinHashLSH

TOKEN = re.compile(r"\w+|[^\w\s]")
LONGEST = 1 << 20
"""Characters of a candidate beyond which no more of it is compared for nearness."""


@dataclass
class Known:
    """Candidates that were tried. Whoever keeps the archive adds each of them here; a resumed search adds them again.

    Two are the same where their files are, and the same program where they differ in layout and comments alone. With a
    `threshold`, two are near where the Jaccard similarity of their shingles, runs of `shingle` tokens, reaches it
    (Broder 1997). It is off unless it is set: two programs that differ in one constant are near by any measure of text,
    and the constant may be what matters; it is for models that say the same again in other words. MinHash values
    propose pairs and the exact similarity decides, so no pair below the threshold is near, and one just above it may be
    missed.
    """

    threshold: float | None = None
    shingle: int = 5
    permutations: int = 128
    _ids: set[str] = field(default_factory=set, init=False)
    _programs: set[str] = field(default_factory=set, init=False)
    _shingles: dict[str, frozenset[int]] = field(default_factory=dict, init=False)
    _index: MinHashLSH | None = field(default=None, init=False)
    _lock: Lock = field(default_factory=Lock, init=False)

    def __post_init__(self) -> None:
        if self.threshold is not None:
            if not 0.0 < self.threshold < 1.0:
                raise ValueError(f"threshold {self.threshold}: must be above 0 and below 1; leave it out for no limit")
            from datasketch import MinHashLSH

            self._index = MinHashLSH(threshold=self.threshold, num_perm=self.permutations)

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, candidate: Candidate) -> None:
        with self._lock:
            if candidate.id in self._ids:
                return
            self._ids.add(candidate.id)
            self._programs.add(_program(candidate))
            if self._index is not None:
                self._shingles[candidate.id] = found = self._of(candidate)
                self._index.insert(candidate.id, self._sketch(found))

    def check(self, candidate: Candidate) -> None:
        """Raises NoEdit for a candidate that is known, or near to one that is."""
        with self._lock:
            if candidate.id in self._ids:
                raise NoEdit("a candidate that was tried before", "duplicate")
            if _program(candidate) in self._programs:
                raise NoEdit("a program that was tried before in another layout", "duplicate program")
            if self._index is None or self.threshold is None:
                return
            found = self._of(candidate)
            for name in self._index.query(self._sketch(found)):
                other = self._shingles[name]
                similarity = len(found & other) / max(1, len(found | other))
                if similarity >= self.threshold:
                    raise NoEdit(f"similarity {similarity:.3f} to {name[:12]}, which was tried", "near duplicate")

    def _of(self, candidate: Candidate) -> frozenset[int]:
        """Its shingles, as 64-bit numbers."""
        text = "\n".join(candidate.files[name].decode(errors="replace") for name in sorted(candidate.files))[:LONGEST]
        tokens = TOKEN.findall(text)
        runs = range(max(1, len(tokens) - self.shingle + 1))
        return frozenset(_number(" ".join(tokens[i : i + self.shingle])) for i in runs)

    def _sketch(self, shingles: frozenset[int]) -> object:
        from datasketch import MinHash

        sketch = MinHash(num_perm=self.permutations, seed=1)
        sketch.update_batch([number.to_bytes(8, "little") for number in shingles])
        return sketch


@dataclass(frozen=True)
class Novel:
    """Another mutator whose children are new, in at most `tries` draws."""

    inner: Mutator
    known: Known
    tries: int = 3

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def parents(self) -> int:
        return self.inner.parents

    def edit(self, parents: Sequence[Parent], around: Surroundings) -> Edit:
        """Raises the last NoEdit, of the inner mutator or of `known`, where no draw gave anything new."""
        failed: tuple[tuple[str, str], ...] = ()
        for _ in range(self.tries):
            rng = random.Random(around.rng.getrandbits(64))
            try:
                edit = self.inner.edit(parents, replace(around, rng=rng))
            except NoEdit as error:
                raise NoEdit(str(error), error.kind, (*failed, *error.failed)) from None
            failed = (*failed, *edit.failed)
            try:
                self.known.check(edit.candidate)
                return replace(edit, failed=failed)
            except NoEdit as error:
                last, failed = error, (*failed, (edit.mutator or self.inner.name, error.kind))
        raise NoEdit(str(last), last.kind, failed)


def _program(candidate: Candidate) -> str:
    """A hash of its files, of those that are Python programs without their layout and comments."""
    digest = hashlib.blake2b(digest_size=16)
    for name, data in sorted(candidate.files.items()):
        content = hashlib.blake2b(_content(candidate, name, data), digest_size=16).digest()
        digest.update(hashlib.blake2b(name.encode(errors="surrogateescape"), digest_size=16).digest() + content)
    return digest.hexdigest()


def _content(candidate: Candidate, name: str, data: bytes) -> bytes:
    if not name.endswith(".py"):
        return data
    try:
        return normal(candidate.text(name)).encode(errors="backslashreplace")
    except NoEdit:
        return data


def _number(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(errors="replace"), digest_size=8).digest(), "little")
