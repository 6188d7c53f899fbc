"""How hard a task is for the policy that tried it, by the rewards of its tries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean

from autotroph.core.errors import AutotrophError
from autotroph.core.protocols import View
from autotroph.core.reject import is_live, reject_groups
from autotroph.core.trace import Group
from autotroph.rewards.measure import is_scored


def success(group: Group) -> float | None:
    """Mean reward of a group's tries that were scored, in [0, 1] for a verifier's; None where none was."""
    rewards = [reward for trace in group.traces if is_scored(reward := trace.reward)]
    return fmean(rewards) if rewards else None


@dataclass
class DifficultyBand:
    """Keeps the tasks that are solved in a share of their tries from `low` to `high`.

    Others are "too hard" and "too easy"; what nobody scored, bare tasks among it, is "unscored". `metrics`: the shares.
    """

    low: float = 0.2
    high: float = 0.8
    dropped: dict[str, int] = field(default_factory=dict, init=False)
    metrics: dict[str, float] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high <= 1:
            raise AutotrophError(f"difficulty band: {self.low} to {self.high} is no band; use 0 <= low <= high <= 1")

    def select(self, groups: Sequence[Group], view: View) -> list[Group]:
        live = [group for group in groups if is_live(group)]
        reasons = {id(group): self._reason(group) for group in live}
        remaining, self.dropped = reject_groups(groups, (reasons.get(id(group)) for group in groups))
        counts = {name: sum(reason == name for reason in reasons.values()) for name in ("too easy", "too hard")}
        self.metrics = {name.replace(" ", "_"): count / max(1, len(live)) for name, count in counts.items()}
        return remaining

    def _reason(self, group: Group) -> str | None:
        rate = success(group)
        if rate is None:
            return "unscored"
        return "too hard" if rate < self.low else "too easy" if rate > self.high else None


def learnability(groups: Sequence[Group], view: View) -> list[float | None]:
    """p (1 - p), p the share of a task's tries that are right: the variance of its reward, 0.25 at most.

    Where it is 0, a group says nothing about which of its tries to prefer (arXiv:2405.02238).
    """
    rates = [success(group) for group in groups]
    return [None if rate is None else rate * (1 - rate) for rate in rates]
