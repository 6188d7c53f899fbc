"""The learner: signals in, a better policy out. It knows no algorithm."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

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
from autotroph.models.threads import check_in, in_parallel, workers_for
from autotroph.models.transformer import Transformer
from autotroph.optimize.optimizer import MuonAdamW, warmup


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

    `schedule` gives the factor of both learning rates at a 0-based step. By default they stay where they are, for as
    long as rounds go on; the averaged policy does for them what an annealed rate does for a training of known length.
    """

    def __init__(
        self,
        model: Transformer,
        config: LearnerConfig,
        meter: Meter,
        schedule: Callable[[int], float] = warmup,
        dtype: torch.dtype | None = None,
    ):
        self.config, self.meter, self.schedule, self.done = config, meter, schedule, 0
        self.masters = {n: p.detach().float().clone().requires_grad_() for n, p in model.named_parameters()}
        self.model = model.to(dtype or compute_dtype()).train()
        self._replicas = [self.model, *(copy.deepcopy(self.model) for _ in range(workers_for(model) - 1))]
        self.averages = {name: master.detach().clone() for name, master in self.masters.items()}
        self.optimizer = MuonAdamW(self.masters, config.muon_lr, config.adam_lr, config.decay)
        self.flops_per_token = 6 * sum(master.numel() for master in self.masters.values())
        self.reference: Transformer | None = None

    def step(self, signals: Sequence[Signal]) -> dict[str, float]:
        """One update on the loss of `core.protocols.Signal`.

        Returns each term's mean, their sum `loss`, `gradient_norm`, and `kl`: the mean of r - 1 - log r, r the ratio of
        the trainer's to the sampler's probability of a sampled token. Raises AutotrophError on a gradient that is not
        finite.
        """
        check_in()
        sizes = [sum(s.trace.sampled) for s in signals]
        counts = {
            term: max(1, sum(n for s, n in zip(signals, sizes, strict=True) if getattr(s, term) != 0))
            for term in ("advantage", "likelihood", "kl")
        }
        tokens, totals = sum(len(s.trace.ids) for s in signals), Counter[str]()
        share = min(self.config.batch_tokens, -(-tokens // len(self._replicas)))
        batches = alike([len(signal.trace.ids) for signal in signals], len(signals), share, STRETCH)
        shards = balanced([[signals[i] for i in batch] for batch in batches], len(self._replicas))
        for metrics in in_parallel(lambda *shard: self._backward(*shard, counts), self._replicas, shards):
            totals.update(metrics)
        norm = self._update()
        self.meter.spend(trained_tokens=tokens, flops=tokens * self.flops_per_token)
        drift = totals.pop("drift", 0.0) / max(1, sum(sizes))
        return {**totals, "loss": sum(totals.values()), "gradient_norm": norm, "kl": drift}

    def _backward(self, model: Transformer, batches: list[list[Signal]], counts: Mapping[str, int]) -> Counter[str]:
        """Add the gradients of some batches to one replica; returns the terms of the loss, summed."""
        totals: Counter[str] = Counter()
        for batch in batches:
            loss, metrics = self._loss(model, batch, counts)
            loss.backward()
            totals.update(metrics)
        return totals

    def _loss(
        self, model: Transformer, batch: list[Signal], counts: Mapping[str, int]
    ) -> tuple[Tensor, dict[str, float]]:
        """Loss of a batch of traces, padded on the right, and its terms as numbers. R rows of T tokens."""
        ids_RT = padded([s.trace.ids for s in batch])
        mask_RT = padded([s.trace.sampled for s in batch])[:, 1:]
        first = int(mask_RT.any(0).int().argmax())
        mask_RT, target_RT = mask_RT[:, first:], ids_RT[:, first + 1 :]
        hidden = model(ids_RT[:, :-1])[:, first:]
        logp_RT = -F.cross_entropy(model.logits(hidden).transpose(1, 2), target_RT, reduction="none")
        metrics: dict[str, float] = {}
        loss = logp_RT.new_zeros(())

        def column(name: str) -> Tensor:
            return torch.tensor([getattr(s, name) for s in batch])[:, None] * mask_RT

        if any(s.likelihood for s in batch):
            term = -(column("likelihood") * logp_RT).sum() / counts["likelihood"]
            loss, metrics["likelihood"] = loss + term, term.item()
        if any(s.advantage for s in batch):
            old_RT = padded([s.trace.logprobs for s in batch])[:, first + 1 :]
            ratio_RT = ((logp_RT - old_RT) * mask_RT).exp()
            low, high = 1 - column("clip_low"), 1 + column("clip_high")
            advantage_RT = column("advantage")
            gain_RT = torch.minimum(ratio_RT * advantage_RT, ratio_RT.clamp(low, high) * advantage_RT)
            term = -gain_RT.sum() / counts["advantage"]
            loss, metrics["advantage"] = loss + term, term.item()
            metrics["drift"] = ((ratio_RT - 1 - ratio_RT.log()) * mask_RT).sum().item()
        if any(s.kl for s in batch):
            assert self.reference is not None, "a signal asks for reference KL: set learner.reference"
            with torch.no_grad():
                reference_RT = -F.cross_entropy(
                    self.reference.logits(self.reference(ids_RT[:, :-1])[:, first:]).transpose(1, 2),
                    target_RT,
                    reduction="none",
                )
            log_ratio = reference_RT - logp_RT
            term = (column("kl") * (log_ratio.exp() - 1 - log_ratio)).sum() / counts["kl"]
            loss, metrics["reference_kl"] = loss + term, term.item()
        return loss, metrics

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
        replicas = [dict(replica.named_parameters()) for replica in self._replicas]
        for name, master in self.masters.items():
            gradients = [parameters[name].grad for parameters in replicas]
            master.grad = sum((g.float() for g in gradients if g is not None), torch.zeros_like(master))

    @torch.no_grad()
    def _share_masters(self) -> None:
        for replica in self._replicas:
            for name, parameter in replica.named_parameters():
                parameter.copy_(self.masters[name])
                parameter.grad = None

    def trained(self) -> Transformer:
        """The policy that training has come to: an fp32 model with the averaged weights.

        At a high rate the averages solve, and extend to longer problems, what the weights of any one step still miss.
        """
        model = Transformer(self.model.config)
        model.load_state_dict(self.averages, strict=False)
        return model

    def state_dict(self) -> dict[str, Tensor]:
        """Everything that the next step depends on, as tensors by name: what a safetensors file holds."""
        state = {f"optimizer.{name}": tensor for name, tensor in self.optimizer.state_dict().items()}
        for name, master in self.masters.items():
            state |= {f"master.{name}": master.detach(), f"average.{name}": self.averages[name]}
        return state | {"done": torch.tensor(self.done)}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        with torch.no_grad():
            for name, master in self.masters.items():
                master.copy_(state[f"master.{name}"])
                self.averages[name].copy_(state[f"average.{name}"])
        self._share_masters()
        prefix = "optimizer."
        self.optimizer.load_state_dict({k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)})
        self.done = int(state["done"])


STRETCH = 1.1
"""Length of a batch's longest row as a multiple of its shortest: half of that, about 5%, is what padding costs."""


def padded(rows: Sequence[Sequence[float]]) -> Tensor:
    """Rows of different lengths as one tensor, zeros on the right."""
    longest = max(map(len, rows))
    zero = type(rows[0][0])()
    return torch.tensor([[*row, *[zero] * (longest - len(row))] for row in rows])


def balanced(batches: Iterable[list[Signal]], workers: int) -> list[list[list[Signal]]]:
    """Batches dealt to workers, the largest first, each to whoever has the fewest tokens; always dealt alike."""
    shards: list[list[list[Signal]]] = [[] for _ in range(workers)]
    loads = [0] * workers

    def tokens(batch: list[Signal]) -> int:
        return len(batch) * len(batch[-1].trace.ids)

    for batch in sorted(batches, key=tokens, reverse=True):
        least = loads.index(min(loads))
        shards[least].append(batch)
        loads[least] += tokens(batch)
    return shards
