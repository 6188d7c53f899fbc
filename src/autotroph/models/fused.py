"""The decoder's pass over one new token a row, on the CPU and in one call of `kernels.c`."""

from __future__ import annotations

import ctypes

import torch
from torch import Tensor

from autotroph.models.native import LANES, Kernels, Shape, kernels
from autotroph.models.transformer import Block, KVCache, Rotary, Transformer


class Fused:
    """What `model(ids_B[:, None], cache)[:, 0]` computes, several times faster for a small model.

    `cache` is the whole cache, with `native.LANES` lanes; a pass is over its first rows.
    """

    def __init__(self, model: Transformer, kernels: Kernels, cache: KVCache):
        config, norm = model.config, model.model.norm.weight
        self.model, self.kernels, self.norm = model.model, kernels, norm
        slots, room = cache.keys.shape[1], cache.values.shape[3]
        heads = (config.num_attention_heads, config.num_key_value_heads, config.head_dim)
        layers = config.num_hidden_layers
        self.shape = Shape(
            config.hidden_size, config.intermediate_size, *heads, room, layers, slots, config.rms_norm_eps
        )
        weights = [weight for block in model.model.layers for weight in _weights(block)]
        self.layers = (ctypes.c_void_p * len(weights))(*(w if w is None else w.data_ptr() for w in weights))
        self.cache, self.room = cache, kernels.room(self.shape)
        self.turns: Tensor | None = None
        if config.rope_theta is not None:
            rotary, half = Rotary(config, torch.arange(room), torch.float32), config.head_dim // 2
            self.turns = torch.cat((rotary.cos[:, :half], rotary.sin[:, :half]), 1)

    @staticmethod
    def kernels_for(model: Transformer) -> Kernels | None:
        """None where they do not apply: another device, sizes that are no multiples of a vector, no compiler."""
        config, weight = model.config, model.lm_head.weight
        sizes = (config.hidden_size, config.intermediate_size, config.head_dim)
        fits = weight.device.type == "cpu" and not any(size % LANES for size in sizes)
        return kernels(weight.dtype) if fits else None

    def __call__(self, ids_B: Tensor) -> Tensor:
        """Hidden states [B, C] after one more token of each of the cache's first rows."""
        hidden_BC, length_B = self.model.embed_tokens(ids_B), self.cache.length_B[: len(ids_B)]
        self.kernels.decode(
            self.shape, self.layers, self.norm, self.cache.keys, self.cache.values, length_B, self.turns, self.room,
            hidden_BC,
        )  # fmt: skip
        length_B += 1
        return hidden_BC


def _weights(block: Block) -> list[Tensor | None]:
    """In the order of `Layer` in `kernels.c`; the caller keeps the model, and so these, alive."""
    attention, mlp = block.self_attn, block.mlp
    projections = (attention.q_proj, attention.k_proj, attention.v_proj)
    return [
        block.input_layernorm.weight,
        *(projection.weight for projection in projections),
        *(projection.bias for projection in projections),
        *(getattr(norm, "weight", None) for norm in (attention.q_norm, attention.k_norm)),
        attention.o_proj.weight,
        block.post_attention_layernorm.weight,
        *(projection.weight for projection in (mlp.gate_proj, mlp.up_proj, mlp.down_proj)),
    ]
