"""A process reward model: the chance that an answer comes out right, told after each of its steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from statistics import fmean
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from autotroph.core.errors import AutotrophError
from autotroph.core.protocols import Sampler, SamplingParams, Verify
from autotroph.core.task import Task
from autotroph.core.trace import Group, Trace
from autotroph.models.rollout import row_seed
from autotroph.rewards.reward_model import Features

Steps = Callable[[str], Sequence[str]]
"""An answer to its steps, which joined are the answer."""


def prefixes(answer: str, steps: Steps) -> list[str]:
    """What has been written after each step; the last one is the answer itself."""
    return list(accumulate(steps(answer)))


def monte_carlo(
    task: Task, answer: str, steps: Steps, verify: Verify, sampler: Sampler, params: SamplingParams, n: int, seed: int
) -> list[float]:
    """For each step, the share of n continuations from behind it that come out right (Math-Shepherd, arXiv:2312.08935).

    Of the last step it is the answer's own score. A continuation that could not be scored does not count.
    """
    tokenizer, written = sampler.tokenizer, prefixes(answer, steps)
    begun = [[*tokenizer.prompt(task.prompt), *tokenizer.encode(text)] for text in written[:-1] for _ in range(n)]
    seeds = [row_seed(seed, task.key, str(i)) for i in range(len(begun))]
    ends = [tokenizer.decode(done.ids) for done in sampler.sample(begun, params, seeds)] if begun else []
    whole = [text for text in written[:-1] for _ in range(n)]
    found = [verify(task, before + after) for before, after in zip(whole, ends, strict=True)]
    scores = [[s for s in found[i * n : (i + 1) * n] if s is not None] for i in range(len(written) - 1)]
    last = verify(task, answer)
    return [fmean(own) if own else 0.0 for own in scores] + [0.0 if last is None else last]


@dataclass
class ProcessReward:
    """The chance of success after each step, sigmoid(w . features + b), and of the answer the least of them: a chain is
    as strong as its weakest step (arXiv:2305.20050 takes the product). None where the rollout failed.
    """

    verifier_calls: ClassVar[int] = 0
    features: Features
    weight_C: Tensor
    bias: float
    steps: Steps
    encode: Callable[[str], Sequence[int]]
    name: str = "process"

    @classmethod
    def fitted(
        cls,
        features: Features,
        labelled: Sequence[tuple[Trace, Sequence[float]]],
        steps: Steps,
        encode: Callable[[str], Sequence[int]],
        decay: float = 1e-3,
    ) -> ProcessReward:
        """Taught by cross-entropy on answers with a label in [0, 1] for each step.

        Raises AutotrophError where labels and steps of an answer differ in number, and where there is none.
        """
        rows, targets = [], []
        for trace, labels in labelled:
            begun = begun_traces(trace, steps, encode)
            if len(begun) != len(labels):
                raise AutotrophError(f"process reward: {len(labels)} labels for {len(begun)} steps of {trace.text!r}")
            rows += begun
            targets += labels
        if not rows:
            raise AutotrophError("process reward: no answer with labelled steps to learn from; give at least one")
        states_SC, target_S = features(rows), torch.tensor(targets)
        weight_C = torch.zeros(states_SC.shape[1], requires_grad=True)
        bias = torch.zeros((), requires_grad=True)
        optimizer = torch.optim.LBFGS([weight_C, bias], max_iter=100, line_search_fn="strong_wolfe")

        def loss() -> Tensor:
            optimizer.zero_grad()
            value = F.binary_cross_entropy_with_logits(states_SC @ weight_C + bias, target_S)
            value = value + decay * weight_C.square().sum()
            value.backward()  # type: ignore[no-untyped-call]
            return value

        optimizer.step(loss)  # type: ignore[arg-type]
        return cls(features, weight_C.detach(), float(bias.detach()), steps, encode)

    def step_scores(self, trace: Trace) -> list[float]:
        """The chance of success after each step of an answer."""
        states_SC = self.features(begun_traces(trace, self.steps, self.encode))
        found: list[float] = torch.sigmoid(states_SC @ self.weight_C + self.bias).tolist()
        return found

    def score(self, group: Group) -> Group:
        def least(trace: Trace) -> float | None:
            scores = [] if trace.error is not None else self.step_scores(trace)
            return min(scores, default=None)

        return Group(group.task, tuple(trace.scored(self.name, least(trace)) for trace in group.traces))


def begun_traces(trace: Trace, steps: Steps, encode: Callable[[str], Sequence[int]]) -> list[Trace]:
    """The trace as it stood after each step of its answer; the last one as it is. It has none without an answer."""
    asked = trace.ids[: trace.sampled.index(True)] if True in trace.sampled else trace.ids
    written = prefixes(trace.text, steps)
    return [
        *(replace(trace, ids=(*asked, *encode(text)), sampled=(), logprobs=(), text=text) for text in written[:-1]),
        *([trace] if written else []),
    ]
