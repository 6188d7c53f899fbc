"""How sampling grows: ten times the prompts, and what it holds in memory under a given bound."""

from __future__ import annotations

import multiprocessing
import time
from pathlib import Path
from statistics import median

from autotroph.bench.case import Case, Work
from autotroph.bench.work import POLICY, TOKENIZER, fourteen_million, million, sampling, sequences
from autotroph.core.budget import Meter
from autotroph.core.protocols import SamplingParams
from autotroph.models.engine import Engine, compute_dtype
from autotroph.models.transformer import KVCache, Transformer

PROMPTS, TOKENS, TIMES = 256, 64, 10
BOUNDS = (64, 256)
"""MB."""

ROWS, LENGTH, ANSWER = 256, 200, 16
"""Prompts of a measurement of memory, their tokens and those of an answer: without a bound, 500 MB of cache."""


def run(n: int) -> list[Case]:
    few, many = (sampling(million(), sequences(k * PROMPTS, 16, 16), [TOKENS] * k * PROMPTS) for k in (1, TIMES))
    few(), many()
    ratios = [seconds(many) / seconds(few) for _ in range(n)]
    name = f"{PROMPTS} prompts -> {TIMES * PROMPTS}, {TOKENS} tokens each, 1M parameters"
    cases = [Case(name, "x the time", median(ratios), None, None, None, (min(ratios), max(ratios)), n)]
    for bound in BOUNDS:
        peaks = [in_fresh_process(bound) for _ in range(n)]
        for what, shares in zip(("caches", "all that sampling adds"), zip(*peaks, strict=True), strict=True):
            case = f"bound of {bound} MB, 14M parameters: {what}"
            cases.append(Case(case, "x the bound", median(shares), None, None, None, (min(shares), max(shares)), n))
    return cases


def seconds(work: Work) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def in_fresh_process(bound: int) -> tuple[float, float]:
    """`shares` where nothing that was freed before can be used again."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(shares, (bound,))


def shares(bound: int) -> tuple[float, float]:
    """Caches, and the peak of resident memory beyond what a first small sample has left, as shares of `bound` MB."""
    model = Counted(fourteen_million())
    params = SamplingParams(min_tokens=ANSWER, max_tokens=ANSWER)
    Engine(model, TOKENIZER, POLICY, Meter()).sample(sequences(2, 1, 1), params, range(2))
    prompts = sequences(ROWS, LENGTH, LENGTH)
    model.cached = 0
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = resident("VmRSS")
    Engine(model, TOKENIZER, POLICY, Meter(), bound << 20).sample(prompts, params, range(ROWS))
    return model.cached / (bound << 20), (resident("VmHWM") - before) / (bound << 20)


class Counted(Transformer):
    """A model that counts the bytes of its caches."""

    def __init__(self, model: Transformer):
        super().__init__(model.config)
        self.load_state_dict(model.state_dict(), strict=False)
        self.to(compute_dtype())
        self.cached = 0

    def cache(self, rows: int, positions: int, lanes: int = 1) -> KVCache:
        made = super().cache(rows, positions, lanes)
        self.cached += made.keys.nbytes + made.values.nbytes
        return made


def resident(kind: str) -> int:
    """Bytes of this process: "VmRSS" now, "VmHWM" at the peak."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition(f"{kind}:")[2].split()[0]) << 10
