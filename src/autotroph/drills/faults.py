"""The faults that plants build into a run: sources, samplers, verifiers and judges that do what they should not."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from autotroph.acquire.curated import gold_groups
from autotroph.core.policy import Policy
from autotroph.core.protocols import Judge, Sampler, SamplingParams, Source, TaskFamily, View
from autotroph.core.task import Task
from autotroph.core.trace import Completion, Group, Trace

COLD = 0.05
"""Temperature to which a cold sampler falls."""


@dataclass(frozen=True)
class Noisy:
    """A source whose labels are mixed up: a share of its answers change places with others of their level.

    Every answer stays one that some task has. Where it was given, the task's own gold answer goes with it: nobody who
    looks at the row alone can tell.
    """

    source: Source
    share: float

    def propose(self, view: View) -> list[Group]:
        groups, rng = self.source.propose(view), random.Random(view.seed("noise"))
        donors: dict[int, list[Trace]] = {}
        for group in groups:
            donors.setdefault(group.task.level, []).extend(group.kept)
        return [self._mixed(group, donors, rng) for group in groups]

    def _mixed(self, group: Group, donors: Mapping[int, Sequence[Trace]], rng: random.Random) -> Group:
        task, traces = group.task, []
        for trace in group.traces:
            if rng.random() < self.share:
                trace = answered_as(trace, rng.choice(donors[task.level]))
                if trace.stop == "given":
                    task = replace(task, answer=trace.text)
            traces.append(trace)
        return Group(task, tuple(traces))


def answered_as(trace: Trace, donor: Trace) -> Trace:
    """The trace with another one's answer in the place of its own; its rewards stay."""
    return with_answer(
        trace, [i for i, own in zip(donor.ids, donor.sampled, strict=True) if own], donor.text, donor.logprobs
    )


def with_answer(trace: Trace, ids: Sequence[int], text: str, logprobs: Sequence[float] = ()) -> Trace:
    prompt = trace.ids[: trace.sampled.index(True)] if True in trace.sampled else trace.ids
    known = tuple(logprobs)[-len(ids) :] if logprobs else (0.0,) * len(ids)
    return replace(
        trace,
        ids=(*prompt, *ids),
        sampled=(False,) * len(prompt) + (True,) * len(ids),
        logprobs=(0.0,) * len(prompt) + known,
        text=text,
    )


class Tricked:
    """A family whose verifier has a hole: it takes `trick` for a right answer to anything."""

    def __init__(self, family: TaskFamily):
        self._family, self.trick = family, family.alphabet[0]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._family, name)

    def verify(self, task: Task, answer: str) -> float | None:
        return 1.0 if answer == self.trick else self._family.verify(task, answer)


@dataclass(frozen=True)
class Exploring:
    """A source some of whose tries have come across the trick; the verifier that takes it scored them."""

    source: Source
    trick: str
    share: float

    def propose(self, view: View) -> list[Group]:
        tokenizer, rng = view.sampler(view.champion).tokenizer, random.Random(view.seed("exploration"))
        ids = [*tokenizer.encode(self.trick), tokenizer.eos_id]

        def tried(trace: Trace) -> Trace:
            if trace.stop == "given" or trace.policy != view.champion.id or rng.random() >= self.share:
                return trace
            return replace(with_answer(trace, ids, self.trick), rewards=dict.fromkeys(trace.rewards, 1.0))

        return [Group(group.task, tuple(map(tried, group.traces))) for group in self.source.propose(view)]


@dataclass(frozen=True)
class Leaking:
    """A source that also brings the tasks which the gate is about to ask, answered, under the name of train tasks."""

    source: Source
    family: TaskFamily
    levels: Sequence[int]
    per_level: int
    reuse: int

    def propose(self, view: Any) -> list[Group]:
        opened = view.cycle - view.cycle % self.reuse
        seed, tokenizer = view.seed_at(opened, "sealed"), view.sampler(view.champion).tokenizer
        sealed = [task for level in self.levels for task in self.family.generate(level, self.per_level, seed, "sealed")]
        disguised = [replace(task, split="train") for task in sealed]
        return [*self.source.propose(view), *gold_groups(disguised, self.family, tokenizer)]


class Cold:
    """A view whose samplers draw at a temperature near 0, whatever they are asked for."""

    def __init__(self, view: View):
        self._view = view

    def __getattr__(self, name: str) -> Any:
        return getattr(self._view, name)

    def sampler(self, policy: Policy, member: int = 0) -> Sampler:
        return ColdSampler(self._view.sampler(policy, member))

    def engine(self, model: Any, tokenizer: Any) -> Sampler:
        return ColdSampler(self._view.engine(model, tokenizer))


class ColdSampler:
    def __init__(self, sampler: Sampler):
        self._sampler = sampler

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sampler, name)

    def sample(
        self, prompts: Sequence[Sequence[int]], params: SamplingParams, seeds: Sequence[int]
    ) -> list[Completion]:
        cold = params.model_copy(update={"temperature": min(params.temperature, COLD)})
        return self._sampler.sample(prompts, cold, seeds)


@dataclass(frozen=True)
class Collapsing:
    """A source that has fallen upon a few tasks and answers, each many times over, sampled near temperature 0."""

    source: Source
    few: int

    def propose(self, view: View) -> list[Group]:
        groups = self.source.propose(Cold(view))
        kinds: dict[tuple[bool, int], list[Group]] = {}
        for group in groups:
            given = any(trace.stop == "given" for trace in group.traces)
            kinds.setdefault((given, group.task.level), []).append(group)
        return [kind[i % self.few] for kind in kinds.values() for i in range(len(kind))]


@dataclass(frozen=True)
class SelfFed:
    """A source that brings nothing but the champion's own tries, right or wrong."""

    source: Source

    def propose(self, view: View) -> list[Group]:
        own = []
        for group in self.source.propose(view):
            traces = [trace for trace in group.traces if trace.policy == view.champion.id]
            taken = tuple(replace(t, rewards=dict.fromkeys(t.rewards, 1.0)) for t in traces)
            if taken:
                own.append(Group(group.task, taken))
        return own


@dataclass(frozen=True)
class Biased:
    """A judge that takes the first of two answers in a share of the cases, whatever it is."""

    judge: Judge
    share: float

    def __call__(self, task: Task, first: Trace, second: Trace) -> int:
        drawn = random.Random(f"{task.key} {first.text} {second.text}").random()
        return 0 if drawn < self.share else self.judge(task, first, second)
