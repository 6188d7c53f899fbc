"""Adaptive difficulty, held-out families, the age of a sealed set."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotroph.core.budget import Meter
from autotroph.core.decision import Report, Result
from autotroph.core.errors import AutotrophError
from autotroph.core.policy import Policy
from autotroph.core.task import Task
from autotroph.core.trace import Trace
from autotroph.evaluate.adaptive import allotted, informative
from autotroph.evaluate.benchmark import SealedSuite
from autotroph.evaluate.gate import PairedGate
from autotroph.recipes.bases import PractiseConfig, gate_of, held_out
from autotroph.tasks.registry import task_family

COPY = task_family("copy")


@dataclass
class Sampler:
    policy: Policy = field(default_factory=lambda: Policy("p", "weights", "nowhere"))
    meter: Meter = field(default_factory=Meter)


@dataclass
class Reach:
    """Right on every task up to level `solved`, on every second one of the level above; notes what it saw."""

    solved: int
    name: str = "reach"
    seen: list[Task] = field(default_factory=list)

    def answer(self, tasks: list[Task], sampler: Any, seed: int) -> list[Trace]:
        self.seen += tasks
        return [self._trace(task, i) for i, task in enumerate(tasks)]

    def _trace(self, task: Task, i: int) -> Trace:
        right = task.level <= self.solved or (task.level == self.solved + 1 and i % 2 == 0)
        return Trace(task.key, "p", (0,), (True,), (0.0,), task.answer or "" if right else "?", "stop")


def test_levels_by_hand() -> None:
    assert informative({1: 1.0, 2: 0.99, 3: 0.5, 4: 0.1, 5: 0.0, 6: 0.0}) == [3, 4, 5]
    assert informative({1: 1.0, 2: 0.0, 3: 0.0}) == [2]
    assert informative({1: 0.0, 2: 0.0}) == [1]
    assert informative({1: 1.0, 2: 1.0}) == [2]
    assert allotted({1: 1.0, 2: 0.5, 3: 0.0, 4: 0.0}, 50) == {1: 15, 2: 85, 3: 85, 4: 15}


@given(st.dictionaries(st.integers(1, 20), st.floats(0, 1), min_size=1), st.integers(1, 400))
def test_no_level_is_left_out_and_no_more_is_asked_in_all(accuracy: dict[int, float], per_level: int) -> None:
    found = allotted(accuracy, per_level)
    assert found.keys() == accuracy.keys()
    assert all(found.values())
    assert sum(found.values()) <= per_level * len(accuracy)
    assert all(found[level] >= per_level for level in informative(accuracy))


def test_a_suite_follows_what_the_champion_solves_and_looks_at_no_sealed_task_for_it() -> None:
    refiner = Reach(solved=4)
    suite = SealedSuite(COPY, range(3, 9), 30, seed=0)
    adapted = suite.adapted(cast(Any, Sampler()), refiner, seed=1)
    assert {task.split for task in refiner.seen} == {"dev"}
    counts = Counter(task.level for task in adapted._tasks)
    assert counts == {3: 9, 4: 9, 5: 72, 6: 72, 7: 9, 8: 9}
    assert {task.split for task in adapted._tasks} == {"sealed"}


def test_a_held_out_family_is_measured_under_its_name_and_kept_out_of_the_levels() -> None:
    config = PractiseConfig(task="addition", held_out="addition_forward=0.1", sealed=20)
    family = config.family()
    guards = held_out(config, family, [2, 3], seed=0)
    suite = SealedSuite(family, [2, 3], 20, 0, guards)
    report = suite.run(cast(Any, Sampler()), Reach(solved=9))
    assert Counter(result.tag for result in report.results) == {"": 40, "addition_forward": 40}
    assert report.accuracy() == {2: (1.0, 20), 3: (1.0, 20)}
    assert gate_of(config, family, 5).guardrails == {"addition_forward": 0.1}
    assert all(task.prompt in suite.fingerprints(n=13) for task in guards[0]._tasks)
    assert suite.longest == max(family.max_answer(3), guards[0]._family.max_answer(3))


def test_a_loss_on_a_held_out_family_holds_what_would_be_promoted() -> None:
    config = PractiseConfig(task="addition", held_out={"addition_forward": 0.05})
    gate = gate_of(config, config.family(), cycles=1)
    tags = [""] * 60 + ["addition_forward"] * 40
    before = [0.0] * 60 + [1.0] * 40
    for lost, verdict in ((2, "promote"), (5, "hold")):
        after = [1.0] * 60 + [0.0] * lost + [1.0] * (40 - lost)
        sides = [
            tuple(Result(str(i), 1, s, tag) for i, (s, tag) in enumerate(zip(side, tags, strict=True)))
            for side in (before, after)
        ]
        assert gate.decide(Report("a", "", sides[0], {}), Report("b", "", sides[1], {}), 1).verdict == verdict


@pytest.mark.parametrize(
    ("task", "other", "words"),
    [("addition", "copy=0", "characters that 'addition' lacks"), ("maze_walk", "maze=0", "is played otherwise")],
)
def test_a_family_that_the_model_cannot_answer_is_refused(task: str, other: str, words: str) -> None:
    config = PractiseConfig(task=task, held_out=other)
    with pytest.raises(AutotrophError, match=words):
        held_out(config, config.family(), [2], seed=0)


def test_a_fixed_list_of_tasks_serves_every_decision_and_says_its_age(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(f'{{"prompt": "{i}", "answer": "{i}", "split": "sealed"}}\n' for i in range(40)))
    config = PractiseConfig(task=f"jsonl:{rows}")
    gate = gate_of(config, config.family(), cycles=4)
    assert (gate.reuse, gate.looks) == (4, 4)
    sides = [tuple(Result(str(i), 1, score) for i in range(40)) for score in (0.0, 1.0)]
    pair = Report("a", "", sides[0], {}), Report("b", "", sides[1], {})
    assert [gate.decide(*pair, look).age for look in (1, 2, 4)] == [1, 2, 4]
    assert [PairedGate().decide(*pair, look).age for look in (1, 2, 4)] == [1, 1, 1]
    with pytest.raises(AutotrophError, match="cannot follow the champion"):
        gate_of(config.model_copy(update={"adaptive": True}), config.family(), cycles=4)
