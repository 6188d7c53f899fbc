"""Countdown and steps: what counts as an answer, by hand, and two verifiers that agree on damaged ones."""

from __future__ import annotations

import random

import pytest

from autotroph.core.task import Task
from autotroph.tasks.countdown import Countdown, Misled, branch, moves, obeys, searched
from autotroph.tasks.registry import task_family
from autotroph.tasks.steps import Confused, Steps


@pytest.mark.parametrize("name", ["countdown", "countdown_bfs", "countdown_path", "countdown_foreign", "steps"])
def test_the_families_prove_themselves(name: str) -> None:
    task_family(name).validate()  # type: ignore[call-arg]


def test_moves_on_two_numbers_by_hand() -> None:
    assert list(moves((2, 6))) == [("6+2=8", 8, (8,)), ("6-2=4", 4, (4,)), ("6*2=12", 12, (12,)), ("6/2=3", 3, (3,))]
    assert [text for text, _, _ in moves((1, 1))] == ["1+1=2"]  # no 0, no product with 1
    assert [text for text, _, _ in moves((50, 60))] == ["60-50=10"]  # 110 and 3000 are too large
    assert [left for text, _, left in moves((3, 5, 7)) if text == "7-3=4"] == [(5, 4)]


def test_a_search_gives_up_what_misses_and_ends_on_the_branch_that_hits() -> None:
    text, found = searched((2, 3, 7), 13)
    assert (text, found) == ("3+2=5(7+5=12,7-5=2,7*5=35,)3-2=1(7+1=8,7-1=6,)3*2=6(7+6=13", True)
    assert branch(text) == ["3*2=6", "7+6=13"]
    assert searched((1, 1), 9) == ("1+1=2,", False)
    text, found = searched((2, 3, 7), 13, breadth=True)
    assert found
    assert text.startswith("3+2=5,3-2=1,3*2=6,7+2=9,7-2=5,7*2=14,7+3=10,7-3=4,7*3=21;7*2=14(14+3=17,14-3=11,14*3=42,)")


@pytest.mark.parametrize(
    ("answer", "score"),
    [
        ("3*2=6(7+6=13", 1),
        ("2*3=6(6+7=13", 1),
        ("9+9=1(7)3*2=6(7+6=13", 1),  # what is closed does not count
        ("3*2=6(7-6=1,7+6=13", 1),  # nor what is given up
        ("3*2=6(7+6=13)", 0),
        ("3*2=6(7+6=13,", 0),
        ("7+6=13", 0),  # 6 is not given
        ("3*2=6(13+0=13", 0),  # nor are 13 and 0
        ("7+3=10(10+3=13", 0),  # 3 twice, 2 never
        ("3*2=6(7+6=12", 0),  # false
        ("3*2=06(7+06=13", 0),
        ("", 0),
        ("((((", 0),
        ("))))", 0),
        ("3/0=0", 0),
        ("1" * 9000 + "+1=2", 0),
    ],
)
def test_only_given_numbers_each_used_once_reach_the_target(answer: str, score: float) -> None:
    family, task = Countdown(), Task.of("countdown", "2,3,7>13:", None, 2)
    assert family.verify(task, answer) == score
    assert family.recheck(task, answer) == score


def test_both_verifiers_agree_on_damaged_answers() -> None:
    family, rng = Countdown(), random.Random(0)
    right = 0
    for task in family.generate(2, 60, 1):
        for _ in range(20):
            text = list((task.answer or "")[-rng.randint(5, 40) :])
            for _ in range(rng.randint(0, 2)):
                text[rng.randrange(len(text))] = rng.choice(family.alphabet)
            answer = "".join(text)
            assert family.verify(task, answer) == family.recheck(task, answer), answer
            right += family.verify(task, answer) == 1
    assert 50 < right < 1150


def test_all_numbers_have_to_be_used() -> None:
    assert obeys(["3+2=5"], (2, 3), 5)
    assert not obeys(["3+2=5"], (2, 3, 7), 5)


def test_a_misled_search_looks_like_one_and_is_wrong() -> None:
    for trace in ("dfs", "path"):
        family = Misled(trace)  # type: ignore[arg-type]
        for task in family.generate(2, 50, 0):
            assert family.verify(task, task.answer or "") == 0
            assert "(" in (task.answer or "")
            assert trace == "dfs" or ")" not in (task.answer or "")


def test_countdown_reads_and_rephrases_its_prompts() -> None:
    family = Countdown("path")
    task = family.parse("2,3,7>13:")
    assert task is not None
    assert task.answer == "3*2=6(7+6=13"
    assert [family.parse(text) for text in ("2,3,7>13", "1,1>9:", "0,3>3:", "")] == [None] * 4
    others = [other for one in family.generate(2, 40, 0) if (other := family.rephrase(one))]
    assert len(others) > 20
    for other in others:
        original = ",".join(reversed(other.prompt.partition(">")[0].split(",")))
        assert Task.of("countdown", original + other.prompt[5:], None).key == other.provenance.parents[0]
        assert family.verify(other, family.parse(original + other.prompt[5:]).answer or "") == 1  # type: ignore[union-attr]
    assert family.rephrase(Task.of("countdown", "3,3>6:", "3+3=6")) is None


def test_steps_are_computed_and_checked_one_by_one() -> None:
    family = Steps()
    prompt, answer = family.composed(7, ["+5", "*3", "-9"])
    assert (prompt, answer) == ("7+5*3-9=", "7+5=2,2*3=6,6-9=7")
    task = Task.of("steps", prompt, answer, 3)
    assert family.concepts_of(task) == ["+5", "*3", "-9"]
    assert family.checked(task, answer) == [True, True, True]
    assert family.checked(task, "7+5=3,3*3=9,9-9=0") == [False, True, True]  # one error is one wrong step
    assert family.checked(task, "7+5=2,2*4=8") == [True, False]
    assert family.checked(task, "7+5=2,6*3=8,x") == [True, False, False]
    assert family.checked(task, answer + ",7+1=8") == [True, True, True, False]
    assert family.verify(task, "7+5=3,7") == 0
    assert family.verify(task, "so it is =7") == 1
    assert family.verify(task, "7") == family.recheck(task, "7") == 0  # a digit alone is no step


def test_steps_are_made_of_concepts_and_read_back() -> None:
    family = Steps()
    task = family.synthesised(3, ["*7"], random.Random(1))
    assert family.concepts_of(task) == ["*7"] * 3
    assert family.parse(task.prompt) == family.parse(task.prompt)
    read = family.parse(task.prompt)
    assert read is not None
    assert (read.key, read.answer, read.level) == (task.key, task.answer, 3)
    assert [family.parse(text) for text in ("7+5", "77+5=", "+5=", "7=", "７+5=")] == [None] * 5


def test_steps_without_some_concepts_are_the_same_tasks() -> None:
    family = Steps(["+5", "*3"])
    tasks = family.generate(2, 200, 0)
    assert not {"+5", "*3"} & {concept for task in tasks for concept in family.concepts_of(task)}
    assert {Steps().parse(task.prompt).key for task in tasks} == {task.key for task in tasks}  # type: ignore[union-attr]
    assert family.name == "steps without +5 *3"


def test_answers_that_mistake_some_concepts_are_wrong_in_those_steps_alone() -> None:
    right, confused = Steps(), Confused(["+5", "*3"], 0.65)
    tasks = confused.generate(1, 300, 0) + confused.generate(2, 1500, 0)
    wrong = {concept: [0, 0] for concept in Steps.concepts}
    digits: dict[str, set[str]] = {}
    for task in tasks:
        steps = (task.answer or "").split(",")
        for concept, step, good in zip(
            right.concepts_of(task), steps, right.checked(task, task.answer or ""), strict=True
        ):
            wrong[concept][not good] += 1
            if not good:
                digits.setdefault(step.partition("=")[0], set()).add(step[-1])
    assert {concept for concept, (_, missed) in wrong.items() if missed} == {"+5", "*3"}
    assert all(0.5 < missed / (good + missed) < 0.8 for good, missed in (wrong["+5"], wrong["*3"]))
    assert all(len(found) == 1 for found in digits.values())  # a mistake is the same every time
    assert {task.key for task in tasks} == {task.key for task in map(right.parse, [t.prompt for t in tasks]) if task}


def test_countdown_with_fewer_signs_uses_those_alone() -> None:
    assert [text for text, _, _ in moves((2, 6), "+-")] == ["6+2=8", "6-2=4"]
    for task in Countdown("dfs", "+-*").generate(2, 50, 0) + Misled("dfs", "+-*").generate(2, 50, 0):
        assert "/" not in (task.answer or "")
    assert Countdown("path", "+-*").name == "countdown_path+-*"


def test_the_same_problems_are_drawn_whatever_the_trace() -> None:
    families = [Countdown(trace, "+-*") for trace in ("dfs", "bfs", "path", "foreign")]  # type: ignore[arg-type]
    drawn = [[task.prompt for task in family.generate(2, 40, 0, "sealed")] for family in families]
    assert drawn[0] == drawn[1] == drawn[2] == drawn[3]
    assert drawn[0] != [task.prompt for task in Countdown().generate(2, 40, 0, "sealed")]
