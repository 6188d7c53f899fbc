"""Texts, special tokens and a tokenizer as published models have them."""

from tokenizers import Tokenizer, decoders, pre_tokenizers, trainers
from tokenizers import models as kinds

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
