"""Calls of tools, judged by what they do: they are executed beside the reference calls on data that no prompt shows.

Judging by the data that a call returns, instead of by its text, is the functional correctness of arXiv:2107.03374; that
the data are hidden keeps a call from handing in the result that it should compute.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from autotroph.core.task import Provenance, Task, split_of, stable_hash
from autotroph.tasks.code.examples import LENGTHS, hidden_cases, inputs
from autotroph.tasks.code.expressions import Expressions
from autotroph.tasks.code.functions import Function, Operation
from autotroph.tasks.family import ASCII
from autotroph.tasks.procedural import Drawn

LONGEST, LARGEST = 1000, 99
"""Characters of an answer, and the size of an argument, beyond which it is not run."""


@dataclass(frozen=True)
class Tool:
    """What it does, as a prompt says it, and as a request asks for it; the numbers it takes; its source and meaning."""

    does: str
    request: str
    parameters: Mapping[str, range]
    source: str
    compute: Callable[..., list[int]]

    def operation(self, arguments: Mapping[str, int]) -> Operation:
        return Operation(self.source.format("{}", **arguments), lambda a: self.compute(a, **arguments))


N, LIMIT = {"n": range(1, 4)}, {"limit": range(2, 8)}
TOOLS: Mapping[str, Tool] = {
    "take": Tool("the first n", "keep only the first {n}", N, "{}[:{n}]", lambda a, n: a[:n]),
    "drop": Tool("all but the first n", "leave out the first {n}", N, "{}[{n}:]", lambda a, n: a[n:]),
    "slice": Tool(
        "from position start up to, but without, position stop; positions begin at 0",
        "keep the ones from position {start} to just before position {stop}, counted from 0",
        {"start": range(1, 3), "stop": range(3, 6)},
        "{}[{start}:{stop}]",
        lambda a, start, stop: a[start:stop],
    ),
    "add": Tool("each plus n", "add {n} to each", N, "[x+{n} for x in {}]", lambda a, n: [x + n for x in a]),
    "above": Tool(
        "those greater than limit",
        "keep those greater than {limit}",
        LIMIT,
        "[x for x in {} if x>{limit}]",
        lambda a, limit: [x for x in a if x > limit],
    ),
    "below": Tool(
        "those less than limit",
        "keep those less than {limit}",
        LIMIT,
        "[x for x in {} if x<{limit}]",
        lambda a, limit: [x for x in a if x < limit],
    ),
    "sort": Tool("in ascending order", "sort them", {}, "sorted({})", sorted),
    "reverse": Tool("in reverse order", "reverse their order", {}, "{}[::-1]", lambda a: a[::-1]),
}

HEADER = "Tools, each applied to the list that the one before it left:\n" + "".join(
    f"{name}({', '.join(tool.parameters)}): {tool.does}\n" for name, tool in TOOLS.items()
)


class ToolCalls(Expressions, Drawn):
    """Level n: a request that takes n calls; the answer is a JSON list of {"name", "arguments"}.

    Other calls than the reference ones are right where they do the same: slice(0, 2) for take(2).
    """

    name = "tool_calls"
    levels = range(1, 5)
    alphabet = ASCII

    def draw(self, level: int, rng: random.Random) -> Task:
        hidden = None
        while hidden is None:
            calls = [_call(rng) for _ in range(level)]
            hidden = hidden_cases(Function(tuple(map(_operation, calls))), rng)
        request = ", then ".join(TOOLS[call["name"]].request.format(**call["arguments"]) for call in calls)
        prompt = f"{HEADER}Request: {request}.\n"
        key = stable_hash(self.name, prompt)
        cases = {"shown": [], "cases": hidden}
        return Task(key, self.name, prompt, _json(calls), level, split_of(key), Provenance("procedural"), cases)

    def function(self, task: Task, answer: str) -> str | None:
        calls = called(answer)
        return None if calls is None else f"lambda a: {calls.source}"

    def generated(self, task: Task, n: int) -> list[tuple[Any, ...]]:
        return [(a,) for a in inputs(n, LENGTHS, random.Random(stable_hash(task.key, "generated")))]

    def recheck(self, task: Task, answer: str) -> float | None:
        """Computes both calls here, on 50 other lists."""
        calls, gold = called(answer), called(task.answer or "")
        if calls is None or gold is None:
            return 0.0 if gold else None
        return float(all(calls(a) == gold(a) for (a,) in self.generated(task, 50)))

    def wrong_answers(self, task: Task) -> list[str]:
        gold = task.answer or ""
        outside = ['{"name": "sort"}', "null", "[1]", '[{"name": "eval", "arguments": {}}]', "[" * 900]
        return ["", gold[:-1], gold + gold, "[]", gold.replace('"name"', '"tool"'), *outside]

    def equivalent_answers(self, task: Task) -> list[str]:
        calls = json.loads(task.answer or "")
        return [json.dumps(calls, indent=1), _json([*calls, {"name": "drop", "arguments": {"n": 0}}])]

    def max_answer(self, level: int) -> int:
        return 2 + 60 * level


def called(answer: str) -> Function | None:
    """The calls of an answer, as one function; None where it is no JSON of calls of known tools with whole numbers."""
    if len(answer) > LONGEST:
        return None
    try:
        calls = json.loads(answer)
    except (ValueError, RecursionError):
        return None
    if not isinstance(calls, list) or not all(map(_is_call, calls)):
        return None
    return Function(tuple(map(_operation, calls)))


def _is_call(call: Any) -> bool:
    match call:
        case {"name": str(name), "arguments": dict(arguments), **rest} if name in TOOLS and not rest:
            return arguments.keys() == TOOLS[name].parameters.keys() and all(
                type(value) is int and 0 <= value <= LARGEST for value in arguments.values()
            )
    return False


def _call(rng: random.Random) -> dict[str, Any]:
    name = rng.choice(list(TOOLS))
    return {"name": name, "arguments": {key: rng.choice(values) for key, values in TOOLS[name].parameters.items()}}


def _operation(call: Mapping[str, Any]) -> Operation:
    return TOOLS[call["name"]].operation(call["arguments"])


def _json(calls: list[dict[str, Any]]) -> str:
    return json.dumps(calls, separators=(",", ":"))
