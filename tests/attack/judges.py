"""The ways to a verdict on `f`, each on a task of its own that is drawn afresh: nobody can have seen its values."""

from __future__ import annotations

import random
from collections.abc import Callable

from autotroph.sandbox import Directory, Jail, Limits
from autotroph.sandbox.suite import Test, suite
from autotroph.sandbox.verdict import Verdict, asserts, pairs, properties, reference

LIMITS = Limits(wall=2, memory=128 << 20, disk=8 << 20)
Judge = Callable[[Jail, str, random.Random], Verdict]


def draw(rng: random.Random, cases: int = 4) -> list[tuple[tuple[list[int]], int]]:
    """Cases of a function that a program would have to know: a sum of squares, times a secret factor, plus another."""
    factor, shift = rng.randrange(10**3, 10**6), rng.randrange(10**3, 10**6)
    xs = [[rng.randrange(100) for _ in range(rng.randrange(1, 6))] for _ in range(cases)]
    return [((x,), factor * sum(each * each for each in x) + shift) for x in xs]


def table(cases: list[tuple[tuple[list[int]], int]]) -> dict[str, int]:
    """The right values, by the text of the argument."""
    return {str(given[0]): want for given, want in cases}


def by_pairs(jail: Jail, program: str, rng: random.Random) -> Verdict:
    return pairs(jail, program, "f", draw(rng), LIMITS)


def by_tolerance(jail: Jail, program: str, rng: random.Random) -> Verdict:
    return pairs(jail, program, "f", [(given, float(want)) for given, want in draw(rng)], LIMITS, tolerance=1e-6)


def by_properties(jail: Jail, program: str, rng: random.Random) -> Verdict:
    cases = draw(rng)
    wanted = {str(given): want for given, want in cases}
    return properties(
        jail, program, "f", [given for given, _ in cases], lambda given, value: value == wanted[str(given)], LIMITS
    )


def by_reference(jail: Jail, program: str, rng: random.Random) -> Verdict:
    cases = draw(rng)
    solution = f"wanted = {table(cases)!r}\ndef f(x): return wanted[str(x)]"
    return reference(jail, program, solution, "f", [given for given, _ in cases], LIMITS)


def by_asserts(jail: Jail, program: str, rng: random.Random) -> Verdict:
    tests = {f"test {n}": f"assert f({given[0]!r}) == {want}" for n, (given, want) in enumerate(draw(rng))}
    return asserts(jail, program, ["f"], tests, LIMITS)


def by_suite(jail: Jail, program: str, rng: random.Random) -> Verdict:
    source = "from solution import f\n"
    cases = draw(rng)
    for n, (given, want) in enumerate(cases):
        source += f"def test_{n}():\n    assert f({given[0]!r}) == {want}\n"
    tests = {f"test_{n}": Test(source, f"test_{n}") for n in range(len(cases))}
    return suite(jail, Directory({"solution.py": program.encode()}), tests, LIMITS)


JUDGES: dict[str, Judge] = {
    "pairs": by_pairs,
    "tolerance": by_tolerance,
    "properties": by_properties,
    "reference": by_reference,
    "asserts": by_asserts,
    "suite": by_suite,
}
