"""Rewards without a verifier. All intrinsic ones rise and then fall when trained on for long (arXiv:2603.08660)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from autotroph.core.errors import AutotrophError
from autotroph.core.trace import Group, Trace
from autotroph.rewards.measure import elected, mean_logprob


@dataclass
class MajorityAgreement:
    """1 for the group's majority answer, 0 for any other (TTRL, arXiv:2504.16084).

    None where the rollout failed or the first place is shared; TTRL breaks such ties by order, which rewards chance. So
    too where fewer than `threshold` of the group gave the answer, which is then no label (SRT, arXiv:2505.21444).
    """

    verifier_calls: ClassVar[int] = 0
    name: str = "agreement"
    threshold: float = 0.0

    def score(self, group: Group) -> Group:
        winner = elected(group, self.threshold)

        def agreement(trace: Trace) -> float | None:
            return None if winner is None or trace.error is not None else float(trace.text == winner)

        return Group(group.task, tuple(trace.scored(self.name, agreement(trace)) for trace in group.traces))


@dataclass
class Certainty:
    """Mean log-probability of the sampled tokens, at most 0; None where the policy sampled nothing.

    Not the self-certainty of Intuitor (arXiv:2505.19590), KL(uniform || policy), which needs whole distributions.
    """

    verifier_calls: ClassVar[int] = 0
    name: str = "certainty"

    def score(self, group: Group) -> Group:
        return Group(group.task, tuple(trace.scored(self.name, mean_logprob(trace)) for trace in group.traces))


@dataclass
class LengthPenalty:
    """Soft overlong punishment of DAPO (arXiv:2503.14476, eq. 13).

    0 up to `max_tokens - buffer` sampled tokens, then linear down to -1 at `max_tokens`, and -1 beyond.
    """

    verifier_calls: ClassVar[int] = 0
    max_tokens: int
    buffer: int
    name: str = "length"

    def __post_init__(self) -> None:
        if not 0 < self.buffer <= self.max_tokens:
            raise AutotrophError(f"length penalty: buffer {self.buffer} is outside 1..{self.max_tokens} (max_tokens)")

    def score(self, group: Group) -> Group:
        def penalty(trace: Trace) -> float | None:
            excess = sum(trace.sampled) - (self.max_tokens - self.buffer)
            return None if trace.error is not None else -min(max(excess / self.buffer, 0.0), 1.0)

        return Group(group.task, tuple(trace.scored(self.name, penalty(trace)) for trace in group.traces))


@dataclass
class FormatReward:
    """1 where the whole answer matches the regular expression, else 0; None where the rollout failed."""

    verifier_calls: ClassVar[int] = 0
    pattern: str
    name: str = "format"

    def score(self, group: Group) -> Group:
        matches = re.compile(self.pattern).fullmatch

        def match(trace: Trace) -> float | None:
            return None if trace.error is not None else float(matches(trace.text) is not None)

        return Group(group.task, tuple(trace.scored(self.name, match(trace)) for trace in group.traces))
