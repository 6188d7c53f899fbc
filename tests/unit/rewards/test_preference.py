"""Shares of wins and fitted scores by hand."""

from __future__ import annotations

import math
from functools import partial

import pytest

from autotroph.core.errors import AutotrophError
from autotroph.core.task import Task
from autotroph.core.trace import Group, Trace
from autotroph.recipes.spo import figures
from autotroph.rewards.preference import BradleyTerry, Wins, fitted
from autotroph.tasks.preferences import ANSWERS, Preferences

FAMILY = Preferences()
TASKS = {level: Task.of("preferences", f"{level}0000" + "?" * level, None, level) for level in (1, 2)}


def group(*texts: str, level: int = 1) -> Group:
    task = TASKS[level]
    traces = [
        Trace(task.key, "p", (1, i), (False, True), (0.0, -0.1 * i), text, "stop") for i, text in enumerate(texts)
    ]
    return Group(task, tuple(traces))


def rewards(found: Group) -> list[float | None]:
    return [trace.reward for trace in found.traces]


def test_shares_of_wins_by_hand() -> None:
    """r meets r, p and s: 1/2, 0 and 1; p meets r twice and s: 1, 1, 0; s the same three: 0, 0, 1."""
    assert rewards(Wins(FAMILY.prefers).score(group("r", "r", "p", "s"))) == pytest.approx([1 / 2, 1 / 2, 2 / 3, 1 / 3])
    assert rewards(Wins(FAMILY.prefers).score(group("r", "p", level=2))) == pytest.approx([0.375, 0.625])
    assert rewards(Wins(FAMILY.prefers).score(group("r", "xx"))) == [1.0, 0.0]


def test_nobody_to_meet_is_unscored_and_all_alike_are_even() -> None:
    assert rewards(Wins(FAMILY.prefers).score(group("r"))) == [None]
    assert rewards(Wins(FAMILY.prefers).score(group("s", "s", "s"))) == [0.5] * 3


def test_shuffled_shares_are_the_same_shares() -> None:
    mixed = group("r", "r", "p", "s", "p", level=2)
    plain, shuffled = rewards(Wins(FAMILY.prefers).score(mixed)), rewards(Wins(FAMILY.prefers, True).score(mixed))
    assert sorted(map(float, plain)) == sorted(map(float, shuffled))
    assert plain != shuffled


@pytest.mark.parametrize("wrong", [math.nan, -0.1, 1.5])
@pytest.mark.parametrize("kind", [Wins, partial(BradleyTerry, answers=ANSWERS)])
def test_what_is_no_probability_is_refused(kind: type, wrong: float) -> None:
    with pytest.raises(AutotrophError, match="is no probability; return one in") as error:
        kind(lambda task, one, other: wrong).score(group("r", "p"))
    assert "\n" not in str(error.value)


def test_bradley_terry_by_hand() -> None:
    """Two answers, the first preferred 3 times in 4: their scores differ by log 3, but for the weak prior."""
    better, worse = fitted([0.75, 0.25], 2)
    assert better - worse == pytest.approx(math.log(3), abs=0.08)
    assert better + worse == pytest.approx(0)


def test_no_score_goes_in_a_circle() -> None:
    score = BradleyTerry(FAMILY.prefers, ANSWERS).score
    assert rewards(score(group(*"rps"))) == pytest.approx([0, 0, 0], abs=1e-5)
    r, p, s = map(float, rewards(score(group(*"rps", level=2))))
    assert r > p > s
    assert FAMILY.worst(2, {"r": 1.0, "p": 0.0, "s": 0.0}) == 0.375
    assert rewards(score(group("?"))) == [None]


@pytest.mark.parametrize("level", [1, 2])
def test_nothing_is_preferred_to_the_minimax_winner(level: int) -> None:
    winner = FAMILY.minimax(level)
    assert FAMILY.worst(level, winner) == pytest.approx(0.5)
    assert figures(FAMILY, level, winner) == pytest.approx({"distance": 0, "worst": 0.5})
    moved = winner | {"r": winner["r"] + 0.1, "p": winner["p"] - 0.1}
    assert FAMILY.worst(level, moved) < 0.49
    assert figures(FAMILY, level, moved)["distance"] == pytest.approx(0.1)
