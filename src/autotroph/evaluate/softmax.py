"""A ground for sharpening on which everything is known: log-linear policies over finitely many answers.

Sharpening (arXiv:2412.01951) rewards an answer with its likelihood under the base, r(y|x) = log pi_base(y|x).
Shapes: X prompts, Y answers, D features, N samples; pi_theta(y|x) is proportional to exp(phi(x, y) . theta). What is
learnt of one prompt holds for others, as in a model; with a feature of its own for each pair of them, nothing does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def found_by_best_of(n: int, best: float) -> float:
    """P(best-of-n finds a unique likeliest answer) = 1 - (1 - p*)^n, p* the base's probability of it."""
    return float(1 - (1 - best) ** n)


def tilted(base_Y: Array, beta: float) -> Array:
    """The policy that maximises E[log base] - beta KL(policy || base): base^(1 + 1/beta), normalised."""
    logits_Y = (1 + 1 / beta) * np.log(base_Y)
    tilted_Y = np.exp(logits_Y - logits_Y.max())
    return np.asarray(tilted_Y / tilted_Y.sum())


def objective(policy_Y: Array, base_Y: Array, beta: float) -> float:
    """E[log base] - beta KL(policy || base), what `tilted` maximises."""
    return float(policy_Y @ (np.log(base_Y) - beta * (np.log(policy_Y) - np.log(base_Y))))


def best_of(n: int, base_Y: Array, trials: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """The likeliest of n answers drawn from the base, in each of so many trials."""
    drawn_TN = rng.choice(len(base_Y), (trials, n), p=base_Y)
    return np.asarray(np.take_along_axis(drawn_TN, base_Y[drawn_TN].argmax(1)[:, None], 1)[:, 0])


@dataclass(frozen=True)
class Softmax:
    """A log-linear policy: features [X, Y, D] and their weights [D]."""

    features_XYD: Array
    theta_D: Array

    @classmethod
    def drawn(cls, prompts: int, answers: int, size: int, sharpness: float, rng: np.random.Generator) -> Softmax:
        """Normal features, and weights of length `sharpness`, in a random direction."""
        direction_D = rng.normal(size=size)
        features_XYD = rng.normal(size=(prompts, answers, size))
        return cls(features_XYD, sharpness * direction_D / np.linalg.norm(direction_D))

    @property
    def probabilities_XY(self) -> Array:
        logits_XY = self.features_XYD @ self.theta_D
        weights_XY = np.exp(logits_XY - logits_XY.max(1, keepdims=True))
        return np.asarray(weights_XY / weights_XY.sum(1, keepdims=True))

    def moved(self, step_D: Array) -> Softmax:
        return replace(self, theta_D=self.theta_D + step_D)

    def drawn_XN(self, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """n answers to each prompt."""
        cumulated_XY = self.probabilities_XY.cumsum(1)
        spins_XN = rng.random((len(cumulated_XY), n))
        found_XN = (spins_XN[:, :, None] > cumulated_XY[:, None, :-1]).sum(2)
        return np.asarray(found_XN)

    def gradient_D(self, chosen_XN: NDArray[np.int64], weight_XN: Array) -> Array:
        """Of the mean over prompts and answers of weight * log pi(answer)."""
        mean_XD = np.einsum("xy,xyd->xd", self.probabilities_XY, self.features_XYD)
        own_XND = np.take_along_axis(self.features_XYD, chosen_XN[:, :, None], 1)
        return np.asarray(np.einsum("xn,xnd->d", weight_XN, own_XND - mean_XD[:, None]) / weight_XN.size)


def sft_sharpened(base: Softmax, n: int, steps: int, rate: float, rng: np.random.Generator) -> Softmax:
    """SFT-sharpening: the likelihood of the best of n answers to each prompt, climbed for so many steps."""
    likelihood_XY = base.probabilities_XY
    drawn_XN = base.drawn_XN(n, rng)
    place_X1 = np.take_along_axis(likelihood_XY, drawn_XN, 1).argmax(1)[:, None]
    best_X1 = np.take_along_axis(drawn_XN, place_X1, 1)
    policy = base
    for _ in range(steps):
        policy = policy.moved(rate * policy.gradient_D(best_X1, np.ones(best_X1.shape)))
    return policy


def rl_sharpened(
    base: Softmax, n: int, group: int, beta: float, rate: float, rng: np.random.Generator, shuffled: bool = False
) -> Softmax:
    """RLHF-sharpening with the same n answers to each prompt, `group` of them at a time from the policy as it stands.

    Each round climbs E[log base] - beta KL(policy || base) along its score-function gradient, the rest of a group as
    the baseline of each answer. `shuffled`: the rewards dealt anew within each group, the control.
    """
    reward_XY, policy = np.log(base.probabilities_XY), base
    for _ in range(n // group):
        drawn_XN = policy.drawn_XN(group, rng)
        gain_XY = reward_XY - beta * (np.log(policy.probabilities_XY) - reward_XY)
        gain_XN = np.take_along_axis(gain_XY, drawn_XN, 1)
        if shuffled:
            gain_XN = rng.permuted(gain_XN, axis=1)
        others_XN = (gain_XN.sum(1, keepdims=True) - gain_XN) / (group - 1)
        policy = policy.moved(rate * policy.gradient_D(drawn_XN, gain_XN - others_XN))
    return policy
