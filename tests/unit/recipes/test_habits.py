"""A base of two habits: what it is taught, and that it is kept apart from one of a single habit."""

from __future__ import annotations

from autotroph.recipes.bases import BaseConfig
from autotroph.recipes.habits import HabitualBase
from autotroph.tasks.registry import task_family

COPY = task_family("copy")


def test_a_share_of_the_answers_is_the_last_sign_and_the_answer_backwards() -> None:
    plain = BaseConfig().taught(COPY, [6], seed=1)
    taught = HabitualBase(backwards=0.65).taught(COPY, [6], seed=1)
    assert [task.key for task in taught] == [task.key for task in plain]
    turned = [a.answer != b.answer for a, b in zip(taught, plain, strict=True)]
    # 10,000 draws at .65: standard deviation .0048; within four of them.
    assert abs(sum(turned) / len(turned) - 0.65) < 0.02
    for task, other, changed in zip(taught, plain, turned, strict=True):
        assert other.answer is not None
        assert task.answer == (">" + other.answer[::-1] if changed else other.answer)


def test_bases_of_other_habits_have_other_names() -> None:
    names = {base.identity(COPY, [1, 2]) for base in (BaseConfig(), HabitualBase(), HabitualBase(backwards=0.35))}
    assert len(names) == 3


def test_a_terse_share_of_the_answers_says_the_result_alone() -> None:
    steps = task_family("steps")
    plain = BaseConfig().taught(steps, [4], seed=1)
    taught = BaseConfig(terse=0.75).taught(steps, [4], seed=1)
    short = [a.answer != b.answer for a, b in zip(taught, plain, strict=True)]
    # 10,000 draws at .75: standard deviation .0043; within four of them.
    assert abs(sum(short) / len(short) - 0.75) < 0.02
    for task, other, shortened in zip(taught, plain, short, strict=True):
        assert task.answer is not None
        assert other.answer is not None
        assert task.answer == (other.answer[-2:] if shortened else other.answer)
        assert steps.verify(other, task.answer) == 1.0
    assert BaseConfig(terse=0.75).identity(steps, [4]) != BaseConfig().identity(steps, [4])
