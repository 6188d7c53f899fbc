"""Role-conditioned advantage estimation (SPIRAL, arXiv:2506.24119): REINFORCE with a running mean for each seat."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import compress

from autotroph.core.errors import AutotrophError
from autotroph.core.protocols import Signal
from autotroph.core.trace import Group
from autotroph.optimize.loss import Surrogate


class RAE:
    """b[G, p] <- a b[G, p] + (1 - a) R_p, then A = R_p - b[G, p], for a game G, a role p and a decay a.

    G is the family of a group's task and p its `meta["seat"]`. The paper updates before it subtracts, as here; its code
    subtracts before it updates. With b the mean before, A = a (R - b) here and R - b there: the same but for the factor
    a. A decay of 1 leaves every mean at 0, which is plain REINFORCE. `shared`: one mean for all roles.

    With mu and v the mean and the variance of R_p, and b having settled, E (R - b)^2 = 2 v / (1 + a), where plain
    REINFORCE has v + mu^2: the variance falls where mu^2 / v > (1 - a) / (1 + a), 0.026 at a = 0.95. In a zero-sum game
    the roles' rewards sum to 0, and a shared mean takes nothing away: it is the role that matters.

    `entropy`, in units of reward, adds its gradient to each sampled token: A - entropy * log p(token), which makes what
    is played smooth instead of chasing its own tail.
    """

    loss = Surrogate()

    def __init__(self, decay: float = 0.95, entropy: float = 0.0, shared: bool = False):
        if not 0 <= decay <= 1:
            raise AutotrophError(f"role baseline: decay {decay} is outside 0..1; use 0.95")
        self.decay, self.entropy, self.shared = decay, entropy, shared
        self.baselines: defaultdict[tuple[str, int], float] = defaultdict(float)

    def signals(self, groups: Sequence[Group]) -> list[Signal]:
        """Traces without a reward take no part."""
        signals = []
        for group in groups:
            role = group.task.family, 0 if self.shared else int(group.task.meta.get("seat", 0))
            for trace in group.kept:
                reward = trace.reward
                if reward is None:
                    continue
                self.baselines[role] = self.decay * self.baselines[role] + (1 - self.decay) * reward
                advantage = reward - self.baselines[role]
                sampled = compress(trace.logprobs, trace.sampled)
                signals.append(Signal(trace, tuple(advantage - self.entropy * logp for logp in sampled)))
        return signals
