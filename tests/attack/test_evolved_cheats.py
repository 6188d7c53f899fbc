"""Cheating programs on every problem, through the jail: each is worth nothing, or exactly what its output is worth.

Each trick on some problems; `bench/evolved.py cheats` tries each on all.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cheats import OWN, POOR, WORTHLESS, accepted, tried

from autotroph.sandbox import Jail
from autotroph.tasks.programs.family import ProgramFamily
from autotroph.tasks.registry import FAMILIES

EVERY = 8


@pytest.fixture(scope="module")
def jail() -> Iterator[Jail]:
    with Jail(workers=1) as one:
        yield one


def test_there_are_enough_of_them_and_some_for_each_problem() -> None:
    different = {text for tricks in (WORTHLESS, POOR, *OWN.values()) for text in tricks.values()}
    assert len(different) >= 60
    plain = {name: make() for name, make in FAMILIES.items() if "<" not in name}
    assert OWN.keys() == {name for name, family in plain.items() if isinstance(family, ProgramFamily)}


@pytest.mark.parametrize(("number", "name"), list(enumerate(OWN)), ids=list(OWN))
def test_no_trick_is_worth_more_than_its_output(number: int, name: str, jail: Jail) -> None:
    assert accepted(jail, name, slice(number % EVERY, None, EVERY)) == []


def test_a_program_that_never_returns_costs_its_deadline(jail: Jail) -> None:
    assert tried(jail, "modules", {"never": "def solve(k):\n    while True: pass"}, 0.3) == {"never": ("", 0.0)}
