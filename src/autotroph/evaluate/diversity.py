"""How different texts are from one another: figures that fall when a policy collapses onto few answers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Kernel = Callable[[Sequence[str]], NDArray[np.float64]]


def grams(text: str, n: int) -> Counter[str]:
    """How often each character n-gram occurs; a text shorter than n is its own only one."""
    return Counter(text[i : i + n] for i in range(max(1, len(text) - n + 1)))


def distinct_n(texts: Sequence[str], n: int = 2) -> float:
    """Different n-grams over all n-grams of the texts, characters as the unit (arXiv:1510.03055)."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(grams(text, n))
    return len(counts) / counts.total()


def self_bleu(texts: Sequence[str], n: int = 4) -> float:
    """Mean BLEU of each text with all others as its references (arXiv:1802.01886); 1: each text is in the others.

    BLEU (Papineni et al. 2002): geometric mean of the clipped precisions of 1- to n-grams, n at most the text's length,
    times exp(1 - r/c) where its length c is below that of the nearest reference, r. Characters as the unit, without
    smoothing. Empty texts are left out; 0 where fewer than two are left.
    """
    texts = [text for text in texts if text]
    if len(texts) < 2:
        return 0.0
    orders = [_precisions([grams(text, order) for text in texts]) for order in range(1, n + 1)]
    scores = []
    for i, text in enumerate(texts):
        used = [precisions[i] for precisions in orders[: len(text)]]
        others = [len(other) for k, other in enumerate(texts) if k != i]
        nearest = min(others, key=lambda length: (abs(length - len(text)), length))
        log = sum(map(math.log, used)) / len(used) if all(used) else -math.inf
        scores.append(math.exp(log + min(0.0, 1 - nearest / len(text))))
    return sum(scores) / len(scores)


def _precisions(counts: Sequence[Counter[str]]) -> list[float]:
    """Share of each text's n-grams that another text has as often: the highest count among the others clips."""
    top: dict[str, tuple[int, int]] = {}
    for count in counts:
        for gram, times in count.items():
            first, second = top.get(gram, (0, 0))
            top[gram] = (max(first, times), max(second, min(first, times)))
    return [
        sum(min(times, top[gram][times == top[gram][0]]) for gram, times in count.items()) / count.total()
        for count in counts
    ]


def ngram_kernel(texts: Sequence[str], n: int = 3) -> NDArray[np.float64]:
    """Cosine of n-gram counts: what is written where."""
    return _cosine([grams(text, n) for text in texts])


def histogram_kernel(texts: Sequence[str]) -> NDArray[np.float64]:
    """Cosine of the counts of single characters, whatever their order, times exp(-|difference| / mean) of lengths."""
    lengths = np.array([len(text) for text in texts], dtype=float)
    apart = np.abs(lengths[:, None] - lengths) / max(1.0, lengths.mean())
    alike: NDArray[np.float64] = _cosine([Counter(text) for text in texts]) * np.exp(-apart)
    return alike


def _cosine(counts: Sequence[Counter[str]]) -> NDArray[np.float64]:
    index = {name: i for i, name in enumerate(sorted({name for count in counts for name in count}))}
    vectors = np.zeros((len(counts), max(1, len(index))))
    for row, count in enumerate(counts):
        for name, times in count.items():
            vectors[row, index[name]] = times
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    empty = norms[:, 0] == 0
    vectors /= np.where(norms == 0, 1, norms)
    kernel: NDArray[np.float64] = vectors @ vectors.T
    kernel[np.ix_(empty, empty)] = 1.0  # two empty texts are equal
    return kernel


def vendi(texts: Sequence[str], kernel: Kernel) -> float:
    """Vendi score (arXiv:2210.02410): exp of the entropy of K/n's eigenvalues, the effective number of different texts.

    From 1, all alike, to their number, none alike.
    """
    values = np.linalg.eigvalsh(kernel(texts) / len(texts))
    values = values[values > 1e-12]
    return float(np.exp(-(values * np.log(values)).sum()))
