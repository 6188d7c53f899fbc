"""The library's datasets behind the task interface."""

from __future__ import annotations

import math

import pytest

from autotroph.core.errors import AutotrophError
from autotroph.core.task import split_of
from autotroph.tasks.reasoning_gym import ReasoningGym, dataset_names


@pytest.fixture(scope="module")
def legs() -> ReasoningGym:
    return ReasoningGym("leg_counting")


def test_names() -> None:
    assert len(dataset_names()) > 100
    assert {"leg_counting", "chain_sum", "sudoku"} <= set(dataset_names())
    with pytest.raises(AutotrophError, match=r"unknown reasoning_gym dataset 'sudoko'; did you mean 'sudoku'"):
        ReasoningGym("sudoko")


def test_tasks_are_equal_in_every_process_and_scored_by_the_library(legs: ReasoningGym) -> None:
    legs.validate()
    tasks = legs.generate(3, 5, 0)
    legs.worker.close()
    assert legs.generate(3, 5, 0) == tasks
    for task in tasks:
        assert task.answer is not None
        assert legs.verify(task, task.answer) == 1
        assert legs.verify(task, "-") == 0
        assert legs.verify(task, "") == 0


def test_the_question_alone_decides_key_and_split(legs: ReasoningGym) -> None:
    assert legs.levels == range(1, 37)
    sealed = legs.generate(2, 5, 0, "sealed")
    train = [task for seed in range(3) for task in legs.generate(2, 20, seed)]
    assert all(task.split == split_of(task.key) for task in sealed + train)
    assert not {task.prompt for task in sealed} & {task.prompt for task in train}
    by_key = {task.key: task.prompt for task in train}
    assert len(by_key) == len(set(by_key.values()))


def test_a_dataset_without_curriculum_has_one_level() -> None:
    family = ReasoningGym("list_functions")
    assert family.levels == range(1, 2)
    family.validate()
    with pytest.raises(AutotrophError, match=r"level 2 is above the maximum 1; use --level <= 1"):
        family.generate(2, 1, 0)


def test_an_answer_that_hangs_the_scorer_is_unscored() -> None:
    family = ReasoningGym("polynomial_multiplication", timeout=1.0)
    [task] = family.generate(1, 1, 0)
    assert family.verify(task, "9**9**9**9") is None
    assert sum(family.failures.values()) == 1


def test_a_level_that_the_library_cannot_make_is_an_error() -> None:
    with pytest.raises(AutotrophError, match=r"level 1 cannot be made: AssertionError.*; use another --level"):
        ReasoningGym("knight_swap").generate(1, 1, 0)


def test_a_dataset_without_gold_answers_cannot_be_proven() -> None:
    with pytest.raises(AutotrophError, match="has no gold answer"):
        ReasoningGym("boxnet").validate()


def test_the_bound_covers_what_is_sampled(legs: ReasoningGym) -> None:
    assert legs.max_answer(5) >= max(len(task.answer or "") for task in legs.generate(5, 30, 1))


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf])
def test_a_score_that_is_no_number_is_unscored(
    legs: ReasoningGym, score: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    [task] = legs.generate(1, 1, 0)
    monkeypatch.setattr(legs.worker, "call", lambda *_: [task.prompt, task.answer, score])
    assert legs.verify(task, "7") is None
