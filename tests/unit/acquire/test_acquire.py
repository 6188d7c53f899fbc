"""Sources: which tasks they propose, who answers, and what is replayed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from autotroph.acquire.balanced import Balanced
from autotroph.acquire.curated import Bare
from autotroph.acquire.interaction import Interaction
from autotroph.acquire.replay import Replay
from autotroph.acquire.synthesis import Harder
from autotroph.core.budget import Meter
from autotroph.core.errors import AutotrophError
from autotroph.core.policy import Policy
from autotroph.core.protocols import View
from autotroph.core.task import Task
from autotroph.core.trace import Group, Trace
from autotroph.models.engine import Engine
from autotroph.models.tokenizer import TextTokenizer
from autotroph.models.transformer import ModelConfig, Transformer
from autotroph.rewards.balance import THRESHOLDS
from autotroph.rewards.combine import Weighted
from autotroph.rewards.heuristic import Certainty
from autotroph.rewards.verifiable import Verifiable
from autotroph.tasks.registry import task_family


class Looking:
    """A view of a run whose champion has two untaught members."""

    def __init__(self, family: Any, level: int = 1, history: list[list[Group]] | None = None):
        self.cycle, self.level, self.meter, self.knobs = 0, level, Meter(), dict[str, float]()
        self.champion = Policy("champion", "weights", "nowhere", members=2, depth=3)
        self.base = Policy("base", "weights", "nowhere")
        self._tokenizer = TextTokenizer.characters(family.alphabet)
        self._history = history or []

    def seed(self, purpose: str) -> int:
        return len(purpose)

    def sampler(self, policy: Policy, member: int = 0) -> Engine:
        shape = ModelConfig(vocab_size=len(self._tokenizer), hidden_size=16, intermediate_size=16, head_dim=4)
        return Engine(Transformer(shape).initialise(member), self._tokenizer, policy, self.meter)

    def history(self) -> Any:
        return iter(self._history)


def looking(family: Any, **settings: Any) -> View:
    return cast(View, Looking(family, **settings))


def test_harder_tasks_are_spread_over_the_levels_ahead_and_answered_by_every_member() -> None:
    family = task_family("addition")
    groups = Harder(family, n=20, ahead=2, samples=3).propose(looking(family, level=4))
    assert [group.task.level for group in groups] == [5] * 10 + [6] * 10
    for group in groups:
        assert len(group.traces) == 6
        assert group.task.split == "train"
        assert group.task.provenance.depth == 4
        assert {(trace.policy, trace.depth) for trace in group.traces} == {("champion", 4)}
    first, second = groups[0].traces[:3], groups[0].traces[3:]
    assert {trace.ids for trace in first} != {trace.ids for trace in second}


def test_there_is_nothing_harder_than_the_last_level() -> None:
    family = task_family("maze")
    groups = Harder(family, n=4, ahead=5).propose(looking(family, level=family.levels[-1] - 1))
    assert {group.task.level for group in groups} == {family.levels[-1]}


@pytest.mark.parametrize("name", ["copy", "maze_walk"])
def test_tries_are_scored_whether_answered_or_played(name: str) -> None:
    family = task_family(name)
    view = looking(family)
    groups = Interaction(family, [1, 2], 6, Verifiable(family.verify), samples=4).propose(view)
    assert [group.task.level for group in groups] == [1, 1, 1, 2, 2, 2]
    for group in groups:
        assert [trace.rewards for trace in group.traces] == [
            {"verified": family.verify(group.task, trace.text)} for trace in group.traces
        ]
    assert view.meter.verifier_calls == 24


def test_tries_may_be_the_bases() -> None:
    family = task_family("copy")
    (group,) = Interaction(family, [3], 1, Verifiable.of(family), author="base").propose(looking(family))
    assert {(trace.policy, trace.depth) for trace in group.traces} == {("base", 1)}


def balanced(choice: Any, **settings: Any) -> Balanced:
    family = task_family("copy")
    reward = Weighted([(Verifiable.of(family), 2.0), (Certainty(), 1.0)])
    tries = Interaction(family, [1], 20, reward, samples=8)
    return Balanced(tries, "verified", (0.5, 1.0), probed=10, choice=choice, **settings)


def test_a_fixed_configuration_is_kept_and_what_is_below_its_threshold_goes() -> None:
    source = balanced("fixed", threshold=-1.0)
    groups = source.propose(looking(task_family("copy")))
    assert (source.metrics["temperature"], source.metrics["threshold"]) == (1.0, -1.0)
    for trace in (trace for group in groups for trace in group.traces):
        assert (trace.rejected is None) == (cast(float, trace.reward) >= -1.0)
    solved = [any(cast(float, t.rewards["verified"]) > 0 for t in group.traces) for group in groups]
    assert source.metrics["explored"] == pytest.approx(sum(solved) / len(solved))


def test_a_balanced_configuration_has_the_highest_score_of_those_tried() -> None:
    source, family = balanced("balance"), task_family("copy")
    found = source.propose(looking(family))
    assert source.metrics["temperature"] in (0.5, 1.0)
    kept = [trace for group in found for trace in group.kept]
    assert kept
    # An untaught policy is unsure of everything: what lets right answers in keeps the wrong ones out.
    assert all(cast(float, trace.rewards["verified"]) > 0 for trace in kept)


def test_a_configuration_by_chance_is_one_of_the_grid_and_of_the_thresholds() -> None:
    source = balanced("chance")
    source.propose(looking(task_family("copy")))
    assert source.metrics["temperature"] in (0.5, 1.0)
    assert source.metrics["threshold"] in THRESHOLDS


def rows(level: int, *answers: str) -> list[Group]:
    trace = Trace("k", "p", (1,), (True,), (0.0,), "", "stop", depth=1)
    return [Group(Task.of("t", f"{level} {answer}", None, level), (replace(trace, text=answer),)) for answer in answers]


def test_replay_gives_everything_or_each_levels_newest_rows() -> None:
    family = task_family("copy")
    history = [rows(2, "a", "b") + rows(3, "c"), rows(3, "d"), rows(4, "e")]
    view = looking(family, history=history)

    def texts(source: Replay) -> list[str]:
        return [group.traces[0].text for group in source.propose(view)]

    assert texts(Replay()) == ["a", "b", "c", "d", "e"]
    assert texts(Replay(newest=True)) == ["a", "b", "d", "e"]


def test_nobody_practises_on_a_task_whose_answer_he_was_taught() -> None:
    family = task_family("addition")
    known = [task for level in (1, 2) for task in family.generate(level, 30, seed=0)]
    tasks = [group.task for group in Bare(family, [1, 2], 60, known).propose(looking(family))]
    assert {task.key for task in tasks}.isdisjoint(task.key for task in known)
    assert [task.level for task in tasks] == sorted(task.level for task in tasks)
    assert len([task for task in tasks if task.level == 2]) == 30


def test_bare_tasks_with_a_seed_are_the_same_in_every_cycle() -> None:
    family = task_family("addition")
    views = [looking(family), looking(family)]
    cast(Any, views[1]).seed = lambda purpose: 99

    def proposed(source: Bare) -> list[str]:
        first, second = ([group.task.key for group in source.propose(view)] for view in views)
        return [*{*first} & {*second}] if len(first) == len(second) else []

    assert len(proposed(Bare(family, [6], 3, seed=5))) == 3
    assert not proposed(Bare(family, [6], 3))


def test_a_level_that_was_taught_whole_leaves_nothing_to_practise() -> None:
    family = task_family("addition")
    with pytest.raises(AutotrophError, match="--base-train-rows"):
        Bare(family, [1], 10, family.generate(1, 1000, seed=0)).propose(looking(family))
