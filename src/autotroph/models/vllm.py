"""Samples of large models through vLLM, which needs a GPU and `pip install 'autotroph[vllm]'`.

We have not run this module. It is written for the interface of vLLM 0.10 and later; what checks its weights,
`drift.probe`, is tested with our own sampler.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autotroph.core.budget import Meter
from autotroph.core.errors import AutotrophError
from autotroph.core.policy import Policy
from autotroph.core.protocols import SamplingParams
from autotroph.core.trace import Completion
from autotroph.models import checkpoint
from autotroph.models.drift import Drift, probe
from autotroph.models.tokenizer import TextTokenizer
from autotroph.models.transformer import Transformer


class VLLMSampler:
    """Samples from vLLM's copy of a model of the Llama, Qwen2 or Qwen3 family; implements `core.protocols.Sampler`.

    `folder` is its own: the weights go to vLLM through it. `options` are those of `vllm.LLM`, such as `dtype`,
    `max_model_len` and `tensor_parallel_size`. Seeds make rows repeatable only as far as vLLM's batches let them.
    Completions have no entropy, no certainty and no raw log-probabilities, for vLLM gives those of the chosen tokens in
    the sampling distribution alone.
    """

    def __init__(
        self, model: Transformer, tokenizer: TextTokenizer, policy: Policy, meter: Meter, folder: Path, **options: Any
    ):
        try:
            import vllm
        except ImportError:
            raise AutotrophError(f"policy {policy.id}: needs vllm; pip install 'autotroph[vllm]'") from None
        self.tokenizer, self.policy, self.meter, self.folder = tokenizer, policy, meter, folder
        self.flops_per_token = 2 * model.size
        checkpoint.save([model], tokenizer, folder)
        self._params, self._llm = (
            vllm.SamplingParams,
            vllm.LLM(str(folder), skip_tokenizer_init=True, logprobs_mode="processed_logprobs", **options),
        )

    def sample(
        self, prompts: Sequence[Sequence[int]], params: SamplingParams, seeds: Sequence[int]
    ) -> list[Completion]:
        """One completion for each prompt, in order. A prompt without tokens is opened with <bos>."""
        opened = [list(prompt) or [self.tokenizer.bos_id] for prompt in prompts]
        common = params.model_dump(include={"temperature", "top_k", "top_p", "min_p", "min_tokens", "max_tokens"})
        stops = [*self.tokenizer.stop_ids, *params.stop]
        outputs = self._llm.generate(
            [{"prompt_token_ids": prompt} for prompt in opened],
            [self._params(**common, stop_token_ids=stops, seed=seed, logprobs=0, detokenize=False) for seed in seeds],
            use_tqdm=False,
        )
        done = [self._completion(output.outputs[0], greedy=params.temperature == 0) for output in outputs]
        tokens = sum(len(one.ids) for one in done)
        self.meter.spend(tokens=tokens, flops=self.flops_per_token * (tokens + sum(map(len, opened))))
        return done

    def _completion(self, output: Any, greedy: bool) -> Completion:
        ids = tuple(output.token_ids)
        logprobs = (0.0 if greedy else found[token].logprob for token, found in zip(ids, output.logprobs, strict=True))
        return Completion(ids, tuple(logprobs), "stop" if output.finish_reason == "stop" else "length", entropy=None)

    def update(self, model: Transformer, policy: Policy, prompts: Sequence[Sequence[int]]) -> Drift:
        """Take over the weights of `model`, as `policy`; what drift a probe on the prompts then finds.

        Raises AutotrophError where it is beyond the bounds: then vLLM has other weights than the trainer.
        """
        checkpoint.save([model], self.tokenizer, self.folder)
        self._llm.collective_rpc("reload_weights")
        self._llm.reset_prefix_cache()  # it holds keys and values of the weights before
        self.policy = policy
        return probe(self, model, prompts)
