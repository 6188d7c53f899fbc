"""Decoupled clip and dynamic sampling policy optimisation (arXiv:2503.14476)."""

from __future__ import annotations

from collections.abc import Sequence

from autotroph.core.protocols import Signal
from autotroph.core.trace import Group
from autotroph.optimize.algo.grpo import GRPO


class DAPO(GRPO):
    """GRPO that clips less where a token becomes likelier, and learns nothing from a trace that was cut off.

    Of its four parts, two are GRPO's here already: every token weighs the same, and groups of equal rewards give no
    signal (they are not sampled again until the step is full). A trace that hit the limit of length counts in its
    group's mean but is masked in the loss, the paper's overlong filtering.
    """

    def __init__(self, clip_low: float = 0.2, clip_high: float = 0.28):
        super().__init__(True, clip_low, clip_high)

    def signals(self, groups: Sequence[Group]) -> list[Signal]:
        return [signal for signal in super().signals(groups) if signal.trace.stop != "length"]
