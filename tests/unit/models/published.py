"""Texts, special tokens and a tokenizer as published models have them, and models with nothing left at zero."""

import torch
from tokenizers import Tokenizer, decoders, pre_tokenizers, trainers
from tokenizers import models as kinds

from autotroph.models.transformer import ModelConfig, Transformer

TEXTS = ["the quick brown fox jumps over the lazy dog", "pack my box with five dozen jugs", "how vexingly quick"]
QWEN = {"pad_token": "<|endoftext|>", "eos_token": "<|im_end|>"}
LLAMA = {"bos_token": "<|begin_of_text|>", "eos_token": "<|end_of_text|>"}


def byte_pairs(specials: list[str]) -> Tokenizer:
    backend = Tokenizer(kinds.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    backend.train_from_iterator(
        TEXTS, trainers.BpeTrainer(vocab_size=300, special_tokens=specials, initial_alphabet=alphabet)
    )
    return backend


def random_model(config: ModelConfig, seed: int = 0, spread: float = 0.2) -> Transformer:
    """Every parameter random, so that no path is hidden behind a zero or a one."""
    model = Transformer(config).initialise(seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * spread)
    return model
