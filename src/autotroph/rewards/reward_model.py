"""A reward model: a head that is taught on pairs of answers which of the two is the better one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from autotroph.core.errors import AutotrophError
from autotroph.core.trace import Group, Trace
from autotroph.models.transformer import Transformer

ROWS = 64
"""Rows that pass the model at once."""
Features = Callable[[Sequence[Trace]], Tensor]
"""Traces to what is known of each [S, C]."""


@dataclass(frozen=True)
class LastHidden:
    """A model's hidden state at the last token of each trace [S, C]: what it has made of question and answer."""

    model: Transformer

    @torch.no_grad()
    def __call__(self, traces: Sequence[Trace]) -> Tensor:
        return torch.cat(
            [self._states([trace.ids for trace in traces[i : i + ROWS]]) for i in range(0, len(traces), ROWS)]
        )

    def _states(self, rows: Sequence[Sequence[int]]) -> Tensor:
        device = self.model.lm_head.weight.device
        longest = max(map(len, rows))
        ids_BT = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows], device=device)
        last_B = torch.tensor([len(row) - 1 for row in rows], device=device)
        hidden_BTC = self.model(ids_BT)
        return hidden_BTC[torch.arange(len(rows), device=device), last_B].float()


def pairs(groups: Sequence[Group]) -> Iterator[tuple[Trace, Trace]]:
    """Every (better, worse) pair of scored answers to one task."""
    for group in groups:
        known = [(trace, trace.reward) for trace in group.kept if trace.reward is not None]
        for (one, high), (other, low) in product(known, known):
            if high > low:
                yield one, other


def bradley_terry(better_P: Tensor, worse_P: Tensor) -> Tensor:
    """Mean of -log sigmoid(r(better) - r(worse)), minus the log-likelihood of the preferences (Bradley, Terry 1952)."""
    return -F.logsigmoid(better_P - worse_P).mean()


@dataclass
class RewardModel:
    """A linear score of a trace's features, in logits: sigmoid of a difference is the chance that one is the better.

    None where the rollout failed.
    """

    verifier_calls: ClassVar[int] = 0
    features: Features
    weight_C: Tensor
    name: str = "reward_model"

    @classmethod
    def fitted(cls, features: Features, groups: Sequence[Group], decay: float = 1e-2, steps: int = 50) -> RewardModel:
        """Taught on all pairs of the groups, by the minimum of `bradley_terry` + decay |w|^2.

        Raises AutotrophError where no group has two answers of different rewards.
        """
        found = list(pairs(groups))
        if not found:
            raise AutotrophError(
                "reward model: no task has two answers of different rewards; sample more of each, or at levels that "
                "are solved in part"
            )
        traces = list({id(trace): trace for pair in found for trace in pair}.values())
        place = {id(trace): i for i, trace in enumerate(traces)}
        states_SC = features(traces)
        better_P, worse_P = (torch.tensor([place[id(pair[side])] for pair in found]) for side in (0, 1))
        difference_PC = states_SC[better_P] - states_SC[worse_P]
        weight_C = torch.zeros(states_SC.shape[1], requires_grad=True)
        optimizer = torch.optim.LBFGS([weight_C], max_iter=steps, line_search_fn="strong_wolfe")

        def loss() -> Tensor:
            optimizer.zero_grad()
            margin_P = difference_PC @ weight_C
            value = bradley_terry(margin_P, torch.zeros_like(margin_P)) + decay * weight_C.square().sum()
            value.backward()  # type: ignore[no-untyped-call]
            return value

        optimizer.step(loss)  # type: ignore[arg-type]
        return cls(features, weight_C.detach())

    def accuracy(self, groups: Sequence[Group]) -> float:
        """Share of the groups' pairs of which it prefers the better one; NaN where there is none."""
        found = list(pairs(groups))
        if not found:
            return math.nan
        better_P, worse_P = (self.features([pair[side] for pair in found]) @ self.weight_C for side in (0, 1))
        return float((better_P > worse_P).float().mean())

    def score(self, group: Group) -> Group:
        return self.score_all([group])[0]

    def score_all(self, groups: Sequence[Group]) -> list[Group]:
        whole = [trace for group in groups for trace in group.traces if trace.error is None and trace.ids]
        scores = iter((self.features(whole) @ self.weight_C).tolist() if whole else [])
        return [
            Group(
                group.task,
                tuple(
                    trace.scored(self.name, next(scores) if trace.error is None and trace.ids else None)
                    for trace in group.traces
                ),
            )
            for group in groups
        ]
