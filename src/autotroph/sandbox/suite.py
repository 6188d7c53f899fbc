"""Tests inside a candidate's own folder, where objects of every kind cross: both share a process.

There a candidate can say what it likes of a test, and can look up in the test's frame what is expected. So a test is
run with canaries: copies of it in which one assertion is made false, by another expected value where there is one, else
by negation. A test counts as passed only if it passes and every canary fails, each in a child of its own, in an order
that nobody knows. Whoever says "passed" to all, makes all things equal, or answers with what is expected, passes a
canary as well.

What this cannot rule out: a program that tells a test from its canary without solving the task, because it has seen the
test before, or because a given value is easier to check than to find. Where arguments and values are plain data,
`verdict.asserts` rules that out as well.
"""

from __future__ import annotations

import ast
import copy
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from autotroph.core.errors import AutotrophError
from autotroph.sandbox.directory import Directory
from autotroph.sandbox.jail import Jail
from autotroph.sandbox.outcome import DEFAULTS, Limits, Outcome
from autotroph.sandbox.verdict import Verdict

RUNS, CANARIES = 2, 4
"""How often a test is run, and with how many canaries, drawn afresh each time. Whoever says "passed" by throwing dice
passes one test with a chance of 2.2% at most, four tests with one of 2 in 10 million."""


@dataclass(frozen=True, slots=True)
class Test:
    """A function without arguments in a source of ours, which imports what it tests from the candidate's folder."""

    source: str
    function: str

    def canaries(self) -> list[str]:
        """Sources in which one assertion of the test is false where the test holds.

        Those with another expected value if there are any, as a negated assertion can be told from the real one.
        Raises AutotrophError for a test that has no assertion.
        """
        tree = ast.parse(self.source)
        mutants = list(_mutants(tree, self.function))
        strong = [text for strong, text in mutants if strong]
        if not mutants:
            raise AutotrophError(f"test '{self.function}' has no assertion, so nothing shows that it can fail; add one")
        return strong or [text for _, text in mutants]


def suite(jail: Jail, candidate: Directory, tests: Mapping[str, Test], limits: Limits = DEFAULTS) -> Verdict:
    """Which tests hold, by our names.

    Files of the candidate that only Python's start or a test runner reads do nothing: the Python is ours and has
    started before, and the tests' sources are never files in the candidate's folder.
    """
    return Verdict({name: _passes(jail, candidate, test, limits) for name, test in tests.items()})


def _passes(jail: Jail, candidate: Directory, test: Test, limits: Limits) -> bool:
    canaries = test.canaries()
    dice = secrets.SystemRandom()
    runs = [(True, test.source)] * RUNS + [(False, dice.choice(canaries)) for _ in range(CANARIES)]
    dice.shuffle(runs)
    return all(_says(jail, candidate, source, test.function, limits) is real for real, source in runs)


def _says(jail: Jail, candidate: Directory, source: str, function: str, limits: Limits) -> bool | None:
    """True: it held; False: an assertion did not; None: neither was heard, which is right for no test and no canary."""
    order = {"kind": "test", "files": dict(candidate.files), "source": source, "function": function}
    match jail.order(order, "", limits):
        case Outcome(answers=(answer,)):
            return True if answer.error is None else False if answer.error == "AssertionError" else None
    return None


def _mutants(tree: ast.Module, function: str) -> Iterator[tuple[bool, str]]:
    """Whether the expected value was changed, and the source, for each assertion of the function."""
    for place, node in enumerate(_assertions(tree, function)):
        other = copy.deepcopy(tree)
        assertion = list(_assertions(other, function))[place]
        match node.test:
            case ast.Compare(ops=[ast.Eq()], comparators=[wanted]) if _literal(wanted):
                assert isinstance(assertion.test, ast.Compare)
                assertion.test.comparators = [ast.parse(repr(_other(ast.literal_eval(wanted))), mode="eval").body]
                yield True, ast.unparse(other)
            case _:
                assertion.test = ast.UnaryOp(ast.Not(), assertion.test)
                yield False, ast.unparse(ast.fix_missing_locations(other))


def _assertions(tree: ast.Module, function: str) -> Iterator[ast.Assert]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            yield from (each for each in ast.walk(node) if isinstance(each, ast.Assert))


def _literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except ValueError:
        return False
    return True


def _other(value: Any) -> Any:
    """A different value of the same shape."""
    match value:
        case bool():
            return not value
        case int() | float() | complex():
            return value + 1
        case str():
            return value[::-1] if value != value[::-1] else value + "a"
        case bytes():
            return value + b"a"
        case None:
            return 0
        case list() | tuple() if value:
            place = secrets.randbelow(len(value))
            return type(value)([*value[:place], _other(value[place]), *value[place + 1 :]])
        case dict() if value:
            key = secrets.choice(list(value))
            return {**value, key: _other(value[key])}
        case set():
            return value ^ {0}
        case dict():
            return {0: 0}
        case _:
            return type(value)([0])
