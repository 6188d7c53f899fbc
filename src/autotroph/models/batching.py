"""Which sequences share a batch."""

from __future__ import annotations

from collections.abc import Sequence


def alike(lengths: Sequence[int], rows: int, tokens: int, stretch: float) -> list[list[int]]:
    """Indices of sequences in batches, shortest first.

    A batch has at most `rows` rows and `tokens` tokens, padding included (a single row may have more), and its longest
    row is at most `stretch` times as long as its shortest.
    """
    batches: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        length = lengths[index]
        if batches:
            last = batches[-1]
            full = len(last) == rows or (len(last) + 1) * length > tokens
            if not full and length <= stretch * lengths[last[0]]:
                last.append(index)
                continue
        batches.append([index])
    return batches
