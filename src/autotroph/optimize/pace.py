"""How fast this machine samples and trains a model of some shape: tried out on a fresh one, in about a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from autotroph.core.budget import Meter
from autotroph.core.policy import Policy
from autotroph.core.protocols import SamplingParams, Signal
from autotroph.core.trace import Trace
from autotroph.models.engine import Engine, compute_dtype
from autotroph.models.tokenizer import TextTokenizer
from autotroph.models.transformer import ModelConfig, Transformer
from autotroph.optimize.learner import Learner, LearnerConfig

ROWS, TOKENS = 64, 16


def pace(
    shape: ModelConfig, tokenizer: TextTokenizer, config: LearnerConfig, traces: Sequence[Trace]
) -> tuple[float, float]:
    """Operations a second of sampling answers to the prompts of gold traces, and of learning from these."""
    model, meter = Transformer(shape).initialise(0), Meter()
    learner = Learner(model, config, meter)
    signals = [Signal(traces[i % len(traces)], likelihood=1.0) for i in range(2 * ROWS)]
    engine = Engine(learner.model.to(compute_dtype()), tokenizer, Policy("pace", "weights", ""), meter)
    prompts = [list(signal.trace.ids[: signal.trace.sampled.index(True)]) for signal in signals[:ROWS]]
    params = SamplingParams(max_tokens=TOKENS, min_tokens=TOKENS)
    return (
        _rate(meter, lambda: engine.sample(prompts, params, range(ROWS))),
        _rate(meter, lambda: learner.step(signals)),
    )


def _rate(meter: Meter, work: Callable[[], object]) -> float:
    work()  # what is compiled or allocated on first use is no part of it
    begun, before = time.monotonic(), meter.flops
    work()
    return (meter.flops - before) / (time.monotonic() - begun)
