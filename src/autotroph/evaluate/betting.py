"""Tests by betting: evidence that stays valid however often one looks and whenever one stops.

A gambler starts with 1 and bets, at odds that would be fair if the hypothesis were true, that it is false. True, and
the wealth exceeds 1/alpha at any time with probability at most alpha (Ville's inequality); so min(1, 1 / wealth) is a
p-value at every stopping time. docs/evaluation.md has the proof.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

STAKES = np.geomspace(0.01, 0.99, 40)
"""Shares of the largest possible stake that the gambler of `mean_above` divides its first money among."""


def sign_evidence(gained: int, lost: int) -> float:
    """log E, the wealth of a bet that discordant pairs are gained more often than lost.

    E = integral over stakes s in [0, 1] of (1 + s)^gained (1 - s)^lost, a uniform mixture of bettors with constant
    stakes, hence the same for every order of the pairs: 2^(n+1) B(gained + 1, lost + 1) P(Beta(gained + 1, lost + 1) >
    1/2) with n = gained + lost. Source of the method: Ramdas et al., arXiv:2210.01948.
    """
    from scipy.special import betainc, betaln

    upper = float(betainc(lost + 1, gained + 1, 0.5))
    tail = math.log(upper) if upper > 0 else -math.inf
    return (gained + lost + 1) * math.log(2) + float(betaln(gained + 1, lost + 1)) + tail


def always_valid(gained: int, lost: int) -> float:
    """p-value of "the candidate is no better" that may be looked at after every pair, and acted on at any time."""
    return math.exp(-max(0.0, sign_evidence(gained, lost)))


def mean_above(values: Sequence[float] | np.ndarray, bound: float) -> float:
    """Always-valid p-value of "the mean is at most `bound`", for independent values in [-1, 1], binary or graded.

    The wealth is the mean over stakes s of prod_i (1 + s (x_i - bound)), s in `STAKES` / (1 + bound), which is never
    negative (Waudby-Smith and Ramdas, arXiv:2010.09686, section 4). 1 where there are no values, or bound >= 1.
    """
    from scipy.special import logsumexp

    if bound >= 1 or bound <= -1:
        return 1.0
    gains = np.log1p(np.outer(STAKES / (1 + bound), np.asarray(values, dtype=float) - bound)).sum(axis=1)
    return math.exp(-max(0.0, float(logsumexp(gains)) - math.log(len(STAKES))))
