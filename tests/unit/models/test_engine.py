"""The sampler: right distribution, right log-probabilities, no dependence on neighbours."""

import random
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from published import random_model
from scipy.stats import chisquare

from autotroph.core.budget import Meter
from autotroph.core.errors import AutotrophError
from autotroph.core.policy import Policy
from autotroph.core.protocols import SamplingParams, Signal
from autotroph.core.task import Task
from autotroph.core.trace import Trace
from autotroph.models.engine import Engine
from autotroph.models.fused import Slots
from autotroph.models.native import kernels
from autotroph.models.rollout import gold_trace, rollout
from autotroph.models.sampling import draw, log_distribution, uniform
from autotroph.models.tokenizer import TextTokenizer
from autotroph.models.transformer import KVCache, ModelConfig, Transformer
from autotroph.optimize.learner import Learner, LearnerConfig

TOKENIZER = TextTokenizer.characters("0123456789+=")
POLICY = Policy("test", "weights", "nowhere", depth=2)


def model(seed: int = 0, width: int = 32) -> Transformer:
    shape = ModelConfig(
        vocab_size=len(TOKENIZER),
        hidden_size=width,
        intermediate_size=48,
        num_hidden_layers=width // 16,
        head_dim=16,
    )
    return random_model(shape, seed)


TINY = model(width=16)


@pytest.fixture(autouse=True, params=["kernels", "torch alone"])
def decoding(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Every test runs both ways of decoding. Fails, rather than skips, where there is no C compiler."""
    if request.param == "kernels":
        assert kernels(torch.float32) is not None
    else:
        for module in ("fused", "sampling"):
            monkeypatch.setattr(f"autotroph.models.{module}.kernels", lambda dtype: None)
    return str(request.param)


def row_bytes(model: Transformer, prompt: int, tokens: int) -> int:
    """The most that a row of so many tokens takes, whichever way it is sampled."""
    return Slots.bytes_for(model, prompt) + Slots.bytes_for(model, tokens)


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


def test_draws_follow_the_distribution() -> None:
    logp = torch.tensor([[0.0, 1.0, float("-inf"), 2.0, -1.0, float("-inf")]]).log_softmax(1)
    seeds = torch.arange(40_000)
    drawn = draw(logp.expand(len(seeds), -1), uniform(seeds, torch.full_like(seeds, 3)))
    counts = np.bincount(drawn.numpy(), minlength=6)
    expected = logp[0].exp().numpy().astype(np.float64) * len(seeds)
    assert counts[2] == counts[5] == 0
    possible = expected > 0
    assert chisquare(counts[possible], expected[possible] * counts.sum() / expected.sum()).pvalue > 1e-3


def test_the_ends_of_the_unit_interval_are_possible_tokens() -> None:
    logp = torch.tensor([[float("-inf"), 0.5, 0.5, float("-inf")]]).log_softmax(1).expand(2, -1)
    assert draw(logp, torch.tensor([0.5 / (1 << 24), 1 - 0.5 / (1 << 24)])).tolist() == [1, 2]


def test_numbers_of_neighbouring_seeds_and_steps_are_uncorrelated() -> None:
    seeds = torch.arange(20_000)
    first, second = (uniform(seeds, torch.full_like(seeds, step)) for step in (0, 1))
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.03
    assert abs(np.corrcoef(first[:-1], first[1:])[0, 1]) < 0.03


def test_truncation_by_hand() -> None:
    logits = torch.tensor([[0.5, 0.25, 0.15, 0.1]]).log()
    assert log_distribution(logits, SamplingParams(top_k=2)).exp()[0].tolist() == pytest.approx([2 / 3, 1 / 3, 0, 0])
    assert log_distribution(logits, SamplingParams(top_p=0.7)).exp()[0].tolist() == pytest.approx([2 / 3, 1 / 3, 0, 0])
    assert log_distribution(logits, SamplingParams(min_p=0.5)).exp()[0].tolist() == pytest.approx([2 / 3, 1 / 3, 0, 0])
    assert log_distribution(logits, SamplingParams(temperature=0)).exp()[0].tolist() == [1, 0, 0, 0]
    hot = log_distribution(logits, SamplingParams(temperature=0.5)).exp()[0].tolist()
    assert hot == pytest.approx([x * x / 0.345 for x in (0.5, 0.25, 0.15, 0.1)], rel=1e-4)


def test_cores_change_nothing() -> None:
    params, seeds, before = SamplingParams(max_tokens=6), range(1200), torch.get_num_threads()
    done = []
    for cores in (1, 2):
        torch.set_num_threads(cores)
        done.append(engine().sample(prompts(1200), params, seeds))
    torch.set_num_threads(before)
    for mine, other in zip(*done, strict=True):
        assert mine.ids == other.ids
        assert mine.logprobs == pytest.approx(other.logprobs, abs=1e-5)


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


def test_a_small_cache_makes_rows_wait_and_changes_nothing() -> None:
    params = SamplingParams(max_tokens=8)
    wanted = [prompts(60)[i // 3] for i in range(60)]
    plenty = engine().sample(wanted, params, range(60))
    tight = Engine(model(), TOKENIZER, POLICY, Meter(), memory=4 * row_bytes(model(), 7, 8))
    for mine, other in zip(tight.sample(wanted, params, range(60)), plenty, strict=True):
        assert mine.ids == other.ids
        assert mine.logprobs == pytest.approx(other.logprobs, abs=1e-5)


def test_a_cache_without_room_for_one_row_is_refused() -> None:
    with pytest.raises(AutotrophError, match="give more memory"):
        Engine(model(), TOKENIZER, POLICY, Meter(), memory=100).sample([[5]], SamplingParams(), [0])


@pytest.mark.parametrize("samples", [1, 12])
def test_the_cache_keeps_to_its_bound(samples: int, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    def counted(kind: type) -> None:
        allocate = kind.__init__

        def counting(self: KVCache | Slots, *shape: object) -> None:
            allocate(self, *shape)
            made.append(self.keys.nbytes + self.values.nbytes)

        monkeypatch.setattr(kind, "__init__", counting)

    counted(KVCache)
    counted(Slots)
    bound = 400_000
    Engine(model(), TOKENIZER, POLICY, Meter(), memory=bound).sample(
        [prompt for prompt in prompts(300) for _ in range(samples)], SamplingParams(max_tokens=30), range(300 * samples)
    )
    assert 0.5 * bound < sum(made) <= bound


def test_a_stop_token_ends_a_row_and_is_kept() -> None:
    whole = engine().sample(prompts(50), SamplingParams(max_tokens=12), range(50))
    stop = Counter(token for done in whole for token in done.ids).most_common(1)[0][0]
    cut = engine().sample(prompts(50), SamplingParams(max_tokens=12, stop=(stop,)), range(50))
    for full, short in zip(whole, cut, strict=True):
        length = full.ids.index(stop) + 1 if stop in full.ids else len(full.ids)
        assert short.ids == full.ids[:length]
        assert short.stop == ("stop" if stop in full.ids else full.stop)


def test_rows_end_neither_before_the_minimum_nor_after_their_own_limit() -> None:
    limits = [1 + i % 9 for i in range(100)]
    done = engine().sample(prompts(100), SamplingParams(min_tokens=5, max_tokens=9), range(100), limits)
    for completion, limit in zip(done, limits, strict=True):
        assert min(5, limit) <= len(completion.ids) <= limit
        assert completion.stop == ("stop" if completion.ids[-1] == TOKENIZER.eos_id else "length")
    assert any(5 <= len(completion.ids) < limit for completion, limit in zip(done, limits, strict=True))


def test_raw_log_probabilities_and_statistics_are_those_of_the_model() -> None:
    transformer, params = model(), SamplingParams(temperature=0.5, top_k=3, max_tokens=10)
    for prompt, done in zip(prompts(8), engine().sample(prompts(8), params, range(8)), strict=True):
        ids = torch.tensor([[*prompt, *done.ids]])
        with torch.no_grad():
            logits = transformer.logits(transformer(ids[:, :-1]))[0, len(prompt) - 1 :]
        logp, chosen = logits.log_softmax(-1), ids[0, len(prompt) :, None]
        mine, drawn = logp.gather(1, chosen)[:, 0], log_distribution(logits, params).gather(1, chosen)[:, 0]
        assert done.logprobs == pytest.approx(drawn.tolist(), abs=1e-4)
        assert done.raw == pytest.approx(mine.tolist(), abs=1e-4)
        assert done.entropy == pytest.approx(float(-(logp.exp() * logp).sum(1).mean()), abs=1e-4)
        vocabulary = logp.shape[1]
        assert done.certainty == pytest.approx(float((-logp.mean(1) - np.log(vocabulary)).mean()), abs=1e-4)


def test_a_row_may_stop_at_its_very_last_token_and_not_before_its_first() -> None:
    """Limits that are each row's own length, one less, and the least: only where the end is inside, it is a stop."""
    params, whole = (
        SamplingParams(max_tokens=12),
        engine().sample(prompts(60), SamplingParams(max_tokens=12), range(60)),
    )
    exact = [len(done.ids) for done in whole]
    same = engine().sample(prompts(60), params, range(60), exact)
    assert [(done.ids, done.stop) for done in same] == [(done.ids, done.stop) for done in whole]
    assert any(done.stop == "stop" and 1 < limit < 12 for done, limit in zip(same, exact, strict=True))
    short = engine().sample(prompts(60), params, range(60), [max(1, limit - 1) for limit in exact])
    for done, full in zip(short, whole, strict=True):
        assert done.ids == full.ids[: max(1, len(full.ids) - 1)]
        assert done.stop == ("stop" if len(full.ids) == 1 and full.stop == "stop" else "length")
    held = engine().sample(prompts(60), SamplingParams(min_tokens=6, max_tokens=6), range(60))
    assert {(len(done.ids), done.ids.count(TOKENIZER.eos_id)) for done in held} == {(6, 0)}


def test_rows_that_never_stop_end_at_the_limit_and_let_waiting_ones_in() -> None:
    """Greedy rows that go round in circles, beside others that end, with room for three at a time."""
    endless = engine().sample(prompts(60), SamplingParams(temperature=0, max_tokens=60), range(60))
    said = Counter(token for done in endless for token in set(done.ids[3:]))
    stop = min(said, key=lambda token: abs(said[token] - 30))
    params = SamplingParams(temperature=0, max_tokens=100, stop=(stop,))
    memory = 3 * row_bytes(model(), 7, 100)
    done = Engine(model(), TOKENIZER, POLICY, Meter(), memory).sample(prompts(60), params, range(60))
    ends = {stop, TOKENIZER.eos_id}
    for one in done:
        assert not ends & set(one.ids[:-1])
        assert (one.stop == "stop") == (one.ids[-1] in ends)
        assert one.stop == "stop" or len(one.ids) == 100
    assert min(Counter(one.stop for one in done).values()) > 5
    assert len(Counter(one.stop for one in done)) == 2


REQUESTS = st.lists(
    st.tuples(st.lists(st.integers(4, 15), max_size=36).map(tuple), st.integers(0, 2**62), st.integers(1, 5)),
    min_size=1,
    max_size=8,
)

EXAMPLES = {"kernels": 900, "torch alone": 100}
"""A thousand together, most of them where they are quick."""


def test_any_mix_of_requests_gives_each_row_what_it_gets_alone(decoding: str) -> None:
    """Whatever comes beside it, in whatever order, with however much cache, on one core or two."""
    before = torch.get_num_threads()
    thorough = settings(deadline=None, max_examples=EXAMPLES[decoding], database=None)
    try:
        thorough(MIXES(mixed))()
    finally:
        torch.set_num_threads(before)


MIXES = given(
    REQUESTS, st.integers(1, 8), st.sampled_from([0.0, 1.0]), st.integers(1, 5), st.integers(1, 2), st.randoms()
)


def mixed(
    requests: list[tuple[tuple[int, ...], int, int]],
    tokens: int,
    temperature: float,
    slots: int,
    cores: int,
    shuffler: random.Random,
) -> None:
    rows = [(prompt, seed + i) for prompt, seed, samples in requests for i in range(samples)]
    shuffler.shuffle(rows)
    params = SamplingParams(temperature=temperature, max_tokens=tokens)
    longest = max(max(len(prompt), 1) for prompt, _ in rows)
    memory = cores * slots * row_bytes(TINY, longest, tokens)
    torch.set_num_threads(cores)
    done = Engine(TINY, TOKENIZER, POLICY, Meter(), memory).sample(
        [prompt for prompt, _ in rows], params, [seed for _, seed in rows]
    )
    assert all(1 <= len(one.ids) <= tokens for one in done)
    i = shuffler.randrange(len(rows))
    torch.set_num_threads(1)
    alone = Engine(TINY, TOKENIZER, POLICY, Meter()).sample([rows[i][0]], params, [rows[i][1]])[0]
    assert alone.ids == done[i].ids
    assert alone.logprobs == pytest.approx(done[i].logprobs, abs=1e-5)
