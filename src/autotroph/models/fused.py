"""The decoder's pass over one new token a row on the CPU: products by torch, all that stands between them fused."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from autotroph.models.native import Kernels, kernels
from autotroph.models.transformer import JOINED, Block, KVCache, Rotary, Transformer


class Fused:
    """What `model(ids_B[:, None], cache)[:, 0]` computes, several times faster for a small model.

    Made for one call of the sampler: it holds copies of small weights, which later changes of the model do not reach.
    """

    def __init__(self, model: Transformer, kernels: Kernels, positions: int):
        config, weight = model.config, model.lm_head.weight
        self.model, self.kernels, self.eps = model.model, kernels, config.rms_norm_eps
        self.layers = [FusedBlock(layer, kernels, self.eps) for layer in model.model.layers]
        self.turns: Tensor | None = None
        if config.rope_theta is not None:
            rotary = Rotary(config, torch.arange(KVCache.room_for(positions)), torch.float32)
            half = config.head_dim // 2
            self.turns = torch.cat((rotary.cos[:, :half], rotary.sin[:, :half]), 1)

    @classmethod
    def of(cls, model: Transformer, positions: int) -> Fused | None:
        """None where the kernels do not apply: another device, sizes that are no multiples of a vector, no compiler."""
        config, weight = model.config, model.lm_head.weight
        sizes = (config.hidden_size, config.intermediate_size, config.head_dim)
        if weight.device.type != "cpu" or any(size % KVCache.LANES for size in sizes):
            return None
        found = kernels(weight.dtype)
        return None if found is None else cls(model, found, positions)

    def __call__(self, ids_B: Tensor, cache: KVCache) -> Tensor:
        """Hidden states [B, C] after one more token of each row of the cache."""
        x, delta = self.model.embed_tokens(ids_B), None
        for layer, keys, values in zip(self.layers, cache.keys, cache.values, strict=True):
            delta = layer(x, delta, keys, values, cache.length_B, self.turns)
        cache.length_B += 1
        return self.kernels.rms_norm(x, delta, self.model.norm.weight, self.eps)


class FusedBlock:
    def __init__(self, block: Block, kernels: Kernels, eps: float):
        self.kernels, self.eps, attention = kernels, eps, block.self_attn
        self.norms = block.input_layernorm.weight, block.post_attention_layernorm.weight
        self.qk_norms = None
        if not isinstance(attention.q_norm, nn.Identity):
            self.qk_norms = attention.q_norm.weight, attention.k_norm.weight
        self.qkv = beside(attention.q_proj, attention.k_proj, attention.v_proj)
        self.gate_up = beside(block.mlp.gate_proj, block.mlp.up_proj)
        self.o, self.down = attention.o_proj.weight, block.mlp.down_proj.weight

    def __call__(
        self, x: Tensor, delta: Tensor | None, keys: Tensor, values: Tensor, held: Tensor, turns: Tensor | None
    ) -> Tensor:
        """Adds the block before's `delta` and this one's attention to `x` in place; returns what its MLP adds."""
        normed = self.kernels.rms_norm(x, delta, self.norms[0], self.eps)
        mixed = self.kernels.attend(self.qkv(normed), keys, values, held, turns, self.qk_norms, self.eps)
        normed = self.kernels.rms_norm(x, F.linear(mixed, self.o), self.norms[1], self.eps)
        return F.linear(self.kernels.swiglu(self.gate_up(normed)), self.down)


def beside(*projections: nn.Linear) -> Callable[[Tensor], Tensor]:
    """Several projections of the same input, their outputs side by side; as one product where they are small."""
    if projections[0].weight.numel() > JOINED:
        return lambda x: torch.cat([projection(x) for projection in projections], -1)
    biases = [projection.bias for projection in projections if projection.bias is not None]
    weight, bias = torch.cat([projection.weight for projection in projections]), torch.cat(biases) if biases else None
    return lambda x: F.linear(x, weight, bias)
