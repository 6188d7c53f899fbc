"""What a step of training minimises: pure functions of the sampled tokens' log-probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

import torch
from torch import Tensor

from autotroph.core.protocols import Signal

TERMS = ("advantage", "likelihood", "kl")


@dataclass(frozen=True)
class Tokens:
    """The N sampled tokens of S traces: all of a step, or those that pass the model together.

    `logp_N`: log-probabilities under the policy that is trained, whose gradient is asked; `old_N`: when they were
    sampled; `reference_N`: under the learner's reference, where it has one; `signal_N`: whose they are, an index into
    `signals`. `counts`: over the whole step, of sampled tokens whose signal has a term ("advantage", "likelihood",
    "kl"), and of "traces".
    """

    logp_N: Tensor
    old_N: Tensor
    reference_N: Tensor | None
    signal_N: Tensor
    signals: Sequence[Signal]
    counts: Mapping[str, int]

    def column(self, name: str) -> Tensor:
        """A field of the signals, for every token [N]; a field that has a value for each sampled token gives these."""
        values = [getattr(signal, name) for signal in self.signals]
        if any(isinstance(value, Sequence) for value in values):
            sizes = torch.bincount(self.signal_N, minlength=len(values)).tolist()
            each = [v if isinstance(v, Sequence) else [v] * n for v, n in zip(values, sizes, strict=True)]
            return self._tensor(list(chain.from_iterable(each)))
        return self._tensor(values)[self.signal_N]

    def field(self, name: str) -> Tensor:
        """A field of the signals, for every trace [S]."""
        return self._tensor([getattr(signal, name) for signal in self.signals])

    def per_trace(self, x_N: Tensor) -> Tensor:
        """Sums over the tokens of each trace [S]."""
        return x_N.new_zeros(len(self.signals)).index_add(0, self.signal_N, x_N)

    @property
    def pairs(self) -> tuple[Tensor, Tensor]:
        """Indices [P] of the better and of the worse traces of the step's pairs."""
        places: dict[int, list[int]] = {}
        for place, signal in enumerate(self.signals):
            if signal.pair is not None:
                places.setdefault(signal.pair, []).append(place)
        ordered = [sorted(pair, key=lambda place: -self.signals[place].sign) for pair in places.values()]
        better_P, worse_P = torch.tensor(ordered, device=self.signal_N.device).reshape(-1, 2).T
        return better_P, worse_P

    def against_reference(self) -> Tensor:
        """log policy / reference of whole traces [S]. The learner has to have a reference."""
        assert self.reference_N is not None, "a loss asks for a reference: give the optimiser one"
        return self.per_trace(self.logp_N - self.reference_N)

    @classmethod
    def joined(cls, parts: Sequence[Tokens]) -> Tokens:
        """Several parts of a step as one; the gradient of `logp_N` stays with it."""
        starts = [0]
        for part in parts:
            starts.append(starts[-1] + len(part.signals))
        references = [part.reference_N for part in parts if part.reference_N is not None]
        return cls(
            torch.cat([part.logp_N for part in parts]).detach().requires_grad_(),
            torch.cat([part.old_N for part in parts]),
            torch.cat(references) if references else None,
            torch.cat([part.signal_N + start for part, start in zip(parts, starts[:-1], strict=True)]),
            [signal for part in parts for signal in part.signals],
            parts[0].counts,
        )

    def _tensor(self, values: Sequence[float]) -> Tensor:
        return torch.tensor(values, dtype=self.logp_N.dtype, device=self.logp_N.device)


class Loss(Protocol):
    """Terms of the loss by name; the learner minimises their sum."""

    @property
    def coupled(self) -> bool:
        """Whether traces meet in it. Then it is called once a step, on all tokens, which pass the model once before."""
        ...

    @property
    def reference(self) -> bool:
        """Whether it needs `Tokens.reference_N`, whatever the signals say."""
        ...

    def __call__(self, tokens: Tokens) -> dict[str, Tensor]: ...


@dataclass(frozen=True)
class Surrogate:
    """The three terms of `core.protocols.Signal`, each divided by its own token count."""

    coupled: bool = False
    reference: bool = False

    def __call__(self, tokens: Tokens) -> dict[str, Tensor]:
        terms: dict[str, Tensor] = {}
        if tokens.counts["likelihood"]:
            terms["likelihood"] = -(tokens.column("likelihood") * tokens.logp_N).sum() / tokens.counts["likelihood"]
        if tokens.counts["advantage"]:
            terms["advantage"] = -clipped_gain(tokens).sum() / tokens.counts["advantage"]
        if tokens.counts["kl"]:
            terms["reference_kl"] = (tokens.column("kl") * reference_kl(tokens)).sum() / tokens.counts["kl"]
        return terms


def clipped_gain(tokens: Tokens) -> Tensor:
    """min(r A, clip(r) A) of each token [N], r the ratio of its probability to that at which it was sampled."""
    ratio_N = (tokens.logp_N - tokens.old_N).exp()
    low_N, high_N = 1 - tokens.column("clip_low"), 1 + tokens.column("clip_high")
    advantage_N = tokens.column("advantage")
    return torch.minimum(ratio_N * advantage_N, ratio_N.clamp(low_N, high_N) * advantage_N)


def reference_kl(tokens: Tokens) -> Tensor:
    """Estimate of KL(policy || reference) at each token [N]: r - 1 - log r, r = reference / policy; never negative."""
    assert tokens.reference_N is not None, "a signal asks for reference KL: give the optimiser a reference"
    log_ratio_N = tokens.reference_N - tokens.logp_N
    return log_ratio_N.exp() - 1 - log_ratio_N


def drift(tokens: Tokens) -> float:
    """Sum over the tokens of r - 1 - log r, r the ratio of the trainer's to the sampler's probability."""
    log_ratio_N = (tokens.logp_N - tokens.old_N).detach()
    return float((log_ratio_N.exp() - 1 - log_ratio_N).sum())
