"""A tokenizer for samplers that follow a script."""

from collections.abc import Sequence


class Characters:
    """A token for each character, its code point; 0 to 2 are special."""

    bos_id, eos_id, pad_id = 1, 2, 0
    opening, stop_ids = (1,), (2,)

    def __len__(self) -> int:
        return 0x110000

    def encode(self, text: str) -> list[int]:
        return [ord(character) for character in text]

    def prompt(self, text: str) -> list[int]:
        return [*self.opening, *self.encode(text)]

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(chr(i) for i in ids if i > 2)
