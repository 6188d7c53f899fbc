"""The learner: signals in, a better policy out. It knows no algorithm."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from autotroph.core.budget import Meter
from autotroph.core.config import Config
from autotroph.core.errors import AutotrophError
from autotroph.core.protocols import Signal
from autotroph.models.batching import alike
from autotroph.models.engine import compute_dtype
from autotroph.models.fused import FusedPasses, Layers, kernels_for
from autotroph.models.threads import check_in, in_parallel, workers_for
from autotroph.models.transformer import Transformer
from autotroph.optimize.loss import TERMS, Loss, Surrogate, Tokens, drift
from autotroph.optimize.optimizer import MuonAdamW, warmup
from autotroph.optimize.packing import Row, Sheet, rows_of
from autotroph.optimize.parameters import Parameters, Whole


class LearnerConfig(Config):
    muon_lr: float = Field(0.005, gt=0, description="learning rate of the matrices (Muon)")
    adam_lr: float = Field(0.01, gt=0, description="learning rate of embeddings, head and norms (AdamW)")
    decay: float = Field(0.0, ge=0, description="weight decay of the matrices")
    average: float = Field(
        0.02, gt=0, le=1, description="weight of the newest step in the averaged policy; 1: the last"
    )
    clip: float = Field(1.0, gt=0, description="largest gradient norm, all parameters together")
    batch_tokens: int = Field(8192, ge=64, description="most tokens, prompt included, that pass the model at once")


class Learner:
    """Trains one transformer in place: `dtype` (else `compute_dtype()`) in the passes, fp32 masters in the optimiser.

    `loss` says what of, by default the three terms of a signal. `reference`: another model that it may look at.
    `parameters`: what of it is trained, all of it by default. `schedule` gives the factor of both learning rates at a
    0-based step. By default they stay where they are, for as long as rounds go on; the averaged policy does for them
    what an annealed rate does for a training of known length.
    """

    def __init__(
        self,
        model: Transformer,
        config: LearnerConfig,
        meter: Meter,
        schedule: Callable[[int], float] = warmup,
        dtype: torch.dtype | None = None,
        parameters: Parameters | None = None,
        loss: Loss | None = None,
    ):
        self.config, self.meter, self.schedule, self.done = config, meter, schedule, 0
        self.loss: Loss = loss or Surrogate()
        self.parameters: Parameters = parameters or Whole(model)
        self.masters = self.parameters.masters
        self.model, self.device = model.to(dtype or compute_dtype()).train(), model.lm_head.weight.device
        others = [copy.deepcopy(self.model) for _ in range(workers_for(model) - 1)]
        self._replicas = [Replica(one) for one in (self.model, *others)]
        self.averages = {name: master.detach().clone() for name, master in self.masters.items()}
        self.optimizer = MuonAdamW(self.masters, config.muon_lr, config.adam_lr, config.decay)
        self._size = model.size
        self.reference: Transformer | None = None

    def step(self, signals: Sequence[Signal]) -> dict[str, float]:
        """One update on the loss.

        Returns each term's mean, their sum `loss`, `gradient_norm`, and `kl`: the mean of r - 1 - log r, r the ratio of
        the trainer's to the sampler's probability of a sampled token. Raises AutotrophError on a gradient that is not
        finite, and BudgetExceeded before a step for which a cap leaves no room.
        """
        check_in()
        signals = [signal for signal in signals if signal.matters]
        rows, totals = list(rows_of(signals)), Counter[str]()
        counts = {term: sum(sum(s.trace.sampled) for s in signals if getattr(s, term)) for term in TERMS}
        counts["traces"] = sum(len(row.signals) for row in rows)
        tokens = sum(map(len, rows))
        cost = {"trained_tokens": tokens, "flops": tokens * self._flops_per_token(counts)}
        workers = len(self._replicas)
        turns = -(-tokens // (workers * self.config.batch_tokens))
        share = -(-tokens // max(1, workers * turns))
        batches = alike([len(row) for row in rows], len(rows), share, STRETCH)
        shards = balanced([[rows[i] for i in batch] for batch in batches], workers)
        with self.meter.unit(**cost):
            backward = self._coupled if self.loss.coupled else self._backward
            for metrics in backward(shards, counts):
                totals.update(metrics)
            norm = self._update()
            self.meter.spend(**cost)
        drifted = totals.pop("drift", 0.0) / max(1, totals.pop("tokens", 0))
        return {**totals, "loss": sum(totals.values()), "gradient_norm": norm, "kl": drifted}

    def _backward(self, shards: Shards, counts: Mapping[str, int]) -> list[Counter[str]]:
        """Add the gradients of the shards to the replicas; returns the terms of the loss."""

        def work(replica: Replica, batches: list[list[Row]]) -> Counter[str]:
            totals: Counter[str] = Counter()
            for batch in batches:
                tokens = self._tokens(replica, Sheet.of(batch, self.device), counts)
                terms = self.loss(tokens)
                sum(terms.values(), tokens.logp_N.new_zeros(())).backward()
                totals.update(summary(terms, tokens))
            return totals

        return in_parallel(work, self._replicas, shards)

    def _coupled(self, shards: Shards, counts: Mapping[str, int]) -> list[Counter[str]]:
        """The same where traces meet in the loss: all tokens pass once, to learn what each one's gradient has to be."""
        sheets = [[Sheet.of(batch, self.device) for batch in batches] for batches in shards]

        def look(replica: Replica, own: list[Sheet]) -> list[Tokens]:
            with torch.no_grad():
                return [self._tokens(replica, sheet, counts) for sheet in own]

        def work(replica: Replica, own: list[Sheet], gradients: list[Tensor]) -> None:
            for sheet, gradient_N in zip(own, gradients, strict=True):
                (gradient_N * logprobs(replica.model, sheet, replica.forward)).sum().backward()

        seen = in_parallel(look, self._replicas, sheets)
        whole = Tokens.joined([tokens for own in seen for tokens in own])
        terms = self.loss(whole)
        (gradient_N,) = torch.autograd.grad(sum(terms.values(), whole.logp_N.new_zeros(())), whole.logp_N)
        parts = iter(gradient_N.split([len(tokens.logp_N) for own in seen for tokens in own]))
        in_parallel(work, self._replicas, sheets, [[next(parts) for _ in own] for own in seen])
        return [summary(terms, whole)]

    def _flops_per_token(self, counts: Mapping[str, int]) -> int:
        """Twice the parameters for a pass, three times that with its way back; a coupled loss has a pass before that,
        and a reference one of its own."""
        passes = (4 if self.loss.coupled else 3) * self._size
        if self.reference is not None and self._refers(counts):
            passes += self.reference.size
        return 2 * passes

    def _refers(self, counts: Mapping[str, int]) -> bool:
        return bool(self.loss.reference or counts["kl"])

    def _tokens(self, replica: Replica, sheet: Sheet, counts: Mapping[str, int]) -> Tokens:
        reference_N = None
        if self._refers(counts):
            assert self.reference is not None, "a loss asks for a reference: set learner.reference"
            with torch.no_grad():
                reference_N = logprobs(self.reference, sheet)
        logp_N = logprobs(replica.model, sheet, replica.forward)
        return Tokens(logp_N, sheet.old_N, reference_N, sheet.signal_N, sheet.signals, counts)

    def _update(self) -> float:
        """Gather gradients, clip, step, masters back to the model; returns the gradient norm."""
        self._gather()
        norm = torch.nn.utils.clip_grad_norm_(self.masters.values(), self.config.clip)
        if not bool(torch.isfinite(norm)):
            raise AutotrophError("training: the gradient is not finite; lower --learner-muon-lr and --learner-adam-lr")
        self.optimizer.step(self.schedule(self.done))
        self.done += 1
        weight = max(self.config.average, 1 / self.done)
        for name, master in self.masters.items():
            self.averages[name].lerp_(master.detach(), weight)
        self._share_masters()
        return float(norm)

    def _gather(self) -> None:
        """The replicas' gradients, summed, to the masters."""
        for replica in self._replicas:
            for name, gradient in replica.gradients():
                self.parameters.add(name, gradient)

    @torch.no_grad()
    def _share_masters(self) -> None:
        named = [dict(replica.model.named_parameters()) for replica in self._replicas]
        for name, weight in self.parameters.weights(self.masters):
            for parameters in named:
                parameters[name].copy_(weight)
        for replica in self._replicas:
            replica.renew()

    def trained(self) -> Transformer:
        """The policy that training has come to: an fp32 model with the averaged weights.

        At a high rate the averages solve, and extend to longer problems, what the weights of any one step still miss.
        """
        model = Transformer(self.model.config)
        model.load_state_dict(dict(self.parameters.weights(self.averages)), strict=False)
        return model

    def state_dict(self) -> dict[str, Tensor]:
        """Everything that the next step depends on, as tensors by name: what a safetensors file holds."""
        state = {f"optimizer.{name}": tensor for name, tensor in self.optimizer.state_dict().items()}
        for name, master in self.masters.items():
            state |= {f"master.{name}": master.detach(), f"average.{name}": self.averages[name]}
        return state | self.parameters.state_dict() | {"done": torch.tensor(self.done)}

    def fits(self, state: Mapping[str, Tensor]) -> bool:
        """Whether a state is of a learner that trained what this one trains: whole weights, or adapters of its rank."""
        found = [state.get(f"master.{name}") for name in self.masters]
        return [None if one is None else one.shape for one in found] == [one.shape for one in self.masters.values()]

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        with torch.no_grad():
            for name, master in self.masters.items():
                master.copy_(state[f"master.{name}"])
                self.averages[name].copy_(state[f"average.{name}"])
        self.parameters.load_state_dict(state)
        self._share_masters()
        prefix = "optimizer."
        self.optimizer.load_state_dict({k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)})
        self.done = int(state["done"])


class Replica:
    """One copy of the model, trained in a thread of its own, through the fused kernels where they apply."""

    def __init__(self, model: Transformer):
        self.model, found = model, kernels_for(model)
        self._fused = None if found is None else FusedPasses(model, Layers(model, found))
        self.forward: Forward = model if self._fused is None else self._fused

    def gradients(self) -> Iterator[tuple[str, Tensor]]:
        yield from ((name, p.grad) for name, p in self.model.named_parameters() if p.grad is not None)
        if self._fused is not None:
            yield from self._fused.gradients.items()

    def renew(self) -> None:
        """Begin anew with weights that have changed."""
        for _, gradient in self.gradients():
            gradient.zero_()
        if self._fused is not None:
            self._fused.layers.renew()


Shards = list[list[list[Row]]]
"""Batches of rows, for each replica."""

Forward = Callable[[Tensor, Tensor | None, Tensor | None], Tensor]
"""Hidden states [R, T, C] of ids, positions and branches [R, T]."""

STRETCH = 1.1
"""Length of a batch's longest row as a multiple of its shortest: half of that, about 5%, is what padding costs."""


def logprobs(model: Transformer, sheet: Sheet, forward: Forward | None = None) -> Tensor:
    """Log-probabilities of the sheet's sampled tokens [N]; no other token is projected on the vocabulary."""
    hidden = (forward or model)(sheet.ids_RT, sheet.position_RT, sheet.branch_RT)
    return -F.cross_entropy(model.logits(hidden.flatten(0, 1)[sheet.source_N]), sheet.target_N, reduction="none")


def summary(terms: Mapping[str, Tensor], tokens: Tokens) -> Counter[str]:
    """Terms of the loss as numbers, and how far the policy has drifted from the one that sampled."""
    drifted = {"drift": drift(tokens), "tokens": len(tokens.logp_N)} if tokens.counts["advantage"] else {}
    return Counter({name: term.item() for name, term in terms.items()} | drifted)


def balanced(batches: Iterable[list[Row]], workers: int) -> Shards:
    """Batches dealt to workers, the largest first, each to whoever has the fewest tokens; always dealt alike."""
    shards: Shards = [[] for _ in range(workers)]
    loads = [0] * workers

    def tokens(batch: list[Row]) -> int:
        return len(batch) * len(batch[-1])

    for batch in sorted(batches, key=tokens, reverse=True):
        least = loads.index(min(loads))
        shards[least].append(batch)
        loads[least] += tokens(batch)
    return shards
