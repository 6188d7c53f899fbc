"""Monitors: figures of a cycle that move before accuracy does, their limits, and what may happen beyond them.

Every figure is a small pure function with its source. `Monitors` holds the limits and the declared responses, the only
ways in which a monitor can act: `warn` is shown and recorded, `hold` keeps a candidate from being promoted, `stop` ends
the run after the cycle. Figures that rest on gold labels may only warn, for nothing that knows them may steer a run.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from autotroph.core.config import Config
from autotroph.core.decision import Report
from autotroph.core.trace import Group
from autotroph.rewards.measure import is_scored
from autotroph.store.record import Alarm, Response

TEXTS, CHARACTERS = 64, 500
"""Most texts that diversity is measured on, and most characters of each."""
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


def zero_advantage(groups: Sequence[Group]) -> float | None:
    """Share of groups whose scored rewards are all equal and so teach nothing (arXiv:2503.14476); None: none scored."""
    rewards = [[t.reward for t in group.traces if is_scored(t.reward)] for group in groups]
    scored = [same for same in rewards if same]
    return sum(len(set(same)) == 1 for same in scored) / len(scored) if scored else None


def agreement(groups: Sequence[Group]) -> float | None:
    """Chance that two answers to one task are equal, mean over tasks with at least two; None where there is none."""
    shares = []
    for group in groups:
        counts = Counter(trace.text for trace in group.traces if trace.error is None)
        n = counts.total()
        if n > 1:
            shares.append(sum(c * (c - 1) for c in counts.values()) / (n * (n - 1)))
    return sum(shares) / len(shares) if shares else None


def label_noise(agreed: float) -> float:
    """Error rate e of a labeller from the rate a at which two agree: a = (1 - e)^2, so e = 1 - sqrt(a).

    Holds where mistakes are independent and fall on many different answers. Shared mistakes make it an underestimate.
    """
    return 1 - math.sqrt(agreed)


def proxy_gap(proxy: Sequence[float], gold: Sequence[float]) -> float:
    """Mean proxy less mean gold reward of the same answers; grows as the proxy is over-optimised (arXiv:2210.10760)."""
    return float(np.mean(proxy) - np.mean(gold))


def length_drift(before: float, after: float) -> float:
    """Logarithm of the ratio of two mean lengths on the same tasks: .1 is about a tenth more; none counts as 1."""
    return math.log(max(after, 1.0) / max(before, 1.0))


def kl_from(logprobs: Sequence[float], reference: Sequence[float]) -> float:
    """KL(policy || reference) per token, in nats, from tokens that the policy sampled: the mean of r - 1 - ln r, where
    r = reference / policy. Unbiased and never negative (the k3 estimator of DeepSeekMath, arXiv:2402.03300 eq. 4)."""
    log_ratio = np.asarray(reference) - np.asarray(logprobs)
    return float(np.mean(np.expm1(log_ratio) - log_ratio))


def saturated(reports: Sequence[Report]) -> float | None:
    """Share of the scored items that every report solves in full, so that they tell nobody apart; None: none scored."""
    scores: dict[str, list[float]] = {}
    for report in reports:
        for result in report.results:
            if result.score is not None:
                scores.setdefault(result.key, []).append(result.score)
    shared = [found for found in scores.values() if len(found) == len(reports)]
    return sum(min(found) >= 1 for found in shared) / len(shared) if shared else None


def position_bias(verdicts: Iterable[tuple[int, int]]) -> tuple[float, float]:
    """(consistency, preference) of a judge that sees each pair in both orders (arXiv:2306.05685).

    A verdict is the place, 0 or 1, of the answer it prefers, in the one order and in the swapped one. Consistency:
    share of pairs of which it prefers the same answer twice. Preference: share of inconsistent ones where it took the
    first place twice, .5 where there is none.
    """
    pairs = list(verdicts)
    firsts = sum(pair == (0, 0) for pair in pairs)
    seconds = sum(pair == (1, 1) for pair in pairs)
    biased = firsts + seconds
    return 1 - biased / len(pairs), firsts / biased if biased else 0.5


def readings(groups: Sequence[Group], champion: Report, candidate: Report) -> dict[str, float]:
    """What can be read without gold labels from a cycle's self-made answers and the two reports on its sealed tasks."""
    answers = [trace.text[:CHARACTERS] for group in groups for trace in group.traces[:1] if trace.error is None]
    texts = [answers[i * len(answers) // TEXTS] for i in range(TEXTS)] if len(answers) > TEXTS else answers
    found: dict[str, float | None] = {}
    if texts:
        found["distinct_2"] = distinct_n(texts)
        found["self_bleu"] = self_bleu(texts)
        found["vendi_ngram"] = vendi(texts, ngram_kernel)
        found["vendi_histogram"] = vendi(texts, histogram_kernel)
    found["zero_advantage"] = zero_advantage(groups)
    agreed = agreement(groups)
    found["label_noise"] = None if agreed is None else label_noise(agreed)
    if champion.length is not None and candidate.length is not None:
        found["length_drift"] = length_drift(champion.length, candidate.length)
    found["saturation"] = saturated([champion, candidate])
    return {name: value for name, value in found.items() if value is not None}


class Limit(Config):
    """A monitor: the range in which its figure is silent, and the response outside of it."""

    low: float | None = Field(default=None, description="alarm below this; none: never")
    high: float | None = Field(default=None, description="alarm above this; none: never")
    response: Response = Field(
        default="warn", description="what an alarm does: be shown, hold the candidate, stop the run"
    )


GOLD = ("proxy_gap", "unique_correct")
"""Figures that rest on gold labels."""


class Monitors(Config):
    """Limits by figure. A figure that a cycle does not have raises no alarm; one without limits is only recorded."""

    entropy: Limit = Limit()
    self_bleu: Limit = Limit()
    distinct_2: Limit = Limit()
    vendi_ngram: Limit = Limit(low=2.0)
    vendi_histogram: Limit = Limit()
    zero_advantage: Limit = Limit(high=0.95)
    label_noise: Limit = Limit()
    length_drift: Limit = Limit(low=-0.7, high=0.7)
    saturation: Limit = Limit(high=0.98)
    proxy_gap: Limit = Limit(high=0.2)
    unique_correct: Limit = Limit()

    @model_validator(mode="after")
    def _gold_only_warns(self) -> Monitors:
        for name in GOLD:
            if getattr(self, name).response != "warn":
                raise ValueError(
                    f"{name} rests on gold labels, which may not steer a run; its response can only be warn"
                )
        return self

    def alarms(self, metrics: dict[str, float]) -> tuple[Alarm, ...]:
        """Every figure outside of its limits; NaN is outside of any."""
        limits: dict[str, Any] = {name: getattr(self, name) for name in type(self).model_fields}
        found = []
        for name, limit in limits.items():
            value = metrics.get(name)
            if value is None or (limit.low is None and limit.high is None):
                continue
            low, high = (
                (-math.inf if limit.low is None else limit.low),
                (math.inf if limit.high is None else limit.high),
            )
            if not low <= value <= high:
                crossed = low if value < low else high
                found.append(Alarm(monitor=name, value=value, limit=crossed, response=limit.response))
        return tuple(found)
