"""Influence by gradient similarity: how far a step on a row also serves the rows that are wanted (LESS)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from autotroph.core.protocols import TaskFamily, View
from autotroph.core.task import Task, refuse_unless_train
from autotroph.core.trace import Group, Trace
from autotroph.models.episode import gold_for
from autotroph.models.likelihood import mean_logprobs
from autotroph.models.transformer import Transformer


def sketched(vector_P: Tensor, size: int, seed: int) -> Tensor:
    """Count sketch [size]: every entry is added, with a random sign, to a random place.

    Inner products of sketches with one seed are, on average over the seeds, those of the vectors.
    """
    generator = torch.Generator().manual_seed(seed)
    place_P = torch.randint(size, (len(vector_P),), generator=generator)
    sign_P = torch.randint(2, (len(vector_P),), generator=generator) * 2 - 1
    return torch.zeros(size).index_add_(0, place_P, vector_P * sign_P)


def gradient(model: Transformer, trace: Trace, size: int, seed: int) -> Tensor:
    """Sketch of the gradient of the trace's mean log-probability."""
    loss = -mean_logprobs(model, [trace])[0]
    found = torch.autograd.grad(loss, list(model.parameters()))
    return sketched(torch.cat([part.flatten() for part in found]), size, seed)


@dataclass(frozen=True)
class Influence:
    """Cosine of a row's gradient with the mean gradient of the gold answers to `wanted` (arXiv:2402.04333).

    A group's row is its first kept trace, or its gold answer; None where it has neither. To first order, a step on a
    row of cosine 1 does for the wanted ones all that a step of its length can do. Wanted tasks have to be of the train
    split. Three passes over each row are counted, as `flops`.
    """

    family: TaskFamily
    wanted: Callable[[View], Sequence[Task]]
    size: int = 1024

    def __call__(self, groups: Sequence[Group], view: View) -> list[float | None]:
        model, tokenizer = view.load(view.champion)
        model, seed, tasks = model.eval(), view.seed("influence"), self.wanted(view)
        refuse_unless_train(tasks, "influence")
        wanted = [gold_for(task, self.family, tokenizer) for task in tasks]
        rows = [
            next(iter(g.kept), None) or (gold_for(g.task, self.family, tokenizer) if g.task.answer else None)
            for g in groups
        ]
        tokens = sum(len(trace.ids) for trace in (*wanted, *rows) if trace is not None)
        flops = 6 * model.size * tokens
        with view.meter.unit(flops=flops):
            target = torch.stack([gradient(model, trace, self.size, seed) for trace in wanted]).mean(0)
            found = [None if trace is None else gradient(model, trace, self.size, seed) for trace in rows]
            view.meter.spend(flops=flops)
        return [None if g is None else float(F.cosine_similarity(g, target, dim=0)) for g in found]
