"""How near a task is to what the policy half knows, from one pass over its gold answer (UFO-RL, arXiv:2505.12457)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import torch

from autotroph.core.protocols import TaskFamily, View
from autotroph.core.trace import Group, Trace
from autotroph.models.batching import alike
from autotroph.models.episode import gold_for
from autotroph.models.likelihood import mean_logprobs
from autotroph.models.transformer import Transformer

TOKENS = 16384
"""Most tokens that pass the model at once."""


def fuzziness(confidences: Sequence[float]) -> list[float]:
    """1 - (s - mean of all s)^2: highest for the task of average confidence s, in (0, 1]."""
    mean = fmean(confidences) if confidences else 0.0
    return [1 - (confidence - mean) ** 2 for confidence in confidences]


@torch.no_grad()
def confidences(model: Transformer, traces: Sequence[Trace]) -> list[float]:
    """s = exp of the mean log-probability of each trace's answer: the geometric mean of its tokens' chances."""
    found = [0.0] * len(traces)
    for batch in alike([len(trace.ids) for trace in traces], len(traces), TOKENS, 1.1):
        for i, logp in zip(batch, mean_logprobs(model, [traces[i] for i in batch]).tolist(), strict=True):
            found[i] = logp
    return torch.tensor(found).exp().tolist()


@dataclass(frozen=True)
class Uncertainty:
    """The score of a task by the champion's `confidences` in its gold answer; None for a task without one.

    One pass over prompt and answer instead of many sampled answers. It is counted as `flops`.
    """

    family: TaskFamily

    def __call__(self, groups: Sequence[Group], view: View) -> list[float | None]:
        model, tokenizer = view.load(view.champion)
        known = [i for i, group in enumerate(groups) if group.task.answer is not None]
        traces = [gold_for(groups[i].task, self.family, tokenizer) for i in known]
        flops = 2 * model.size * sum(len(trace.ids) for trace in traces)
        with view.meter.unit(flops=flops):
            scores = dict(zip(known, fuzziness(confidences(model.eval(), traces)), strict=True))
            view.meter.spend(flops=flops)
        return [scores.get(i) for i in range(len(groups))]
