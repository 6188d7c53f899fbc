"""Plain data as bytes: what a jail lets out, and all that is ever read of it.

None, bool, int, float, complex, str, bytes, list, tuple, set, frozenset and dict; a subclass is written as its base.
Each value is one letter and then its length or its text, so a reader knows the size of all before it makes it. Reading
executes nothing and is bounded: in depth, in items, and against keys whose hashes were chosen to be equal.
"""

from __future__ import annotations

import itertools

TYPE_CHECKING = False  # importing typing takes longer than all else that a fresh jail imports
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

DEPTH, ITEMS = 100, 200_000
"""Deepest nesting and most values of one text."""

ALIKE = 64
"""Most keys of one set or dict that may have the same hash; Python is quadratic in them."""

GROUPS: dict[bytes, Any] = {b"l": list, b"t": tuple, b"e": set, b"z": frozenset, b"d": dict}
LETTERS = {kind: letter for letter, kind in GROUPS.items()}


class Unplain(ValueError):
    """A value that is no plain data, or bytes that are no text of one."""


def encode(value: object) -> bytes:
    """The text of a value. Raises Unplain where it is not plain data or is nested deeper than DEPTH."""
    parts: list[bytes] = []
    _write(value, parts, DEPTH)
    return b"".join(parts)


def _write(value: Any, parts: list[bytes], depth: int) -> None:
    if depth < 0:
        raise Unplain(f"nested deeper than {DEPTH}")
    if value is None:
        parts.append(b"N")
        return
    kind = next((kind for kind in KINDS if isinstance(value, kind)), None)
    if kind is None and hasattr(value, "tolist"):
        _write(value.tolist(), parts, depth - 1)  # numpy
    elif kind is None:
        raise Unplain(f"a {type(value).__name__} is no plain data")
    elif kind in LETTERS:
        members = list(dict.items(value)) if kind is dict else list(kind.__iter__(value))
        parts.append(b"%s%d:" % (LETTERS[kind], len(members)))
        for each in itertools.chain.from_iterable(members) if kind is dict else members:
            _write(each, parts, depth - 1)
    else:
        parts.append(KINDS[kind](value))


def _sized(letter: bytes, data: bytes | bytearray) -> bytes:
    return b"%s%d:%s" % (letter, len(data), data)


KINDS: dict[Any, Callable[[Any], bytes]] = {
    bool: lambda value: b"T" if value else b"F",
    int: lambda value: b"i%s;" % int.__format__(value, "x").encode(),
    float: lambda value: b"f%s;" % float.__repr__(value).encode(),
    complex: lambda value: b"c%s,%s;" % (float.__repr__(value.real).encode(), float.__repr__(value.imag).encode()),
    str: lambda value: _sized(b"s", str.encode(value, "utf-8", "surrogatepass")),
    bytes: lambda value: _sized(b"b", bytes(value)),
    bytearray: lambda value: _sized(b"b", bytes(value)),
    **dict.fromkeys(LETTERS, bytes),
}
"""How values of a kind are written; groups are written member by member."""


def decode(data: bytes) -> object:
    """The value of exactly one text. Raises Unplain."""
    values = list(decode_all(data))
    if len(values) != 1:
        raise Unplain(f"{len(values)} values instead of one")
    return values[0]


def decode_all(data: bytes) -> list[object]:
    """The values of texts that follow one another, up to the first that is damaged or cut off."""
    reader, values = _Reader(data), []
    while reader.at < len(data):
        try:
            values.append(reader.value(DEPTH))
        except Unplain:
            break
    return values


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at, self.left = data, 0, ITEMS

    def value(self, depth: int) -> object:
        letter = self.data[self.at : self.at + 1]
        self.at += 1
        self.left -= 1
        if depth < 0 or self.left < 0:
            raise Unplain("too deep or too many values")
        if letter == b"N":
            return None
        if letter in (b"T", b"F"):
            return letter == b"T"
        try:
            if letter == b"i":
                return int(self.until(b";"), 16)
            if letter == b"f":
                return float(self.until(b";", 32))
            if letter == b"c":
                return complex(float(self.until(b",", 32)), float(self.until(b";", 32)))
            if letter == b"s":
                return self.raw().decode("utf-8", "surrogatepass")
            if letter == b"b":
                return self.raw()
            if letter in GROUPS:
                return self.group(GROUPS[letter], depth)
        except (ValueError, TypeError) as error:  # a damaged number or text, a key that is a list
            raise Unplain(str(error)) from None
        raise Unplain(f"unknown letter {letter!r}")

    def group(self, kind: Any, depth: int) -> object:
        size = int(self.until(b":", 9))
        if size > self.left:
            raise Unplain("too many values")
        members = [self.value(depth - 1) for _ in range(2 * size if kind is dict else size)]
        if kind in (list, tuple):
            return kind(members)
        keys = members[::2] if kind is dict else members
        counts: dict[int, int] = {}
        for key in keys:
            counts[hash(key)] = count = counts.get(hash(key), 0) + 1
            if count > ALIKE:
                raise Unplain(f"more than {ALIKE} keys with the same hash")
        return dict(zip(keys, members[1::2], strict=True)) if kind is dict else kind(keys)

    def raw(self) -> bytes:
        size = int(self.until(b":", 9))
        text = self.data[self.at : self.at + size]
        if size < 0 or len(text) != size:
            raise Unplain("cut off")
        self.at += size
        return text

    def until(self, mark: bytes, most: int = 1 << 30) -> bytes:
        end = self.data.find(mark, self.at, self.at + most + 1)
        if end < 0:
            raise Unplain("cut off")
        text = self.data[self.at : end]
        self.at = end + 1
        return text
