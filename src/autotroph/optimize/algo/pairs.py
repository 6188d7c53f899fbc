"""What algorithms that learn from pairs share: traces of one task, of which one has the higher reward."""

from __future__ import annotations

from collections.abc import Sequence

from autotroph.core.protocols import Signal
from autotroph.core.trace import Group
from autotroph.optimize.algo.scores import EPSILON, scores
from autotroph.optimize.loss import Loss


class Paired:
    """The best trace of a group with its worst, the second best with the second worst, as long as rewards differ.

    No trace is in two pairs. Groups of equal rewards, or of one trace, make none.
    """

    loss: Loss

    def signals(self, groups: Sequence[Group]) -> list[Signal]:
        signals: list[Signal] = []
        for group in groups:
            ranked = sorted(scores(group), key=lambda one: -one[1])
            for i in range(len(ranked) // 2):
                (better, high), (worse, low) = ranked[i], ranked[-1 - i]
                if high - low > EPSILON:
                    pair = len(signals) // 2
                    signals += [Signal(better, sign=1.0, pair=pair), Signal(worse, sign=-1.0, pair=pair)]
        return signals
