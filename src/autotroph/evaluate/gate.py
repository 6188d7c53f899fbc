"""The gate: promote on evidence, hold without it, roll back on evidence against.

Each look compares champion and candidate on sealed tasks drawn afresh for it, so that a candidate is independent of
the tasks that judge it, and may spend `spent_alpha(alpha, look, looks)`. By the union bound the chance that any
candidate of the whole run that is no better than its champion gets promoted is at most `alpha`.
"""

from __future__ import annotations

from collections import defaultdict

from pydantic import Field

from autotroph.core.config import Config
from autotroph.core.decision import Decision, Report, Result, Verdict
from autotroph.evaluate.statistics import Flips, flips, paired, spent_alpha


class PairedGate(Config):
    """Implements `core.protocols.Gate`."""

    alpha: float = Field(
        default=0.05, gt=0, lt=1, description="chance of any false promotion in the whole run, at most"
    )
    looks: int | None = Field(default=None, ge=1, description="planned comparisons; none: not known beforehand")
    regression_alpha: float = Field(
        default=0.01, gt=0, lt=1, description="level at which a loss counts as proven, per look"
    )
    max_unscored: float = Field(
        default=0.05, ge=0, le=1, description="share of unscored tasks above which nothing is promoted"
    )

    off: bool = Field(
        default=False, description="promote whatever comes, as systems without a gate do; the evidence is still shown"
    )

    def decide(self, champion: Report, candidate: Report, look: int) -> Decision:
        """Compare two reports on the same tasks; `look` is 1 for the first comparison of the run.

        Raises ValueError when the reports are not about the same tasks.
        """
        pairs = paired(champion, candidate)
        total, alpha = flips(pairs), spent_alpha(self.alpha, look, self.looks)
        verdict, reason = self._judge(champion, candidate, pairs, total, alpha)
        return Decision(
            verdict,
            reason,
            champion.policy,
            candidate.policy,
            total.gained,
            total.lost,
            total.kept,
            total.unscored,
            total.p_better,
            alpha,
            look,
        )

    def _judge(
        self, champion: Report, candidate: Report, pairs: list[tuple[Result, Result]], total: Flips, alpha: float
    ) -> tuple[Verdict, str]:
        counts = f"gained {total.gained}, lost {total.lost} of {len(pairs)} tasks"
        if self.off:
            return "promote", f"the gate is off: {counts}"
        if not pairs:
            return "hold", "no sealed tasks were measured"
        if champion.policy == candidate.policy:
            return "hold", "the candidate is the champion"
        if total.unscored > self.max_unscored * len(pairs):
            return "hold", f"{total.unscored} of {len(pairs)} tasks are unscored"
        worse = self._worse_levels(pairs)
        if total.p_worse <= self.regression_alpha:
            return "roll back", f"proven worse: {counts} (p = {total.p_worse:.2g})"
        if worse:
            return "roll back", f"proven worse on level {', '.join(map(str, worse))}: {counts}"
        if total.p_better <= alpha:
            return "promote", f"{counts} (p = {total.p_better:.2g}, allowed {alpha:.2g})"
        return "hold", f"not proven better: {counts} (p = {total.p_better:.2g}, allowed {alpha:.2g})"

    def _worse_levels(self, pairs: list[tuple[Result, Result]]) -> list[int]:
        """Levels with a proven loss, the level of the test divided by the number of levels (Bonferroni)."""
        levels: dict[int, list[tuple[Result, Result]]] = defaultdict(list)
        for pair in pairs:
            levels[pair[0].level].append(pair)
        bound = self.regression_alpha / len(levels)
        return [level for level, same in sorted(levels.items()) if flips(same).p_worse <= bound]
