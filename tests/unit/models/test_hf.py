"""Models of other families: the same draws, ends and log-probabilities as the engine's."""

import sys

import pytest
import torch
from published import QWEN, TEXTS

from autotroph.core.budget import Meter
from autotroph.core.errors import AutotrophError
from autotroph.core.policy import Policy
from autotroph.core.protocols import SamplingParams
from autotroph.core.task import Task
from autotroph.models import hf, hub
from autotroph.models.engine import Engine
from autotroph.models.rollout import rollout

transformers = pytest.importorskip("transformers")

GPT2 = {"n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 128}
POLICY = Policy("test", "weights", "nowhere")


@pytest.fixture
def sampler(publish, tmp_path) -> hf.HFSampler:
    publish("GPT2", QWEN, **GPT2)
    return hf.HFSampler(*hf.load(tmp_path), POLICY, Meter())


def prompts(sampler: hf.HFSampler) -> list[list[int]]:
    texts = [*TEXTS, *(text[:length] for text in TEXTS for length in (3, 7, 11)), ""]
    return [sampler.tokenizer.prompt(text) for text in texts]


def test_greedy_answers_equal_generate(sampler) -> None:
    done = sampler.sample(prompts(sampler), SamplingParams(temperature=0, max_tokens=20), range(13))
    for prompt, mine in zip(prompts(sampler), done, strict=True):
        ids = torch.tensor([prompt])
        theirs = sampler.model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=20)
        assert list(mine.ids) == theirs[0, len(prompt) :].tolist()
        assert mine.logprobs == (0.0,) * len(mine.ids)


@pytest.mark.parametrize("params", [SamplingParams(max_tokens=12), SamplingParams(temperature=0.7, top_k=9)])
def test_logprobs_and_entropy_are_those_of_one_whole_pass(params: SamplingParams, sampler) -> None:
    done = sampler.sample(prompts(sampler), params, range(13))
    for prompt, mine in zip(prompts(sampler), done, strict=True):
        with torch.no_grad():
            logits = sampler.model(torch.tensor([[*prompt, *mine.ids[:-1]]])).logits[0, len(prompt) - 1 :]
        raw, chosen = logits.log_softmax(1), torch.tensor(mine.ids)[:, None]
        assert mine.raw == pytest.approx(raw.gather(1, chosen)[:, 0].tolist(), abs=1e-4)
        assert mine.entropy == pytest.approx(float(-(raw.exp() * raw).sum(1).mean()), abs=1e-4)
        if params.top_k:
            logits = logits / params.temperature
            logits[logits < logits.topk(params.top_k, dim=1).values[:, -1:]] = float("-inf")
        drawn = logits.log_softmax(1).gather(1, chosen)[:, 0]
        assert mine.logprobs == pytest.approx(drawn.tolist(), abs=1e-4)


def test_a_row_does_not_depend_on_its_neighbours(sampler) -> None:
    rows = [prompt for prompt in prompts(sampler) for _ in range(4)]
    together = sampler.sample(rows, SamplingParams(max_tokens=16), range(len(rows)))
    sampler.rows = 3
    apart = sampler.sample(rows, SamplingParams(max_tokens=16), range(len(rows)))
    alone = sampler.sample([rows[17]], SamplingParams(max_tokens=16), [17])
    assert [one.ids for one in together] == [one.ids for one in apart]
    assert alone[0].ids == together[17].ids
    assert len({one.ids for one in together[:4]}) > 1


def test_the_same_model_draws_the_same_tokens_here_and_in_the_engine(publish, tmp_path) -> None:
    shape = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
    publish("Qwen2", QWEN, **shape, num_key_value_heads=1)
    engine = Engine(*hub.load(tmp_path), POLICY, Meter())
    other = hf.HFSampler(*hf.load(tmp_path), POLICY, Meter())
    tasks = [Task.of("t", text, "x") for text in TEXTS]
    params = SamplingParams(max_tokens=24, temperature=0.9)
    for mine, theirs in zip(*(rollout(tasks, one, params, n=6, seed=1) for one in (engine, other)), strict=True):
        for a, b in zip(mine.traces, theirs.traces, strict=True):
            assert (a.ids, a.sampled, a.text, a.stop) == (b.ids, b.sampled, b.text, b.stop)
            assert a.logprobs == pytest.approx(b.logprobs, abs=1e-4)
            assert a.entropy == pytest.approx(b.entropy, abs=1e-4)
    assert engine.meter.tokens == other.meter.tokens


def test_ends_limits_and_the_meter(sampler) -> None:
    rows = prompts(sampler) * 20
    done = sampler.sample(rows, SamplingParams(max_tokens=40, min_tokens=2, temperature=2.0), range(len(rows)))
    assert {one.stop for one in done} == {"stop", "length"}
    for one in done:
        assert not set(one.ids[:-1]) & set(sampler.tokenizer.stop_ids)
        assert (one.ids[-1] in sampler.tokenizer.stop_ids) == (one.stop == "stop")
        assert 2 < len(one.ids) <= 40
    assert sampler.meter.tokens == sum(len(one.ids) for one in done)
    assert sampler.meter.flops > 0
    assert sampler.sample([], SamplingParams(), []) == []


def test_logits_that_are_not_finite_name_the_policy(sampler) -> None:
    with torch.no_grad():
        sampler.model.transformer.wte.weight[3] = float("nan")
    with pytest.raises(AutotrophError, match="policy test"):
        sampler.sample([[5]], SamplingParams(), [0])


SMALL = {"hidden_size": 32, "intermediate_size": 48, "num_attention_heads": 2, "num_key_value_heads": 1}
SCALED = {"rope_type": "linear", "rope_theta": 1e4, "factor": 8.0}
OTHERS = {
    "Mistral": SMALL | {"num_hidden_layers": 2, "sliding_window": 6},
    "Llama": SMALL | {"num_hidden_layers": 2, "rope_parameters": SCALED},
    "Bloom": {"hidden_size": 32, "n_layer": 2, "n_head": 2},
}


@pytest.mark.parametrize("family", OTHERS)
def test_windows_scaled_positions_and_biases_of_distance(family: str, publish, tmp_path) -> None:
    """Families that our own transformer refuses; rows go beyond the window and the original length."""
    publish(family, QWEN, **OTHERS[family])
    with pytest.raises(AutotrophError):
        hub.load(tmp_path)
    sampler = hf.HFSampler(*hf.load(tmp_path), POLICY, Meter())
    test_greedy_answers_equal_generate(sampler)
    test_logprobs_and_entropy_are_those_of_one_whole_pass(SamplingParams(max_tokens=20), sampler)


@pytest.mark.parametrize("family", ["Mamba", "FalconH1", "Lfm2"])
def test_recurrent_layers_are_refused(family: str, sampler) -> None:
    shape = {"Mamba": {"hidden_size": 16, "state_size": 4}, "Lfm2": SMALL | {"full_attn_idxs": [1]}}.get(family, SMALL)
    config = getattr(transformers, f"{family}Config")(vocab_size=320, num_hidden_layers=2, **shape)
    model = getattr(transformers, f"{family}ForCausalLM")(config)
    with pytest.raises(AutotrophError, match=f"{family}ForCausalLM: keeps more than keys and values"):
        hf.HFSampler(model, sampler.tokenizer, POLICY, Meter()).sample([[5]], SamplingParams(), [0])


def test_what_cannot_be_loaded_says_why_in_one_line(tmp_path, monkeypatch) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "no-such-family"}')
    with pytest.raises(AutotrophError, match="transformers cannot load it") as caught:
        hf.load(tmp_path)
    assert "\n" not in str(caught.value)
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(AutotrophError, match=r"pip install 'autotroph\[hf\]'"):
        hf.load(tmp_path)
