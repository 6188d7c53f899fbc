"""A generative judge: a policy reads a question and an answer, and says in words whether it is right; k times."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from autotroph.core.errors import AutotrophError
from autotroph.core.protocols import Sampler, SamplingParams
from autotroph.core.task import Task
from autotroph.core.trace import Group, Trace
from autotroph.models.rollout import row_seed

VERDICT = re.compile(r"\s*(yes|no|[01])\s*[.!]?\s*", re.IGNORECASE)


def verdict(reply: str) -> bool | None:
    """What a judge's reply says, "yes" or "no", "1" or "0" and nothing beside it; None for prose."""
    match = VERDICT.fullmatch(reply)
    return None if match is None else match[1].lower() in ("yes", "1")


@dataclass
class GenerativeJudge:
    """Share of k replies that say an answer is right (generative verifier with a vote, arXiv:2408.15240).

    `ask` writes what the judge is shown; it sees no gold answer. A reply that is no verdict says nothing and is counted
    in `prose` of `replies`; where all k are prose the answer is unscored. With the sampler of the very policy that
    answered it is a self-judge (arXiv:2401.10020). Equal answers to a task are judged once.
    """

    verifier_calls: ClassVar[int] = 0
    sampler: Sampler
    ask: Callable[[Task, str], str]
    k: int = 4
    params: SamplingParams = field(default_factory=lambda: SamplingParams(max_tokens=4))
    read: Callable[[str], bool | None] = verdict
    seed: int = 0
    name: str = "judge"
    replies: int = field(default=0, init=False)
    prose: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.k < 1:
            raise AutotrophError(f"judge '{self.name}': a vote over {self.k} replies; use k >= 1")

    def score(self, group: Group) -> Group:
        return self.score_all([group])[0]

    def score_all(self, groups: Sequence[Group]) -> list[Group]:
        asked = list(
            {(g.task.key, t.text): (g.task, t.text) for g in groups for t in g.traces if t.error is None}.values()
        )
        tokenizer = self.sampler.tokenizer
        done = self.sampler.sample(
            [tokenizer.prompt(self.ask(task, text)) for task, text in asked for _ in range(self.k)],
            self.params,
            [row_seed(self.seed, self.name, task.key, text, str(i)) for task, text in asked for i in range(self.k)],
        )
        said = [self.read(tokenizer.decode(one.ids)) for one in done]
        self.replies += len(said)
        self.prose += said.count(None)
        votes = {
            (task.key, text): [vote for vote in said[i * self.k : (i + 1) * self.k] if vote is not None]
            for i, (task, text) in enumerate(asked)
        }

        def share(task: Task, trace: Trace) -> float | None:
            found = votes.get((task.key, trace.text), []) if trace.error is None else []
            return sum(found) / len(found) if found else None

        return [Group(g.task, tuple(t.scored(self.name, share(g.task, t)) for t in g.traces)) for g in groups]
