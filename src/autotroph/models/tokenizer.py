"""Tokenizers in the `tokenizer.json` format: characters, words, or whatever a checkpoint brings along."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokenizers import Regex, decoders, models, pre_tokenizers
from tokenizers import Tokenizer as Backend

from autotroph.core.errors import AutotrophError

if TYPE_CHECKING:
    from autotroph.models.chat import Chat

PAD, BOS, EOS, UNKNOWN = SPECIAL = ("<pad>", "<bos>", "<eos>", "<unk>")

DESCRIPTIONS = ("tokenizer_config.json", "generation_config.json", "config.json")
"""Files of a checkpoint that name its special tokens, the most telling first."""

TEMPLATE = "chat_template.jinja"
"""The file of a chat template where it does not stand in `tokenizer_config.json`."""


class TextTokenizer:
    """Text to token ids and back.

    A prompt is written as `chat` has it where a checkpoint has a template. Without one `opening` stands before it: what
    the post-processor of `tokenizer.json` puts there (nothing in Qwen), or <bos> where the vocabulary has it. `bos_id`
    opens a prompt that has no token at all: it is pad or eos where there is no bos. `eos_id` ends every answer that is
    learnt from; each of `stop_ids` ends one that a model writes.
    """

    def __init__(self, backend: Backend, descriptions: Sequence[Mapping[str, Any]] = (), chat: Chat | None = None):
        """`descriptions`: contents of `DESCRIPTIONS`, where tokens have other names than ours. Raises AutotrophError
        where no token ends an answer."""
        self.backend, self.chat = backend, chat
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
            name, ids = _text(description.get(f"{kind}_token")), description.get(f"{kind}_token_id")
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
        """From `tokenizer.json`, and what `DESCRIPTIONS` and chat template are beside it.

        Raises AutotrophError where one of them is missing or damaged."""
        path = folder / "tokenizer.json"
        if not path.is_file():
            raise AutotrophError(f"tokenizer {path}: no such file; give a checkpoint that has one (a fast tokenizer's)")
        try:
            backend = Backend.from_file(str(path))
            described = []
            for path in filter(Path.is_file, (folder / name for name in DESCRIPTIONS)):
                described.append(json.loads(path.read_text()))
            path = folder / TEMPLATE
            template = path.read_text() if path.is_file() else _template(described)
            if template is None:
                return cls(backend, described)
            from autotroph.models.chat import Chat  # Jinja is for those that have a template

            return cls(backend, described, Chat(template, _specials(described)))
        except AutotrophError as error:
            raise AutotrophError(f"tokenizer {path}: {error}") from error
        except Exception as error:  # the library raises bare Exception
            raise AutotrophError(f"tokenizer {path}: {error}; restore the file or train the base again") from error

    def save(self, folder: Path) -> None:
        text = self.backend.to_str(pretty=True)  # its own `save` raises a bare Exception where the disk is full
        (folder / "tokenizer.json").write_text(text, "utf-8")
        if self.chat is not None:
            (folder / TEMPLATE).write_text(self.chat.template)
            described = {**self.chat.specials, "tokenizer_class": "PreTrainedTokenizerFast"}
            (folder / DESCRIPTIONS[0]).write_text(json.dumps(described, indent=1, sort_keys=True))

    def __len__(self) -> int:
        return int(self.backend.get_vocab_size())

    def encode(self, text: str) -> list[int]:
        return list(self.backend.encode(text, add_special_tokens=False).ids)

    def prompt(self, text: str) -> list[int]:
        """Tokens of a prompt, to which an answer is to follow; never none."""
        if self.chat is not None:
            return self.encode(self.chat.prompt(text))
        return [*self.opening, *self.encode(text)] or [self.bos_id]

    def turn(self, text: str, last: int) -> list[int]:
        """What comes between an answer whose `last` token is given and the next one where it is answered by `text`."""
        if self.chat is None:
            return self.encode(text)
        ids = self.encode(self.chat.turn(text))
        return ids[1:] if ids[:1] == [last] else ids

    def decode(self, ids: Sequence[int]) -> str:
        return str(self.backend.decode(list(ids), skip_special_tokens=True))


def _text(token: Any) -> str | None:
    """A special token as descriptions name it: by its text, or by a record that has it."""
    return token["content"] if isinstance(token, dict) else token


def _template(descriptions: Sequence[Mapping[str, Any]]) -> str | None:
    """The chat template that is described: the only one, or the one named default."""
    found = next((one["chat_template"] for one in descriptions if one.get("chat_template")), None)
    if isinstance(found, list):
        return next((one["template"] for one in found if one["name"] == "default"), None)
    return found


def _specials(descriptions: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Texts of the special tokens that the most telling description names, as templates call them."""
    named = {kind: _text(descriptions[0].get(kind)) for kind in SPECIAL_TOKENS} if descriptions else {}
    return {kind: text for kind, text in named.items() if isinstance(text, str)}


SPECIAL_TOKENS = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
