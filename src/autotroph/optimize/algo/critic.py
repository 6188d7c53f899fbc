"""A value head of its own: what reward a policy will come to from where its answer stands."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from autotroph.core.trace import Trace

BUCKETS = 4096
"""Token ids are read modulo this."""


class Critic(nn.Module):
    """A recurrent network over a trace's tokens whose head is zero at first, so that nothing is expected of anything.

    `rate`: of Adam; `passes`: over the traces of a step, each one update.
    """

    def __init__(self, hidden: int = 32, rate: float = 5e-3, passes: int = 4, seed: int = 0):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.embed, self.recur = nn.Embedding(BUCKETS, hidden), nn.GRU(hidden, hidden, batch_first=True)
        self.head, self.passes = nn.Linear(hidden, 1), passes
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        self._adam = torch.optim.Adam(self.parameters(), lr=rate)

    def values(self, traces: Sequence[Trace]) -> list[list[float]]:
        """The value before each sampled token of every trace."""
        with torch.no_grad():
            flat = iter(self._values(traces).tolist())
        return [[next(flat) for _ in range(sum(trace.sampled))] for trace in traces]

    def fit(self, traces: Sequence[Trace], returns: Sequence[Sequence[float]]) -> float:
        """Draw the values to the returns of the same tokens; gives the mean squared error before the last update."""
        target_N = torch.tensor([value for own in returns for value in own])
        for _ in range(self.passes):
            loss = F.mse_loss(self._values(traces), target_N)
            self._adam.zero_grad()
            loss.backward()
            self._adam.step()
        return float(loss.detach())

    def _values(self, traces: Sequence[Trace]) -> Tensor:
        longest = max(len(trace.ids) for trace in traces)
        ids_ST = torch.tensor([[i % BUCKETS for i in t.ids] + [0] * (longest - len(t.ids)) for t in traces])
        sampled_ST = torch.tensor([list(t.sampled) + [False] * (longest - len(t.ids)) for t in traces])
        values_ST = self.head(self.recur(self.embed(ids_ST))[0])[..., 0]
        before_N: Tensor = values_ST[:, :-1][sampled_ST[:, 1:]]
        return before_N
