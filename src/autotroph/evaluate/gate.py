"""The gate: promote on evidence, hold without it, roll back on evidence against.

Each look may spend `spent_alpha(alpha, look, looks)`, and where one sealed set serves several looks, the part of that
which `history_share` gives to the verdicts that the set has let out. Whatever a loop makes of those verdicts, the
chance that any candidate of the whole run that is no better than its champion gets promoted is at most `alpha`:
docs/evaluation.md has the proof, and what has to be true of the sealed tasks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from autotroph.core.config import Config
from autotroph.core.decision import Decision, Report, Verdict
from autotroph.evaluate.betting import always_valid, mean_above
from autotroph.evaluate.intervals import paired_interval, rate_below
from autotroph.evaluate.statistics import (
    Pair,
    cluster_means,
    cluster_of,
    difference,
    flips,
    flips_by,
    history_share,
    paired,
    sign_test,
    spent_alpha,
    split,
    wins_and_losses,
)


def _from_flag(given: Any) -> Any:
    return dict(item.split("=", 1) for item in given.split(",") if item) if isinstance(given, str) else given


def _in_range(given: dict[str, float]) -> dict[str, float]:
    if bad := [tag for tag, tolerance in given.items() if not 0 <= tolerance < 1]:
        raise ValueError(f"tolerance of {', '.join(bad)}: give a number from 0 to below 1")
    return given


Tolerances = Annotated[dict[str, float], BeforeValidator(_from_flag), AfterValidator(_in_range)]
"""Suite -> greatest mean drop; as a flag, NAME=TOLERANCE,..."""


class PairedGate(Config):
    """Implements `core.protocols.Gate`."""

    alpha: float = Field(
        default=0.05, gt=0, lt=1, description="chance of any false promotion in the whole run, at most"
    )
    looks: int | None = Field(default=None, ge=1, description="planned comparisons; none: not known beforehand")
    reuse: int = Field(default=1, ge=1, description="comparisons on one sealed set before fresh tasks replace it")
    sequential: bool = Field(
        default=False, description="the same pair may be judged again, at no cost, while tasks are added (e-process)"
    )
    regression_alpha: float = Field(
        default=0.01, gt=0, lt=1, description="level at which a loss counts as proven, per look"
    )
    max_unscored: float = Field(
        default=0.05, ge=0, le=1, description="share of unscored tasks above which nothing is promoted"
    )
    protected_rate: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="promote where the rate of lost protected tasks is below this with 95% confidence; none: where not "
        "one is lost",
    )
    protect_solved: bool = Field(
        default=False, description="every task that the champion solves (score 1) is protected, too"
    )
    guardrails: Tolerances = Field(
        default={}, description="TAG=TOLERANCE,...: suites that only guard, and the mean drop that each allows"
    )
    proven_guardrails: bool = Field(
        default=False, description="a guardrail's drop must be proven (95%) to be within its tolerance, not only seen"
    )
    margin: float = Field(
        default=0.0, ge=0, lt=1, description="promote a cheaper candidate proven not worse by more; 0: only better ones"
    )
    exact: bool = Field(
        default=False,
        description="the tasks are all that is asked, judged without noise: promote what is better on one and worse on "
        "none",
    )
    off: bool = Field(
        default=False, description="promote whatever comes, as systems without a gate do; the evidence is still shown"
    )

    def decide(self, champion: Report, candidate: Report, look: int, answered: int = 0) -> Decision:
        """Compare two reports on the same tasks.

        `look` is 1 for the first comparison of the run; a sealed set serves looks 1 to `reuse`, the next one the
        `reuse` looks after them, and so on. `answered` counts the verdicts other than hold that this set has given
        before. Raises ValueError when the reports are not about the same tasks, AutotrophError when `answered` is
        more than the earlier looks at this set.
        """
        pairs = paired(champion, candidate)
        judged = [pair for pair in pairs if pair[0].tag not in self.guardrails]
        alpha = spent_alpha(self.alpha, look, self.looks) * history_share((look - 1) % self.reuse, answered)
        p = self._p_value(judged, _cheaper(champion, candidate))
        verdict, reason = self._judge(champion, candidate, pairs, judged, p, alpha)
        total, seen = flips(judged), [value for pair in judged if (value := difference(pair)) is not None]
        return Decision(
            verdict,
            reason,
            champion.policy,
            candidate.policy,
            total.gained,
            total.lost,
            total.kept,
            total.unscored,
            p,
            alpha,
            look,
            (look - 1) % self.reuse + 1,
            dict(sorted(flips_by(judged, lambda result: result.level).items())),
            dict(sorted(flips_by([pair for pair in pairs if pair[0].tag], lambda result: result.tag).items())),
            sum(seen) / len(seen) if seen else None,
            _interval(judged),
        )

    def _p_value(self, judged: Sequence[Pair], cheaper: bool) -> float:
        """Of "this candidate deserves no promotion"; with a margin, two ways to one share the level (Bonferroni)."""
        better = (always_valid if self.sequential else sign_test)(*wins_and_losses(judged, unscored_lost=True))
        if self.margin == 0:
            return better
        equal = mean_above(cluster_means(judged, unscored=-1.0), -self.margin) if cheaper else 1.0
        return min(1.0, 2 * min(better, equal))

    def _judge(
        self,
        champion: Report,
        candidate: Report,
        pairs: Sequence[Pair],
        judged: Sequence[Pair],
        p: float,
        alpha: float,
    ) -> tuple[Verdict, str]:
        total = flips(judged)
        counts = f"gained {total.gained}, lost {total.lost} of {len(judged)} tasks"
        if self.off:
            return "promote", f"the gate is off: {counts}"
        if champion.policy == candidate.policy:
            return "hold", "the candidate is the champion"
        if missing := self._missing(pairs, judged):
            return "hold", missing
        if self.exact:
            return _exactly(judged)
        if (p_worse := _p_worse(judged)) <= self.regression_alpha:
            return "roll back", f"proven worse: {counts} (p = {p_worse:.2g})"
        if worse := self._worse_levels(judged):
            return "roll back", f"proven worse on level {', '.join(map(str, worse))}: {counts}"
        if broken := self._broken_guardrails(pairs):
            return "roll back", f"proven to lose more than its tolerance on {', '.join(broken)}"
        if _p_worse(judged, unscored_lost=True) <= self.regression_alpha or self._worse_levels(
            judged, unscored_lost=True
        ):
            return "hold", f"too many tasks are lost or unscored: {counts}, {total.unscored} unscored"
        if lost := self._lost_protected(pairs):
            return "hold", lost
        if slack := self._slack_guardrails(pairs):
            return "hold", f"not within its tolerance on {', '.join(slack)}"
        if alpha == 0:
            return "hold", f"{counts}; all {self.looks} planned looks are spent: plan more, with fresh tasks"
        mean = float(cluster_means(judged, unscored=-1.0).mean())
        if p <= alpha and mean < (-self.margin if _cheaper(champion, candidate) else 0):
            return "hold", f"{counts}, but the mean score falls by {-mean:.4f}, what is unscored counted as lost"
        if p <= alpha:
            return "promote", f"{counts} (p = {p:.2g}, allowed {alpha:.2g})"
        return "hold", f"not proven better: {counts} (p = {p:.2g}, allowed {alpha:.2g})"

    def _missing(self, pairs: Sequence[Pair], judged: Sequence[Pair]) -> str:
        """What has not been measured well enough to conclude anything; empty where all has."""
        if not judged:
            return "no sealed tasks were measured"
        suites = split(pairs, lambda result: result.tag)
        if absent := [tag for tag in self.guardrails if tag not in suites]:
            return f"no task of guardrail {', '.join(absent)} was measured"
        guards = [(f" of guardrail {tag}", suites[tag]) for tag in self.guardrails]
        for name, suite in [("", judged), *guards]:
            if (unscored := flips(suite).unscored) > self.max_unscored * len(suite):
                return f"{unscored} of {len(suite)} tasks{name} are unscored"
        return ""

    def _worse_levels(self, judged: Sequence[Pair], unscored_lost: bool = False) -> list[int]:
        """Levels with a proven loss, the level of the test divided by the number of levels (Bonferroni)."""
        levels = split(judged, lambda result: result.level)
        bound = self.regression_alpha / len(levels)
        return [level for level, same in sorted(levels.items()) if _p_worse(same, unscored_lost) <= bound]

    def _lost_protected(self, pairs: Sequence[Pair]) -> str:
        """Why too many protected tasks are lost, a missing score being a loss; empty where they are not."""
        solved = self.protect_solved
        protected = [pair for pair in pairs if pair[0].protected or (solved and pair[0].score == 1)]
        groups = split(protected, cluster_of).values()
        lost = sum(found.lost + found.unscored > 0 for found in map(flips, groups))
        if self.protected_rate is None:
            return f"{lost} of {len(groups)} protected tasks are lost or unscored" if lost else ""
        bound = rate_below(lost, len(groups))
        if not groups or bound <= self.protected_rate:
            return ""
        return f"{lost} of {len(groups)} protected tasks are lost: a rate of up to {bound:.2g} is not excluded"

    def _slack_guardrails(self, pairs: Sequence[Pair]) -> list[str]:
        """Guardrails whose drop is not within its tolerance, missing scores counted against the candidate."""
        suites = split(pairs, lambda result: result.tag)
        return [tag for tag, tolerance in self.guardrails.items() if not self._within(suites[tag], tolerance)]

    def _within(self, suite: Sequence[Pair], tolerance: float) -> bool:
        if tolerance == 0:
            found = flips(suite)
            return found.lost + found.unscored == 0
        changes = cluster_means(suite, unscored=-1.0)
        if self.proven_guardrails:
            return mean_above(changes, -tolerance) <= 0.05
        return float(changes.mean()) >= -tolerance

    def _broken_guardrails(self, pairs: Sequence[Pair]) -> list[str]:
        """Guardrails proven to drop by more than their tolerance (Bonferroni over guardrails)."""
        suites = split(pairs, lambda result: result.tag)
        return [
            tag
            for tag, tolerance in self.guardrails.items()
            if mean_above(-cluster_means(suites[tag]), tolerance) <= self.regression_alpha / len(self.guardrails)
        ]


def _exactly(judged: Sequence[Pair]) -> tuple[Verdict, str]:
    """Of scores that nothing is drawn in: there is no chance that a verdict could be owed to."""
    changes = [difference(pair) for pair in judged]
    better = sum(change is not None and change > 0 for change in changes)
    worse = sum(change is None or change < 0 for change in changes)
    counts = f"better on {better}, worse on {worse} of {len(judged)} tasks that are all there are"
    return ("promote" if better and not worse else "roll back" if worse and not better else "hold"), counts


def _p_worse(pairs: Sequence[Pair], unscored_lost: bool = False) -> float:
    """Exact p-value of "the candidate is no worse"."""
    better, worse = wins_and_losses(pairs, unscored_lost)
    return sign_test(worse, better)


def _cheaper(champion: Report, candidate: Report) -> bool:
    return champion.cost is not None and candidate.cost is not None and candidate.cost < champion.cost


def _interval(pairs: Sequence[Pair]) -> tuple[float, float] | None:
    """95% interval of the mean difference; None for fewer than two scored clusters."""
    seen = [(change, cluster_of(pair[0])) for pair in pairs if (change := difference(pair)) is not None]
    names = [name for _, name in seen]
    return paired_interval([change for change, _ in seen], names) if len(set(names)) > 1 else None
