"""Small models as others publish them: random weights in several files beside a trained tokenizer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from published import byte_pairs
from tokenizers.processors import TemplateProcessing


@pytest.fixture
def publish(tmp_path: Path) -> Callable[..., Any]:
    """Saves a random model of a family, all of whose parameters count, and gives it back."""

    def saved(family: str, specials: dict[str, str], shard: str = "50KB", **config: Any) -> Any:
        transformers = pytest.importorskip("transformers")
        backend = byte_pairs(list(specials.values()))
        if "bos_token" in specials:
            bos = specials["bos_token"]
            backend.post_processor = TemplateProcessing(single=f"{bos} $A", special_tokens=[(bos, 0)])
        tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=backend, **specials)
        eos = [tokenizer.eos_token_id, tokenizer.pad_token_id][: 1 + ("pad_token" in specials)]
        torch.manual_seed(0)
        shape = getattr(transformers, f"{family}Config")(
            vocab_size=320, bos_token_id=tokenizer.bos_token_id, eos_token_id=eos[0], **config
        )
        model = getattr(transformers, f"{family}{'LMHeadModel' if family == 'GPT2' else 'ForCausalLM'}")(shape).eval()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.randn(parameter.shape) * 0.1)
        model.generation_config.eos_token_id = eos
        model.generation_config.pad_token_id = eos[-1]
        model.save_pretrained(tmp_path, max_shard_size=shard)
        tokenizer.save_pretrained(tmp_path)
        return model

    return saved
