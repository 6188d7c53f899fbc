"""What a user would pick instead: `transformers` and TRL, set up as their documentation advises, on our checkpoints."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from autotroph.bench.case import Work, rate
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


def fastest(works: Mapping[str, Work]) -> Work:
    """The setting that does most a second in one trial; quick ones are warmed up first."""
    rates: dict[str, float] = {}
    for name, work in works.items():
        begun = time.monotonic()
        rates[name] = rate(work)
        if time.monotonic() - begun < 5:
            rates[name] = rate(work)
    return works[max(rates, key=rates.__getitem__)]


def generate(
    folder: Path, prompts: Sequence[Sequence[int]], limits: Sequence[int], tokenizer: TextTokenizer
) -> Work | None:
    """`transformers.generate` at its best dtype and batch size, padded on the left; row i has `limits[i]` tokens that
    count.

    It has no way to let single rows go before they end, so each batch goes on to its longest. Rows stay in their order,
    for how long an answer will be is not known beforehand.
    """
    if missing("transformers"):
        return None
    rows = list(zip(prompts, limits, strict=True))

    def at(dtype: torch.dtype, size: int) -> Work:
        model = loaded(folder, dtype).eval()
        batches = [_padded(rows[k : k + size], tokenizer.pad_id) for k in range(0, len(rows), size)]

        def work() -> float:
            with torch.inference_mode():
                for ids, mask, tokens in batches:
                    model.generate(
                        ids,
                        attention_mask=mask,
                        do_sample=True,
                        top_k=0,
                        max_new_tokens=tokens,
                        min_new_tokens=tokens,
                        pad_token_id=tokenizer.pad_id,
                    )
            return float(sum(limits))

        return work

    dtypes = {torch.float32, compute_dtype()}
    sizes = {size for size in BATCHES if size < len(prompts)} | {len(prompts)}
    return fastest({f"{dtype} {size}": at(dtype, size) for dtype in dtypes for size in sizes})


BATCHES = (256,)
"""Batch sizes that are tried, beside all at once."""


def _padded(rows: Sequence[tuple[Sequence[int], int]], pad: int) -> tuple[torch.Tensor, torch.Tensor, int]:
    """Ids, mask and the most tokens of a batch of (prompt, limit)."""
    longest = max(len(prompt) for prompt, _ in rows)
    ids = [[pad] * (longest - len(prompt)) + list(prompt) for prompt, _ in rows]
    mask = [[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt, _ in rows]
    return torch.tensor(ids), torch.tensor(mask), max(limit for _, limit in rows)


def sft(folder: Path, rows: Sequence[Sequence[int]]) -> Work | None:
    """TRL's SFTTrainer, packing on, one pass over the rows, at its best dtype and batch size."""
    if missing("trl", "datasets"):
        return None
    return fastest(
        {
            f"{dtype} {size}": _sft(folder, rows, size, dtype)
            for dtype in {torch.float32, compute_dtype()}
            for size in (4, 16)
        }
    )


def _sft(folder: Path, rows: Sequence[Sequence[int]], batch: int, dtype: torch.dtype) -> Work:
    """`batch` packed rows, each as long as the longest of ours, a step."""
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
            **_plain(folder, dtype),
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
    """TRL's GRPOTrainer: `steps` steps of all prompts, no reference model, at its best dtype; in completions."""
    if missing("trl", "datasets"):
        return None
    return fastest(
        {
            str(dtype): _grpo(folder, prompts, samples, tokens, reward, steps, dtype)
            for dtype in {torch.float32, compute_dtype()}
        }
    )


def _grpo(
    folder: Path,
    prompts: Sequence[str],
    samples: int,
    tokens: int,
    reward: Callable[[str], float],
    steps: int,
    dtype: torch.dtype,
) -> Work:
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
            **_plain(folder, dtype),
        ),
        reward_funcs=score,
        train_dataset=Dataset.from_dict({"prompt": list(prompts)}),
    )

    def work() -> float:
        trainer.train()
        return float(steps * count)

    return work


def _plain(folder: Path, dtype: torch.dtype) -> dict[str, Any]:
    """Nothing written, nothing reported."""
    return {
        "output_dir": str(folder / "peer"),
        "report_to": [],
        "save_strategy": "no",
        "logging_strategy": "no",
        "disable_tqdm": True,
        "use_cpu": not torch.cuda.is_available(),
        "bf16": dtype is torch.bfloat16,
        "gradient_checkpointing": False,
        "num_train_epochs": 1,
    }


def _quiet(trainer: Any, folder: Path, config: Any, **parts: Any) -> Any:
    from transformers import PreTrainedTokenizerFast

    processing = PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"), pad_token=PAD, eos_token=EOS, padding_side="left"
    )
    return trainer(model=loaded(folder, torch.float32), args=config, processing_class=processing, **parts)
