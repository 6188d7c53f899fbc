"""The machine's own limits, and what share of them sampling and training reach, all in one run."""

from __future__ import annotations

import torch

from autotroph.bench.case import Case, Work, measured
from autotroph.bench.train import training
from autotroph.bench.work import fourteen_million, million, sampling, sequences
from autotroph.models.engine import compute_dtype

MODELS = {"1M": million, "14M": fourteen_million}
PROMPTS, TOKENS, ROWS = 1024, 64, 512


def run(n: int) -> list[Case]:
    """Arithmetic is counted as 2 FLOPs a parameter and token, 6 in training, without attention and the optimiser."""
    dtype = compute_dtype()
    cases = [
        measured(
            f"matrix products of 2048 x 2048, {str(dtype).removeprefix('torch.')}", "GFLOP/s", products(dtype), n=n
        ),
        measured("reading 256 MB of memory", "GB/s", reading(), n=n),
    ]
    peak = cases[0].ours
    for name, make in MODELS.items():
        size = make().size
        decoding = sampling(make(), sequences(PROMPTS, 1, 1), [TOKENS] * PROMPTS)
        for what, flops, work in (
            ("decode", 2 * size, decoding),
            ("train", 6 * size, training(make(), sequences(ROWS, 10, 100), ROWS)),
        ):
            rate = measured(f"{what} {name}: arithmetic", "GFLOP/s", scaled(work, flops / 1e9), n=n)
            share = Case(f"{what} {name}: share of the matrix peak", "", rate.ours / peak, None, None, None, None, n)
            cases += [rate, share]
    return cases


def products(dtype: torch.dtype) -> Work:
    left, right = (torch.randn(2048, 2048).to(dtype) for _ in range(2))

    def work() -> float:
        for _ in range(10):
            left @ right
        return 10 * 2 * 2048**3 / 1e9

    return work


def reading() -> Work:
    numbers = torch.ones(1 << 26)

    def work() -> float:
        numbers.sum()
        return numbers.nbytes / 1e9

    return work


def scaled(work: Work, factor: float) -> Work:
    return lambda: work() * factor
