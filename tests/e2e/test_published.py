"""Runs that begin with a published model: a small Qwen2 of `transformers` with a tokenizer and a chat template."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from autotroph.cli.main import invoke
from autotroph.models import checkpoint
from autotroph.state import State
from autotroph.store.artifacts import digest
from autotroph.store.run import Run

transformers = pytest.importorskip("transformers")

TEMPLATE = """{% for message in messages %}
{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' }}
{% endfor %}
{% if add_generation_prompt %}
<|im_start|>assistant
{% endif %}"""
SHAPE = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, backend = tmp_path_factory.mktemp("published"), Tokenizer(models.BPE())
    backend.pre_tokenizer, backend.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    backend.train_from_iterator(
        ["user assistant"] * 3, trainers.BpeTrainer(vocab_size=270, special_tokens=specials, initial_alphabet=alphabet)
    )
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=backend, chat_template=TEMPLATE, eos_token="<|im_end|>", pad_token="<|endoftext|>"
    )
    torch.manual_seed(0)
    shape = transformers.Qwen2Config(vocab_size=len(tokenizer), num_key_value_heads=1, **SHAPE)
    transformers.Qwen2ForCausalLM(shape).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def run(recipe: str, folder: Path, model: Path | str, **settings: Any) -> int:
    flags = {"task": "copy", "level": 3, "cycles": 1, "sealed": 60, "final_sealed": 60, "gap_tasks": 20, **settings}
    words = [word for name, value in flags.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    return invoke(["run", recipe, "--model", str(model), "--out", str(folder), "--json", *words])


def test_a_published_model_is_trained_promoted_and_read_by_transformers(
    published: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("rejection_sampling", tmp_path / "r", published, tasks=20, steps=150, batch=32, learner_average=0.1) == 0
    summary = json.loads(capsys.readouterr().out.splitlines()[-1])
    with Run.open(tmp_path / "r", write=False) as opened:
        state, first = State.restore(opened), opened.base_policy()
        folder = opened.policies.path(state.champion.uri)
        base, (model, tokenizer) = state.load(first)[0], state.load(state.champion)
    assert first.id == digest(published)
    assert torch.equal(base.lm_head.weight, checkpoint.load(published)[0].lm_head.weight)
    assert summary["champion"]["3"]["accuracy"] > summary["base"]["3"]["accuracy"] + 0.5
    theirs = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    assert theirs.config.model_type == "qwen2"
    said = [{"role": "user", "content": "copy: a"}]
    loaded = transformers.AutoTokenizer.from_pretrained(folder)
    ids = list(loaded.apply_chat_template(said, add_generation_prompt=True, return_dict=False))
    assert tokenizer.prompt("copy: a") == ids
    with torch.no_grad():
        ours = model.logits(model(torch.tensor([ids])))
        assert torch.allclose(ours, theirs(torch.tensor([ids])).logits, atol=1e-4)


def test_a_published_model_learns_with_adapters_that_go_on_from_cycle_to_cycle(published: Path, tmp_path: Path) -> None:
    pytest.importorskip("peft")
    settings = {"tasks": 10, "steps": 10, "batch": 16, "cycles": 2, "lora_rank": 4}
    assert run("rejection_sampling", tmp_path / "r", published, **settings) == 0
    with Run.open(tmp_path / "r", write=False) as opened:
        assert [cycle.decision.verdict for cycle in opened.record().cycles] == ["hold", "hold"]
        state = State.restore(opened)
        training, folder = state.training(state.trainee), opened.policies.path(state.trainee.uri)
    assert int(training["done"]) == 20
    first, last = checkpoint.load(published)[0], checkpoint.load(folder)[0]
    for name, weight in first.named_parameters():
        change = last.get_parameter(name) - weight
        if weight.dim() == 2 and ".layers." in name:
            assert 1 <= int(torch.linalg.matrix_rank(change, atol=1e-5)) <= 4
        else:
            assert not bool(change.any())


def changed(published: Path, folder: Path, without: str = "", **config: Any) -> Path:
    """A copy with another config.json, or without a file."""
    folder.mkdir()
    for path in published.iterdir():
        if path.name != without:
            (folder / path.name).write_bytes(path.read_bytes())
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | config))
    return folder


def test_models_that_cannot_be_begun_with_are_refused_in_one_line(
    published: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    constants = pytest.importorskip("huggingface_hub").constants
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    mistakes = {
        "no such folder; give a model folder or a hub id": "no/such/folder",
        "check the id and the connection": "org/name",
        "model_type 'gpt2' is none of llama, qwen2, qwen3": changed(published, tmp_path / "a", model_type="gpt2"),
        "tokenizer.json: no such file": changed(published, tmp_path / "b", without="tokenizer.json"),
        "no model.safetensors": changed(published, tmp_path / "c", without="model.safetensors"),
    }
    for number, (message, model) in enumerate(mistakes.items()):
        assert run("rejection_sampling", tmp_path / f"r{number}", model) == 2
        *_, said = capsys.readouterr().err.strip().splitlines()
        assert message in said
        assert said.startswith("error: ")


def test_one_published_model_is_one_member(published: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--model", str(published), "--taught", "1", "--target", "2", "--task", "copy", "--members", "2"]
    assert invoke(["run", "length_generalisation", *arguments, "--out", str(tmp_path / "r")]) == 2
    assert "holds 1 of 2 members; use --members 1" in capsys.readouterr().err
