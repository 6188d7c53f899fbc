"""Figures of a cycle that move before accuracy does: small pure functions, each with its source."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from autotroph.core.decision import Report
from autotroph.core.trace import Group
from autotroph.evaluate.diversity import distinct_n, histogram_kernel, ngram_kernel, self_bleu, vendi
from autotroph.rewards.measure import is_scored, mean_logprob

TEXTS, CHARACTERS = 64, 500
"""Most texts that diversity is measured on, and most characters of each."""


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
    shared = _shared(reports)
    return sum(min(found) >= 1 for found in shared) / len(shared) if shared else None


def _shared(reports: Sequence[Report]) -> list[list[float]]:
    """The scores of each item that all reports have scored."""
    scores: dict[str, list[float]] = {}
    for report in reports:
        for result in report.results:
            if result.score is not None:
                scores.setdefault(result.key, []).append(result.score)
    return [found for found in scores.values() if len(found) == len(reports)]


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


def sampled_entropy(groups: Sequence[Group]) -> float | None:
    """Entropy per token of the distribution that was sampled from, temperature applied: the mean of -logp, in nats.

    Falls to 0 as sampling becomes greedy or the policy certain; None where nothing was sampled.
    """
    found = [mean_logprob(trace) for group in groups for trace in group.traces]
    means = [mean for mean in found if mean is not None]
    return -sum(means) / len(means) if means else None


def ceiling(reports: Sequence[Report]) -> float | None:
    """Mean score of the best report: how close to its ceiling a benchmark is; None: none has a score."""
    means = [
        sum(scores) / len(scores)
        for report in reports
        if (scores := [result.score for result in report.results if result.score is not None])
    ]
    return max(means, default=None)


def discriminating(reports: Sequence[Report]) -> float | None:
    """Share of the items scored by every report that at least two of them score differently; None: none scored."""
    shared = _shared(reports)
    return sum(min(found) < max(found) for found in shared) / len(shared) if shared else None


def contamination(groups: Sequence[Group]) -> float:
    """Share of all traces that decontamination has rejected, a sealed prompt or too much of one among theirs."""
    reasons = [trace.rejected or "" for group in groups for trace in group.traces]
    return sum(reason.startswith("sealed") for reason in reasons) / len(reasons) if reasons else 0.0


def given_noise(agreeing: float, right: float) -> float:
    """Share of wrong labels among rows from the share of them that a policy agrees with and its accuracy elsewhere.

    A policy that is right with chance `right` agrees with a label if both are right, and nearly never if one is wrong:
    agreeing = (1 - noise) right. Below 0 by chance alone.
    """
    return 1 - agreeing / right


def of_answers(groups: Sequence[Group]) -> dict[str, float]:
    """What can be read from answers alone: their diversity, their entropy, and how far they agree."""
    answers = [trace.text[:CHARACTERS] for group in groups for trace in group.traces[:1] if trace.error is None]
    texts = [answers[i * len(answers) // TEXTS] for i in range(TEXTS)] if len(answers) > TEXTS else answers
    found: dict[str, float | None] = {}
    if texts:
        found["distinct_2"] = distinct_n(texts)
        found["self_bleu"] = self_bleu(texts)
        found["vendi_ngram"] = vendi(texts, ngram_kernel)
        found["vendi_histogram"] = vendi(texts, histogram_kernel)
    found["sampled_entropy"] = sampled_entropy(groups)
    found["zero_advantage"] = zero_advantage(groups)
    agreed = agreement(groups)
    found["label_noise"] = None if agreed is None else label_noise(agreed)
    return {name: value for name, value in found.items() if value is not None}


def of_reports(champion: Report, candidate: Report) -> dict[str, float]:
    """What can be read from the two reports on the cycle's sealed tasks: drift, and what the tasks still tell."""
    found = {
        "saturation": saturated([champion, candidate]),
        "ceiling": ceiling([champion, candidate]),
        "discriminating": discriminating([champion, candidate]),
    }
    if champion.length is not None and candidate.length is not None:
        found["length_drift"] = length_drift(champion.length, candidate.length)
    return {name: value for name, value in found.items() if value is not None}
