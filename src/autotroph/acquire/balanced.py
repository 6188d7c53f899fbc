"""Interaction whose temperature and reward threshold are chosen anew each cycle (B-STaR, arXiv:2412.17256)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

from autotroph.acquire.interaction import Interaction
from autotroph.core.estimate import Work
from autotroph.core.protocols import View
from autotroph.core.reject import reject_traces
from autotroph.core.trace import Group
from autotroph.models.lengths import Lengths
from autotroph.rewards.balance import THRESHOLDS, balance, below, best_threshold, exploitation, exploration, tried

Choice = Literal["balance", "fixed", "chance"]


@dataclass
class Balanced:
    """Tries of `interaction`, those below the cycle's threshold rejected; `verified` names the reward that is above
    0 where an answer is right.

    "balance": on `probed` tasks, the temperature of `grid` and the threshold with the highest mean balance score;
    "fixed": the interaction's temperature and `threshold`; "chance": any of both. `metrics`: what was chosen in the
    last cycle, and Pass@K-S (`explored`) and Reward@K-S (`exploited`) of its tries, with S = `s`.
    """

    interaction: Interaction
    verified: str
    grid: Sequence[float]
    probed: int
    choice: Choice = "balance"
    threshold: float = 0.0
    s: int = 1
    metrics: dict[str, float] = field(default_factory=dict, init=False)

    def propose(self, view: View) -> list[Group]:
        temperature, threshold = self._chosen(view)
        groups = replace(self.interaction, temperature=temperature).propose(view)
        tasks = [tried(group, self.verified) for group in groups]
        self.metrics = {
            "temperature": temperature,
            "threshold": threshold,
            "balance": sum(balance(answers, threshold) for answers in tasks) / max(1, len(tasks)),
            "explored": exploration(tasks, self.s),
            "exploited": exploitation(tasks, self.s),
        }
        return [reject_traces(group, partial(below, threshold)) for group in groups]

    def _chosen(self, view: View) -> tuple[float, float]:
        if self.choice == "fixed":
            return self.interaction.temperature, self.threshold
        if self.choice == "chance":
            rng = random.Random(view.seed("configuration"))
            return rng.choice(list(self.grid)), rng.choice(THRESHOLDS)
        found = []
        for temperature in self.grid:
            probe = replace(self.interaction, n=self.probed, temperature=temperature)
            score, threshold = best_threshold([tried(group, self.verified) for group in probe.propose(view)])
            found.append((score, -abs(temperature - self.interaction.temperature), temperature, threshold))
        return max(found)[2:]

    def estimate(self, lengths: Lengths) -> Work:
        probes = replace(self.interaction, n=self.probed).estimate(lengths) * len(self.grid)
        tries = self.interaction.estimate(lengths)
        return tries + probes if self.choice == "balance" else tries
