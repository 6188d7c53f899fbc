"""Countdown: reach a target with every given number used once, searching in the open (Stream of Search).

Source: Stream of Search (arXiv:2404.03683); as a task for reinforcement learning: arXiv:2503.01307.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations
from typing import Literal

from autotroph.core.task import Provenance, Task, stable_hash
from autotroph.tasks.procedural import Procedural
from autotroph.tasks.rephrase import rephrasing

SIGNS = "+-*/"
LARGEST = 99
"""Largest result that a search keeps."""
MOVE = re.compile(r"([0-9]{1,6})([-+*/])([0-9]{1,6})=([0-9]{1,6})")

CLOSED = re.compile(r"([^()]*\(([^()]|\([^()]*\))*\))*")
"""What a text begins with that is gone on with nowhere."""

Numbers = tuple[int, ...]
Trace = Literal["dfs", "bfs", "path", "foreign"]


def moves(numbers: Numbers, signs: str = SIGNS) -> Iterator[tuple[str, int, Numbers]]:
    """Each move by a sign on two of the numbers once, as text, with its result and the numbers that it leaves.

    The larger number comes first; results are whole, above 0 and at most LARGEST, and nothing is multiplied by 1.
    """
    seen: set[str] = set()
    for i, j in combinations(range(len(numbers)), 2):
        a, b = max(numbers[i], numbers[j]), min(numbers[i], numbers[j])
        others = tuple(n for k, n in enumerate(numbers) if k not in (i, j))
        results = {"+": a + b, "-": a - b, "*": a * b if b > 1 else 0, "/": a // b if b > 1 and a % b == 0 else 0}
        for sign, result in results.items():
            text = f"{a}{sign}{b}={result}"
            if sign in signs and 0 < result <= LARGEST and text not in seen:
                seen.add(text)
                yield text, result, (*others, result)


def searched(numbers: Numbers, target: int, breadth: bool = False, signs: str = SIGNS) -> tuple[str, bool]:
    """The text of a search, and whether it found the target, with which it ends.

    What is tried after a move stands in parentheses behind it, a last move that misses has a comma:
    "5+3=8(8+7=15,8-7=1,8*7=56,)5-3=2(...". With `breadth` all moves on a node's numbers are listed before any is gone
    on with, the one whose result is nearest to the target first.
    """
    tried, text = list(moves(numbers, signs)), ""
    if breadth and len(numbers) > 2:
        text = ",".join(move for move, _, _ in tried) + ";"
        tried.sort(key=lambda one: abs(one[1] - target))
    for move, result, left in tried:
        text += move
        if len(left) == 1:
            if result == target:
                return text, True
            text += ","
        else:
            inner, found = searched(left, target, breadth, signs)
            text += f"({inner}"
            if found:
                return text, True
            text += ")"
    return text, False


def branch(answer: str) -> list[str]:
    """The moves on which a search ends: those whose parenthesis is open, and the last one."""
    open_, last = [], ""
    for token in re.split(r"([(),;])", answer):
        if token == "(":
            open_.append(last)
        elif token == ")":
            del open_[-1:]
        last = "" if token in "(),;" else token
    return [*open_, last]


def parse(prompt: str) -> tuple[Numbers, int]:
    """Numbers and target of a prompt such as "3,5,7>22:"."""
    given, _, target = prompt.removesuffix(":").partition(">")
    return tuple(map(int, given.split(","))), int(target)


def obeys(path: Sequence[str], numbers: Numbers, target: int) -> bool:
    """Whether the moves are right, use every number once, and nothing but what they made, and leave the target."""
    left = Counter(numbers)
    for move in path:
        found = MOVE.fullmatch(move)
        if found is None:
            return False
        a, b, result = (int(found[group]) for group in (1, 3, 4))
        right = {"+": a + b, "-": a - b, "*": a * b, "/": a // b if b and a % b == 0 else -1}[found[2]]
        left.subtract((a, b))
        if result != right or min(left.values()) < 0 or f"{a}{found[2]}{b}={result}" != move:
            return False
        left[result] += 1
    return +left == Counter([target])


class Countdown(Procedural):
    """Level n: n + 1 numbers of 1-9 and a target of 1-99: "3,5,7>22:" -> "...5*3=15(15+7=22".

    The answer is a stream of search, depth first (`dfs`) or with all moves listed first (`bfs`), or nothing but the
    moves that solve it (`path`), or these after the dead ends of another problem (`foreign`, a control). Only the
    branch on which it ends counts: every given number has to be used exactly once. Problems whose search is longer than
    `max_answer` are not drawn, whatever the trace.
    """

    levels = range(1, 4)
    alphabet = "0123456789+-*/=(),;>:"

    def __init__(self, trace: Trace = "dfs", signs: str = SIGNS) -> None:
        """`signs`: the operations that there are."""
        self.trace: Trace = trace
        self.signs = signs
        self.name = ("countdown" if trace == "dfs" else f"countdown_{trace}") + (signs if signs != SIGNS else "")

    @property
    def drawn_as(self) -> str:
        """The same problems are drawn whatever their trace."""
        return "countdown" + (self.signs if self.signs != SIGNS else "")

    def draw(self, level: int, rng: random.Random) -> Task:
        """A problem has one key, and so one split, whatever its trace."""
        return Task.of("countdown", *self.problem(level, rng), level)

    def problem(self, level: int, rng: random.Random) -> tuple[str, str]:
        while True:
            numbers = tuple(rng.randint(1, 9) for _ in range(level + 1))
            target = self.reachable(numbers, rng)
            traces = {trace: searched(numbers, target, trace == "bfs", self.signs)[0] for trace in ("dfs", "bfs")}
            if max(map(len, traces.values())) <= self.max_answer(level):
                prompt = f"{','.join(map(str, numbers))}>{target}:"
                traces["path"] = "(".join(branch(traces["dfs"]))
                traces["foreign"] = self.dead_ends(level, random.Random(stable_hash(prompt))) + traces["path"]
                return prompt, traces[self.trace]

    def dead_ends(self, level: int, rng: random.Random) -> str:
        """What a search for another target with other numbers gave up, of a length that leaves room for a path."""
        while True:
            numbers = tuple(rng.randint(1, 9) for _ in range(level + 1))
            text, _ = searched(numbers, self.reachable(numbers, rng), signs=self.signs)
            closed = CLOSED.match(text)
            given_up = closed[0] if level > 1 and closed else text[: text.rfind(",") + 1]
            if len(given_up) + 8 * level <= self.max_answer(level):
                return given_up

    def reachable(self, numbers: Numbers, rng: random.Random) -> int:
        """The result of random moves, until one number is left."""
        while len(numbers) > 1:
            numbers = rng.choice(list(moves(numbers, self.signs)))[2]
        return numbers[0]

    def verify(self, task: Task, answer: str) -> float | None:
        """1 where the last branch of the answer reaches the target with every given number, each used once; else 0."""
        return float(obeys(branch(answer), *parse(task.prompt)))

    def recheck(self, task: Task, answer: str) -> float | None:
        """Takes out of the text what is closed or given up, and keeps a list of the numbers that there are."""
        given, _, target = task.prompt[:-1].partition(">")
        bag = given.split(",")
        while (shorter := re.sub(r"[^(),;]*\([^()]*\)", "", answer)) != answer:
            answer = shorter
        for part in answer[answer.rfind(")") + 1 :].split("("):
            said, _, result = part[max(part.rfind(","), part.rfind(";")) + 1 :].partition("=")
            sign = next((sign for sign in "+-*/" if sign in said), None)
            a, _, b = said.partition(sign or "=")
            if sign is None or a not in bag or b not in bag or (a == b and bag.count(a) < 2):
                return 0.0
            bag.remove(a)
            bag.remove(b)
            x, y = Fraction(a), Fraction(b)
            if sign == "/" and not y:
                return 0.0
            value = {"+": x + y, "-": x - y, "*": x * y, "/": x / (y or 1)}[sign]
            if result != str(value) or value < 0:
                return 0.0
            bag.append(result)
        return float(bag == [target])

    def equivalent_answers(self, task: Task) -> list[str]:
        """The moves that solve it alone, and their last sum or product the other way round."""
        path = branch(task.answer or "")
        turned = re.sub(r"^(\d+)([+*])(\d+)=", r"\3\2\1=", path[-1])
        return ["(".join(path), "(".join([*path[:-1], turned])]

    def wrong_answers(self, task: Task) -> list[str]:
        """And: numbers that were not given, one left out, more after the end, a solution given up or closed again."""
        target, path = parse(task.prompt)[1], branch(task.answer or "")
        tricks = [f"{target}+0={target}", path[-1] if len(path) > 1 else "", f"{task.answer}({target}-0={target}"]
        return [*super().wrong_answers(task), *tricks, f"{task.answer},", f"{task.answer})"]

    def parse(self, prompt: str) -> Task | None:
        """The task of a prompt that somebody has proposed; None where it is none, or no search finds its target."""
        if not re.fullmatch(r"[1-9](,[1-9]){1,3}>[1-9][0-9]?:", prompt):
            return None
        numbers, target = parse(prompt)
        text, found = searched(numbers, target, signs=self.signs)
        if not found:
            return None
        answer = "(".join(branch(text)) if self.trace == "path" else text
        return Task.of("countdown", prompt, answer, len(numbers) - 1, provenance=Provenance("proposal"))

    def rephrase(self, task: Task) -> Task | None:
        """The same numbers the other way round; None where that is the same, or is of another split."""
        numbers, target = parse(task.prompt)
        twin = self.parse(f"{','.join(map(str, reversed(numbers)))}>{target}:")
        return None if twin is None or twin.key == task.key else rephrasing(task, twin)

    def max_answer(self, level: int) -> int:
        return {1: 24, 2: 200, 3: 500}[level]


class Misled(Countdown):
    """The same problems with answers that search in the same way and end at another target: right in form alone.

    For priming (arXiv:2503.01307); no family of its own, since its answers are wrong.
    """

    def __init__(self, trace: Trace = "dfs", signs: str = SIGNS) -> None:
        super().__init__(trace, signs)
        self.name += "_misled"

    def problem(self, level: int, rng: random.Random) -> tuple[str, str]:
        while True:
            prompt, _ = super().problem(level, rng)
            numbers, target = parse(prompt)
            other = self.reachable(numbers, random.Random(stable_hash(prompt)))
            text = searched(numbers, other, self.trace == "bfs", self.signs)[0]
            if other != target and len(text) <= self.max_answer(level):
                return prompt, "(".join(branch(text)) if self.trace == "path" else text
