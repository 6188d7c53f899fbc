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
        name = f"--memory of {bound} MB, 14M parameters: all that sampling adds"
        cases.append(Case(name, "x the bound", median(peaks), None, None, None, (min(peaks), max(peaks)), n))
    return cases


def seconds(work: Work) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def in_fresh_process(bound: int) -> float:
    """`share` where nothing that was freed before can be used again."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(share, (bound,))


def share(bound: int) -> float:
    """The peak of resident memory beyond what a first small sample has left, as a share of `bound` MB: caches, and what
    prompts on their way through the model and the results take beside them."""
    model = fourteen_million().to(compute_dtype())
    params = SamplingParams(min_tokens=ANSWER, max_tokens=ANSWER)
    Engine(model, TOKENIZER, POLICY, Meter()).sample(sequences(2, 1, 1), params, range(2))
    prompts = sequences(ROWS, LENGTH, LENGTH)
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = resident("VmRSS")
    Engine(model, TOKENIZER, POLICY, Meter(), bound << 20).sample(prompts, params, range(ROWS))
    return (resident("VmHWM") - before) / (bound << 20)


def resident(kind: str) -> int:
    """Bytes of this process: "VmRSS" now, "VmHWM" at the peak."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition(f"{kind}:")[2].split()[0]) << 10
