"""Proposers: where tasks come from that nobody has written down."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from autotroph.core.estimate import Range, Work
from autotroph.core.protocols import RewardFn, SamplingParams, TaskFamily, Tokenizer, View
from autotroph.core.task import Provenance, Task
from autotroph.core.trace import Group
from autotroph.models.episode import rollout_for
from autotroph.models.lengths import Lengths
from autotroph.models.rollout import gold_trace, row_seed
from autotroph.rewards.scoring import scored


class Readable(TaskFamily, Protocol):
    """A family that can tell whether a prompt is one of its own."""

    def parse(self, prompt: str) -> Task | None:
        """The task of a prompt, with its gold answer where that can be computed; None where it is none."""
        ...


class Conceptual(TaskFamily, Protocol):
    """A family whose tasks are made of concepts."""

    concepts: Sequence[str]

    def synthesised(self, level: int, concepts: Sequence[str], rng: random.Random) -> Task: ...


def admitted(proposals: Sequence[Task | None]) -> tuple[list[Task], dict[str, int]]:
    """The proposals that may be practised, and how many are not, by reason.

    "invalid": no task; "sealed" (or "dev"): its content is of that split, whoever proposes it; "repeated".
    """
    tasks: dict[str, Task] = {}
    dropped: Counter[str] = Counter()
    for task in proposals:
        reason = (
            "invalid"
            if task is None
            else task.split
            if task.split != "train"
            else "repeated"
            if task.key in tasks
            else None
        )
        if reason is not None:
            dropped[reason] += 1
        elif task is not None:
            tasks[task.key] = task
    return list(tasks.values()), dict(dropped)


@dataclass
class Proposed:
    """The champion proposes: `n` prompts sampled after `ask`, of which the family keeps those that are tasks.

    `dropped`: the proposals of the last call that were not admitted, by reason. They are bare tasks; `proposing` makes
    rows by which a model learns to propose.
    """

    family: Readable
    n: int
    ask: str = ""
    temperature: float = 1.0
    longest: int = 64
    dropped: dict[str, int] = field(default_factory=dict, init=False)

    def propose(self, view: View) -> list[Group]:
        sampler, seed = view.sampler(view.champion), view.seed("proposals")
        prompt = sampler.tokenizer.prompt(self.ask)
        params = SamplingParams(temperature=self.temperature, max_tokens=self.longest)
        found = sampler.sample([prompt] * self.n, params, [row_seed(seed, str(i)) for i in range(self.n)])
        texts = [sampler.tokenizer.decode(one.ids) if one.stop == "stop" else "" for one in found]
        tasks, self.dropped = admitted([self.family.parse(text) for text in texts])
        depth = view.champion.depth + 1
        return [Group(replace(t, provenance=Provenance("proposal", t.provenance.parents, depth))) for t in tasks]

    def estimate(self, lengths: Lengths) -> Work:
        return Work(tokens=Range(self.n, self.n * self.longest))


def proposing(tasks: Sequence[Task], tokenizer: Tokenizer, ask: str = "") -> list[Group]:
    """Rows that teach a model to propose prompts like those of the tasks when it is asked."""
    asked = [replace(task, prompt=ask, answer=task.prompt) for task in tasks]
    return [Group(task, (gold_trace(task, tokenizer),)) for task in asked]


@dataclass
class Rephrased:
    """`n` train tasks spread over `levels`, each said in another way that has to have the same answer.

    `rephrase` gives None where it knows no other way that is of the train split; such tasks are left out. A rephrasing
    to which the verifier does not give the old gold answer a 1 is dropped as "changed", a second copy as "repeated".
    """

    family: TaskFamily
    levels: Sequence[int]
    n: int
    rephrase: Callable[[Task], Task | None]
    dropped: dict[str, int] = field(default_factory=dict, init=False)

    def propose(self, view: View) -> list[Group]:
        each = -(-self.n // len(self.levels))
        tasks = [t for level in self.levels for t in self.family.generate(level, each, view.seed("rephrased"))]
        said = [(task, other) for task in tasks if (other := self.rephrase(task)) is not None]
        kept = [other for task, other in said if self._same(task, other)]
        admissible, self.dropped = admitted(kept)
        if len(kept) < len(said):
            self.dropped["changed"] = len(said) - len(kept)
        return [Group(task) for task in admissible]

    def _same(self, task: Task, other: Task) -> bool:
        return task.answer is not None and self.family.verify(other, task.answer) == 1

    def estimate(self, lengths: Lengths) -> Work:
        return Work()


Miner = Callable[[Sequence[Sequence[Group]]], Mapping[str, float]]
"""Tries, oldest round first, to the weight of each concept."""


@dataclass
class Synthesised:
    """`n` tasks of a level made of concepts, drawn by what the champion's tries at `probes` other ones say of them.

    `miner` weighs the concepts by the tries, each of `samples` answers; none, and the synthesis is uniform. One that it
    says nothing of is not weak; where none is, all are as likely.
    """

    family: Conceptual
    level: int
    n: int
    reward: RewardFn
    miner: Miner | None = None
    probes: int = 200
    samples: int = 4
    dropped: dict[str, int] = field(default_factory=dict, init=False)

    def propose(self, view: View) -> list[Group]:
        rng, weights = random.Random(view.seed("synthesis")), self._weights(view)
        chosen = [rng.choices(list(weights), list(weights.values()), k=self.level) for _ in range(self.n)]
        made = [self.family.synthesised(self.level, concepts, rng) for concepts in chosen]
        tasks, self.dropped = admitted(made)
        return [Group(task) for task in tasks]

    def _weights(self, view: View) -> Mapping[str, float]:
        if self.miner is None:
            return dict.fromkeys(self.family.concepts, 1.0)
        params = SamplingParams(max_tokens=self.family.max_answer(self.level) + 1)
        tasks = self.family.generate(self.level, self.probes, view.seed("probes"))
        tried = rollout_for(self.family)(tasks, view.sampler(view.champion), params, self.samples, view.seed("tries"))
        found = self.miner([scored(tried, [self.reward], view.meter)])
        return found if any(found.values()) else dict.fromkeys(self.family.concepts, 1.0)

    def estimate(self, lengths: Lengths) -> Work:
        if self.miner is None:
            return Work()
        rows = self.probes * self.samples
        tried = lengths.sampled(
            lengths.tasks(self.probes, [self.level]), self.samples, self.family.max_answer(self.level)
        )
        return tried + Work(verifier_calls=Range(0, rows))
