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


def gradient(logit_R: Array, old_R: Array, majority_RG: NDArray[np.bool_], advantage_RG: Array, clip: float) -> Array:
    """Gradient [R] by the logit of the mean over G samples of min(r A, clip(r) A), each of R policies on its own.

    `old_R`: logits at which the samples were drawn; `majority_RG`: which of them took the majority's strategy.
    """
    now_R, then_R = sigmoid(logit_R), sigmoid(old_R)
    ratio_RG = np.where(majority_RG, (now_R / then_R)[:, None], ((1 - now_R) / (1 - then_R))[:, None])
    grown_RG = (advantage_RG > 0) & (ratio_RG > 1 + clip)
    shrunk_RG = (advantage_RG < 0) & (ratio_RG < 1 - clip)
    score_RG = majority_RG - now_R[:, None]
    return np.asarray((np.where(grown_RG | shrunk_RG, 0.0, advantage_RG * ratio_RG) * score_RG).mean(axis=1))


def advantages(reward_RG: Array) -> Array:
    """Rewards less their group's mean, over its standard deviation; 0 where all are equal."""
    centred_RG = reward_RG - reward_RG.mean(axis=1, keepdims=True)
    spread_R1 = reward_RG.std(axis=1, keepdims=True)
    return np.asarray(np.divide(centred_RG, spread_R1, out=np.zeros_like(centred_RG), where=spread_R1 > 0))


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
    policies: int = 3000

    def __call__(self, seed: int, compute: Mapping[str, float]) -> Trial:
        began, rng = time.monotonic(), np.random.default_rng(seed)
        start = float(np.log(self.prior / (1 - self.prior)))
        logit_R = np.full(self.policies, start)
        for _ in range(self.batches):
            old_R = logit_R
            majority_RG = rng.random((self.policies, self.samples)) < sigmoid(old_R)[:, None]
            advantage_RG = advantages((rng.random(majority_RG.shape) < 0.5).astype(np.float64))
            for _ in range(self.updates):
                logit_R = logit_R + self.rate * gradient(logit_R, old_R, majority_RG, advantage_RG, self.clip)
        beside = {"majority": float(sigmoid(logit_R).mean()), "grown": float((logit_R > start).mean())}
        return Trial(float(logit_R.mean()) - start, seconds=time.monotonic() - began, beside=beside)
