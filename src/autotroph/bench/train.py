"""Training: tokens a second of our learner and of a plain loop over `transformers`, same shape, rows and batch."""

from __future__ import annotations

import random

import torch

from autotroph.bench.case import Case, Work, measured
from autotroph.bench.rollouts import million
from autotroph.core.budget import Meter
from autotroph.core.protocols import Signal
from autotroph.core.trace import Trace
from autotroph.models.checkpoint import to_transformers
from autotroph.models.engine import compute_dtype
from autotroph.models.tokenizer import TextTokenizer
from autotroph.models.transformer import Transformer
from autotroph.optimize.learner import Learner, LearnerConfig

ROWS, STEPS, SHORTEST, LONGEST = 128, 5, 10, 100


def run(n: int) -> list[Case]:
    tokenizer, rng = TextTokenizer.characters("0123456789+="), random.Random(0)
    rows = [
        [rng.randrange(3, len(tokenizer)) for _ in range(rng.randint(SHORTEST, LONGEST))] for _ in range(ROWS * STEPS)
    ]
    name = f"{STEPS} steps of {ROWS} rows of {SHORTEST}-{LONGEST} tokens, 1M parameters"
    ours, peer = _ours(tokenizer, rows), _peer(tokenizer, rows)
    return [measured(name, "tokens/s", ours, peer, "a plain loop over transformers, AdamW, padded batches", n)]


def batches(rows: list[list[int]]) -> list[list[list[int]]]:
    return [rows[start : start + ROWS] for start in range(0, len(rows), ROWS)]


def _ours(tokenizer: TextTokenizer, rows: list[list[int]]) -> Work:
    learner = Learner(Transformer(million(len(tokenizer))).initialise(0), LearnerConfig(), Meter())
    signals = [[_signal(row) for row in batch] for batch in batches(rows)]

    def work() -> float:
        for batch in signals:
            learner.step(batch)
        return float(sum(map(len, rows)))

    return work


def _signal(row: list[int]) -> Signal:
    trace = Trace("bench", "none", tuple(row), (False,) + (True,) * (len(row) - 1), (0.0,) * len(row), "", "given")
    return Signal(trace, likelihood=1.0)


def _peer(tokenizer: TextTokenizer, rows: list[list[int]]) -> Work | None:
    """What a user would write: padded batches, bf16 autocast, AdamW; None where transformers is not installed."""
    try:
        from transformers import AutoConfig, AutoModelForCausalLM
    except ImportError:
        return None
    shape = to_transformers(million(len(tokenizer)), tokenizer)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(**shape)).float().train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)

    def work() -> float:
        for batch in batches(rows):
            longest = max(map(len, batch))
            ids = torch.tensor([row + [tokenizer.pad_id] * (longest - len(row)) for row in batch])
            mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in batch])
            with torch.autocast("cpu", compute_dtype()):
                loss = model(ids, attention_mask=mask, labels=ids.masked_fill(mask == 0, -100)).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
        return float(sum(map(len, rows)))

    return work
