"""Traces: what a policy (or a person) answered to a task, token by token."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from autotroph.core.task import Task

Stop = Literal["stop", "length", "given", "error"]


@dataclass(frozen=True, slots=True)
class Completion:
    """What a sampler gives for one prompt.

    `ids`: the new token ids, the stop token included. `logprobs`: of each under the distribution that it was sampled
    from (temperature and truncation applied); `raw`: of each under the model's own. `entropy` and `certainty`: means,
    in nats, over the tokens of the raw distribution's entropy and of KL(uniform || raw), its self-certainty
    (arXiv:2502.18581); entropy is None where the sampler does not tell.
    """

    ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    stop: Stop
    entropy: float | None
    raw: tuple[float, ...] = ()
    certainty: float = 0.0


@dataclass(frozen=True, slots=True)
class Trace:
    """One answer to one task.

    `ids` holds prompt, answer and whatever an environment put in between; `sampled[i]` says whether the policy chose
    token i, `logprobs[i]` how likely it was then (0 elsewhere). Nothing is ever tokenised again. A reward of None
    means "not scored" and is never read as 0. `depth` is the number of generations of self-made data behind the
    answer: 0 for gold, n+1 when the policy that gave it was trained on rows of depth n. `entropy` and `certainty` are
    those of its completion; None where nobody told.
    """

    task_key: str
    policy: str
    ids: tuple[int, ...]
    sampled: tuple[bool, ...]
    logprobs: tuple[float, ...]
    text: str
    stop: Stop
    depth: int = 0
    entropy: float | None = None
    certainty: float | None = None
    rewards: Mapping[str, float | None] = field(default_factory=dict)
    rejected: str | None = None
    error: str | None = None

    @property
    def reward(self) -> float | None:
        """Sum of the rewards; None as long as there is none or any of them is unscored."""
        values = list(self.rewards.values())
        if not values or any(value is None for value in values):
            return None
        return float(sum(value for value in values if value is not None))

    def scored(self, name: str, value: float | None) -> Trace:
        return replace(self, rewards={**self.rewards, name: value})

    def reject(self, reason: str) -> Trace:
        """The same trace, out of the training data; the first reason stays."""
        return self if self.rejected else replace(self, rejected=reason)


@dataclass(frozen=True, slots=True)
class Group:
    """A task and its traces. A group without traces is a task that still has to be answered."""

    task: Task
    traces: tuple[Trace, ...] = ()

    @property
    def kept(self) -> tuple[Trace, ...]:
        return tuple(trace for trace in self.traces if trace.rejected is None)

    def reject(self, reason: str) -> Group:
        return Group(self.task, tuple(trace.reject(reason) for trace in self.traces))


def digest(groups: Iterable[Group]) -> str:
    """32 hex digits over tasks, answers and what became of them: equal for groups that teach the same."""
    found = hashlib.blake2b(digest_size=16)
    for group in groups:
        parts = [group.task.key, group.task.answer or ""]
        for trace in group.traces:
            parts += trace.policy, trace.text, trace.rejected or "", trace.error or ""
        found.update("\0".join(parts).encode() + b"\n")
    return found.hexdigest()
