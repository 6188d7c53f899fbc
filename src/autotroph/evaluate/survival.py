"""The Survival Game: how many failures before a success, and whether their mean and variance are finite.

After Evaluating Intelligence via Trial and Error (arXiv:2502.18858): a subject tries until it succeeds. Where the
expectation of its failures is infinite it is limited, where the expectation is finite and the variance is not it is
capable, where both are finite it is autonomous (so the README of the paper's own repository). How the paper fits its
tails was not read. That a tail P(failures > x) ~ x^-k has a mean for k > 1 and a variance for k > 2 is calculus; the
fit is the usual one of excesses over a threshold (Pickands 1975), with trials that were given up counted as such.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from autotroph.core.errors import AutotrophError

Level = Literal["limited", "capable", "autonomous"]
LEVELS: tuple[Level, ...] = ("limited", "capable", "autonomous")
TAIL = 0.1
"""Share of the counts, the highest ones, that the exponent is fitted to."""
FEWEST = 10
"""Counts that a fit needs."""


def exponent(failures_N: np.ndarray, given_up_N: np.ndarray | None = None, tail: float = TAIL) -> float:
    """Exponent k of the tail P(failures > x) ~ x^-k; infinite where the tail falls as an exponential does, or faster.

    `given_up`: subjects that had not succeeded yet after so many failures [N]. With u the count that the share `tail`
    of all counts reaches, y = failures - u follows a generalised Pareto law in whole numbers, P(y >= n) = S(n) =
    (1 + n / (k s))^-k. k and the scale s maximise the likelihood: S(y) - S(y + 1) for a success, S(y) for a subject
    that has given up. Where more than half of the tail had given up, it begins lower, so that half of it are successes.

    Raises AutotrophError for fewer than ten counts, for negative ones, and where none has succeeded.
    """
    failures = np.asarray(failures_N, dtype=float)
    given_up = np.zeros(len(failures), dtype=bool) if given_up_N is None else np.asarray(given_up_N, dtype=bool)
    if len(failures) < FEWEST or len(given_up) != len(failures):
        raise AutotrophError(f"survival: {len(failures)} counts; give {FEWEST} or more, and as many marks of giving up")
    if not (failures >= 0).all():
        raise AutotrophError("survival: a count of failures is negative or no number; count from 0")
    if given_up.all():
        raise AutotrophError("survival: no subject has succeeded; let them try for longer")
    share = max(tail, min(1.0, 2 * float(given_up.mean())))
    start = np.sort(failures)[::-1][min(len(failures), int(np.ceil(share * len(failures)))) - 1]
    beyond = failures >= start
    return _fitted(failures[beyond] - start, given_up[beyond])


def level_of(tail: float) -> Level:
    """Limited up to an exponent of 1, capable up to 2, autonomous beyond."""
    return LEVELS[int(tail > 1) + int(tail > 2)]


def log_survival(y: np.ndarray, shape: float, scale: float) -> np.ndarray:
    """log P(at least y more failures); `shape` is 1 / k, and 0 an exponential tail."""
    if abs(shape) < 1e-6:
        return np.asarray(-y / scale)
    return np.asarray(-np.log1p(shape * y / scale) / shape)


def _fitted(y_B: np.ndarray, given_up_B: np.ndarray) -> float:
    """k of the likeliest law. A shape below 0 would be a tail that ends; it counts as 0."""
    from scipy.optimize import minimize  # takes half a second, which a resumed run need not wait for

    def cost(at: np.ndarray) -> float:
        shape, scale = max(0.0, at[0]), np.exp(at[1])
        here, next_ = log_survival(y_B, shape, scale), log_survival(y_B + 1, shape, scale)
        fallen = np.log(-np.expm1(np.minimum(next_ - here, -1e-300)))
        return -float((here + np.where(given_up_B, 0.0, fallen)).sum()) + max(0.0, -float(at[0]))

    found = minimize(cost, (0.5, np.log1p(np.median(y_B))), method="Nelder-Mead")
    return float(1 / found.x[0]) if found.x[0] > 1e-6 else float("inf")
