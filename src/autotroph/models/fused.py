"""A decoder's passes on the CPU, each in one call of `kernels/`: over one new token a row, and over whole sequences.

Nothing is held here but addresses: the weights are the model's own, and what changes them there changes them here.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from autotroph.models.native import LANES, Kernels, Pass, Shape, address, addresses, kernels
from autotroph.models.transformer import Block, KVCache, Rotary, Transformer


def kernels_for(model: Transformer) -> Kernels | None:
    """None where they do not apply: another device, sizes that are no multiples of a vector, no compiler."""
    config, weight = model.config, model.lm_head.weight
    sizes = (config.hidden_size, config.intermediate_size, config.head_dim)
    fits = weight.device.type == "cpu" and not any(size % LANES for size in sizes)
    return kernels(weight.dtype) if fits else None


class FusedDecoding:
    """What `model(ids_B[:, None], cache=cache)[:, 0]` computes, several times faster for a small model.

    `cache` is the whole cache, with `native.LANES` lanes; a pass is over its first rows.
    """

    def __init__(self, model: Transformer, kernels: Kernels, cache: KVCache):
        self.model, self.kernels, self.cache = model, kernels, cache
        room = cache.values.shape[3]
        self.shape = _shape(model, room, slots=cache.keys.shape[1])
        self.layers = addresses(_weights(model))
        self.room, self.turns = kernels.room(self.shape), _turns(model, room)

    def __call__(self, ids_B: Tensor) -> Tensor:
        """Hidden states [B, C] after one more token of each of the cache's first rows."""
        cache, decoder = self.cache, self.model.model
        hidden_BC, length_B = decoder.embed_tokens(ids_B), cache.length_B[: len(ids_B)]
        self.kernels.decode(
            self.shape, self.layers, decoder.norm.weight, cache.keys, cache.values, length_B, self.turns, self.room,
            hidden_BC,
        )  # fmt: skip
        length_B += 1
        return hidden_BC


class FusedTraining:
    """What `model(ids, position, branch)` computes, with a gradient.

    Those of the layers' weights are summed in `gradients`, by name and in fp32, over as many passes as there are.
    """

    def __init__(self, model: Transformer, kernels: Kernels):
        self.model, self.kernels = model, kernels
        self.shape, self.layers = _shape(model), addresses(_weights(model))
        weights = dict(model.model.named_parameters(prefix="model"))
        self.gradients = {name: torch.zeros(w.shape) for name, w in weights.items() if "embed_tokens" not in name}
        names = {address(weight): name for name, weight in weights.items()}
        self._slopes = addresses(
            [None if weight is None else self.gradients[names[address(weight)]] for weight in _weights(model)]
        )
        self._tapes: list[Tensor] = []
        self._room, self._turns = torch.empty(0), _turns(model, 0)

    def __call__(self, ids_RT: Tensor, position_RT: Tensor | None = None, branch_RT: Tensor | None = None) -> Tensor:
        """Hidden states [R, T, C]; arguments as those of the model."""
        hidden: Tensor = _Passing.apply(self.model.model.embed_tokens(ids_RT), self, position_RT, branch_RT)
        return hidden

    def begin(self, rows: int, count: int, position_RT: Tensor | None, branch_RT: Tensor | None) -> tuple[Pass, Tensor]:
        """A pass with all that it needs, and its tape, which goes to `done` when no gradient is wanted any more."""
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
        return one, tape

    def done(self, tape: Tensor) -> None:
        self._tapes.append(tape)


class _Passing(torch.autograd.Function):
    """From embeddings [R, T, C] to hidden states, and back."""

    @staticmethod
    def forward(
        ctx: Any, embedded: Tensor, owner: FusedTraining, position_RT: Tensor | None, branch_RT: Tensor | None
    ) -> Tensor:
        rows, count, _ = embedded.shape
        hidden = embedded.detach().clone()
        one, tape = owner.begin(rows, count, position_RT, branch_RT)
        owner.kernels.forward(one, hidden)
        if embedded.requires_grad:
            ctx.owner, ctx.one, ctx.tape, ctx.alive = owner, one, tape, (position_RT, branch_RT)
        else:
            owner.done(tape)
        return hidden

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor, None, None, None]:
        owner, slope = ctx.owner, slopes[0].clone(memory_format=torch.contiguous_format)
        owner.kernels.backward(ctx.one, owner._slopes, owner.gradients["model.norm.weight"], slope)
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
