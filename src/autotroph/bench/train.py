"""Supervised training: tokens a second of our learner and of TRL's SFTTrainer, same shape and rows."""

from __future__ import annotations

from collections.abc import Sequence

from autotroph.bench import peers
from autotroph.bench.case import Case, Work, measured
from autotroph.bench.work import TOKENIZER, million, sequences
from autotroph.core.budget import Meter
from autotroph.core.protocols import Signal
from autotroph.core.trace import Trace
from autotroph.models.transformer import Transformer
from autotroph.optimize.learner import Learner, LearnerConfig

BATCH, BATCHES = 128, 2


def run(n: int) -> list[Case]:
    rows, model = sequences(BATCHES * BATCH, 10, 100), million()
    name = f"{len(rows)} rows of 10-100 tokens, {BATCH} a step, 1M parameters"
    with peers.saved(model, TOKENIZER) as folder:
        return [measured(name, "tokens/s", training(model, rows), peers.sft(folder, rows), "TRL SFTTrainer", n)]


def training(model: Transformer, rows: Sequence[Sequence[int]], batch: int = BATCH) -> Work:
    """Our learner, one pass over the rows, so many a step."""
    learner = Learner(model, LearnerConfig(), Meter())
    signals = [_signal(row) for row in rows]

    def work() -> float:
        for start in range(0, len(signals), batch):
            learner.step(signals[start : start + batch])
        return float(sum(map(len, rows)))

    return work


def _signal(row: Sequence[int]) -> Signal:
    """All tokens but the first one count."""
    trace = Trace("bench", "none", tuple(row), (False,) + (True,) * (len(row) - 1), (0.0,) * len(row), "", "given")
    return Signal(trace, likelihood=1.0)
