"""Programs that behave alike vote together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from autotroph.core.protocols import ExecutedFamily, Rollout, Sampler, SamplingParams
from autotroph.core.task import Task
from autotroph.core.trace import Group, Trace
from autotroph.models.rollout import rollout
from autotroph.refine.self_consistency import elect
from autotroph.rewards.scoring import scored
from autotroph.rewards.verifiable import Verifiable


@dataclass
class Agreement:
    """Of n samples those that pass the visible tests, or all where none does; of these the largest set that does the
    same on generated inputs; and of that its likeliest, as a vote elects it (`elect`).

    Filtering and clustering as in AlphaCode (arXiv:2203.07814). What does not run stands for itself alone.
    """

    family: ExecutedFamily
    params: SamplingParams
    n: int = 8
    rollout: Rollout = rollout
    name: str = field(init=False)

    def __post_init__(self) -> None:
        self.name, self.seen = f"agreement@{self.n}", Verifiable.visible(self.family)

    def answer(self, tasks: Sequence[Task], sampler: Sampler, seed: int) -> list[Trace]:
        groups = self.rollout(tasks, sampler, self.params, self.n, seed)
        tested = scored(groups, [self.seen], sampler.meter)
        return [elect(self._largest(self._passing(group))) for group in tested]

    def _passing(self, group: Group) -> Group:
        good = tuple(trace for trace in group.traces if trace.rewards[self.seen.name] == 1)
        return Group(group.task, good or group.traces)

    def _largest(self, group: Group) -> Group:
        texts = list(dict.fromkeys(trace.text for trace in group.traces))
        found = self.family.behaviours([(group.task, text) for text in texts])
        behaviour = {text: text if does is None else does for text, does in zip(texts, found, strict=True)}
        [(largest, _)] = Counter(behaviour[trace.text] for trace in group.traces).most_common(1)
        return Group(group.task, tuple(trace for trace in group.traces if behaviour[trace.text] == largest))
