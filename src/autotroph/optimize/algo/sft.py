"""Supervised fine-tuning on what selection kept: likelihood 1 on every trace that was not rejected."""

from __future__ import annotations

from collections.abc import Sequence

from autotroph.core.protocols import Signal
from autotroph.core.trace import Group
from autotroph.optimize.loss import Surrogate


class SFT:
    loss = Surrogate()

    def signals(self, groups: Sequence[Group]) -> list[Signal]:
        return [Signal(trace, likelihood=1.0) for group in groups for trace in group.kept]
