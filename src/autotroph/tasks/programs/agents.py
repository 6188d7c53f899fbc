"""Agents that need no model: folders of source, which solve `listfn` by search or play a game by a policy."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from autotroph.core.task import Task, stable_hash
from autotroph.sandbox import verdict
from autotroph.tasks.code.listfn import ListFn, walked
from autotroph.tasks.games.family import opponent
from autotroph.tasks.games.game import Game, Policy, uniform
from autotroph.tasks.games.solve import best_response, layers, likelihoods
from autotroph.tasks.programs.family import ProgramFamily, Refused, listed

OPERATIONS = '''"""What a function may be made of: each is applied to what stands in place of A."""

OPERATIONS = ["sorted(A)", "A[::-1]", "A[1:]", "sum(A)", "len(A)"]
'''
SEARCH = '''"""Expressions over a list `a`, tried on the cases that are shown."""

from operations import OPERATIONS


def expressions():
    """Which ones to try, in this order."""
    yield "a"
    for operation in OPERATIONS:
        yield operation.replace("A", "a")


def fits(expression, shown):
    """In how many of the cases it gives the value."""
    right = 0
    for a, value in shown:
        try:
            right += eval(expression, {"a": list(a)}) == value
        except Exception:
            pass
    return right
'''
LISTFN = '''"""The agent: of what it tries, the expression that fits best."""

from search import expressions, fits


def solve(shown):
    return max(expressions(), key=lambda expression: fits(expression, shown))
'''

PLAYER = '''"""The agent: a policy, asked for its move at every position."""


def move(game, seen, moves):
    return moves[0]


def solve(game, positions):
    return [move(game, seen, moves) for seen, moves in positions]
'''


class AgentListFn(ProgramFamily):
    """Level n: functions over lists of n operations, to be found from n + 2 cases, as in the tasks `listfn`.

    A value is 1 where the agent's expression gives the function's value on all 16 hidden cases, else 0. It is evaluated
    by the tree walker of those tasks, never by Python. A task has the split that it has in `listfn`.
    """

    name = "agent_listfn"
    levels = ListFn.levels
    goal = (
        "Write solve(shown), which returns a Python expression over a list of integers `a`, as text. `shown` is a list "
        "of [list, value]: the values of an unknown function. Yours must give its values on other lists as well. It "
        "may use sorted, sum, max, min, len, set, list, slices, comparisons, arithmetic and list comprehensions over "
        "x. The agent is a folder: main.py, search.py, operations.py."
    )
    starter: Mapping[str, str] = {"main.py": LISTFN, "search.py": SEARCH, "operations.py": OPERATIONS}

    def candidates(self, level: int, seed: int) -> Iterator[Task]:
        rng, tasks = random.Random(stable_hash(self.name, str(level), str(seed))), ListFn()
        while True:
            drawn = tasks.draw(level, rng)
            shown, cases = ([[a, value] for (a,), value in drawn.meta[kind]] for kind in ("shown", "cases"))
            answer, meta = json.dumps(drawn.answer), {"shown": shown, "cases": cases}
            yield Task.of(self.name, drawn.prompt, answer, level, split=drawn.split, meta=meta)

    def arguments(self, task: Task) -> tuple[Any, ...]:
        return ([[list(a), value] for a, value in task.meta["shown"]],)

    def measure(self, task: Task, output: Any) -> float:
        if not isinstance(output, str):
            raise Refused(f"a text is asked for, and this is {type(output).__name__}")
        return float(all(verdict.same(walked(output, list(a)), value) for a, value in task.meta["cases"]))

    def score(self, task: Task, value: float) -> float:
        return value

    def known(self, task: Task) -> list[tuple[Any, float]]:
        return [(json.loads(task.answer or ""), 1.0), ("[]", 0.0)]

    def recheck(self, task: Task, answer: str) -> float | None:
        """As that of `listfn`: on what is shown, and on lists that `verify` does not try."""
        try:
            text = json.loads(answer)
        except ValueError:
            return 0.0
        shown = [((a,), value) for a, value in task.meta["shown"]]
        plain = replace(task, answer=json.loads(task.answer or ""), meta={"shown": shown})
        return ListFn().recheck(plain, text) if isinstance(text, str) else 0.0


class AgentGame(ProgramFamily):
    """A game against an opponent of level n (tasks/games/family.py): at level 5 it makes minimax moves alone.

    The agent gives its move at every position that can come up, so a value is no sample: it is what the agent wins in
    expectation, as the mean over both seats, in floats. A score is (value + stake) / (best + stake), where best is what
    the best response to that opponent wins.
    """

    levels = range(1, 6)
    exact = True
    goal = (
        "Write solve(game, positions), which returns one legal move for each of the positions, each of which is [what "
        "the player sees, legal moves]. The moves are played from both seats against an opponent that makes mistakes."
    )
    starter: Mapping[str, str] = {"main.py": PLAYER}

    def __init__(self, game: Game) -> None:
        self.game = game
        self.name = f"agent_{game.name}"

    def candidates(self, level: int, seed: int) -> Iterator[Task]:
        return self.posed_again(level, f"{self.game.name} against an opponent of level {level}")

    def arguments(self, task: Task) -> tuple[Any, ...]:
        return self.game.name, [[seen, list(moves)] for seen, moves in positions(type(self.game)).items()]

    def measure(self, task: Task, output: Any) -> float:
        places = positions(type(self.game))
        table: dict[str, str] = {}
        for (seen, moves), move in zip(places.items(), listed(output, len(places)), strict=True):
            if not isinstance(move, str) or move not in moves:
                raise Refused(f"{move!r:.80} is no legal move at {seen!r}")
            table[seen] = move
        rival = opponent(type(self.game), task.level)
        return (winnings(self.game, table, rival, 0) + winnings(self.game, table, rival, 1)) / 2

    def score(self, task: Task, value: float) -> float:
        return (value + self.game.stake) / (best(type(self.game), task.level) + self.game.stake)

    def known(self, task: Task) -> list[tuple[Any, float]]:
        """The best response, which `solve` plays for one seat at a time, where what is seen tells the seat."""
        rival = opponent(type(self.game), task.level)
        answers = [best_response(self.game, rival, player)[1] for player in (0, 1)]
        if answers[0].keys() & answers[1].keys():
            return []
        both = answers[0] | answers[1]
        return [([both.get(seen, moves[0]) for seen, moves in positions(type(self.game)).items()],
                 best(type(self.game), task.level))]  # fmt: skip


@cache
def positions(game: type[Game]) -> Mapping[str, Sequence[str]]:
    """All that a player may see where it moves, and the legal moves there."""
    rules = game()
    found: dict[str, Sequence[str]] = {}
    for layer in layers(rules, uniform):
        for state in layer:
            if (mover := rules.mover(state)) in (0, 1):
                found[rules.seen(state, mover)] = rules.moves(state)
    return found


@cache
def best(game: type[Game], level: int) -> float:
    """What the best response to the opponent wins, as the mean over both seats."""
    return sum(best_response(game(), opponent(game, level), player)[0] for player in (0, 1)) / 2


def winnings(game: Game, table: Mapping[str, str], rival: Policy, seat: int) -> float:
    """What a table of moves wins on average in a seat."""

    @cache
    def worth(state: str) -> float:
        mover = game.mover(state)
        if mover is None:
            return game.utility(state) * (1 - 2 * seat)
        if mover == seat:
            return worth(game.after(state, table[game.seen(state, seat)]))
        moves = likelihoods(game, rival, state)
        return sum(p * worth(game.after(state, move)) for move, p in moves.items() if p > 0)

    return worth(game.start)
