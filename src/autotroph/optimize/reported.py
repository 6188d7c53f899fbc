"""Optimisation that also reports what another part of the cycle has to say of itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from autotroph.core.estimate import Work
from autotroph.core.policy import Policy
from autotroph.core.protocols import View
from autotroph.core.trace import Group
from autotroph.models.lengths import Lengths
from autotroph.optimize.gro import EstimatedOptimize


class Measured(Protocol):
    """A source or selector with figures of its last call."""

    @property
    def metrics(self) -> Mapping[str, float]: ...


@dataclass(frozen=True)
class Reported:
    """`optimize`, whose figures stand beside those of `part`."""

    optimize: EstimatedOptimize
    part: Measured

    def __call__(self, groups: Sequence[Group], view: View) -> tuple[Policy, dict[str, float]]:
        candidate, metrics = self.optimize(groups, view)
        return candidate, {**metrics, **self.part.metrics}

    def estimate(self, lengths: Lengths) -> Work:
        return self.optimize.estimate(lengths)
