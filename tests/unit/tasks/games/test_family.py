"""Games as tasks: legal, scored, the same when they are played again."""

from __future__ import annotations

from statistics import fmean

import pytest

from autotroph.core.task import Task
from autotroph.tasks.games.family import Match, opponent
from autotroph.tasks.games.game import uniform
from autotroph.tasks.games.kuhn import Kuhn
from autotroph.tasks.games.tictactoe import TicTacToe
from autotroph.tasks.registry import task_family

NAMES = ["kuhn", "kuhn_rules", "leduc", "tictactoe", "nim"]


@pytest.mark.parametrize("name", NAMES)
def test_family_proves_itself(name: str) -> None:
    task_family(name).validate(4)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("answer", ["", " ", "\0", "\ud800", "p" * 10**6, "z", "1b"])
def test_no_string_makes_a_verifier_raise(name: str, answer: str) -> None:
    family = task_family(name)
    assert family.verify(family.generate(1, 1, 0)[0], answer) == 0


def test_a_match_is_pure_in_its_history() -> None:
    family = task_family("nim")
    for task in family.generate(2, 20, 0):
        line = family.expert(task)
        played = [[match.step(move) for move in line] for match in (family.start(task), family.start(task))]
        assert played[0] == played[1]
        after = family.start(task)
        turns = [after.step(move) for move in [*line, "a1", "z"]]
        assert turns[len(line) - 1 :] == [turns[len(line) - 1]] * 3


def test_a_hand_of_kuhn_by_hand() -> None:
    """Seat 1 of a table at which the other one always bets: a call with the better card wins 2 of a stake of 2."""

    def betting(seen: str, moves: tuple[str, ...]) -> dict[str, float]:
        return {"b": 1.0, "p": 0.0}

    scores = {}
    for seed in range(40):
        for move in "pb":
            match = Match(Kuhn(), 1, betting, str(seed))
            assert match.opening == match.state[1] + "b"
            scores[match.state[:2], move] = match.step(move).score
    assert {scores[cards, "p"] for cards in ("JQ", "QJ", "KQ", "QK", "JK", "KJ")} == {0.25}
    assert (scores["JQ", "b"], scores["QJ", "b"], scores["JK", "b"], scores["KJ", "b"]) == (1, 0, 1, 0)


def test_an_illegal_move_loses_the_stake() -> None:
    match = Match(TicTacToe(), 0, uniform, "x")
    match.step("5")
    assert match.step("5").score == 0


def test_levels_are_strengths_of_the_opponent() -> None:
    family = task_family("nim")

    def won(level: int) -> float:
        tasks = family.generate(level, 400, 0)
        return fmean(family.verify(task, "".join(family.expert(task))) or 0.0 for task in tasks)

    assert won(1) > won(3) + 0.05 > won(5) + 0.1
    assert opponent(Kuhn, 1)("K", ("p", "b")) == uniform("K", ("p", "b"))
    assert opponent(Kuhn, 3)("Kb", ("p", "b")) == {"p": 0.25, "b": 0.75}


def test_what_is_hidden_is_not_told() -> None:
    family = task_family("kuhn")
    tasks: list[Task] = family.generate(3, 200, 0)
    assert {task.prompt.partition(":")[2] for task in tasks} == {c + m + "?" for c in "JQK" for m in ("", "p", "b")}
    same = [task for task in tasks if task.prompt.endswith(":Qb?")]
    assert {family.verify(task, "b") for task in same} == {0.0, 1.0}
