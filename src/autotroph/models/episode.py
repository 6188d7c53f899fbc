"""Multi-turn rollouts: the policy acts, the environment answers, token in and token out.

`rollout_for` and `gold_for` give callers one way for both kinds of family, answered at once or played turn by turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeGuard

from autotroph.core.protocols import (
    Environment,
    EpisodeFamily,
    Rollout,
    Sampler,
    SamplingParams,
    TaskFamily,
    Tokenizer,
)
from autotroph.core.task import Task
from autotroph.core.trace import Completion, Group, Trace
from autotroph.models.rollout import gold_trace, rollout, row_seed


@dataclass
class Episode:
    """One episode while it is played: every token so far, and which of them the policy chose."""

    task: Task
    environment: Environment
    ids: list[int]
    sampled: list[bool] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)
    done: bool = False

    def __post_init__(self) -> None:
        self.sampled = [False] * len(self.ids)
        self.logprobs = [0.0] * len(self.ids)

    def act(self, ids: Sequence[int], logprobs: Sequence[float], tokenizer: Tokenizer) -> None:
        """Give the environment an action, tokens and all, and append what it answers."""
        self._append(ids, True, logprobs)
        self.actions.append(tokenizer.decode(ids))
        turn = self.environment.step(self.actions[-1])
        self.done = turn.done
        if not turn.done:
            observation = tokenizer.turn(turn.observation, last=self.ids[-1])
            self._append(observation, False, [0.0] * len(observation))

    def _append(self, ids: Sequence[int], sampled: bool, logprobs: Sequence[float]) -> None:
        self.ids += ids
        self.sampled += [sampled] * len(ids)
        self.logprobs += logprobs

    def trace(self, policy: str, depth: int) -> Trace:
        return Trace(
            self.task.key,
            policy,
            tuple(self.ids),
            tuple(self.sampled),
            tuple(self.logprobs),
            text="".join(self.actions),
            stop="stop" if self.done else "length",
            depth=depth,
        )


def play(
    tasks: Sequence[Task], family: EpisodeFamily, sampler: Sampler, params: SamplingParams, n: int, seed: int
) -> list[Group]:
    """n episodes of every task, all of them one turn at a time; `params` bounds one action, the family the turns."""
    episodes = [
        Episode(task, family.start(task), sampler.tokenizer.prompt(task.prompt)) for task in tasks for _ in range(n)
    ]
    for turn in range(max((family.max_turns(task.level) for task in tasks), default=0)):
        live = [(i, episode) for i, episode in enumerate(episodes) if not episode.done]
        if not live:
            break
        seeds = [row_seed(seed, episode.task.key, str(i % n), str(turn)) for i, episode in live]
        replies: list[Completion] = sampler.sample([episode.ids for _, episode in live], params, seeds)
        for (_, episode), reply in zip(live, replies, strict=True):
            episode.act(reply.ids, reply.logprobs, sampler.tokenizer)
    traces = [episode.trace(sampler.policy.id, sampler.policy.depth + 1) for episode in episodes]
    return [Group(task, tuple(traces[i * n : (i + 1) * n])) for i, task in enumerate(tasks)]


def expert_trace(task: Task, family: EpisodeFamily, tokenizer: Tokenizer) -> Trace:
    """The expert's actions, played in the environment, as a gold trace of depth 0."""
    episode = Episode(task, family.start(task), tokenizer.prompt(task.prompt))
    for action in family.expert(task):
        ids = [*tokenizer.encode(action), tokenizer.eos_id]
        episode.act(ids, [0.0] * len(ids), tokenizer)
    return replace(episode.trace("gold", depth=0), stop="given")


def is_played(family: TaskFamily) -> TypeGuard[EpisodeFamily]:
    return hasattr(family, "start")


def rollout_for(family: TaskFamily) -> Rollout:
    """`rollout`, or `play` for a family whose tasks are played."""
    if not is_played(family):
        return rollout

    def played(tasks: Sequence[Task], sampler: Sampler, params: SamplingParams, n: int, seed: int) -> list[Group]:
        action = params.model_copy(update={"max_tokens": family.max_action + 1})
        return play(tasks, family, sampler, action, n, seed)

    return played


def gold_for(task: Task, family: TaskFamily, tokenizer: Tokenizer) -> Trace:
    """The gold answer as a trace of depth 0, or the expert's episode for a family whose tasks are played."""
    return expert_trace(task, family, tokenizer) if is_played(family) else gold_trace(task, tokenizer)
