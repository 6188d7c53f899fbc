"""A sampler that keeps what it has sampled: replayed exactly, cut without a difference, held to its caps."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from published import random_model

from autotroph.core.budget import Budget, Meter
from autotroph.core.errors import BudgetExceeded
from autotroph.core.policy import Policy
from autotroph.core.protocols import SamplingParams
from autotroph.core.trace import Completion
from autotroph.models.engine import Engine, compute_dtype
from autotroph.models.recorded import Recorded, fingerprint, packed, unpacked
from autotroph.models.tokenizer import TextTokenizer
from autotroph.models.transformer import ModelConfig
from autotroph.store.journal import Journal

TOKENIZER = TextTokenizer.characters("0123456789+=")
SHAPE = ModelConfig(
    vocab_size=len(TOKENIZER), hidden_size=32, intermediate_size=48, num_hidden_layers=2, head_dim=16
)  # fmt: skip
PARAMS = SamplingParams(max_tokens=9)
ROWS = 40


class Spied(Engine):
    """An engine that notes each row which it is asked for, and stops the process's work after so many calls."""

    def __init__(self, calls: float = float("inf")):
        super().__init__(
            random_model(SHAPE, 0).to(compute_dtype()), TOKENIZER, Policy("p", "weights", "nowhere"), Meter()
        )
        self.asked: list[int] = []
        self.calls = calls

    def sample(self, prompts: Sequence[Sequence[int]], params: SamplingParams, seeds: Sequence[int], *more: Any) -> Any:
        if self.calls == 0:
            raise KeyboardInterrupt
        self.calls -= 1
        self.asked += seeds
        return super().sample(prompts, params, seeds, *more)


def prompts() -> list[list[int]]:
    rng = random.Random(0)
    return [[rng.randrange(3, 14) for _ in range(rng.randrange(3, 12))] for _ in range(ROWS)]


def recorded(engine: Engine, folder: Path | None = None, **caps: float) -> Recorded:
    journal = None
    if folder is not None:
        journal = Journal(folder)
        journal.begin(0)
    return Recorded(engine, Meter(budget=Budget(**caps), journal=journal), "p 0", engine.flops_per_token)


@pytest.fixture(scope="module")
def whole() -> tuple[list[Completion], dict[str, float]]:
    """What the engine says by itself, and what it costs."""
    engine = Spied()
    return engine.sample(prompts(), PARAMS, range(ROWS)), engine.meter.counters()


def test_a_call_is_replayed_to_the_last_bit(whole: tuple[list[Completion], dict[str, float]], tmp_path: Path) -> None:
    first = recorded(Spied(), tmp_path)
    assert first.sample(prompts(), PARAMS, range(ROWS)) == whole[0]
    again = recorded(Spied(calls=0), tmp_path)
    assert again.sample(prompts(), PARAMS, range(ROWS)) == whole[0]
    assert again.meter.counters() == first.meter.counters() == whole[1]
    assert again.meter.snapshot()["lost"] == {}


@pytest.mark.parametrize("change", ["prompt", "seed", "temperature", "weights"])
def test_another_call_is_sampled_anew(change: str, tmp_path: Path) -> None:
    recorded(Spied(), tmp_path).sample(prompts(), PARAMS, range(ROWS))
    again, engine = recorded(Spied(), tmp_path), Spied()
    again = Recorded(engine, again.meter, "q 0" if change == "weights" else "p 0", 1)
    asked, seeds, params = prompts(), list(range(ROWS)), PARAMS
    if change == "prompt":
        asked[7][2] += 1
    elif change == "seed":
        seeds[7] = 1000
    elif change == "temperature":
        params = PARAMS.model_copy(update={"temperature": 0.9})
    again.sample(asked, params, seeds)
    assert engine.asked == seeds


def alike(found: list[Completion], wanted: list[Completion]) -> None:
    """The same tokens; their probabilities to rounding, which on some processors depends on the rows beside them."""
    for one, other in zip(found, wanted, strict=True):
        assert (one.ids, one.stop) == (other.ids, other.stop)
        assert one.logprobs == pytest.approx(other.logprobs, abs=1e-5)
        assert one.raw == pytest.approx(other.raw, abs=1e-5)
        assert (one.entropy, one.certainty) == pytest.approx((other.entropy, other.certainty), abs=1e-5)


def test_a_cap_cuts_calls_and_changes_no_row(whole: tuple[list[Completion], dict[str, float]], tmp_path: Path) -> None:
    """Sessions that end at a cap or are interrupted, each with a higher cap than the last: no row is sampled twice."""
    asked: list[int] = []
    for cap in (30, 60, 61, 140, 10_000):
        engine = Spied(calls=3 if cap == 140 else float("inf"))
        one = recorded(engine, tmp_path, tokens=cap)
        try:
            alike(one.sample(prompts(), PARAMS, range(ROWS)), whole[0])
        except (BudgetExceeded, KeyboardInterrupt):
            assert cap < 10_000
            assert cap == 140 or cap - PARAMS.max_tokens < one.meter.tokens <= cap
        assert one.meter.tokens <= cap
        asked += engine.asked
    assert asked == list(range(ROWS))
    assert one.meter.tokens == whole[1]["tokens"]
    assert one.meter.snapshot()["lost"] == {}


@pytest.mark.parametrize("name", ["flops", "seconds"])
def test_other_caps_hold_too(name: str, tmp_path: Path) -> None:
    engine = Spied()
    worst = engine.flops_per_token * (max(map(len, prompts())) + PARAMS.max_tokens)
    cap = {"flops": 12.5 * worst, "seconds": 0.5}[name]
    one = recorded(engine, tmp_path, **{name: cap})
    with pytest.raises(BudgetExceeded, match=name):
        one.sample(prompts() * 1000, PARAMS, range(1000 * ROWS))
    if name == "flops":
        assert cap - worst < one.meter.flops <= cap
    else:
        assert one.meter.snapshot()["seconds"] < cap + 1.0


def test_any_completion_is_kept_exactly() -> None:
    odd = [
        Completion((1, 2), (-0.1, float("-inf")), "stop", None, (), 0.0),
        Completion((), (), "error", 0.5, (), 1 / 3),
        Completion((7,), (-1e-300,), "length", 0.1 + 0.2, (-2.0,), -4.5),
    ]
    assert unpacked(packed(odd)) == odd
    assert unpacked(packed([])) == []


def test_a_single_rounding_changes_the_fingerprint() -> None:
    model = random_model(SHAPE, 0)
    before = fingerprint(model)
    assert fingerprint(random_model(SHAPE, 0)) == before
    with torch.no_grad():
        weight = model.lm_head.weight
        weight[3, 4] = torch.nextafter(weight[3, 4], torch.tensor(1e9))
    assert fingerprint(model) != before
