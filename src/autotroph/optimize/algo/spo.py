"""Self-play preference optimisation (arXiv:2401.04056): a trace's reward is how often it beats its siblings."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from autotroph.core.protocols import Signal
from autotroph.core.trace import Group, Trace
from autotroph.optimize.algo.scores import EPSILON, Scored, scores
from autotroph.optimize.loss import Surrogate

Preference = Callable[[tuple[Trace, float], tuple[Trace, float]], float]
"""How surely the first of two scored traces is preferred to the second, in [0, 1]; 1 - that the other way round."""


def by_reward(one: tuple[Trace, float], other: tuple[Trace, float]) -> float:
    difference = one[1] - other[1]
    return 0.5 if abs(difference) < EPSILON else float(difference > 0)


class SPO:
    """r_i = mean over the other traces j of the task of P(i > j); advantage = r_i - 1/2, their mean.

    Preferences need not come from any scale, so that they may be intransitive: then the policy goes to the minimax
    winner. A group of one, or one without a preference, gives no signal.
    """

    loss = Surrogate()

    def __init__(self, prefer: Preference = by_reward):
        self.prefer = prefer

    def signals(self, groups: Sequence[Group]) -> list[Signal]:
        signals = []
        for scored in map(scores, groups):
            wins = [won - 0.5 for won in self.wins(scored)]
            if any(abs(advantage) > EPSILON for advantage in wins):
                signals += [Signal(trace, win) for (trace, _), win in zip(scored, wins, strict=True)]
        return signals

    def wins(self, scored: Scored) -> list[float]:
        """Share of wins of each trace against the others; a half where there are none."""
        rivals = max(1, len(scored) - 1)
        against = [[self.prefer(one, other) for other in scored if other is not one] or [0.5] for one in scored]
        return [sum(own) / rivals for own in against]
