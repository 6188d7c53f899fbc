"""Plain data as bytes: what a jail lets out, and all that is ever read of it.

None, bool, int, float, complex, str, bytes, list, tuple, set, frozenset and dict; a subclass is written as its base. Each
value is one letter and then its length or its text, so a reader knows the size of everything before it makes it. Reading
executes nothing and is bounded: in depth, in items, and against keys whose hashes were chosen to be equal.
"""

from __future__ import annotations

DEPTH, ITEMS = 100, 200_000
"""Deepest nesting and most values of one text."""

ALIKE = 64
"""Most keys of one set or dict that may have the same hash; Python is quadratic in them."""

GROUPS = {b"l": list, b"t": tuple, b"e": set, b"z": frozenset, b"d": dict}
LETTERS = {kind: letter for letter, kind in GROUPS.items()}


class Unplain(ValueError):
    """A value that is no plain data, or bytes that are no text of one."""


def encode(value: object) -> bytes:
    """The text of a value. Raises Unplain where it is not plain data or is nested deeper than DEPTH."""
    parts: list[bytes] = []
    _write(value, parts, DEPTH)
    return b"".join(parts)


def _write(value: object, parts: list[bytes], depth: int) -> None:
    if depth < 0:
        raise Unplain(f"nested deeper than {DEPTH}")
    kind = _base(value)
    if value is None:
        parts.append(b"N")
    elif kind is bool:
        parts.append(b"T" if value else b"F")
    elif kind is int:
        parts.append(b"i%s;" % format(int(value), "x").encode())
    elif kind is float:
        parts.append(b"f%s;" % float.__repr__(value).encode())
    elif kind is complex:
        parts.append(b"c%s,%s;" % (float.__repr__(value.real).encode(), float.__repr__(value.imag).encode()))
    elif kind is str:
        data = str.encode(value, "utf-8", "surrogatepass")
        parts.append(b"s%d:%s" % (len(data), data))
    elif kind is bytes:
        data = bytes(value)
        parts.append(b"b%d:%s" % (len(data), data))
    elif kind is dict:
        pairs = list(dict.items(value))
        parts.append(b"d%d:" % len(pairs))
        for pair in pairs:
            for each in pair:
                _write(each, parts, depth - 1)
    elif kind is not None:
        members = list(kind.__iter__(value))
        parts.append(b"%s%d:" % (LETTERS[kind], len(members)))
        for each in members:
            _write(each, parts, depth - 1)
    elif hasattr(value, "tolist"):
        _write(value.tolist(), parts, depth - 1)  # numpy
    else:
        raise Unplain(f"a {type(value).__name__} is no plain data")


def _base(value: object) -> type | None:
    for kind in (bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset):
        if isinstance(value, kind):
            return kind
    return bytes if isinstance(value, bytearray) else None


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

    def group(self, kind: type, depth: int) -> object:
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
