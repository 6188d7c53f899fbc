"""The smallest policy that can be sampled and trained: a table of logits, one row for each thing said so far.

It stands where a transformer stands: rollouts, rewards, algorithms and losses are the same, and what they do can be
followed exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from autotroph.core.budget import Meter
from autotroph.core.policy import Policy
from autotroph.core.protocols import Algorithm, SamplingParams, Signal
from autotroph.core.trace import Completion
from autotroph.models.sampling import uniform
from autotroph.models.tokenizer import TextTokenizer
from autotroph.optimize.loss import TERMS, Tokens


class Table:
    """A softmax policy over `answers`, single characters, after every prompt; implements `core.protocols.Sampler`.

    Every row begins uniform. An answer ends with <eos>, which is certain. `step` descends the algorithm's loss at a
    constant rate.
    """

    def __init__(self, alphabet: str, answers: str, algorithm: Algorithm, rate: float):
        self.tokenizer, self.meter = TextTokenizer.characters(alphabet + answers), Meter()
        self.policy = Policy("table", "weights", uri="")
        self.answers, self.algorithm, self.rate = answers, algorithm, rate
        self._columns = {token: column for column, token in enumerate(self.tokenizer.encode(answers))}
        self._rows: dict[tuple[int, ...], int] = {}
        self.logits_SA = torch.zeros(0, len(answers), dtype=torch.float64)

    def sample(
        self, prompts: Sequence[Sequence[int]], params: SamplingParams, seeds: Sequence[int]
    ) -> list[Completion]:
        """An answer and its end, at temperature 1."""
        row_B = torch.tensor([self._row(tuple(prompt)) for prompt in prompts])
        logp_BA = self.logits_SA.log_softmax(1)[row_B]
        spin_B = uniform(torch.tensor(seeds), torch.tensor(0)).double()
        column_B = (logp_BA.exp().cumsum(1) < spin_B[:, None]).sum(1).clamp(max=len(self.answers) - 1)
        logp_B = logp_BA.gather(1, column_B[:, None])[:, 0].tolist()
        tokens, end = list(self._columns), self.tokenizer.eos_id
        return [
            Completion((tokens[column], end), (logp, 0.0), "stop", None)
            for column, logp in zip(column_B.tolist(), logp_B, strict=True)
        ]

    def step(self, signals: Sequence[Signal]) -> Mapping[str, float]:
        """One step of gradient descent; returns the terms of the loss."""
        places = [
            (self._row(trace.ids[:i]), self._columns.get(trace.ids[i]), trace.logprobs[i], owner)
            for owner, trace in enumerate(signal.trace for signal in signals)
            for i, sampled in enumerate(trace.sampled)
            if sampled
        ]
        if not places:
            return {}
        row, column, old, owner = zip(*places, strict=True)
        ends_N = torch.tensor([one is None for one in column])
        logits_SA = self.logits_SA.requires_grad_()
        logp_N = logits_SA.log_softmax(1)[list(row), [one or 0 for one in column]].masked_fill(ends_N, 0.0)
        counts = {term: sum(sum(s.trace.sampled) for s in signals if getattr(s, term)) for term in TERMS}
        tokens = Tokens(logp_N, torch.tensor(old).double(), None, torch.tensor(owner), signals, counts)
        terms = self.algorithm.loss(tokens)
        (gradient_SA,) = torch.autograd.grad(sum(terms.values(), logp_N.new_zeros(())), logits_SA)
        self.logits_SA = (logits_SA - self.rate * gradient_SA).detach()
        return {name: float(term.detach()) for name, term in terms.items()}

    def probabilities(self, prompt: Sequence[int]) -> dict[str, float]:
        """How likely every answer is after a prompt."""
        row = self._row(tuple(prompt))
        return dict(zip(self.answers, self.logits_SA[row].softmax(0).tolist(), strict=True))

    def _row(self, prompt: tuple[int, ...]) -> int:
        if prompt not in self._rows:
            self._rows[prompt] = len(self._rows)
            self.logits_SA = torch.cat([self.logits_SA, Tensor.new_zeros(self.logits_SA, 1, len(self.answers))])
        return self._rows[prompt]
