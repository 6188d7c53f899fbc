"""Checkpoints: `model.safetensors` and `config.json` as `transformers` reads them, and `tokenizer.json`.

The weights of a published checkpoint may lie in several files, which `model.safetensors.index.json` lists.
A policy of several models has the others of the same shape beside the first one as `member-1.safetensors` and so on; a
policy whose training goes on has the state of each member's learner as `learner-0.safetensors` and so on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as serialised
from torch import Tensor

from autotroph.core.errors import AutotrophError
from autotroph.models.tokenizer import TextTokenizer
from autotroph.models.transformer import ModelConfig, RopeScaling, Transformer

FAMILIES = {
    "llama": "LlamaForCausalLM",
    "qwen2": "Qwen2ForCausalLM",
    "qwen3": "Qwen3ForCausalLM",
    "smollm3": "SmolLM3ForCausalLM",
}


def family_of(config: ModelConfig) -> str:
    """The `model_type` in `transformers` that computes the same function."""
    if config.rope_theta is None:
        return "smollm3"
    return "qwen3" if config.qk_norm else "qwen2" if config.attention_bias else "llama"


def to_transformers(config: ModelConfig, tokenizer: TextTokenizer) -> dict[str, Any]:
    """Our shape as a `config.json` of `transformers`."""
    family = family_of(config)
    fields = config.model_dump(exclude={"rope_theta", "rope_scaling", "qk_norm", "attention_bias"})
    kind = (
        {"rope_type": "default"}
        if config.rope_scaling is None
        else {"rope_type": "llama3", **dict(config.rope_scaling)}
    )
    rotary: dict[str, Any] = {"rope_parameters": {**kind, "rope_theta": config.rope_theta or 1e4}}
    if family == "smollm3":
        rotary["no_rope_layers"] = [0] * config.num_hidden_layers
    return {
        **fields,
        **rotary,
        "model_type": family,
        "architectures": [FAMILIES[family]],
        "hidden_act": "silu",
        "max_position_embeddings": 1 << 17,
        "pad_token_id": tokenizer.pad_id,
        "bos_token_id": tokenizer.bos_id,
        "eos_token_id": tokenizer.eos_id if len(tokenizer.stop_ids) == 1 else list(tokenizer.stop_ids),
        "torch_dtype": "float32",
    }


def from_transformers(config: dict[str, Any], path: Path) -> ModelConfig:
    """A `config.json` of the Llama, Qwen2, Qwen3 or (rotary-free) SmolLM3 family as our shape."""
    family = config.get("model_type")
    if family not in FAMILIES:
        raise AutotrophError(f"checkpoint {path}: model_type {family!r} is none of {', '.join(FAMILIES)}")
    if family == "smollm3" and any(config.get("no_rope_layers") or [1]):
        raise AutotrophError(f"checkpoint {path}: smollm3 with rotary layers is not supported; all must be without")
    rotary = config.get("rope_parameters") or config.get("rope_scaling") or {}
    kind = rotary.get("rope_type", rotary.get("type", "default"))
    others = {
        "rope_type": (kind, "llama3" if kind == "llama3" else "default"),
        "partial_rotary_factor": (rotary.get("partial_rotary_factor") or 1.0, 1.0),
        "hidden_act": (config.get("hidden_act", "silu"), "silu"),
        "use_sliding_window": (config.get("use_sliding_window") or False, False),
    }
    for name, (value, ours) in others.items():
        if value != ours:
            raise AutotrophError(f"checkpoint {path}: {name} {value!r} is not {ours!r}; sample it with models/hf.py")
    shape = {name: config[name] for name in ModelConfig.model_fields if config.get(name) is not None}
    shape |= {
        "rope_theta": None if family == "smollm3" else rotary.get("rope_theta", config.get("rope_theta", 1e4)),
        "rope_scaling": {name: rotary.get(name) for name in RopeScaling.model_fields} if kind == "llama3" else None,
        "qk_norm": family == "qwen3",
        "attention_bias": family == "qwen2",
        "tie_word_embeddings": config.get("tie_word_embeddings", False),
    }
    try:
        shape.setdefault("head_dim", config["hidden_size"] // config["num_attention_heads"])
        shape.setdefault("num_key_value_heads", config["num_attention_heads"])
        return ModelConfig(**shape)
    except ValidationError as error:
        first = error.errors()[0]
        where = "".join(f"{part}: " for part in first["loc"])
        raise AutotrophError(f"checkpoint {path}: {where}{first['msg']}; restore the file") from error
    except KeyError as error:
        raise AutotrophError(f"checkpoint {path}: no {error.args[0]}; give the config.json that came with it") from None


def weights_file(folder: Path, member: int) -> Path:
    return folder / (f"member-{member}.safetensors" if member else "model.safetensors")


def learner_file(folder: Path, member: int) -> Path:
    return folder / f"learner-{member}.safetensors"


def save(
    models: Sequence[Transformer],
    tokenizer: TextTokenizer,
    folder: Path,
    training: Sequence[Mapping[str, Tensor]] = (),
) -> None:
    """Write the members of a policy, all of one shape, weights in fp32, and the state of each one's learner."""
    folder.mkdir(parents=True, exist_ok=True)
    for member, model in enumerate(models):
        state = {name: value.float().contiguous() for name, value in model.state_dict().items()}
        weights_file(folder, member).write_bytes(serialised(state, metadata={"format": "pt"}))
    for member, tensors in enumerate(training):
        learner_file(folder, member).write_bytes(serialised({name: t.contiguous() for name, t in tensors.items()}))
    shape = to_transformers(models[0].config, tokenizer)
    (folder / "config.json").write_text(json.dumps(shape, indent=1, sort_keys=True))
    tokenizer.save(folder)


def members(folder: Path) -> int:
    """How many models the policy in a folder holds."""
    return 1 + len(list(folder.glob("member-*.safetensors")))


def load_training(folder: Path, member: int = 0) -> dict[str, Tensor] | None:
    """State of a member's learner; None where the policy was saved without."""
    path = learner_file(folder, member)
    return load_file(path) if path.is_file() else None


def shape(folder: Path) -> ModelConfig:
    """Of the policy in a folder, without its weights. Raises AutotrophError where it has no readable config.json."""
    path = folder / "config.json"
    try:
        return from_transformers(json.loads(path.read_text()), path)
    except (FileNotFoundError, json.JSONDecodeError) as error:
        raise AutotrophError(f"checkpoint {folder}: no config.json that can be read ({error}); restore it") from None


def load(folder: Path, member: int = 0) -> tuple[Transformer, TextTokenizer]:
    """An fp32 model of the policy and its tokenizer.

    Raises AutotrophError for a missing or truncated file, an unknown family, and weights of another shape.
    """
    path = folder / "config.json"
    try:
        config = from_transformers(json.loads(path.read_text()), path)
        state = weights(folder, member)
    except FileNotFoundError:
        raise AutotrophError(f"checkpoint {folder}: no config.json; give a checkpoint folder") from None
    except (json.JSONDecodeError, KeyError, SafetensorError) as error:
        raise AutotrophError(f"checkpoint {folder}: damaged ({error}); restore it or train the base again") from None
    with torch.device("meta"):
        model = Transformer(config)
    expected = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    found = {name: tuple(value.shape) for name, value in state.items() if "inv_freq" not in name}
    if config.tie_word_embeddings:
        found.pop("lm_head.weight", None)
    for name in expected | found:
        if found.get(name) != expected.get(name):
            what = f"has shape {found.get(name, 'none')}, config.json says {expected.get(name, 'none')}"
            raise AutotrophError(f"checkpoint {folder}: {name} {what}; weights and config.json do not belong together")
    model.load_state_dict({name: state[name] for name in expected}, strict=False, assign=True)
    if config.tie_word_embeddings:
        model.lm_head.weight = model.model.embed_tokens.weight
    return model, TextTokenizer.load(folder)


def weights(folder: Path, member: int = 0) -> dict[str, Tensor]:
    """All tensors of a member in fp32, one file after the other: no more than one is in memory twice."""
    index = folder / "model.safetensors.index.json"
    files = [weights_file(folder, member)]
    if not member and not files[0].is_file() and index.is_file():
        files = [folder / Path(name).name for name in sorted(set(json.loads(index.read_text())["weight_map"].values()))]
    for file in files:
        if not file.is_file():
            raise AutotrophError(f"checkpoint {folder}: no {file.name}; give a checkpoint folder")
    return {name: value.float() for file in files for name, value in load_file(file).items()}
