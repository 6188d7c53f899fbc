"""Tokenizers in the `tokenizer.json` format: characters, words, or whatever a checkpoint brings along."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

from tokenizers import Regex, decoders, models, pre_tokenizers
from tokenizers import Tokenizer as Backend

from autotroph.core.errors import AutotrophError

PAD, BOS, EOS, UNKNOWN = SPECIAL = ("<pad>", "<bos>", "<eos>", "<unk>")

DESCRIPTIONS = ("tokenizer_config.json", "generation_config.json", "config.json")
"""Files of a checkpoint that name its special tokens, the most telling first."""


class TextTokenizer:
    """Text to token ids and back.

    `opening` stands before every prompt: what the post-processor of `tokenizer.json` puts there (nothing in Qwen), or
    <bos> where the vocabulary has it. `bos_id` opens a prompt that has no token at all: it is pad or eos where there is
    no bos. `eos_id` ends every answer that is learnt from; each of `stop_ids` ends one that a model writes.
    """

    def __init__(self, backend: Backend, descriptions: Sequence[Mapping[str, Any]] = ()):
        """`descriptions`: contents of `DESCRIPTIONS`, where tokens have other names than ours. Raises AutotrophError
        where no token ends an answer."""
        self.backend = backend
        pad, bos, self.stop_ids = (self._special(kind, descriptions) for kind in ("pad", "bos", "eos"))
        if not self.stop_ids:
            raise AutotrophError(f"no token ends an answer: name eos_token in tokenizer_config.json, or add {EOS}")
        self.eos_id = self.stop_ids[0]
        self.pad_id, self.bos_id = (pad + self.stop_ids)[0], (bos + pad + self.stop_ids)[0]
        encoded = backend.encode("a", add_special_tokens=True)
        before = takewhile(lambda pair: pair[1], zip(encoded.ids, encoded.special_tokens_mask, strict=True))
        own = backend.token_to_id(BOS)
        self.opening = tuple(token for token, _ in before) or (() if own is None else (own,))

    def _special(self, kind: str, descriptions: Sequence[Mapping[str, Any]]) -> tuple[int, ...]:
        """All tokens that are described as of this kind, and the one that we would name so; none without embedding."""
        found: list[int | None] = []
        for description in descriptions:
            name, ids = description.get(f"{kind}_token"), description.get(f"{kind}_token_id")
            name = name["content"] if isinstance(name, dict) else name
            found += [self.backend.token_to_id(name or ""), *(ids if isinstance(ids, list) else [ids])]
        found.append(self.backend.token_to_id(f"<{kind}>"))
        end = min((one["vocab_size"] for one in descriptions if "vocab_size" in one), default=len(self))
        return tuple(token for token in dict.fromkeys(found) if token is not None and 0 <= token < end)

    @classmethod
    def characters(cls, alphabet: Iterable[str]) -> TextTokenizer:
        """One token a character, in sorted order; anything else is <unk>."""
        return cls._of_units(sorted(set(alphabet)), Regex(r"[\s\S]"), decoders.Fuse())

    @classmethod
    def words(cls, texts: Iterable[str]) -> TextTokenizer:
        """One token a word or punctuation mark, each with the space before it, in sorted order."""
        pattern = Regex(r" ?\w+|\s|[^\w\s]")
        split = pre_tokenizers.Split(pattern, "isolated")
        units = {piece for text in texts for piece, _ in split.pre_tokenize_str(text)}
        return cls._of_units(sorted(units), pattern, decoders.Fuse())

    @classmethod
    def _of_units(cls, units: Sequence[str], pattern: Regex, decoder: decoders.Decoder) -> TextTokenizer:
        vocabulary = {unit: index for index, unit in enumerate([*SPECIAL, *units])}
        backend = Backend(models.WordLevel(vocabulary, unk_token=UNKNOWN))
        backend.pre_tokenizer = pre_tokenizers.Split(pattern, "isolated")
        backend.decoder = decoder
        backend.add_special_tokens(list(SPECIAL))
        return cls(backend)

    @classmethod
    def load(cls, folder: Path) -> TextTokenizer:
        """From `tokenizer.json` and what `DESCRIPTIONS` are beside it. Raises AutotrophError where one is damaged."""
        path = folder / "tokenizer.json"
        try:
            backend = Backend.from_file(str(path))
            described = []
            for path in filter(Path.is_file, (folder / name for name in DESCRIPTIONS)):
                described.append(json.loads(path.read_text()))
            return cls(backend, described)
        except Exception as error:  # the library raises bare Exception
            raise AutotrophError(f"tokenizer {path}: {error}; restore the file or train the base again") from error

    def save(self, folder: Path) -> None:
        self.backend.save(str(folder / "tokenizer.json"))

    def __len__(self) -> int:
        return int(self.backend.get_vocab_size())

    def encode(self, text: str) -> list[int]:
        return list(self.backend.encode(text, add_special_tokens=False).ids)

    def decode(self, ids: Sequence[int]) -> str:
        return str(self.backend.decode(list(ids), skip_special_tokens=True))
