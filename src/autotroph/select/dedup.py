"""Deduplication: exact by task and answer, near by the prompt's shingles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from autotroph.core.protocols import View
from autotroph.core.reject import is_live, reject_groups, reject_traces
from autotroph.core.trace import Group


@dataclass
class ExactDedup:
    """Keeps the first trace of each (task key, text) and the first bare task of each key; "duplicate" for the rest.

    Different answers to one task are no duplicates, and bare tasks are compared with bare tasks alone.
    `dropped`: the bare tasks that the last call removed, by reason.
    """

    dropped: dict[str, int] = field(default_factory=dict, init=False)

    def select(self, groups: Sequence[Group], view: View) -> list[Group]:
        seen: set[tuple[str, str | None]] = set()

        def repeated(key: str, text: str | None) -> str | None:
            if (key, text) in seen:
                return "duplicate"
            seen.add((key, text))
            return None

        groups = [reject_traces(group, lambda trace: repeated(trace.task_key, trace.text)) for group in groups]
        reasons = [None if group.traces else repeated(group.task.key, None) for group in groups]
        remaining, self.dropped = reject_groups(groups, reasons)
        return remaining


@dataclass
class NearDedup:
    """Rejects a group, "near duplicate", whose prompt resembles that of an earlier one that stays.

    Resemblance is the Jaccard similarity of the sets of character n-grams (shingles; Broder 1997). Locality-sensitive
    hashing of `num_perm` MinHash values proposes the pairs and the exact similarity decides: no pair below `threshold`
    is ever rejected, and some above it are missed, the fewer the larger `num_perm`. Deterministic. Equal prompts
    resemble each other fully, whatever their keys. `dropped`: the bare tasks that the last call removed, by reason.
    """

    threshold: float = 0.8
    num_perm: int = 128
    n: int = 5
    dropped: dict[str, int] = field(default_factory=dict, init=False)

    def select(self, groups: Sequence[Group], view: View) -> list[Group]:
        remaining, self.dropped = reject_groups(groups, self._reasons(groups))
        return remaining

    def _reasons(self, groups: Sequence[Group]) -> Iterator[str | None]:
        from datasketch import MinHash, MinHashLSH

        def grams(i: int) -> frozenset[str]:
            return shingle(groups[i].task.prompt, self.n)

        encoded = ([gram.encode() for gram in grams(i)] for i in range(len(groups)))
        index = MinHashLSH(threshold=self.threshold, num_perm=self.num_perm)
        for i, sketch in enumerate(MinHash.generator(encoded, num_perm=self.num_perm, seed=1)):
            if not is_live(groups[i]):
                yield None
            elif any(jaccard(grams(i), grams(j)) >= self.threshold for j in index.query(sketch)):
                yield "near duplicate"
            else:
                index.insert(i, sketch, check_duplication=False)
                yield None


def shingle(text: str, n: int) -> frozenset[str]:
    """The character n-grams of a text; a text shorter than n is its own only shingle."""
    return frozenset(text[i : i + n] for i in range(max(1, len(text) - n + 1)))


def jaccard(a: frozenset[str], b: frozenset[str]) -> float:
    """|a & b| / |a | b| of two non-empty sets."""
    shared = len(a & b)
    return shared / (len(a) + len(b) - shared)
