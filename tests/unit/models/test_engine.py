"""The sampler: right distribution, right log-probabilities, no dependence on neighbours."""

from collections import Counter

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from autotroph.core.budget import Meter
from autotroph.core.errors import AutotrophError
from autotroph.core.policy import Policy
from autotroph.core.protocols import SamplingParams, Signal
from autotroph.core.task import Task
from autotroph.core.trace import Trace
from autotroph.models.engine import Engine, gumbel, truncated
from autotroph.models.rollout import gold_trace, rollout
from autotroph.models.tokenizer import TextTokenizer
from autotroph.models.transformer import ModelConfig, Transformer
from autotroph.optimize.learner import Learner, LearnerConfig

TOKENIZER = TextTokenizer.characters("0123456789+=")
POLICY = Policy("test", "weights", "nowhere", depth=2)


def model(seed: int = 0) -> Transformer:
    shape = ModelConfig(vocab_size=len(TOKENIZER), hidden_size=32, intermediate_size=48, head_dim=8)
    transformer = Transformer(shape).initialise(seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in transformer.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.2)
    return transformer


def engine(seed: int = 0) -> Engine:
    return Engine(model(seed), TOKENIZER, POLICY, Meter())


def prompts(n: int) -> list[list[int]]:
    generator = torch.Generator().manual_seed(5)
    return [torch.randint(4, 16, (1 + i % 7,), generator=generator).tolist() for i in range(n)]


@pytest.mark.parametrize(
    "params", [SamplingParams(max_tokens=9), SamplingParams(temperature=0.6, top_k=5, max_tokens=9)]
)
def test_a_row_does_not_depend_on_its_neighbours(params: SamplingParams) -> None:
    together = engine().sample(prompts(40), params, range(40))
    for i in (0, 13, 39):
        alone = engine().sample([prompts(40)[i]], params, [i])[0]
        assert alone.ids == together[i].ids
        assert alone.logprobs == pytest.approx(together[i].logprobs, abs=1e-5)


def test_sampler_logprobs_equal_the_trainers() -> None:
    sampled = engine().sample(prompts(64), SamplingParams(max_tokens=20), range(64))
    transformer = model()
    worst = 0.0
    for prompt, done in zip(prompts(64), sampled, strict=True):
        ids = torch.tensor([[*prompt, *done.ids]])
        with torch.no_grad():
            logp = transformer.logits(transformer(ids[:, :-1])).log_softmax(-1)[0, len(prompt) - 1 :]
        mine = logp.gather(1, ids[0, len(prompt) :, None])[:, 0]
        worst = max(worst, float((mine - torch.tensor(done.logprobs)).abs().max()))
    assert worst < 1e-4


def test_sampler_and_learner_agree_on_policy() -> None:
    """The ratio that the learner sees on fresh samples is 1: its `kl` is zero to rounding."""
    task = Task.of("addition", "1+2=", "3")
    traces = rollout([task], engine(), SamplingParams(max_tokens=12), n=16, seed=3)[0].traces
    learner = Learner(model(), LearnerConfig(), Meter(), dtype=torch.float32)
    metrics = learner.step([Signal(trace, advantage=(-1.0) ** i) for i, trace in enumerate(traces)])
    assert abs(metrics["kl"]) < 1e-8


def test_gumbel_noise_draws_from_the_softmax() -> None:
    logits = torch.tensor([0.0, 1.0, 2.0, -1.0])
    seeds = torch.arange(40_000)
    drawn = (logits + gumbel(seeds, step=3, tokens=4)).argmax(1)
    expected = logits.softmax(0).numpy().astype(np.float64) * len(seeds)
    counts = np.bincount(drawn.numpy(), minlength=4)
    assert chisquare(counts, expected * counts.sum() / expected.sum()).pvalue > 1e-3


def test_noise_of_neighbouring_seeds_and_steps_is_uncorrelated() -> None:
    seeds = torch.arange(20_000)
    noise = [gumbel(seeds, step, 1)[:, 0] for step in (0, 1)]
    assert abs(np.corrcoef(noise[0], noise[1])[0, 1]) < 0.03
    assert abs(np.corrcoef(noise[0][:-1], noise[0][1:])[0, 1]) < 0.03


def test_truncation_by_hand() -> None:
    logits = torch.tensor([[0.5, 0.25, 0.15, 0.1]]).log()
    assert truncated(logits, SamplingParams(top_k=2)).exp()[0].tolist() == pytest.approx([2 / 3, 1 / 3, 0, 0])
    assert truncated(logits, SamplingParams(top_p=0.7)).exp()[0].tolist() == pytest.approx([2 / 3, 1 / 3, 0, 0])
    assert truncated(logits, SamplingParams(temperature=0)).exp()[0].tolist() == [1, 0, 0, 0]
    hot = truncated(logits, SamplingParams(temperature=0.5)).exp()[0].tolist()
    assert hot == pytest.approx([x * x / 0.345 for x in (0.5, 0.25, 0.15, 0.1)], rel=1e-4)


def test_cores_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    params, seeds = SamplingParams(max_tokens=6), range(1200)
    alone = engine().sample(prompts(1200), params, seeds)
    monkeypatch.setattr("autotroph.models.engine.workers_for", lambda model: 2)
    assert engine().sample(prompts(1200), params, seeds) == alone


def test_rows_end_at_the_stop_token_or_at_the_limit() -> None:
    done = engine().sample(prompts(200), SamplingParams(max_tokens=6), range(200))
    stops = Counter(completion.stop for completion in done)
    assert stops["stop"] > 5
    assert stops["length"] > 5
    for completion in done:
        inside, last = completion.ids[:-1], completion.ids[-1]
        assert TOKENIZER.eos_id not in inside
        assert (last == TOKENIZER.eos_id) == (completion.stop == "stop")
        assert len(completion.ids) == len(completion.logprobs) <= 6


def test_an_empty_prompt_is_opened_with_bos() -> None:
    first, second = engine().sample([[], [TOKENIZER.bos_id]], SamplingParams(temperature=0, max_tokens=4), [0, 1])
    assert first.ids == second.ids


def test_no_prompts_no_completions() -> None:
    assert engine().sample([], SamplingParams(), []) == []


def test_logits_that_are_not_finite_name_the_policy() -> None:
    broken = engine()
    with torch.no_grad():
        broken.model.lm_head.weight[3] = float("nan")
    with pytest.raises(AutotrophError, match="policy test"):
        broken.sample([[5]], SamplingParams(), [0])


def test_tokens_are_metered() -> None:
    counted = engine()
    done = counted.sample(prompts(10), SamplingParams(max_tokens=5), range(10))
    assert counted.meter.tokens == sum(len(completion.ids) for completion in done)
    assert counted.meter.flops > 0


def test_rollout_traces_are_whole_and_one_generation_deeper() -> None:
    tasks = [Task.of("addition", prompt, "5") for prompt in ("2+3=", "1+4=")]
    groups = rollout(tasks, engine(), SamplingParams(max_tokens=5), n=3, seed=1)
    assert [group.task for group in groups] == tasks
    for group in groups:
        assert len({trace.ids for trace in group.traces}) > 1
        for trace in group.traces:
            assert TOKENIZER.decode(trace.ids[: trace.sampled.index(True)]) == group.task.prompt
            assert len(trace.ids) == len(trace.sampled) == len(trace.logprobs)
            assert trace.depth == POLICY.depth + 1
            assert trace.reward is None


def test_gold_traces_mark_the_answer() -> None:
    trace: Trace = gold_trace(Task.of("addition", "2+3=", "5"), TOKENIZER)
    learnt = [token for token, sampled in zip(trace.ids, trace.sampled, strict=True) if sampled]
    assert learnt == [*TOKENIZER.encode("5"), TOKENIZER.eos_id]
    assert trace.depth == 0
    with pytest.raises(ValueError, match="no gold answer"):
        gold_trace(Task.of("addition", "2+3=", None), TOKENIZER)
