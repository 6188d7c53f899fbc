"""Versions of a text that are joined line by line: two blended by chance, or three merged."""

from __future__ import annotations

import random
from collections.abc import Sequence
from difflib import SequenceMatcher
from io import StringIO

from autotroph.evolve.candidate import NoEdit

LONGEST = 5000
"""Lines of a text beyond which it is not compared."""


def split(text: str) -> list[str]:
    """Lines with their ends, as Python counts them. Raises NoEdit where they are too many."""
    lines = StringIO(text, newline="").readlines()
    if len(lines) > LONGEST:
        raise NoEdit(f"a text of {len(lines)} lines, more than {LONGEST}", "too long")
    return lines


def blended(one: str, other: str, rng: random.Random) -> str:
    """Each difference as one of the two has it, at least one of them from each. Raises NoEdit where they differ in one
    place only, so that no text is neither."""
    first, second = split(one), split(other)
    parts = SequenceMatcher(None, first, second, autojunk=False).get_opcodes()
    places = [i for i, (tag, *_) in enumerate(parts) if tag != "equal"]
    if len(places) < 2:
        raise NoEdit("the texts differ in one place only")
    theirs = set(rng.sample(places, rng.randint(1, len(places) - 1)))
    return "".join("".join(second[c:d] if i in theirs else first[a:b]) for i, (_, a, b, c, d) in enumerate(parts))


def merged(base: Sequence[str], ours: Sequence[str], theirs: Sequence[str]) -> tuple[list[str], int]:
    """What both have made of the base, and how many places both have changed in their own ways: those are as ours.

    The rule of diff3 (Khanna, Kunal and Pierce 2007): the lines of the base that both kept cut all three into regions,
    and a region that one of them left alone is as the other has it.
    """
    first, second = _kept(base, ours), _kept(base, theirs)
    stable = [(i, first[i], second[i]) for i in sorted(first.keys() & second.keys())]
    found: list[str] = []
    conflicts, (a, b, c) = 0, (0, 0, 0)
    for i, j, k in [*stable, (len(base), len(ours), len(theirs))]:
        was, one, other = base[a:i], ours[b:j], theirs[c:k]
        conflicts += was != one and was != other and one != other
        found += other if was == one else one
        found += ours[j : j + 1]
        a, b, c = i + 1, j + 1, k + 1
    return found, conflicts


def _kept(base: Sequence[str], version: Sequence[str]) -> dict[int, int]:
    """Line of the base -> where it is in a version."""
    blocks = SequenceMatcher(None, base, version, autojunk=False).get_matching_blocks()
    return {a + i: b + i for a, b, size in blocks for i in range(size)}
