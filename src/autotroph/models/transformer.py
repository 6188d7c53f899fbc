"""One decoder of the Llama family, used by the trainer and by the sampler alike.

RMSNorm before each block, SwiGLU, grouped-query attention, optional QK-norm (Qwen3), optional bias on the
projections (Qwen2), rotary positions or none at all (SmolLM3 without rotary layers). Parameter names are those of
`transformers`, so a checkpoint of ours is a checkpoint of theirs and the other way round (see `checkpoint.py`).

Shapes: B rows, T new positions, S cached and new positions, H query heads, K key heads, D head size, C hidden size,
V vocabulary.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from math import pi
from typing import Any, Self

import torch
import torch.nn.functional as F
from pydantic import model_validator
from torch import Tensor, nn

from autotroph.core.config import Config


class RopeScaling(Config):
    """Rotary angles for a longer context than that of the first training, as in Llama 3.1 (`rope_type` "llama3").

    Frequencies with more than `high_freq_factor` turns in the original context stay, those with fewer than
    `low_freq_factor` are divided by `factor`, and between the two the change is gradual.
    """

    factor: float
    low_freq_factor: float
    high_freq_factor: float
    original_max_position_embeddings: int


class ModelConfig(Config):
    """Shape of a decoder; fields carry the names that `transformers` gives them."""

    vocab_size: int
    hidden_size: int = 128
    intermediate_size: int = 384
    num_hidden_layers: int = 3
    num_attention_heads: int = 4
    num_key_value_heads: int = 4
    head_dim: int = 32
    rms_norm_eps: float = 1e-6
    rope_theta: float | None = None
    """Base of the rotary angles; None: no positional encoding (the causal mask alone tells order)."""
    rope_scaling: RopeScaling | None = None
    qk_norm: bool = False
    attention_bias: bool = False
    tie_word_embeddings: bool = True

    @model_validator(mode="after")
    def _one_family(self) -> Self:
        if self.num_attention_heads % self.num_key_value_heads:
            raise ValueError(
                f"num_attention_heads={self.num_attention_heads} is not a multiple of "
                f"num_key_value_heads={self.num_key_value_heads}; choose a divisor"
            )
        if self.rope_theta is None and (self.qk_norm or self.attention_bias):
            raise ValueError(
                "no published family has qk_norm or attention_bias without rotary positions; set rope_theta"
            )
        if self.qk_norm and self.attention_bias:
            raise ValueError("qk_norm (Qwen3) and attention_bias (Qwen2) exclude one another; set one of them")
        return self


class KVCache:
    """Keys and values of B rows of at most `positions` positions, allocated once; row b holds `length_B[b]` of them.

    Of each layer, [B, K, S, D]. What lies beyond a row's length is finite and hidden by a bias.
    """

    def __init__(self, config: ModelConfig, rows: int, positions: int, dtype: torch.dtype, device: torch.device):
        shape = (config.num_hidden_layers, rows, config.num_key_value_heads, positions, config.head_dim)
        self.keys = torch.zeros(*shape, dtype=dtype, device=device)
        self.values = torch.zeros(*shape, dtype=dtype, device=device)
        self.length_B = torch.zeros(rows, dtype=torch.long, device=device)

    @staticmethod
    def bytes_for(config: ModelConfig, positions: int, dtype: torch.dtype) -> int:
        """What a row of so many positions takes."""
        return 2 * config.num_hidden_layers * config.num_key_value_heads * config.head_dim * positions * dtype.itemsize

    def rows(self, begin: int, end: int) -> KVCache:
        """The rows from `begin` to `end` as a cache of their own, in the same memory."""
        view = copy.copy(self)
        view.keys, view.values = self.keys[:, begin:end], self.values[:, begin:end]
        view.length_B = self.length_B[begin:end]
        return view

    def extend(
        self, layer: int, key_BKTD: Tensor, value_BKTD: Tensor, position_BT: Tensor, seen: int
    ) -> tuple[Tensor, Tensor]:
        """Write T new positions of one layer; return the first `seen` of it, [B, K, S, D] each."""
        keys, values = self.keys[layer], self.values[layer]
        row_B1 = torch.arange(len(position_BT), device=position_BT.device)[:, None]
        keys[row_B1, :, position_BT] = key_BKTD.transpose(1, 2)
        values[row_B1, :, position_BT] = value_BKTD.transpose(1, 2)
        return keys[:, :, :seen], values[:, :, :seen]

    def copy(self, source: slice | Tensor, target: slice | Tensor) -> None:
        """Make the target rows what the source rows are."""
        held = int(self.length_B[source].max())
        for keys, values in zip(self.keys, self.values, strict=True):
            keys[target, :, :held] = keys[source, :, :held]
            values[target, :, :held] = values[source, :, :held]
        self.length_B[target] = self.length_B[source]


class RMSNorm(nn.Module):
    """x / rms(x) * weight, in fp32 inside (arXiv:1910.07467)."""

    def __init__(self, size: int, eps: float):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, (x.shape[-1],), self.weight, self.eps)


class Rotary:
    """Rotary angles of the given positions, [T] or [B, T] (arXiv:2104.09864), half-split layout as in Llama."""

    def __init__(self, config: ModelConfig, position: Tensor, dtype: torch.dtype):
        half = position[..., None] * frequencies(config, position.device)
        angle = torch.cat((half, half), -1)
        if angle.dim() == 3:
            angle = angle[:, None]  # the same for all heads
        self.cos, self.sin = angle.cos().to(dtype), angle.sin().to(dtype)

    def __call__(self, x_BHTD: Tensor) -> Tensor:
        first, second = x_BHTD.chunk(2, dim=-1)
        return x_BHTD * self.cos + torch.cat((-second, first), dim=-1) * self.sin


def frequencies(config: ModelConfig, device: torch.device) -> Tensor:
    """Radians a position of each pair of a head's dimensions [D / 2]."""
    assert config.rope_theta is not None
    exponent = torch.arange(0, config.head_dim, 2, device=device, dtype=torch.float32) / config.head_dim
    frequency, scaling = config.rope_theta**-exponent, config.rope_scaling
    if scaling is None:
        return frequency
    turns = scaling.original_max_position_embeddings * frequency / (2 * pi)
    low, high = scaling.low_freq_factor, scaling.high_freq_factor
    kept = ((turns - low) / (high - low)).clamp(0, 1)
    return frequency * (kept + (1 - kept) / scaling.factor)


def attend(q_BHTD: Tensor, k_BKSD: Tensor, v_BKSD: Tensor, bias: Tensor | None) -> Tensor:
    """Attention of the last T of S positions, [B, H, T, D]; `bias` [T, S] or [B, 1, T, S].

    On the CPU short sequences go through two batched products: with them a whole training pass took about half as
    long as with the fused kernel at a few dozen positions.
    """
    (rows, heads, count, size), (_, groups, seen, _) = q_BHTD.shape, k_BKSD.shape
    if q_BHTD.device.type != "cpu" or count > 256:
        return F.scaled_dot_product_attention(q_BHTD, k_BKSD, v_BKSD, bias, enable_gqa=heads != groups)
    q = (q_BHTD * size**-0.5).reshape(rows * groups, heads // groups * count, size)
    scores = torch.bmm(q, k_BKSD.reshape(rows * groups, seen, size).mT)
    if bias is not None:
        scores = scores.view(rows, heads, count, seen) + bias
    weights = scores.softmax(-1).view(rows * groups, -1, seen)
    return torch.bmm(weights, v_BKSD.reshape(rows * groups, seen, size)).view(rows, heads, count, size)


def causal(count: int, like: Tensor) -> Tensor:
    """Bias [T, T]: each token sees those before it and itself."""
    return torch.full((count, count), float("-inf"), dtype=like.dtype, device=like.device).triu(1)


def so_far(position_BT: Tensor, seen: int, like: Tensor) -> Tensor:
    """Bias [B, 1, T, S] of rows with their own lengths: each token sees its row up to its own position."""
    hidden = torch.arange(seen, device=like.device) > position_BT[..., None]
    return torch.zeros(hidden.shape, dtype=like.dtype, device=like.device).masked_fill(hidden, float("-inf"))[:, None]


def apart(branch_BT: Tensor, like: Tensor) -> Tensor:
    """Bias [B, 1, T, T] of rows that go on from their beginning, branch 0, in several ways: none sees another."""
    seen = (branch_BT[:, None, :] == 0) | (branch_BT[:, None, :] == branch_BT[:, :, None])
    bias = torch.zeros(seen.shape, dtype=like.dtype, device=like.device)
    return bias.masked_fill(~seen.tril(), float("-inf"))[:, None]


@dataclass(frozen=True)
class Look:
    """Where the tokens of a pass stand ([T] or [B, T]), what the bias on their scores lets them see, their angles.

    `fresh`: they look at one another alone, for no cached row has a position yet. `seen`: positions of the longest row.
    """

    position: Tensor
    fresh: bool
    seen: int
    bias: Tensor | None
    rotary: Rotary | None


def joined(x: Tensor, *projections: nn.Linear) -> tuple[Tensor, ...]:
    """What several projections make of the same input: as one product where they are small, which is much faster."""
    if projections[0].weight.numel() > JOINED:
        return tuple(projection(x) for projection in projections)
    biases = [projection.bias for projection in projections if projection.bias is not None]
    weight = torch.cat([projection.weight for projection in projections])
    both = F.linear(x, weight, torch.cat(biases) if biases else None)
    return both.split([projection.out_features for projection in projections], -1)


JOINED = 1 << 20
"""Weights of a projection above which putting it beside another costs more than one product saves."""


class Attention(nn.Module):
    def __init__(self, config: ModelConfig, layer: int):
        super().__init__()
        self.layer, self.head_dim = layer, config.head_dim
        queries, keys = (n * config.head_dim for n in (config.num_attention_heads, config.num_key_value_heads))
        self.q_proj = nn.Linear(config.hidden_size, queries, bias=config.attention_bias)
        self.k_proj = nn.Linear(config.hidden_size, keys, bias=config.attention_bias)
        self.v_proj = nn.Linear(config.hidden_size, keys, bias=config.attention_bias)
        self.o_proj = nn.Linear(queries, config.hidden_size, bias=False)
        norm = (lambda: RMSNorm(config.head_dim, config.rms_norm_eps)) if config.qk_norm else nn.Identity
        self.q_norm, self.k_norm = norm(), norm()

    def forward(self, x_BTC: Tensor, look: Look, cache: KVCache | None) -> Tensor:
        rows, count, _ = x_BTC.shape
        split = (rows, count, -1, self.head_dim)
        q, k, v = (part.view(split) for part in joined(x_BTC, self.q_proj, self.k_proj, self.v_proj))
        q, k, v = self.q_norm(q).transpose(1, 2), self.k_norm(k).transpose(1, 2), v.transpose(1, 2)
        if look.rotary is not None:
            q, k = look.rotary(q), look.rotary(k)
        if cache is not None:
            kept = cache.extend(self.layer, k, v, look.position, look.seen)
            k, v = (k, v) if look.fresh else kept
        return self.o_proj(attend(q, k, v, look.bias).transpose(1, 2).reshape(rows, count, -1))


class SwiGLU(nn.Module):
    """down(silu(gate(x)) * up(x)) (arXiv:2002.05202)."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.gate_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.up_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.down_proj = nn.Linear(config.intermediate_size, config.hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        gate, up = joined(x, self.gate_proj, self.up_proj)
        return self.down_proj(F.silu(gate) * up)


class Block(nn.Module):
    def __init__(self, config: ModelConfig, layer: int):
        super().__init__()
        self.self_attn = Attention(config, layer)
        self.mlp = SwiGLU(config)
        self.input_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.post_attention_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)

    def forward(self, x_BTC: Tensor, look: Look, cache: KVCache | None) -> Tensor:
        x_BTC = x_BTC + self.self_attn(self.input_layernorm(x_BTC), look, cache)
        return x_BTC + self.mlp(self.post_attention_layernorm(x_BTC))


class Decoder(nn.Module):
    """Token ids to hidden states; the `model` of a causal language model."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(Block(config, i) for i in range(config.num_hidden_layers))
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)

    def forward(
        self,
        ids_BT: Tensor,
        position_BT: Tensor | None = None,
        branch_BT: Tensor | None = None,
        cache: KVCache | None = None,
    ) -> Tensor:
        x_BTC, count = self.embed_tokens(ids_BT), ids_BT.shape[1]
        look = self._look(x_BTC, cache, position_BT, branch_BT)
        for layer in self.layers:
            x_BTC = layer(x_BTC, look, cache)
        if cache is not None:
            cache.length_B += count
        return self.norm(x_BTC)

    def _look(self, x_BTC: Tensor, cache: KVCache | None, position_BT: Tensor | None, branch_BT: Tensor | None) -> Look:
        count, position = x_BTC.shape[1], torch.arange(x_BTC.shape[1], device=x_BTC.device)
        fresh = cache is None or not bool(cache.length_B.any())
        seen = count
        if cache is not None:
            seen += int(cache.length_B.max())
            position = cache.length_B[:, None] + position
        elif position_BT is not None:
            position = position_BT
        if branch_BT is not None:
            bias: Tensor | None = apart(branch_BT, x_BTC)
        elif cache is None or fresh:
            bias = causal(count, x_BTC)
        else:
            bias = so_far(position, seen, x_BTC)
        rotary = None if self.config.rope_theta is None else Rotary(self.config, position, x_BTC.dtype)
        return Look(position, fresh, seen, bias, rotary)


class Transformer(nn.Module):
    """A causal language model.

    `forward` gives hidden states [B, T, C]; `logits` projects any selection of them to fp32 logits [..., V], so that
    nobody pays for logits that nobody reads.
    """

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        self.model = Decoder(config)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        if config.tie_word_embeddings:
            self.lm_head.weight = self.model.embed_tokens.weight

    @property
    def size(self) -> int:
        """Number of parameters: a pass over one token takes twice as many operations, one back twice as many again."""
        return sum(parameter.numel() for parameter in self.parameters())

    def initialise(self, seed: int) -> Self:
        """Draw all matrices from N(0, 1/fan_in), embeddings from N(0, 0.02), the outputs of each block from zero."""
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for name, parameter in self.named_parameters():
                if parameter.dim() < 2:
                    parameter.fill_(0.0 if name.endswith("bias") else 1.0)
                elif name.endswith(("o_proj.weight", "down_proj.weight")):
                    parameter.zero_()
                else:
                    scale = 0.02 if "embed" in name or "lm_head" in name else parameter.shape[1] ** -0.5
                    parameter.normal_(0.0, scale, generator=generator)
        return self

    def forward(
        self,
        ids_BT: Tensor,
        position_BT: Tensor | None = None,
        branch_BT: Tensor | None = None,
        cache: KVCache | None = None,
    ) -> Tensor:
        """With a cache, row b goes on from the `length_B[b]` positions that it has. Without one, positions are counted
        from 0 unless given, and `branch_BT` is as in `apart`."""
        hidden: Tensor = self.model(ids_BT, position_BT, branch_BT, cache)
        return hidden

    def logits(self, hidden: Tensor) -> Tensor:
        return self.lm_head(hidden).float()

    def cache(self, rows: int, positions: int) -> KVCache:
        weight = self.lm_head.weight
        return KVCache(self.config, rows, positions, weight.dtype, weight.device)

    def state_dict(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Parameters by their `transformers` names; a tied head is stored once."""
        state = super().state_dict(*args, **kwargs)
        if self.config.tie_word_embeddings:
            state.pop("lm_head.weight", None)
        return state
