"""Bandits by their closed forms; a language pair, there and back."""

from __future__ import annotations

import random
from statistics import fmean

import pytest

from autotroph.core.task import Task
from autotroph.tasks.bandit import Bandit, means
from autotroph.tasks.registry import task_family
from autotroph.tasks.translate import Translate, common


@pytest.mark.parametrize("name", ["bandit", "translate", "preferences"])
def test_family_proves_itself(name: str) -> None:
    family = task_family(name)
    family.validate()
    for task in family.generate(2, 50, 0):
        assert family.recheck(task, task.answer or "") in (1, None)
        for wrong in family.wrong_answers(task):
            assert family.recheck(task, wrong) in (0, None)


@pytest.mark.parametrize("name", ["bandit", "translate", "preferences"])
@pytest.mark.parametrize("answer", ["", " ", ";", "\0", "\ud800", "a" * 10**6, ";" * 100])
def test_no_string_makes_a_verifier_raise(name: str, answer: str) -> None:
    family = task_family(name)
    [task] = family.generate(2, 1, 0)
    assert family.verify(task, answer) == 0
    assert family.recheck(task, answer) in (0, None)


def test_regret_is_what_the_formula_says() -> None:
    family = Bandit()
    for task in family.generate(3, 20, 0):
        worth = means(task.prompt)
        best, worst = max(worth.values()), min(worth.values())
        rng, arms, turns = random.Random(0), list(worth), family.max_turns(3)
        scores = [family.verify(task, "".join(rng.choices(arms, k=turns))) or 0.0 for _ in range(400)]
        assert fmean(scores) == pytest.approx((fmean(worth.values()) - worst) / (best - worst), abs=0.03)


def test_an_episode_is_scored_as_its_pulls_are_and_is_pure() -> None:
    family = Bandit()
    for task in family.generate(2, 30, 1):
        line = family.expert(task)
        one, other = family.start(task), family.start(task)
        turns = [one.step(arm) for arm in line]
        assert turns == [other.step(arm) for arm in line]
        assert [turn.done for turn in turns] == [False] * (len(line) - 1) + [True]
        assert turns[-1].score == family.verify(task, "".join(line))
        assert family.start(task).step("z").score == 0


def test_the_expert_does_better_than_chance_without_knowing() -> None:
    family, found = Bandit(), list[float]()
    for task in family.generate(5, 200, 0):
        worth = means(task.prompt)
        chance = (fmean(worth.values()) - min(worth.values())) / (max(worth.values()) - min(worth.values()))
        found.append((family.verify(task, "".join(family.expert(task))) or 0.0) - chance)
    assert fmean(found) > 0.05


def test_longest_common_subsequences_by_hand() -> None:
    assert common("abcde", "ace") == 3
    assert common("ab", "ba") == 1
    assert common("", "a") == 0


def test_a_translation_and_shares_of_it_by_hand() -> None:
    """A red-ish (s) plural a sees (k) one b: noun, adjective, object, verb, the plural ones doubled."""
    family = Translate()
    task = Task.of("translate", "sa' k b>", "QQ NN T ZZ", 1)
    assert family.recheck(task, "QQ NN T ZZ") == 1
    assert family.verify(task, "QQ NN T ZZ") == 1
    assert family.verify(task, "QQ T ZZ") == 3 / 4
    assert family.verify(task, "QQ NN T Z") == 3 / 4
    assert family.verify(task, "NN QQ T ZZ") == 3 / 4
    assert family.recheck(task, "QQ NN T Z") == 0
    assert family.verify(task, "QQ NN T ZZ Q") == 4 / 5


def test_every_reference_translates_back() -> None:
    family = Translate()
    for level in (1, 4, 8):
        for task in family.generate(level, 100, 3):
            assert family.recheck(task, task.answer or "") == 1
