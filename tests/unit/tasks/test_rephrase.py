"""Rephrasings: another prompt, the same answers, the same split."""

from __future__ import annotations

import pytest

from autotroph.core.budget import Meter
from autotroph.core.protocols import SamplingParams
from autotroph.core.task import Task
from autotroph.core.trace import Group
from autotroph.models.rephrased import WithRephrasings
from autotroph.tasks.addition import Addition
from autotroph.tasks.code.listfn import ListFn


@pytest.mark.parametrize("family", [Addition(), Addition("forward")])
def test_an_addition_is_the_same_the_other_way_round(family: Addition) -> None:
    tasks = family.generate(2, 200, 0)
    known = {task.prompt: task for task in family.generate(2, 10000, 1)} | {task.prompt: task for task in tasks}
    twins = {task.prompt: twin for task in tasks if (twin := family.rephrase(task)) is not None}
    assert len(twins) > 100
    for prompt, twin in twins.items():
        a, b = prompt[:-1].split("+")
        assert twin.prompt == f"{b}+{a}="
        assert twin.answer == known[prompt].answer
        assert twin.split == "train"
        assert twin.provenance.parents == (known[prompt].key,)
        assert known.get(twin.prompt, twin).key == twin.key  # what the generator calls it, so that the wall holds


def test_a_rephrasing_of_another_split_is_none() -> None:
    family = Addition()
    sealed = {task.prompt for task in family.generate(2, 2000, 0, "sealed")}
    lost = [task for task in family.generate(2, 10000, 0) if family.rephrase(task) is None]
    assert lost
    assert any("+".join(reversed(task.prompt[:-1].split("+"))) + "=" in sealed for task in lost)


def test_a_sum_of_equals_has_no_rephrasing() -> None:
    assert Addition().rephrase(Task.of("addition", "12+12=", "420", 2)) is None


def test_examples_come_in_another_order_and_judge_alike() -> None:
    family = ListFn()
    twins = [(task, twin) for task in family.generate(1, 20, 0) if (twin := family.rephrase(task)) is not None]
    assert len(twins) > 5
    for task, twin in twins:
        assert twin.prompt != task.prompt
        assert sorted(twin.prompt[:-1].split(";")) == sorted(task.prompt[:-1].split(";"))
        assert twin.answer == task.answer
        assert twin.meta["cases"] == task.meta["cases"]
        assert twin.split == task.split


def test_half_of_the_prompts_are_rephrasings_of_the_other_half() -> None:
    asked: list[Task] = []

    def rollout(tasks: list[Task], sampler: object, params: SamplingParams, n: int, seed: int) -> list[Group]:
        asked.extend(tasks)
        return [Group(task) for task in tasks]

    family = Addition()
    tasks = family.generate(2, 16, 0)
    both = WithRephrasings(rollout, family.rephrase)(tasks, Meter(), SamplingParams(), 4, 0)  # type: ignore[arg-type]
    assert len(both) == 16 == len(asked)
    assert all(twin.provenance.parents == (task.key,) for task, twin in zip(asked[::2], asked[1::2], strict=True))
