"""Twenty small programs to edit, and what every test of a mutator needs."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from autotroph.core.budget import Meter
from autotroph.evolve.candidate import Candidate
from autotroph.evolve.protocols import Edit, Mutator, Parent, Surroundings

PROGRAMS = tuple((Path(__file__).parent / "programs.txt").read_text().split("%%\n"))


def around(seed: int = 0, **more: Any) -> Surroundings:
    return Surroundings(random.Random(seed), more.pop("meter", Meter()), **more)


def child(mutator: Mutator, *parents: Candidate, seed: int = 0, **more: Any) -> Edit:
    return mutator.edit([Parent(parent) for parent in parents], around(seed, **more))
