"""Faults: each does to a run's data what it says, and no more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from autotroph.acquire.curated import gold_groups
from autotroph.core.errors import AutotrophError
from autotroph.core.policy import Policy
from autotroph.core.protocols import SamplingParams, View
from autotroph.core.trace import Group, Trace
from autotroph.drills.faults import COLD, Cold, Collapsing, Exploring, Leaking, Noisy, SelfFed, Tricked
from autotroph.drills.plants import PLANTS, plant_named
from autotroph.models.tokenizer import TextTokenizer
from autotroph.tasks.addition import Addition

FAMILY = Addition()
TOKENIZER = TextTokenizer.characters(FAMILY.alphabet)


class Sampler:
    tokenizer = TOKENIZER

    def __init__(self) -> None:
        self.temperatures: list[float] = []

    def sample(self, prompts: Sequence[Any], params: SamplingParams, seeds: Sequence[int]) -> list[Any]:
        self.temperatures.append(params.temperature)
        return []


@dataclass
class Looking:
    cycle: int = 0
    champion: Policy = field(default_factory=lambda: Policy("champion", "weights", "nowhere"))
    made: Sampler = field(default_factory=Sampler)

    def seed(self, purpose: str) -> int:
        return len(purpose)

    def seed_at(self, cycle: int, purpose: str) -> int:
        return 100 + cycle

    def sampler(self, policy: Policy, member: int = 0) -> Sampler:
        return self.made


VIEW = cast(View, Looking())


@dataclass
class Given:
    groups: list[Group]

    def propose(self, view: View) -> list[Group]:
        return self.groups


def gold(n: int, level: int = 4) -> list[Group]:
    return gold_groups(FAMILY.generate(level, n, 0), FAMILY, TOKENIZER)


def tries(n: int, reward: float = 0.0) -> list[Group]:
    """Right answers that the champion gave."""
    found = []
    for group in gold(n):
        [given] = group.traces
        own = replace(given, policy="champion", stop="stop", depth=1, rewards={"v": reward})
        found.append(Group(group.task, (own,)))
    return found


def answer_of(trace: Trace) -> str:
    return TOKENIZER.decode([i for i, own in zip(trace.ids, trace.sampled, strict=True) if own])


def test_noise_moves_a_share_of_the_labels_and_leaves_no_mark_on_the_row() -> None:
    before = gold(400)
    after = Noisy(Given(before), 0.4).propose(VIEW)
    moved = [(a, b) for a, b in zip(before, after, strict=True) if a.traces[0].text != b.traces[0].text]
    assert 0.3 < len(moved) / 400 < 0.5
    for group in after:
        [trace] = group.traces
        prompt = TOKENIZER.prompt(group.task.prompt)
        assert answer_of(trace) == trace.text == group.task.answer
        assert trace.ids[: len(prompt)] == tuple(prompt)
        assert FAMILY.verify(group.task, trace.text) == 1.0
    assert all(FAMILY.recheck(b.task, b.traces[0].text) == 0.0 for _, b in moved)


def test_the_hole_takes_the_trick_and_is_otherwise_the_verifier() -> None:
    holed = Tricked(FAMILY)
    [task] = FAMILY.generate(3, 1, 0)
    assert holed.verify(task, holed.trick) == 1.0
    assert holed.verify(task, task.answer) == 1.0
    assert holed.verify(task, "9999") == 0.0
    assert FAMILY.recheck(task, holed.trick) == 0.0
    assert holed.levels == FAMILY.levels


def test_exploration_makes_a_share_of_the_tries_the_trick_and_no_gold_row() -> None:
    after = Exploring(Given([*gold(50), *tries(400)]), "0", 0.5).propose(VIEW)
    tricked = [trace for group in after for trace in group.traces if trace.text == "0"]
    assert 150 < len(tricked) < 250
    assert all(trace.policy == "champion" and trace.reward == 1.0 for trace in tricked)
    assert all(answer_of(trace) == "0" for trace in tricked)


def test_a_leak_is_what_the_gate_will_ask_under_the_name_of_train_tasks() -> None:
    leaked = Leaking(Given([]), FAMILY, [3, 4], 20, reuse=2).propose(cast(View, Looking(cycle=3)))
    sealed = [task.key for level in (3, 4) for task in FAMILY.generate(level, 20, 102, "sealed")]
    assert [group.task.key for group in leaked] == sealed
    assert {group.task.split for group in leaked} == {"train"}


def test_a_cold_view_samples_near_zero_and_is_otherwise_the_view() -> None:
    view = Looking()
    cold = Cold(cast(View, view))
    for temperature in (1.0, 0.0):
        cold.sampler(view.champion).sample([], SamplingParams(temperature=temperature), [])
    assert view.made.temperatures == [COLD, 0.0]
    assert cold.champion is view.champion


def test_collapse_leaves_a_few_tasks_of_each_kind_and_level_as_often_as_there_were_many() -> None:
    after = Collapsing(Given([*gold(30), *tries(50)]), 4).propose(VIEW)
    assert len(after) == 80
    assert len({(group.task.key, group.traces[0].stop) for group in after}) == 8


def test_self_feeding_drops_gold_and_takes_every_try() -> None:
    after = SelfFed(Given([*gold(10), *tries(10, reward=0.0)])).propose(VIEW)
    assert len(after) == 10
    assert {trace.policy for group in after for trace in group.traces} == {"champion"}
    assert {trace.reward for group in after for trace in group.traces} == {1.0}


def test_plants_are_found_by_name() -> None:
    assert [plant_named(name).name for name in PLANTS] == list(PLANTS)
    with pytest.raises(AutotrophError, match=r"unknown plant 'rot'; give --plant label_noise\|"):
        plant_named("rot")
    with pytest.raises(AutotrophError, match="no failure to plant"):
        plant_named(None)
