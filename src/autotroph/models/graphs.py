"""Decoding on CUDA: a step over a fixed number of rows is recorded once as a graph, and then replayed in one launch.

A step of a small model is hundreds of kernels of a few microseconds each; launching them one by one takes longer than
they run. A graph has fixed shapes and addresses: rows are filled up to a power of two, positions to a multiple of
`POSITIONS`, and there is a graph for each pair that occurs.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from autotroph.models.transformer import KVCache, Look, Rotary, Transformer, so_far

POSITIONS = 128
"""Step in which the positions that a graph looks at grow: less means more graphs, more means more looked at in vain."""

Replay = Callable[[], None]


class GraphDecoding:
    """What `model(ids, cache=cache)` computes for one new token a row, without a gradient.

    `cache` is the whole cache. On a device without graphs the same steps run as they are, which only tests want: what
    fills them up is computed in vain.
    """

    def __init__(self, model: Transformer, cache: KVCache):
        self.model, self.cache = model, cache
        rows, device = len(cache.length_B), cache.length_B.device
        self.ids_B = torch.zeros(rows, dtype=torch.long, device=device)
        self.hidden_BC = torch.zeros(rows, model.config.hidden_size, dtype=cache.keys.dtype, device=device)
        self._replays: dict[tuple[int, int], Replay] = {}

    def __call__(self, ids_B: Tensor) -> Tensor:
        """Hidden states [B, C] after one more token of each of the cache's first rows."""
        count, length_B = len(ids_B), self.cache.length_B
        width = min(1 << (count - 1).bit_length(), len(length_B))
        room = self.cache.values.shape[3]
        seen = min(-(-(int(length_B[:count].max()) + 1) // POSITIONS) * POSITIONS, room)
        self.ids_B[:count] = ids_B
        length_B[count:width] = 0  # what is written into free rows is overwritten when they are taken
        key = width, seen
        if key not in self._replays:
            self._replays[key] = self._recorded(*key)
        self._replays[key]()
        length_B[:count] += 1
        return self.hidden_BC[:count].clone()

    def _recorded(self, width: int, seen: int) -> Replay:
        def step() -> None:
            self.hidden_BC[:width] = self._step(width, seen)

        if self.ids_B.device.type != "cuda":
            return step
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            step()  # libraries choose their algorithms and take their memory before the recording
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            step()
        return graph.replay

    def _step(self, width: int, seen: int) -> Tensor:
        """The decoder's pass over one token of the first rows [B, C], with nothing that depends on their lengths but
        the content of tensors; lengths are not counted up."""
        decoder, cache = self.model.model, self.cache.rows(0, width)
        x_BTC, position_BT = decoder.embed_tokens(self.ids_B[:width, None]), cache.length_B[:, None]
        config = self.model.config
        rotary = None if config.rope_theta is None else Rotary(config, position_BT, x_BTC.dtype)
        look = Look(position_BT, False, seen, so_far(position_BT, seen, x_BTC), rotary)
        for layer in decoder.layers:
            x_BTC = layer(x_BTC, look, cache)
        return decoder.norm(x_BTC)[:, 0]
