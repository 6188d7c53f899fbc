"""On a GPU: a Qwen3 of 0.6B parameters with random weights, decoding beside transformers and vLLM, and training.

    python bench/gpu.py --out bench/results/gpu.json

Decoding: tokens a second of 256 prompts of 128 tokens, 256 new ones each. Training: tokens a second of packed rows of
16,384 tokens, all of which count, beside what prime-rl publishes for this size and length on one H100: 11.9k tokens/s.
vLLM is measured where it is installed. Nothing here has been run by us yet.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

import torch

from autotroph.bench import peers
from autotroph.bench.case import Case, Work, measured
from autotroph.bench.work import POLICY, TOKENIZER, sequences
from autotroph.core.budget import Meter
from autotroph.core.protocols import SamplingParams, Signal
from autotroph.core.trace import Trace
from autotroph.models import checkpoint
from autotroph.models.engine import Engine, compute_dtype
from autotroph.models.transformer import ModelConfig, Transformer
from autotroph.optimize.learner import Learner, LearnerConfig
from autotroph.store.run import machine

SHAPE = ModelConfig(
    vocab_size=151936,
    hidden_size=1024,
    intermediate_size=3072,
    num_hidden_layers=28,
    num_attention_heads=16,
    num_key_value_heads=8,
    head_dim=128,
    rope_theta=1e6,
    qk_norm=True,
)
PROMPTS, PROMPT, TOKENS, CONTEXT = 256, 128, 256, 16384
PUBLISHED = "11,900 tokens/s published by prime-rl, one H100"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda", help="cpu runs the same code")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--layers", type=int, default=SHAPE.num_hidden_layers, help="fewer, to try the script out")
    parser.add_argument("--scale", type=int, default=1, help="divides prompts, tokens and context, to try it out")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    shape = SHAPE.model_copy(update={"num_hidden_layers": given.layers})
    model = Transformer(shape).initialise(0)
    cases = [*decoding(model, given.device, given.repeats, given.scale)]
    cases.append(training(model, given.device, given.repeats, CONTEXT // given.scale))
    gpu = torch.cuda.get_device_name() if given.device == "cuda" else None
    figures = json.dumps(
        {"bench": "gpu", "machine": machine() | {"gpu": gpu}, "cases": [asdict(case) for case in cases]}
    )
    print(figures)
    if given.out is not None:
        given.out.write_text(figures + "\n")


def decoding(model: Transformer, device: str, n: int, scale: int) -> list[Case]:
    prompts, tokens = sequences(PROMPTS // scale, PROMPT // scale, PROMPT // scale), TOKENS // scale
    name = f"{len(prompts)} prompts of {PROMPT // scale} tokens, {tokens} new ones each"
    with tempfile.TemporaryDirectory() as folder:
        checkpoint.save([model], TOKENIZER, Path(folder))
        theirs = {"transformers.generate": generate(Path(folder), prompts, tokens, device)}
        if find_spec("vllm"):
            theirs["vLLM"] = vllm(Path(folder), prompts, tokens)
        sampler = Engine(model.to(device, compute_dtype()), TOKENIZER, POLICY, Meter(), memory=16 << 30)
        params = SamplingParams(min_tokens=tokens, max_tokens=tokens)

        def ours() -> float:
            return float(sum(len(one.ids) for one in sampler.sample(prompts, params, range(len(prompts)))))

        return [measured(name, "tokens/s", ours, work, peer, n) for peer, work in theirs.items()]


def generate(folder: Path, prompts: Sequence[Sequence[int]], tokens: int, device: str) -> Work:
    model, ids = peers.loaded(folder, compute_dtype()).to(device).eval(), torch.tensor(prompts, device=device)

    def work() -> float:
        with torch.inference_mode():
            model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                do_sample=True,
                top_k=0,
                max_new_tokens=tokens,
                min_new_tokens=tokens,
                pad_token_id=TOKENIZER.pad_id,
            )
        return float(len(prompts) * tokens)

    return work


def vllm(folder: Path, prompts: Sequence[Sequence[int]], tokens: int) -> Work:
    from vllm import LLM
    from vllm import SamplingParams as Params

    engine = LLM(str(folder), skip_tokenizer_init=True, dtype="bfloat16", gpu_memory_utilization=0.4)
    params = Params(temperature=1.0, max_tokens=tokens, min_tokens=tokens, detokenize=False)
    asked = [{"prompt_token_ids": list(prompt)} for prompt in prompts]

    def work() -> float:
        done = engine.generate(asked, params, use_tqdm=False)
        return float(sum(len(one.outputs[0].token_ids) for one in done))

    return work


def training(model: Transformer, device: str, n: int, context: int) -> Case:
    learner = Learner(model.to(device).float(), LearnerConfig(batch_tokens=max(64, context)), Meter())
    signals = [signal(row) for row in sequences(2, context, context)]

    def work() -> float:
        learner.step(signals)
        return float(len(signals) * context)

    return measured(f"training, rows of {context} tokens ({PUBLISHED})", "tokens/s", work, n=n)


def signal(row: Sequence[int]) -> Signal:
    sampled = (False,) + (True,) * (len(row) - 1)
    return Signal(Trace("bench", "none", tuple(row), sampled, (0.0,) * len(row), "", "given"), likelihood=1.0)


if __name__ == "__main__":
    main()
