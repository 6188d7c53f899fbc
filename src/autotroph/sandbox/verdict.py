"""Verdicts, decided here, in the process that no candidate enters: what came out is compared with what only we know.

The inputs of a check go into the jail together with the code that they judge, or after it; what is expected never does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from autotroph.sandbox.jail import Jail
from autotroph.sandbox.outcome import DEFAULTS, Answer, Calls, Limits, Outcome

Case = tuple[tuple[Any, ...], Any]
"""Arguments of a call, and the value that it must give."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which checks hold. Their names are ours: what a candidate calls its own results cannot add or rename one."""

    checks: Mapping[str, bool]

    @property
    def passed(self) -> bool:
        """All hold, and there is at least one."""
        return bool(self.checks) and all(self.checks.values())

    @property
    def score(self) -> float:
        """The share that holds; 0 where there is no check."""
        return sum(self.checks.values()) / len(self.checks) if self.checks else 0.0


def pairs(
    jail: Jail,
    program: str,
    function: str,
    cases: Sequence[Case],
    limits: Limits = DEFAULTS,
    tolerance: float | None = None,
) -> Verdict:
    """Input and output: the function gives for each case's arguments the value that is expected."""
    outcome = jail.run(program, Calls(function, [arguments for arguments, _ in cases]), limits)
    return judge(outcome, [partial(same, want=want, tolerance=tolerance) for _, want in cases])


def texts(jail: Jail, program: str, cases: Sequence[tuple[str, str]], limits: Limits = DEFAULTS) -> Verdict:
    """Input and output of whole programs: standard output is what is expected, but for white space at line ends."""
    given = [jail.run(program, text, limits).stdout for text, _ in cases]
    return _numbered(_lines(out) == _lines(want) for out, (_, want) in zip(given, cases, strict=True))


def properties(
    jail: Jail,
    program: str,
    function: str,
    arguments: Sequence[tuple[Any, ...]],
    holds: Callable[[tuple[Any, ...], Any], bool],
    limits: Limits = DEFAULTS,
) -> Verdict:
    """What `holds(arguments, value)` says of each call. It is given plain data; where it raises, the check fails."""
    outcome = jail.run(program, Calls(function, arguments), limits)
    return judge(outcome, [partial(holds, given) for given in arguments])


def reference(
    jail: Jail,
    program: str,
    solution: str,
    function: str,
    arguments: Sequence[tuple[Any, ...]],
    limits: Limits = DEFAULTS,
    tolerance: float | None = None,
) -> Verdict:
    """As `pairs`, with the values that a reference solution gives in a child of its own; it may raise as well."""
    wanted = jail.run(solution, Calls(function, arguments), limits).answers
    given = jail.run(program, Calls(function, arguments), limits).answers
    checks = (
        place < len(wanted) and place < len(given) and _like(given[place], wanted[place], tolerance)
        for place in range(len(arguments))
    )
    return _numbered(checks)


def steps(
    jail: Jail, program: str, stages: Mapping[str, Sequence[Case]], limits: Limits = DEFAULTS
) -> dict[str, Verdict]:
    """Step-level scores: each function of the program by its own cases, in a child of its own, in the order given."""
    return {function: pairs(jail, program, function, cases, limits) for function, cases in stages.items()}


def repair(before: Verdict, after: Verdict, fail_to_pass: Iterable[str], pass_to_pass: Iterable[str]) -> Verdict:
    """Tests that must come to pass and tests that must stay so, by names that were fixed beforehand.

    One that is to come to pass counts only if it failed before; one that nothing was heard of has failed.
    """
    mended = {name: after.checks.get(name, False) and not before.checks.get(name, False) for name in fail_to_pass}
    kept = {name: after.checks.get(name, False) for name in pass_to_pass}
    return Verdict({**kept, **mended})


def asserts(
    jail: Jail,
    program: str,
    functions: Sequence[str],
    tests: Mapping[str, str],
    limits: Limits = DEFAULTS,
) -> Verdict:
    """Tests that are code, by name: each holds if it ends without an exception.

    They run in another jail than the program. There a name of `functions` is a call into the program's jail, with plain
    data as arguments and value, so the program shares neither memory nor process with the tests that judge it. What is
    not plain data cannot be tested so, nor arguments that are changed in place.
    """
    outcome = jail.pair(
        {"kind": "serve", "source": program},
        {"kind": "tests", "tests": list(tests.items()), "functions": list(functions)},
        limits,
    )
    said: dict[str, object] = dict(answer.value[:2] for answer in outcome.answers if answer.error is None)
    return Verdict({name: said.get(name) is True for name in tests})


def judge(outcome: Outcome, checks: Sequence[Callable[[Any], bool]]) -> Verdict:
    """One check for each call; a call that raised, gave nothing or was not reached has failed."""
    answers: list[Answer | None] = [*outcome.answers[: len(checks)]]
    answers += [None] * (len(checks) - len(answers))
    held = (a is not None and a.error is None and _holds(c, a.value) for a, c in zip(answers, checks, strict=True))
    return _numbered(held)


def same(value: Any, want: Any, tolerance: float | None = None) -> bool:
    """Equal as Python has it; with a tolerance, numbers may differ by that much, absolutely or relatively.

    NaN is like NaN alone, and infinity like itself alone, whatever the tolerance.
    """
    number = (int, float, complex)
    if isinstance(value, number) and isinstance(want, number):
        return (
            bool(value == want)
            or (isinstance(want, float) and math.isnan(want) and value != value)
            or (tolerance is not None and _near(value, want, tolerance))
        )
    if isinstance(want, (list, tuple)):
        alike = type(value) is type(want) and len(value) == len(want)
        return alike and all(same(v, w, tolerance) for v, w in zip(value, want, strict=True))
    if isinstance(want, dict):
        alike = isinstance(value, dict) and value.keys() == want.keys()
        return alike and all(same(value[key], want[key], tolerance) for key in want)
    return bool(value == want)


def _near(value: complex, want: complex, tolerance: float) -> bool:
    try:
        distance, size = abs(value - want), abs(want)
    except OverflowError:  # an int beyond all floats
        return False
    return math.isfinite(distance) and math.isfinite(size) and distance <= tolerance * max(1.0, size)


def _like(given: Answer, wanted: Answer, tolerance: float | None) -> bool:
    return given.error == wanted.error and same(given.value, wanted.value, tolerance)


def _holds(check: Callable[[Any], bool], value: Any) -> bool:
    try:
        return bool(check(value))
    except Exception:
        return False


def _numbered(checks: Iterable[bool]) -> Verdict:
    return Verdict({str(number): bool(held) for number, held in enumerate(checks)})


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.rstrip().splitlines()]
