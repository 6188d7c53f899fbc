"""A decoder on the CPU through `kernels/`: passes over whole sequences, and sampling, in one call each.

Products of a small model read its weights packed: a copy, which whoever changes them has to renew.
"""

from __future__ import annotations

import ctypes
import itertools
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from autotroph.models.batch import ROWS, Batch, Job, Request
from autotroph.models.native import LANES, Kernels, Pass, Sampling, Shape, Weights, address, addresses, kernels
from autotroph.models.threads import small
from autotroph.models.transformer import Block, KVCache, Rotary, Transformer


def kernels_for(model: Transformer) -> Kernels | None:
    """None where they do not apply: another device, sizes that are no multiples of a vector, no compiler."""
    config, weight = model.config, model.lm_head.weight
    sizes = (config.hidden_size, config.intermediate_size, config.head_dim)
    if weight.device.type != "cpu" or any(size % LANES for size in sizes):
        return None
    found = kernels(weight.dtype)
    return found if found is not None and (found.blas is not None or packs(model, found)) else None


def packs(model: Transformer, kernels: Kernels) -> bool:
    """Whether products are those of `kernels/`, on packed weights: where a core works on a small model alone."""
    sizes = {size for weight in _weights(model) if weight is not None and weight.dim() == 2 for size in weight.shape}
    return kernels.tiled and small(model) and not any(size % TILE for size in sizes)


TILE = 32
"""What the sizes of packed weights are multiples of."""


class Layers:
    """The weights of all layers as products read them; threads may share them. To be renewed when weights change."""

    def __init__(self, model: Transformer, kernels: Kernels):
        self.model, self.kernels, self.packed = model, kernels, packs(model, kernels)
        self.renew()

    def renew(self) -> None:
        self._kept = {False: self._arranged(back=False)}
        self.forward = addresses(self._kept[False])

    @property
    def back(self) -> Weights:
        """For the way back."""
        if True not in self._kept:
            self._kept[True] = self._arranged(back=True)
        return addresses(self._kept[True])

    def _arranged(self, back: bool) -> list[Tensor | None]:
        return [one if one is None or one.dim() == 1 else self.read(one, back) for one in _weights(self.model)]

    def read(self, weight: Tensor, back: bool = False) -> Tensor:
        """A matrix as products read it."""
        return self.kernels.packed(weight, back) if self.packed else weight


class FusedPasses:
    """What `model(ids, position, branch)` computes, with a gradient.

    Gradients of the layers' weights are summed in `gradients`, by name and in fp32, over as many passes as there are.
    """

    def __init__(self, model: Transformer, layers: Layers):
        self.model, self.layers, self.kernels = model, layers, layers.kernels
        self.shape = _shape(model)
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
        norm = self.model.model.norm.weight
        one = self.kernels.begin(self.shape, self.layers.forward, self.layers.packed, norm, (rows, count))
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


class Slots:
    """Keys [L, slots, K, S / LANES, D, LANES] and values [L, slots, K, S, D] of so many positions each."""

    def __init__(self, model: Transformer, slots: int, positions: int):
        config, stride = model.config, padded(positions)
        shape = config.num_hidden_layers, slots, config.num_key_value_heads
        self.shape = _shape(model, stride, slots)
        self.keys = torch.zeros(*shape, stride // LANES, config.head_dim, LANES, dtype=model.lm_head.weight.dtype)
        self.values = torch.zeros(*shape, stride, config.head_dim, dtype=model.lm_head.weight.dtype)

    @staticmethod
    def bytes_for(model: Transformer, positions: int) -> int:
        """What a slot takes."""
        return KVCache.bytes_for(model.config, padded(positions), model.lm_head.weight.dtype)


def padded(positions: int) -> int:
    """In whole vectors."""
    return -(-positions // LANES) * LANES


class FusedBatch(Batch):
    """Rows in whatever slots are free; a prompt's keys and values are kept once for all samples that go on from it.

    `row`, `slot`, `prompt`, `prompt_length`: of each row that goes on, in order, whose result it is, where its own
    tokens lie, where its prompt lies and how long that is; `known`: prompts that lie there, and what the model made of
    their last tokens.
    """

    def __init__(self, job: Job, requests: list[Request], layers: Layers):
        super().__init__(job, requests)
        tokens, longest = max(1, job.params.max_tokens - 1), max(len(request.prompt) for request in requests)
        own, shared = (Slots.bytes_for(self.model, count) for count in (tokens, longest))
        alone = job.memory // (own + shared)
        room = alone if alone < len(requests) else (job.memory - len(requests) * shared) // own
        self.slots = min(ROWS, sum(len(request.rows) for request in requests), room)
        if self.slots == 0:
            raise job.too_small(longest + tokens, own + shared)
        self.own = Slots(self.model, self.slots, tokens)
        self.prompts = Slots(self.model, min(len(requests), self.slots), longest)
        self.layers, self.kernels, self.passes = layers, layers.kernels, FusedPasses(self.model, layers)
        self.head = layers.read(self.model.lm_head.weight)
        self.row, self.slot, self.prompt, self.prompt_length = torch.arange(self.slots).repeat(4, 1)
        self.hidden = self.own.keys.new_empty(self.slots, self.model.config.hidden_size)
        self.known: dict[tuple[int, ...], tuple[int, Tensor]] = {}
        self.turns = _turns(self.model, longest + tokens)
        self.sampling = self._sampling()
        self.room = self.kernels.room(self.sampling)
        self.sampling.room = address(self.room)

    def _sampling(self) -> Sampling:
        model, params, results = self.model, self.params, self.job.results
        weights = model.model.embed_tokens.weight, model.model.norm.weight, self.head
        caches = self.prompts.keys, self.prompts.values, self.own.keys, self.own.values
        rows = self.row, self.slot, self.prompt, self.prompt_length, self.hidden
        given = self.is_end_V, self.job.limit_N, self.job.spin_NM
        noted = results.token, results.logp, results.raw, results.entropy, results.certainty, results.length
        return Sampling(
            self.own.shape, model.config.vocab_size, results.token.shape[1],
            self.prompts.shape.slots, self.prompts.shape.stride,
            ctypes.cast(self.layers.forward, ctypes.c_void_p), *map(address, (*weights, self.turns)),
            None if self.layers.packed else self.kernels.blas,
            *map(address, caches), None, *map(address, rows), params.temperature, params.top_p, params.min_p,
            params.top_k, params.min_tokens, *map(address, (*given, *noted, results.stopped)), 0, 0,
        )  # fmt: skip

    def _enter(self, requests: list[Request]) -> None:
        live = set(self.prompt[: self.going].tolist())
        self.known = {prompt: (slot, hidden) for prompt, (slot, hidden) in self.known.items() if slot in live}
        self._pass([request for request in requests if request.prompt not in self.known])
        copies = torch.tensor([len(request.rows) for request in requests])
        slots, hidden = zip(*(self.known[request.prompt] for request in requests), strict=True)
        new = slice(self.going, self.going + int(copies.sum()))
        self.row[new] = torch.tensor([row for request in requests for row in request.rows])
        self.prompt[new] = torch.tensor(slots).repeat_interleave(copies)
        self.prompt_length[new] = torch.tensor([len(one.prompt) for one in requests]).repeat_interleave(copies)
        self.hidden[new] = torch.stack(hidden).repeat_interleave(copies, 0)
        self.going = new.stop

    def _pass(self, requests: list[Request]) -> None:
        """Prompts through the model, into free slots."""
        taken = {slot for slot, _ in self.known.values()}
        free = (slot for slot in range(self.prompts.shape.slots) if slot not in taken)
        some = max(1, PASSING // max((len(request.prompt) for request in requests), default=1))
        for begin in range(0, len(requests), some):
            part = requests[begin : begin + some]
            ids_BT, length_B = self._padded(part)
            slot_B = torch.tensor(list(itertools.islice(free, len(part))))
            states = self.model.model.embed_tokens(ids_BT)
            one, tape = self.passes.forward(states)
            self.kernels.remember(one, self.prompts.shape, slot_B, self.prompts.keys, self.prompts.values)
            self.passes.done(tape)
            self.job.spend(ids_BT.numel())
            for request, slot, hidden in zip(
                part, slot_B.tolist(), states[range(len(part)), length_B - 1], strict=True
            ):
                self.known[request.prompt] = slot, hidden

    def _advance(self) -> None:
        run, least = self.sampling, self.slots - self._worth_it() if self.waiting else 0
        run.chosen = run.passed = 0
        self.going = self.kernels.sample(run, self.going, least, STEPS)
        if self.going < 0:
            raise self.job.damaged()
        self.job.spend(run.passed, chosen=run.chosen)


PASSING = 128
"""Prompt tokens that pass the model at a time: what they leave behind on their way is small, and still near."""

STEPS = 16
"""Tokens of each row between two looks at budget and callers."""


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
        owner.kernels.backward(ctx.one, owner.layers.back, owner.slopes, owner.gradients["model.norm.weight"], slope)
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
