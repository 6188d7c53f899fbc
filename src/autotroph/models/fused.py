"""A decoder's passes on the CPU, each in one call of `kernels/`: over whole sequences, and over one new token a row.

Nothing is held here but addresses: the weights are the model's own, and what changes them there changes them here.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from autotroph.models.native import LANES, Kernels, Pass, Shape, Weights, address, addresses, kernels
from autotroph.models.transformer import Block, KVCache, Rotary, Transformer


def kernels_for(model: Transformer) -> Kernels | None:
    """None where they do not apply: another device, sizes that are no multiples of a vector, no compiler."""
    config, weight = model.config, model.lm_head.weight
    sizes = (config.hidden_size, config.intermediate_size, config.head_dim)
    fits = weight.device.type == "cpu" and not any(size % LANES for size in sizes)
    return kernels(weight.dtype) if fits else None


class FusedPasses:
    """What `model(ids, position, branch)` computes, with a gradient.

    Those of the layers' weights are summed in `gradients`, by name and in fp32, over as many passes as there are.
    """

    def __init__(self, model: Transformer, kernels: Kernels):
        self.model, self.kernels = model, kernels
        self.shape, self.layers = _shape(model), addresses(_weights(model))
        self._tapes: list[Tensor] = []
        self._room, self._turns = torch.empty(0), _turns(model, 0)

    @cached_property
    def gradients(self) -> dict[str, Tensor]:
        weights = self.model.model.named_parameters(prefix="model")
        return {name: torch.zeros(weight.shape) for name, weight in weights if "embed_tokens" not in name}

    @cached_property
    def slopes(self) -> Weights:
        """Addresses of the layers' gradients."""
        names = {address(weight): name for name, weight in self.model.named_parameters()}
        weights = _weights(self.model)
        return addresses([None if one is None else self.gradients[names[address(one)]] for one in weights])

    def __call__(self, ids_RT: Tensor, position_RT: Tensor | None = None, branch_RT: Tensor | None = None) -> Tensor:
        """Hidden states [R, T, C]; arguments as those of the model."""
        hidden: Tensor = _Passing.apply(self.model.model.embed_tokens(ids_RT), self, position_RT, branch_RT)
        return hidden

    def forward(
        self, hidden_RTC: Tensor, position_RT: Tensor | None = None, branch_RT: Tensor | None = None
    ) -> tuple[Pass, Tensor]:
        """From embeddings to hidden states in place. The pass, and its tape, to be given to `done` at the end."""
        rows, count, _ = hidden_RTC.shape
        one = self.kernels.begin(self.shape, self.layers, self.model.model.norm.weight, (rows, count))
        tape_size, room_size = self.kernels.sizes(one)
        tape = self._tapes.pop() if self._tapes else torch.empty(0)
        tape = tape if len(tape) >= tape_size else torch.empty(tape_size)
        if len(self._room) < room_size:
            self._room = torch.empty(room_size)
        if self._turns is not None and len(self._turns) < count:
            self._turns = _turns(self.model, 2 * count)
        one.tape, one.room, one.turns = map(address, (tape, self._room, self._turns))
        one.positions, one.branches = map(address, (position_RT, branch_RT))
        self.kernels.forward(one, hidden_RTC)
        return one, tape

    def done(self, tape: Tensor) -> None:
        self._tapes.append(tape)


class FusedDecoding:
    """What `model(ids, cache=cache)` computes, for prompts and then for one new token a row, without a gradient.

    `cache` is the whole cache, with `native.LANES` lanes.
    """

    def __init__(self, model: Transformer, kernels: Kernels, cache: KVCache):
        self.model, self.kernels, self.cache = model, kernels, cache
        room = cache.values.shape[3]
        self.shape = _shape(model, room, slots=cache.keys.shape[1])
        self.passes = FusedPasses(model, kernels)
        self.room, self.turns = kernels.room(self.shape), _turns(model, room)

    def prefill(self, ids_BT: Tensor, begin: int) -> Tensor:
        """Hidden states [B, T, C] of prompts, which the cache then holds from its row `begin` on."""
        hidden_BTC, rows = self.model.model.embed_tokens(ids_BT), max(1, PREFILL // ids_BT.shape[1])
        for place, part in enumerate(hidden_BTC.split(rows)):
            one, tape = self.passes.forward(part)
            self.kernels.remember(one, self.shape, begin + place * rows, self.cache.keys, self.cache.values)
            self.passes.done(tape)
        return hidden_BTC

    def __call__(self, ids_B: Tensor) -> Tensor:
        """Hidden states [B, C] after one more token of each of the cache's first rows."""
        cache, decoder = self.cache, self.model.model
        hidden_BC, length_B = decoder.embed_tokens(ids_B), cache.length_B[: len(ids_B)]
        self.kernels.decode(
            self.shape, self.passes.layers, decoder.norm.weight, cache.keys, cache.values, length_B, self.turns,
            self.room, hidden_BC,
        )  # fmt: skip
        length_B += 1
        return hidden_BC


PREFILL = 512
"""Prompt tokens that pass the model at a time: what they leave behind on their way is small, and still near."""


class _Passing(torch.autograd.Function):
    """From embeddings [R, T, C] to hidden states, and back."""

    @staticmethod
    def forward(
        ctx: Any, embedded: Tensor, owner: FusedPasses, position_RT: Tensor | None, branch_RT: Tensor | None
    ) -> Tensor:
        hidden = embedded.detach().clone()
        one, tape = owner.forward(hidden, position_RT, branch_RT)
        if embedded.requires_grad:
            ctx.owner, ctx.one, ctx.tape, ctx.alive = owner, one, tape, (position_RT, branch_RT)
        else:
            owner.done(tape)
        return hidden

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor, None, None, None]:
        owner, slope = ctx.owner, slopes[0].clone(memory_format=torch.contiguous_format)
        owner.kernels.backward(ctx.one, owner.slopes, owner.gradients["model.norm.weight"], slope)
        owner.done(ctx.tape)
        return slope, None, None, None


def _shape(model: Transformer, stride: int = 0, slots: int = 0) -> Shape:
    config = model.config
    heads = (config.num_attention_heads, config.num_key_value_heads, config.head_dim)
    sizes = (config.hidden_size, config.intermediate_size, *heads, stride, config.num_hidden_layers, slots)
    return Shape(*sizes, config.rms_norm_eps)


def _turns(model: Transformer, positions: int) -> Tensor | None:
    """Cosines, then sines of the angles of so many positions [., D]; None without rotary positions."""
    if model.config.rope_theta is None:
        return None
    rotary, half = Rotary(model.config, torch.arange(positions), torch.float32), model.config.head_dim // 2
    return torch.cat((rotary.cos[:, :half], rotary.sin[:, :half]), 1)


def _weights(model: Transformer) -> list[Tensor | None]:
    """Of all layers, each in the order of `Layer` in `common.h`."""
    return [weight for block in model.model.layers for weight in _of_block(block)]


def _of_block(block: Block) -> list[Tensor | None]:
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
