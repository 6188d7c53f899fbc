"""Labels that only demonstrations tell, some of which mislead: what a prompt is good for, in small."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from autotroph.core.task import stable_hash
from autotroph.tasks.procedural import Procedural

LETTERS, COATS, LABELS = "abcde", "ijklmnopqrstuvwxyz", "0123"
SHOWN, MISLED = 4, 0.3
"""Most demonstrations of a letter, and the share of all whose label is another one."""


def item(letter: str, rng: random.Random) -> str:
    """A letter in two coats, which mean nothing."""
    return letter + "".join(rng.choices(COATS, k=2))


def labelling(letters: str, rng: random.Random) -> dict[str, str]:
    return {letter: rng.choice(LABELS) for letter in letters}


def demonstrations(labels: Mapping[str, str], counts: Sequence[int], rng: random.Random) -> str:
    """A prompt: so many lines of each letter, in any order, each an item and its label or, misled, another one."""
    lines = []
    for (letter, label), count in zip(labels.items(), counts, strict=True):
        for _ in range(count):
            wrong = rng.random() < MISLED
            said = rng.choice([other for other in LABELS if other != label]) if wrong else label
            lines.append(f"{item(letter, rng)} {said}\n")
    rng.shuffle(lines)
    return "".join(lines)


class InContext(Procedural):
    """Level n: n letters, each with a label; "aij 0\\nbkl 2\\naxy " -> "0". Of each letter there are 1 to 4 lines.

    A model that learns this has learnt to read a prompt: the labels are drawn anew for every task.
    """

    name = "in_context"
    levels = range(1, len(LETTERS) + 1)
    alphabet = LETTERS + COATS + LABELS + " \n"

    def problem(self, level: int, rng: random.Random) -> tuple[str, str]:
        labels = labelling("".join(rng.sample(LETTERS, level)), rng)
        counts = [rng.randint(1, SHOWN) for _ in labels]
        asked = rng.choice(list(labels))
        return demonstrations(labels, counts, rng) + f"{item(asked, rng)} ", labels[asked]

    def max_answer(self, level: int) -> int:
        return 1


class Labels(Procedural):
    """The questions alone, under one labelling of all letters, which follows from `seed`: "axy " -> "0"."""

    name = "labels"
    levels = range(1, 2)
    alphabet = InContext.alphabet

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def _rng(self) -> random.Random:
        return random.Random(stable_hash(self.name, str(self.seed)))

    @property
    def labels(self) -> dict[str, str]:
        return labelling(LETTERS, self._rng())

    def prompt(self, shown: int = SHOWN) -> str:
        """Demonstrations of this labelling, so many of each letter."""
        rng = self._rng()
        return demonstrations(labelling(LETTERS, rng), [shown] * len(LETTERS), rng)

    def problem(self, level: int, rng: random.Random) -> tuple[str, str]:
        asked = rng.choice(LETTERS)
        return f"{item(asked, rng)} ", self.labels[asked]

    def max_answer(self, level: int) -> int:
        return 1
