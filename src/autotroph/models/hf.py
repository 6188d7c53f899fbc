"""Samples from causal models of `transformers` that are of another family than ours."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from autotroph.core.budget import Meter
from autotroph.core.errors import AutotrophError
from autotroph.core.policy import Policy
from autotroph.core.protocols import SamplingParams, Tokenizer
from autotroph.core.trace import Completion
from autotroph.models.batching import alike
from autotroph.models.hub import fetched
from autotroph.models.results import Results
from autotroph.models.sampling import choose, uniform
from autotroph.models.threads import check_in
from autotroph.models.tokenizer import TextTokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def load(
    source: str | Path, revision: str | None = None, dtype: torch.dtype = torch.float32
) -> tuple[PreTrainedModel, TextTokenizer]:
    """A model of any family that `transformers` itself brings along, and its tokenizer; arguments as of `hub.fetched`.

    Weights come from safetensors alone, and no code of the checkpoint is run. Raises AutotrophError without
    `transformers`, for what it cannot load, and for a checkpoint without `tokenizer.json`.
    """
    try:
        from transformers import AutoModelForCausalLM
    except ImportError:
        raise AutotrophError(f"model '{source}': needs transformers; pip install 'autotroph[hf]'") from None
    folder = fetched(source, revision)
    try:
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, use_safetensors=True, local_files_only=True)
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise AutotrophError(f"model '{source}': transformers cannot load it ({reason}); try another model") from error
    return model, TextTokenizer.load(folder)


class HFSampler:
    """Samples from a model all of whose layers keep keys and values; implements `core.protocols.Sampler`.

    Draws, ends and log-probabilities are computed as in `Engine`. Rows share a batch of at most `rows` where their
    prompts are equally long, so that nothing is padded or masked: neighbours change no more than the last bits of a
    row's logits, and no token of it but where two numbers differ in these bits. Prompts of many lengths make small
    batches, which is slow.
    """

    def __init__(self, model: PreTrainedModel, tokenizer: Tokenizer, policy: Policy, meter: Meter, rows: int = 64):
        self.model, self.tokenizer, self.policy = model.eval(), tokenizer, policy
        self.meter, self.rows = meter, rows
        self.flops_per_token = 2 * model.num_parameters()
        offered = inspect.signature(model.forward).parameters
        self._last: dict[str, Any] = {"logits_to_keep": 1} if "logits_to_keep" in offered else {}

    def sample(
        self, prompts: Sequence[Sequence[int]], params: SamplingParams, seeds: Sequence[int]
    ) -> list[Completion]:
        """One completion for each prompt, in order. A prompt without tokens is opened with <bos>.

        Raises AutotrophError for a model with recurrent layers, and on logits that are not finite.
        """
        if not prompts:
            return []
        device, opened = self.model.device, [tuple(prompt) or (self.tokenizer.bos_id,) for prompt in prompts]
        results = Results(len(prompts), params.max_tokens, device)
        step_M = torch.arange(params.max_tokens, device=device)
        spin_NM = uniform(torch.tensor(seeds, device=device)[:, None], step_M)
        lengths = [len(prompt) for prompt in opened]
        for batch in alike(lengths, self.rows, self.rows * max(lengths), stretch=1.0):
            row_B = torch.tensor(batch, device=device)
            self._decode(row_B, [opened[row] for row in batch], params, spin_NM, results)
        return results.completions()

    @torch.inference_mode()
    def _decode(
        self,
        row_B: Tensor,
        prompts: list[tuple[int, ...]],
        params: SamplingParams,
        spin_NM: Tensor,
        results: Results,
    ) -> None:
        """Rows of one length, to their ends. A prompt passes the model once, however many rows go on from it."""
        distinct = {prompt: place for place, prompt in enumerate(dict.fromkeys(prompts))}
        logits_BV, past = self._pass(torch.tensor(list(distinct), device=row_B.device), None)
        going = torch.tensor([distinct[prompt] for prompt in prompts], device=row_B.device)
        logits_BV = logits_BV[going]
        past.batch_select_indices(going)
        is_end_V = torch.zeros(logits_BV.shape[1], dtype=torch.bool, device=row_B.device)
        is_end_V[[*self.tokenizer.stop_ids, *params.stop]] = True
        for step in range(params.max_tokens):
            check_in()
            early_B = torch.full_like(row_B, step < params.min_tokens, dtype=torch.bool)
            choice = choose(logits_BV, params, spin_NM[row_B, step], early_B, is_end_V)
            if choice is None:
                raise AutotrophError(f"policy {self.policy.id}: logits are not finite; its weights are damaged")
            ended_B = results.note(row_B, step, choice, is_end_V)
            self.meter.spend(tokens=len(row_B))
            going = torch.nonzero(~ended_B)[:, 0]
            if step + 1 == params.max_tokens or not len(going):
                return
            if len(going) < len(row_B):
                past.batch_select_indices(going)
            row_B = row_B[going]
            logits_BV, past = self._pass(choice.token[going, None], past)

    def _pass(self, ids_BT: Tensor, past: Any) -> tuple[Tensor, Any]:
        """Logits [B, V] after the last token, and the cache of all tokens so far."""
        out = self.model(ids_BT, past_key_values=past, use_cache=True, **self._last)
        self.meter.spend(flops=self.flops_per_token * ids_BT.numel())
        if past is None and not has_rows(out.get("past_key_values")):
            name = type(self.model).__name__
            raise AutotrophError(f"model {name}: keeps more than keys and values; use one with attention alone")
        return out.logits[:, -1], out.past_key_values


def has_rows(past: Any) -> bool:
    """Whether rows can be taken from a cache: `transformers` cannot do that with recurrent states, such as Mamba's."""
    from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

    layers = getattr(past, "layers", ())
    return bool(layers) and all(type(layer) in (DynamicLayer, DynamicSlidingWindowLayer) for layer in layers)
