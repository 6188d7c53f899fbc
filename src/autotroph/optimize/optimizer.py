"""Muon for the matrices inside the blocks, AdamW for everything else, both on fp32 masters."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from autotroph.models.engine import compute_dtype


def orthogonalised(matrix: Tensor, iterations: int = 5) -> Tensor:
    """The nearest semi-orthogonal matrix, roughly: quintic Newton-Schulz steps on [..., rows, columns].

    Coefficients of Jordan et al., "Muon" (2024); singular values end up in about [0.7, 1.2]. Large matrices go through
    bf16 where that is faster, as theirs do.
    """
    tall = matrix.shape[-2] > matrix.shape[-1]
    x = (matrix.mT if tall else matrix).reshape(-1, *sorted(matrix.shape[-2:]))
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    if x.shape[-2] >= LARGE:
        x = x.to(compute_dtype())
    for _ in range(iterations):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=-4.7750, alpha=2.0315), x, beta=3.4445)
    return (x.mT if tall else x).reshape(matrix.shape).to(matrix.dtype)


LARGE = 256
"""Rows or columns, whichever are fewer, from which on a matrix is large."""


class MuonAdamW:
    """One optimiser over named fp32 masters.

    Matrices of the blocks: Nesterov momentum .95, orthogonalised, scaled by sqrt(max(1, rows / columns)), `muon_lr`,
    decoupled weight decay `decay`.
    Embeddings, head, norms, biases and adapters (`lora.py`): AdamW with betas (.9, .98), `adam_lr`, no weight decay.
    """

    def __init__(
        self, masters: Mapping[str, Tensor], muon_lr: float, adam_lr: float, decay: float = 0.0, momentum: float = 0.95
    ):
        self.muon_lr, self.adam_lr, self.decay, self.momentum = muon_lr, adam_lr, decay, momentum
        inner = {n: p for n, p in masters.items() if p.dim() == 2 and ".layers." in n and ".lora_" not in n}
        shapes: dict[tuple[int, ...], list[str]] = {}
        for name, parameter in inner.items():
            shapes.setdefault(tuple(parameter.shape), []).append(name)
        self._stacks = [[masters[name] for name in names] for names in shapes.values()]
        self._momenta = [torch.zeros(len(stack), *stack[0].shape, device=stack[0].device) for stack in self._stacks]
        self._adam = torch.optim.AdamW(
            [p for n, p in masters.items() if n not in inner], lr=adam_lr, betas=(0.9, 0.98), weight_decay=0.0
        )

    @torch.no_grad()
    def step(self, scale: float) -> None:
        """Apply the gradients in `.grad`, learning rates times `scale`, and clear them."""
        for group in self._adam.param_groups:
            group["lr"] = self.adam_lr * scale
        self._adam.step()
        self._adam.zero_grad()
        for stack, momentum in zip(self._stacks, self._momenta, strict=True):
            gradient = torch.stack([p.grad if p.grad is not None else torch.zeros_like(p) for p in stack])
            torch.add(gradient, momentum, alpha=self.momentum, out=momentum)
            update = orthogonalised(gradient.add_(momentum, alpha=self.momentum))
            rows, columns = update.shape[-2:]
            rate = self.muon_lr * scale * max(1.0, rows / columns) ** 0.5
            for parameter, change in zip(stack, update, strict=True):
                if self.decay:
                    parameter.mul_(1 - self.muon_lr * scale * self.decay)
                parameter.sub_(change, alpha=rate)
                parameter.grad = None

    def state_dict(self) -> dict[str, Tensor]:
        """Momenta by name: "muon.<shape>" for the matrices, "adam.<parameter>.<moment>" for the rest."""
        state = {f"muon.{i}": momentum for i, momentum in enumerate(self._momenta)}
        for i, moments in self._adam.state_dict()["state"].items():
            state |= {f"adam.{i}.{name}": tensor for name, tensor in moments.items()}
        return state

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        for i, momentum in enumerate(self._momenta):
            momentum.copy_(state[f"muon.{i}"])
        moments: dict[int, dict[str, Tensor]] = {}
        for name, tensor in state.items():
            if name.startswith("adam."):
                _, i, moment = name.split(".")
                moments.setdefault(int(i), {})[moment] = tensor
        self._adam.load_state_dict({"state": moments, "param_groups": self._adam.state_dict()["param_groups"]})


def warmup(step: int, steps: int = 20) -> float:
    """Factor of the learning rate at 0-based `step`: linear up over the first `steps`, then 1 without end."""
    return min(1.0, (step + 1) / steps)


def _started(step: int, total: int) -> float:
    """Warm-up over at most a quarter of all steps."""
    return warmup(step, min(20, max(1, total // 4)))


def warmup_stable_decay(step: int, total: int, anneal: float = 0.3) -> float:
    """Warm-up, flat, then linear down over the last share `anneal` (arXiv:2404.06395); above 0 to the last step."""
    return min(_started(step, total), (total - step) / max(1.0, anneal * total))


def cosine(step: int, total: int, floor: float = 0.1) -> float:
    """Warm-up, then half a cosine wave from 1 down to `floor` (arXiv:1608.03983, without restarts)."""
    return min(_started(step, total), floor + (1 - floor) * (1 + math.cos(math.pi * step / max(1, total - 1))) / 2)


def infinite(step: int, total: int, constant: float = 0.5, cooldown: float = 0.25, anneal: float = 0.15) -> float:
    """Warm-up, cosine down to a `constant` rate, flat, then exponentially down to a hundredth of it (arXiv:2403.08763).

    A run that goes on later starts from the end of its flat part and has lost nothing by not knowing how long it gets.
    """
    left, ending = total - 1 - step, anneal * total
    if left < ending:
        return float(constant * 0.01 ** (1 - left / ending))
    down = min(1.0, step / max(1.0, cooldown * total))
    return min(_started(step, total), constant + (1 - constant) * (1 + math.cos(math.pi * down)) / 2)


def without_end(step: int, total: int) -> float:
    return _started(step, total)


SCHEDULES = {"constant": without_end, "wsd": warmup_stable_decay, "cosine": cosine, "infinite": infinite}
"""Factor of the learning rate at a 0-based step of so many."""
