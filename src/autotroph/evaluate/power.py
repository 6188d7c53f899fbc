"""How many tasks a paired comparison needs, and what it can see with those that there are."""

from __future__ import annotations

import math

import numpy as np
from scipy.stats import binom, norm

from autotroph.core.errors import AutotrophError


def power(n: int, gain: float, discordance: float, alpha: float = 0.05) -> float:
    """Exact P(the one-sided sign test rejects at `alpha`) on n tasks.

    `gain` = P(gained) - P(lost), `discordance` = P(gained) + P(lost), per task. The number of discordant pairs N is
    binomial, and so is the number gained given N; both sums are exact. Raises AutotrophError unless
    |gain| <= discordance <= 1.
    """
    _check(gain, discordance)
    seen = np.arange(n + 1)
    critical = binom.isf(alpha, seen, 0.5)  # rejected where more than this many are gained
    rejected = binom.sf(critical, seen, (1 + gain / discordance) / 2)
    return float(np.sum(binom.pmf(seen, n, discordance) * rejected))


def required_tasks(gain: float, discordance: float, alpha: float = 0.05, wanted: float = 0.8) -> int:
    """Number of tasks at which `power` reaches `wanted`: between n - 1 tasks, which do not, and n, which do.

    The search starts from the normal approximation (Connor 1987). Raises AutotrophError unless
    0 < gain <= discordance <= 1.
    """
    _check(gain, discordance)
    if gain <= 0:
        raise AutotrophError(f"power: a gain of {gain} is never proven; give a gain above 0")
    normal = norm.isf(alpha) * math.sqrt(discordance) + norm.ppf(wanted) * math.sqrt(discordance - gain**2)
    low, high = 0, max(1, math.ceil(float(normal / gain) ** 2))
    while power(high, gain, discordance, alpha) < wanted:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if power(middle, gain, discordance, alpha) < wanted else (low, middle)
    return high


def _check(gain: float, discordance: float) -> None:
    if not (0 < discordance <= 1 and abs(gain) <= discordance):
        raise AutotrophError(
            f"power: gain {gain} at discordance {discordance}; give |gain| <= discordance, discordance in (0, 1]"
        )
