"""Published checkpoints compute here what they compute in `transformers`, from a folder and from a hub."""

import hashlib
import json
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from published import LLAMA, QWEN, TEXTS

from autotroph.core.budget import Meter
from autotroph.core.errors import AutotrophError
from autotroph.core.policy import Policy
from autotroph.core.protocols import SamplingParams
from autotroph.core.task import Task
from autotroph.models import checkpoint, hub
from autotroph.models.engine import Engine
from autotroph.models.rollout import rollout
from autotroph.models.tokenizer import TextTokenizer
from autotroph.state import State
from autotroph.store.artifacts import digest
from autotroph.store.run import Run
from autotroph.tasks.registry import task_family

SHAPE = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "max_position_embeddings": 256,
}
SCALED = {
    "rope_type": "llama3",
    "rope_theta": 1e4,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
"""Of the eight frequencies of a head, with the lengths below, some stay, some are divided and some lie between."""

FAMILIES = {
    "llama": ("Llama", LLAMA, {"rope_theta": 5e5}),
    "llama tied": ("Llama", LLAMA, {"tie_word_embeddings": True}),
    "llama 3.1": ("Llama", LLAMA, {"rope_parameters": SCALED}),
    "qwen2": ("Qwen2", QWEN, {}),
    "qwen2 tied": ("Qwen2", QWEN, {"tie_word_embeddings": True}),
    "qwen3": ("Qwen3", QWEN, {"head_dim": 32}),
    "qwen3 tied": ("Qwen3", QWEN, {"head_dim": 16, "tie_word_embeddings": True}),
}
POLICY = Policy("test", "weights", "nowhere")


@pytest.mark.parametrize("name", FAMILIES)
def test_logits_and_greedy_answers_equal_transformers(name: str, publish, tmp_path) -> None:
    family, specials, config = FAMILIES[name]
    theirs = publish(family, specials, **SHAPE, **config)
    assert len(list(tmp_path.glob("model-*.safetensors"))) > 1
    model, tokenizer = hub.load(tmp_path)
    prompts = [tokenizer.prompt(text) for text in TEXTS]
    done = Engine(model, tokenizer, POLICY, Meter()).sample(
        prompts, SamplingParams(temperature=0, max_tokens=30), range(len(prompts))
    )
    for prompt, mine in zip(prompts, done, strict=True):
        ids = torch.tensor([prompt])
        with torch.no_grad():
            assert torch.allclose(model.logits(model(ids)), theirs(ids).logits, atol=1e-4)
            answer = theirs.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=30)
        assert list(mine.ids) == answer[0, len(prompt) :].tolist()


@pytest.mark.parametrize("name", ["llama", "qwen2"])
def test_prompts_are_those_of_their_tokenizer(name: str, publish, tmp_path) -> None:
    transformers = pytest.importorskip("transformers")
    family, specials, config = FAMILIES[name]
    publish(family, specials, **SHAPE, **config)
    tokenizer, theirs = TextTokenizer.load(tmp_path), transformers.AutoTokenizer.from_pretrained(tmp_path)
    for text in TEXTS:
        assert tokenizer.prompt(text) == theirs(text)["input_ids"]
        assert tokenizer.decode(tokenizer.prompt(text)) == text
    assert len(tokenizer.prompt("")) == 1


def test_special_tokens_of_a_family_without_bos(publish, tmp_path) -> None:
    publish("Qwen2", QWEN, **SHAPE)
    tokenizer = TextTokenizer.load(tmp_path)
    pad, eos = (tokenizer.backend.token_to_id(QWEN[name]) for name in ("pad_token", "eos_token"))
    assert (tokenizer.opening, tokenizer.bos_id, tokenizer.pad_id, tokenizer.eos_id) == ((), pad, pad, eos)
    assert tokenizer.stop_ids == (eos, pad)


def test_every_stop_token_ends_a_row(publish, tmp_path) -> None:
    """With weights that make the two ends likely, rows end at either and nowhere behind one."""
    publish("Qwen2", QWEN, **SHAPE)
    model, tokenizer = hub.load(tmp_path)
    with torch.no_grad():
        model.lm_head.weight.mul_(0.1)
        model.model.norm.weight.fill_(1.0)
    params = SamplingParams(max_tokens=200, top_p=1.0)
    group = rollout([Task.of("t", "how quick", "x")], Engine(model, tokenizer, POLICY, Meter()), params, n=64, seed=0)[
        0
    ]
    ends = {trace.ids[-1] for trace in group.traces if trace.stop == "stop"}
    assert ends == set(tokenizer.stop_ids)
    for trace in group.traces:
        assert not set(trace.ids[:-1]) & set(tokenizer.stop_ids)


@pytest.mark.parametrize("name", ["llama 3.1", "qwen3"])
def test_a_published_checkpoint_survives_being_saved_as_ours(name: str, publish, tmp_path) -> None:
    family, specials, config = FAMILIES[name]
    publish(family, specials, **SHAPE, **config)
    model, tokenizer = hub.load(tmp_path)
    checkpoint.save([model], tokenizer, tmp_path / "ours")
    again, other = hub.load(tmp_path / "ours")
    assert again.config == model.config
    names = ("opening", "pad_id", "bos_id", "eos_id", "stop_ids")
    assert [getattr(other, name) for name in names] == [getattr(tokenizer, name) for name in names]
    assert all(torch.equal(value, again.state_dict()[key]) for key, value in model.state_dict().items())


def test_the_examples_of_the_page_on_models_run(publish, tmp_path) -> None:
    """The first two, on a folder instead of their hub ids."""
    publish("Qwen2", QWEN, **SHAPE)
    page = (Path(__file__).parents[3] / "docs" / "models.md").read_text()
    shown: dict = {}
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL)[:2]:
        exec(re.sub(r'"[\w-]+/[\w.-]+"', repr(str(tmp_path)), block), shown)
    assert len(shown["groups"][0].traces) == 8
    assert type(shown["sampler"]).__name__ == "HFSampler"


def test_a_published_checkpoint_is_the_base_of_a_run(publish, tmp_path) -> None:
    publish("Qwen2", QWEN, **SHAPE)
    (tmp_path / ".cache").mkdir()
    run = Run.create(tmp_path / "run", {"config": {"seed": 0, "memory": 1.0}})
    state = State.begin(run, tmp_path, taught=0)
    model, tokenizer = state.load(state.champion)
    assert torch.equal(model.lm_head.weight, hub.load(tmp_path)[0].lm_head.weight)
    candidate = state.publish([model], tokenizer, rows=[], depth=1)
    assert state.load(candidate)[1].stop_ids == tokenizer.stop_ids
    assert candidate.parent == state.champion.id == digest(run.policies.path(state.champion.uri))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rope_scaling": {"type": "linear", "factor": 2.0}, "rope_parameters": None}, "rope_type 'linear'"),
        ({"rope_parameters": {"rope_type": "llama3", "rope_theta": 1e4}}, r"rope_scaling: factor: .*valid number"),
        ({"rope_parameters": {"rope_theta": 1e4, "partial_rotary_factor": 0.5}}, r"partial_rotary_factor 0\.5"),
        ({"use_sliding_window": True}, "use_sliding_window True"),
        ({"hidden_act": "gelu"}, "hidden_act 'gelu'"),
        ({"model_type": "gpt2"}, "model_type 'gpt2'"),
        ({"model_type": "llama"}, r"_proj\.bias has shape \(16,\), config\.json says none"),
    ],
)
def test_what_would_compute_something_else_is_refused(change: dict, message: str, publish, tmp_path) -> None:
    publish("Qwen2", QWEN, **SHAPE)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(AutotrophError, match=message) as caught:
        hub.load(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_missing_shard_is_named(publish, tmp_path) -> None:
    publish("Llama", LLAMA, **SHAPE)
    shard = sorted(tmp_path.glob("model-*.safetensors"))[1]
    shard.unlink()
    with pytest.raises(AutotrophError, match=shard.name):
        hub.load(tmp_path)


@pytest.mark.parametrize("source", ["no-such-folder", "a/b/c", "/no/such/folder", "../up"])
def test_neither_folder_nor_hub_id(source: str) -> None:
    with pytest.raises(AutotrophError, match="no such folder"):
        hub.load(source)


def test_hub_ids_without_the_client_say_what_to_install(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(AutotrophError, match=r"pip install 'autotroph\[hub\]'"):
        hub.load("org/name")


def point_client_at(server: str, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the variables HF_ENDPOINT and HF_HUB_CACHE do, which the client reads once, when it is imported."""
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "ENDPOINT", server)
    template = server + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def local_hub(tmp_path, monkeypatch):
    """A hub on this machine that serves the folder as model and data set `org/name`, everything else as unknown."""
    served: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.answer()
            self.send_response(200 if body is not None else 404)
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("ETag", f'"{hashlib.sha256(body or b"").hexdigest()}"')
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body or b"")

        do_HEAD = do_GET

        def answer(self) -> bytes | None:
            files = [path for path in tmp_path.iterdir() if path.is_file()]
            path = self.path.split("?")[0].replace("/api/datasets/", "/api/models/").removeprefix("/datasets")
            if path.startswith("/api/models/org/name/tree/"):
                entries = [
                    {"type": "file", "path": one.name, "size": one.stat().st_size, "oid": COMMIT} for one in files
                ]
                return json.dumps(entries).encode()
            if path.startswith("/api/models/org/name"):
                siblings = [{"rfilename": one.name} for one in files]
                return json.dumps({"id": "org/name", "sha": COMMIT, "siblings": siblings}).encode()
            if path.startswith(f"/org/name/resolve/{COMMIT}/"):
                served.append(Path(path).name)
                return (tmp_path / served[-1]).read_bytes()
            return None

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    point_client_at(f"http://127.0.0.1:{server.server_port}", tmp_path / "cache", monkeypatch)
    yield served
    server.shutdown()
    server.server_close()


def test_a_hub_id_loads_as_its_folder_does(local_hub, publish, tmp_path) -> None:
    publish("Qwen3", QWEN, **SHAPE)
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickled")
    (tmp_path / "modeling.py").write_text("raise SystemExit")
    model, tokenizer = hub.load("org/name")
    expected, _ = hub.load(tmp_path)
    assert all(torch.equal(value, model.state_dict()[key]) for key, value in expected.state_dict().items())
    assert tokenizer.encode(TEXTS[0]) == TextTokenizer.load(tmp_path).encode(TEXTS[0])
    assert {"pytorch_model.bin", "modeling.py"}.isdisjoint(local_hub)
    fetched = len(local_hub)
    hub.load("org/name", revision=COMMIT)
    assert len(local_hub) == fetched


def test_rows_of_a_data_set_on_the_hub(local_hub, tmp_path) -> None:
    row = {"code": "def f(a):\n    return a", "task_id": 1, "text": "Give it back.", "test_list": ["assert f(3) == 3"]}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row | {"test_setup_code": ""}))
    (tmp_path / "loader.py").write_text("raise SystemExit")
    family = task_family("mbpp:org/name")
    [task] = family.generate(1, 9, 0)
    assert family.verify(task, task.answer or "") == 1
    assert set(local_hub) == {"rows.jsonl"}


def test_an_unknown_hub_id_is_an_error_in_one_line(local_hub) -> None:
    with pytest.raises(AutotrophError, match=r"'org/other'.*the hub does not give it") as caught:
        hub.load("org/other")
    assert "\n" not in str(caught.value)


def test_a_hub_that_cannot_be_reached_is_an_error_in_one_line(monkeypatch, tmp_path) -> None:
    point_client_at("http://127.0.0.1:9", tmp_path, monkeypatch)
    with pytest.raises(AutotrophError, match="check the id and the connection") as caught:
        hub.load("org/name")
    assert "\n" not in str(caught.value)
