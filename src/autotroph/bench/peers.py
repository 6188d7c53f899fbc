"""What a user would pick instead: `transformers` and TRL, set up as their documentation advises, on our checkpoints."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from autotroph.bench.case import Work
from autotroph.models import checkpoint
from autotroph.models.engine import compute_dtype
from autotroph.models.tokenizer import EOS, PAD, TextTokenizer
from autotroph.models.transformer import Transformer


@contextmanager
def saved(model: Transformer, tokenizer: TextTokenizer) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        checkpoint.save([model], tokenizer, Path(folder))
        yield Path(folder)


def loaded(folder: Path, dtype: torch.dtype) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, dtype=dtype)


def missing(*packages: str) -> bool:
    """Whether a peer cannot be measured here; `make bench` installs all of them."""
    return any(find_spec(package) is None for package in packages)


def generate(
    folder: Path, prompts: Sequence[Sequence[int]], limits: Sequence[int], tokenizer: TextTokenizer
) -> Work | None:
    """`transformers.generate` on all prompts at once, padded on the left; row i has `limits[i]` tokens that count.

    It has no way to let single rows go before they end, so it goes on to the longest.
    """
    if missing("transformers"):
        return None
    model = loaded(folder, compute_dtype()).eval()
    longest = max(map(len, prompts))
    ids = torch.tensor([[tokenizer.pad_id] * (longest - len(prompt)) + list(prompt) for prompt in prompts])
    mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])

    def work() -> float:
        with torch.inference_mode():
            model.generate(
                ids,
                attention_mask=mask,
                do_sample=True,
                top_k=0,
                max_new_tokens=max(limits),
                min_new_tokens=max(limits),
                pad_token_id=tokenizer.pad_id,
            )
        return float(sum(limits))

    return work


def sft(folder: Path, rows: Sequence[Sequence[int]], batch: int) -> Work | None:
    """TRL's SFTTrainer, packing on, one pass over the rows."""
    if missing("trl", "datasets"):
        return None
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    trainer = _quiet(
        SFTTrainer,
        folder,
        SFTConfig(
            packing=True,
            max_length=max(map(len, rows)),
            per_device_train_batch_size=batch,
            learning_rate=1e-3,
            **_plain(folder),
        ),
        train_dataset=Dataset.from_dict({"input_ids": [list(row) for row in rows]}),
    )

    def work() -> float:
        trainer.train()
        return float(sum(map(len, rows)))

    return work


def grpo(
    folder: Path, prompts: Sequence[str], samples: int, tokens: int, reward: Callable[[str], float], steps: int
) -> Work | None:
    """TRL's GRPOTrainer: `steps` steps of all prompts, no reference model; in completions."""
    if missing("trl", "datasets"):
        return None
    from datasets import Dataset
    from trl import GRPOConfig, GRPOTrainer

    count = len(prompts) * samples

    def score(completions: list[str], **_: Any) -> list[float]:
        return [reward(text) for text in completions]

    trainer = _quiet(
        GRPOTrainer,
        folder,
        GRPOConfig(
            num_generations=samples,
            per_device_train_batch_size=count,
            max_completion_length=tokens,
            generation_kwargs={"min_new_tokens": tokens},
            max_steps=steps,
            beta=0.0,
            learning_rate=1e-3,
            **_plain(folder),
        ),
        reward_funcs=score,
        train_dataset=Dataset.from_dict({"prompt": list(prompts)}),
    )

    def work() -> float:
        trainer.train()
        return float(steps * count)

    return work


def _plain(folder: Path) -> dict[str, Any]:
    """Nothing written, nothing reported, bf16 where we use it."""
    return {
        "output_dir": str(folder / "peer"),
        "report_to": [],
        "save_strategy": "no",
        "logging_strategy": "no",
        "disable_tqdm": True,
        "use_cpu": not torch.cuda.is_available(),
        "bf16": compute_dtype() is torch.bfloat16,
        "gradient_checkpointing": False,
        "num_train_epochs": 1,
    }


def _quiet(trainer: Any, folder: Path, config: Any, **parts: Any) -> Any:
    from transformers import PreTrainedTokenizerFast

    processing = PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"), pad_token=PAD, eos_token=EOS, padding_side="left"
    )
    return trainer(model=loaded(folder, torch.float32), args=config, processing_class=processing, **parts)
