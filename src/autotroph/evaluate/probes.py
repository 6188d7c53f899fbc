"""Probes: figures of a cycle for which a model or a judge is asked, on dev tasks, neither trained on nor sealed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, islice
from math import exp
from statistics import fmean

from autotroph.core.policy import Policy
from autotroph.core.protocols import Judge, SamplingParams, TaskFamily, View
from autotroph.core.task import Task
from autotroph.core.trace import Group, Trace
from autotroph.evaluate.figures import given_noise, kl_from, of_answers, position_bias
from autotroph.models.drift import trace_logprobs
from autotroph.models.episode import gold_for, rollout_for
from autotroph.rewards.measure import is_scored
from autotroph.rewards.scoring import scored
from autotroph.rewards.verifiable import Verifiable

WEAK = 0.2
"""Accuracy below which a policy's disagreement with a label says nothing about the label."""


def dev_tasks(family: TaskFamily, levels: Sequence[int], n: int, seed: int) -> list[Task]:
    """At most n dev tasks, spread over the levels; fewer where the family has no more."""
    each = -(-n // len(levels))
    return [task for level in levels for task in family.generate(level, each, seed, "dev")][:n]


@dataclass(frozen=True)
class Sampled:
    """Two answers of the candidate to each of `n` dev tasks, drawn from its own distribution.

    `kl_base`: KL per token from the base that the run began with. `sampler_drift`: mean absolute difference between
    the sampler's log-probabilities and the trainer's, in nats. And what `of_answers` reads.
    """

    family: TaskFamily
    levels: Sequence[int]
    n: int

    def __call__(self, view: View, candidate: Policy, groups: Sequence[Group]) -> dict[str, float]:
        tasks = dev_tasks(self.family, self.levels, self.n, view.seed("probe"))
        if not tasks:
            return {}
        params = SamplingParams(max_tokens=max(map(self.family.max_answer, self.levels)) + 1)
        answered = rollout_for(self.family)(tasks, view.sampler(candidate), params, 2, view.seed("probe"))
        traces = [trace for group in answered for trace in group.traces]
        sampled = [logp for t in traces for logp, own in zip(t.logprobs, t.sampled, strict=True) if own]
        trained, base = (trace_logprobs(view.load(policy)[0], traces) for policy in (candidate, view.base))
        drift = fmean(abs(a - b) for a, b in zip(sampled, trained, strict=True))
        return of_answers(answered) | {"kl_base": kl_from(trained, base), "sampler_drift": drift}


@dataclass(frozen=True)
class Expected:
    """`dev_accuracy`: the mean chance that an answer drawn from the candidate is the gold one, on `n` dev tasks.

    Nothing is drawn: on these tasks, the same ones in every cycle, it is exact. Right answers beside the gold one do
    not count.
    """

    family: TaskFamily
    levels: Sequence[int]
    n: int

    def __call__(self, view: View, candidate: Policy, groups: Sequence[Group]) -> dict[str, float]:
        model, tokenizer = view.load(candidate)
        golds = [gold_for(t, self.family, tokenizer) for t in dev_tasks(self.family, self.levels, self.n, 0)]
        logprobs = iter(trace_logprobs(model, golds))
        chances = [exp(sum(islice(logprobs, sum(gold.sampled)))) for gold in golds]
        return {"dev_accuracy": fmean(chances)} if chances else {}


@dataclass(frozen=True)
class GivenLabels:
    """`given_noise`: the share of wrong labels among the gold rows, as the champion's answers tell it.

    The champion answers `n` of the rows, and as many dev tasks of the same levels, whose labels are known to be true.
    """

    family: TaskFamily
    n: int

    def __call__(self, view: View, candidate: Policy, groups: Sequence[Group]) -> dict[str, float]:
        given = [group.task for group in groups if any(trace.stop == "given" for trace in group.kept)]
        rows = [given[i * len(given) // self.n] for i in range(self.n)] if len(given) > self.n else given
        levels = sorted({task.level for task in rows})
        known = [
            task
            for level in levels
            for task in self.family.generate(level, sum(row.level == level for row in rows), view.seed("labels"), "dev")
        ]
        shared = {task.level for task in known}
        agreeing = self._accuracy([task for task in rows if task.level in shared], view)
        right = self._accuracy(known, view)
        if agreeing is None or right is None or right < WEAK:
            return {}
        return {"given_noise": given_noise(agreeing, right)}

    def _accuracy(self, tasks: Sequence[Task], view: View) -> float | None:
        if not tasks:
            return None
        longest = max(self.family.max_answer(task.level) for task in tasks) + 1
        params = SamplingParams(temperature=0, max_tokens=longest)
        answered = rollout_for(self.family)(tasks, view.sampler(view.champion), params, 1, 0)
        checked = scored(answered, [Verifiable.of(self.family)], view.meter)
        scores = [score for group in checked if is_scored(score := group.traces[0].reward)]
        return fmean(scores) if scores else None


@dataclass(frozen=True)
class Positions:
    """What a judge says of `n` pairs of different answers in both orders: `judge_consistency`, `judge_preference`."""

    judge: Judge
    n: int

    def __call__(self, view: View, candidate: Policy, groups: Sequence[Group]) -> dict[str, float]:
        pairs = islice(different_pairs(groups), self.n)
        verdicts = [(self.judge(task, a, b), self.judge(task, b, a)) for task, a, b in pairs]
        if not verdicts:
            return {}
        consistency, preference = position_bias(verdicts)
        return {"judge_consistency": consistency, "judge_preference": preference}


def different_pairs(groups: Sequence[Group]) -> Iterator[tuple[Task, Trace, Trace]]:
    """One pair of different answers to each task that has such."""
    for group in groups:
        tries = [replace(trace, rejected=None) for trace in group.traces if trace.error is None]
        pair = next(((a, b) for a, b in combinations(tries, 2) if a.text != b.text), None)
        if pair is not None:
            yield group.task, *pair
