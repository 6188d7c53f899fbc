"""Low-rank adapters (arXiv:2106.09685) through peft: two thin matrices beside each matrix of the blocks, which stays.

A weight is W + s B A, with A [r, in], B [out, r] and s = alpha / r; only A and B are trained. Sampler and kernels read
weights as one matrix and give the gradient G of the whole of it, from which those of the adapter follow exactly:
dL/dA = s Bᵀ G and dL/dB = s G Aᵀ. So nothing that runs a model knows of adapters, and what is sampled from is merged
after every step. It saves the optimiser's memory, not the arithmetic of a pass.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn

from autotroph.core.config import Config
from autotroph.core.errors import AutotrophError
from autotroph.models.transformer import Transformer
from autotroph.optimize.parameters import Parameters, Whole, accumulate


class LoRAConfig(Config):
    rank: int = Field(0, ge=0, description="rank of the adapters that are trained; 0: all weights are trained instead")
    alpha: float = Field(16.0, gt=0, description="an adapter counts alpha / rank times")


def parameters_of(model: Transformer, config: LoRAConfig, seed: int) -> Parameters:
    return LowRank(model, config, seed) if config.rank else Whole(model)


class LowRank:
    """Adapters of every matrix of the blocks; all other weights stay too.

    peft places them, names them and writes them. `seed` draws A as peft does, uniform in 1/sqrt(in); B begins at zero.
    Raises AutotrophError without peft.
    """

    def __init__(self, model: Transformer, config: LoRAConfig, seed: int):
        try:
            import peft
        except ImportError:
            raise AutotrophError("--lora-rank: needs peft; pip install 'autotroph[lora]'") from None
        plain = copy.deepcopy(model).float().requires_grad_(False)
        self.frozen = {name: weight.detach() for name, weight in plain.named_parameters()}
        settings = peft.LoraConfig(r=config.rank, lora_alpha=config.alpha, target_modules=MATRICES)
        self.adapted: Any = peft.get_peft_model(plain, settings)
        self.scale = config.alpha / config.rank
        generator = torch.Generator().manual_seed(seed)
        self.masters: dict[str, Tensor] = {}
        for name, layer in self._layers():
            first, second = layer.lora_A[ADAPTER].weight, layer.lora_B[ADAPTER].weight
            drawn = torch.empty(first.shape)
            nn.init.kaiming_uniform_(drawn, a=math.sqrt(5), generator=generator)
            first.data.copy_(drawn)
            second.data.zero_()
            self.masters |= {f"{name}.lora_A": first, f"{name}.lora_B": second}

    def _layers(self) -> Iterator[tuple[str, Any]]:
        """Weights that have an adapter, by their names in the model, and peft's layers in their places."""
        for name, module in self.adapted.base_model.model.named_modules():
            if hasattr(module, "lora_A"):
                yield f"{name}.weight", module

    def add(self, name: str, gradient: Tensor) -> None:
        if (first := self.masters.get(f"{name}.lora_A")) is None:
            return
        second, slope = self.masters[f"{name}.lora_B"], gradient.float() * self.scale
        accumulate(first, second.detach().T @ slope)
        accumulate(second, slope @ first.detach().T)

    def weights(self, masters: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
        for name, weight in self.frozen.items():
            if (first := masters.get(f"{name}.lora_A")) is None:
                yield name, weight
            else:
                yield name, weight + self.scale * (masters[f"{name}.lora_B"].detach() @ first.detach())

    def state_dict(self) -> dict[str, Tensor]:
        """The matrices beside which adapters stand: a merged checkpoint does not tell them from these."""
        return {f"frozen.{name}": self.frozen[name] for name, _ in self._layers()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        for name, _ in self._layers():
            self.frozen[name].copy_(state[f"frozen.{name}"])

    def save(self, masters: Mapping[str, Tensor], folder: Path) -> None:
        """Adapters with such masters in peft's own format, which `peft.PeftModel` loads beside the base they began
        from."""
        kept = {name: master.detach().clone() for name, master in self.masters.items()}
        with torch.no_grad():
            for name, master in self.masters.items():
                master.copy_(masters[name])
            self.adapted.save_pretrained(folder)
            for name, master in self.masters.items():
                master.copy_(kept[name])


MATRICES = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
ADAPTER = "default"
"""The name that peft gives an adapter that was given none."""
