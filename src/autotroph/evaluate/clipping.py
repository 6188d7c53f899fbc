"""What clipping alone does to a policy whose rewards say nothing: a softmax over two strategies, simulated.

GRPO on a reward that is chance. The advantages of a batch are independent of the actions, so that the expected gradient
of the first update on it is exactly 0. From the second on the policy is another than the one that sampled, r is its
ratio, and clipping takes gains away from what has grown beyond 1 + c and losses from what has shrunk below 1 - c: it
pulls back to the policy that sampled. Of a strategy with probability over 1 / (1 + c) no growth is ever clipped, so
that the pull is uneven and favours the majority (arXiv:2506.10947, section 4 and appendix).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autotroph.evaluate.claim import Trial

Array = NDArray[np.float64]

MAJORITY = np.array([True, True, False, False])
REWARDED = np.array([1.0, 0.0, 1.0, 0.0])
"""What the four kinds of answers are that a group can hold: by strategy, and by luck."""


def gradient(logit_R: Array, old_R: Array, count_R4: Array, advantage_R4: Array, clip: float) -> Array:
    """Gradient [R] by the logit of the mean over a group's answers of min(r A, clip(r) A), each of R policies alone.

    `old_R`: logits at which the answers were sampled; `count_R4`: how many of them there are of each kind.
    """
    now_R1, then_R1 = sigmoid(logit_R)[:, None], sigmoid(old_R)[:, None]
    ratio_R4 = np.where(MAJORITY, now_R1 / then_R1, (1 - now_R1) / (1 - then_R1))
    grown_R4 = (advantage_R4 > 0) & (ratio_R4 > 1 + clip)
    shrunk_R4 = (advantage_R4 < 0) & (ratio_R4 < 1 - clip)
    gain_R4 = np.where(grown_R4 | shrunk_R4, 0.0, advantage_R4 * ratio_R4) * (MAJORITY - now_R1)
    return np.asarray((count_R4 * gain_R4).sum(axis=1) / count_R4.sum(axis=1))


def advantages(count_R4: Array) -> Array:
    """Of each kind: its reward less the group's mean, over the standard deviation; 0 where all rewards are equal."""
    mean_R1 = (count_R4 @ REWARDED / count_R4.sum(axis=1))[:, None]
    spread_R1 = np.sqrt(mean_R1 * (1 - mean_R1))
    return np.asarray(np.divide(REWARDED - mean_R1, spread_R1, out=np.zeros_like(count_R4), where=spread_R1 > 0))


def sampled(logit_R: Array, samples: int, rng: np.random.Generator) -> Array:
    """Counts [R, 4] of a group of answers from each policy, every one rewarded with probability 1/2."""
    majority_R = rng.binomial(samples, sigmoid(logit_R))
    lucky_R, others_R = rng.binomial(majority_R, 0.5), rng.binomial(samples - majority_R, 0.5)
    kinds = (lucky_R, majority_R - lucky_R, others_R, samples - majority_R - others_R)
    return np.stack(kinds, axis=1).astype(np.float64)


def sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


@dataclass(frozen=True)
class Drift:
    """A side of a claim: how far chance moves the log-odds of the majority's strategy, mean over `policies`, in nats.

    `prior`: probability of that strategy at the start; each of `batches` has `samples` answers and `updates` steps of
    the logit at `rate`; `clip`: of the ratio, inf for none. `Trial.beside`: the mean share of the majority at the end
    and the share of policies in which it has grown.
    """

    clip: float = 0.2
    prior: float = 0.65
    batches: int = 60
    updates: int = 8
    samples: int = 16
    rate: float = 1.0
    policies: int = 20_000

    def __call__(self, seed: int, compute: Mapping[str, float]) -> Trial:
        began, rng = time.monotonic(), np.random.default_rng(seed)
        start = float(np.log(self.prior / (1 - self.prior)))
        logit_R = np.full(self.policies, start)
        for _ in range(self.batches):
            old_R, count_R4 = logit_R, sampled(logit_R, self.samples, rng)
            advantage_R4 = advantages(count_R4)
            for _ in range(self.updates):
                logit_R = logit_R + self.rate * gradient(logit_R, old_R, count_R4, advantage_R4, self.clip)
        beside = {"majority": float(sigmoid(logit_R).mean()), "grown": float((logit_R > start).mean())}
        return Trial(float(logit_R.mean()) - start, seconds=time.monotonic() - began, beside=beside)
