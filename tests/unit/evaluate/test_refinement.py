"""Refinement beside the gate, with policies of which it is known what sampling makes of them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from scripted import Characters

from autotroph.core.budget import Meter
from autotroph.core.decision import Decision, Flips, Refinement, Report, Result
from autotroph.core.policy import Policy
from autotroph.core.protocols import SamplingParams
from autotroph.core.task import Task
from autotroph.core.trace import Completion
from autotroph.evaluate.benchmark import SealedSuite
from autotroph.evaluate.refinement import EqualCost, beside, compare, outcome
from autotroph.refine.best_of_n import BestOfN
from autotroph.refine.greedy import Greedy
from autotroph.refine.self_consistency import SelfConsistency
from autotroph.rewards.heuristic import Certainty
from autotroph.tasks.registry import task_family

WARM = SamplingParams(temperature=1.0, max_tokens=40)
PROMOTED = Decision("promote", "", "a", "b", levels={6: Flips(9, 1, 0, 0), 7: Flips(0, 0, 9, 0)})


@dataclass
class Copier:
    """Copies a "abc=" prompt: greedily right on a share of the tasks, right in a share of its samples.

    It is as sure of wrong answers as of right ones, and thinks for `tokens` tokens first, which no answer shows.
    """

    greedy: float
    sampled: float
    tokens: int = 1
    tokenizer: Characters = field(default_factory=Characters)
    policy: Policy = field(default_factory=lambda: Policy("p", "weights", "nowhere"))
    meter: Meter = field(default_factory=Meter)

    def sample(
        self, prompts: Sequence[Sequence[int]], params: SamplingParams, seeds: Sequence[int]
    ) -> list[Completion]:
        self.meter.spend(tokens=self.tokens * len(prompts))
        return [self._answer(self.tokenizer.decode(p), params, s) for p, s in zip(prompts, seeds, strict=True)]

    def _answer(self, prompt: str, params: SamplingParams, seed: int) -> Completion:
        rng = random.Random(prompt if params.temperature == 0 else seed)
        right = rng.random() < (self.greedy if params.temperature == 0 else self.sampled)
        text = prompt[:-1] if right else "".join(rng.choices("0123456789", k=6))
        ids = (*self.tokenizer.encode(text), self.tokenizer.eos_id)
        return Completion(ids, (-0.5,) * len(ids), "stop", 0.0)


def measured(champion: Copier, candidate: Copier, answers: int = 5) -> Refinement:
    suite = SealedSuite(task_family("copy"), [6, 7], per_level=5, seed=0)
    equal = EqualCost(Greedy(40), lambda n: (SelfConsistency(WARM, n), BestOfN(Certainty(), WARM, n)), answers)
    return equal.measure(PROMOTED, suite, cast(Any, champion), cast(Any, candidate), seed=3)


def named(found: Refinement) -> dict[tuple[str, str], Any]:
    return {(one.champion, one.candidate): one for one in found.comparisons}


def test_a_gain_that_votes_on_the_champion_give_too_is_matched() -> None:
    """Greedily the champion is right on half of the tasks; nine of its samples elect the right answer of all."""
    found = measured(Copier(0.5, 0.7), Copier(1.0, 1.0), answers=9)
    assert found.outcome == "matched"
    assert found.levels == (6,)
    by_name = named(found)
    assert by_name["greedy", "greedy"].difference > 0.3
    assert by_name["vote@9", "vote@9"].difference == 0
    assert by_name["vote@9", "vote@9"].equal_cost
    assert not by_name["vote@9", "greedy"].equal_cost
    assert by_name["vote@9", "greedy"].champion_cost == 9 * by_name["vote@9", "greedy"].candidate_cost


def test_a_gain_beyond_the_champions_samples_is_not_matched() -> None:
    found = measured(Copier(0.0, 0.1), Copier(1.0, 1.0))
    assert found.outcome == "not matched"
    assert all(one.p_value <= 0.05 for one in found.comparisons)


def test_a_gain_bought_with_three_times_the_tokens_meets_three_samples() -> None:
    found = measured(Copier(0.5, 0.9), Copier(0.9, 0.9, tokens=3))
    rival = named(found)["vote@3", "greedy"]
    assert rival.equal_cost
    assert rival.champion_cost == rival.candidate_cost == 3
    assert rival.difference <= 0.05
    assert ("vote@15", "vote@5") in named(found)
    assert found.outcome != "not matched"


def test_a_shorter_candidate_leaves_the_champion_fewer_samples() -> None:
    found = measured(Copier(0.0, 0.0, tokens=5), Copier(1.0, 1.0, tokens=2))
    assert ("vote@2", "vote@5") in named(found)


def report(*scores: float | None, cost: float | None = None) -> Report:
    return Report("p", "", tuple(Result(str(i), 1, score) for i, score in enumerate(scores)), {}, cost=cost)


def test_figures_by_hand() -> None:
    found = compare(report(0, 0, 0, 1, None, cost=4.0), report(1, 1, 1, 0, 1, cost=2.0), "vote@2", "raw", True)
    assert found.difference == 0.5
    assert found.p_value == pytest.approx(5 / 16)
    assert (found.champion_cost, found.candidate_cost) == (4.0, 2.0)
    assert found.scores[-1] == (None, 1)


def test_the_outcome_asks_for_a_proof_in_every_comparison_at_equal_cost() -> None:
    worse, better = report(*[0.0] * 9), report(*[1.0] * 9)
    proven, even = compare(worse, better, "", "", True), compare(better, better, "", "", True)
    dear, weak = compare(better, better, "", "", False), compare(report(0, 1), report(1, 1), "", "", True)
    assert outcome([proven, dear]) == "not matched"
    assert outcome([proven, even]) == "matched"
    assert outcome([proven, weak]) == "open"
    assert outcome([dear]) == outcome([]) == "open"
    assert outcome([compare(report(None), report(1.0), "", "", True)]) == "open"


def test_a_refined_champion_that_costs_more_is_no_match() -> None:
    worse, better = report(*[0.0] * 9, cost=2), report(*[1.0] * 9, cost=2)
    assert beside(worse, better, report(*[1.0] * 9, cost=2)).outcome == "matched"
    assert beside(worse, better, report(*[1.0] * 9)).outcome == "matched"
    assert beside(worse, better, report(*[1.0] * 9, cost=3)).outcome == "open"
    assert beside(worse, better, report(*[0.0] * 9, cost=2)).outcome == "not matched"


def test_the_tasks_are_not_those_that_proved_the_gain() -> None:
    suite = SealedSuite(task_family("copy"), [6], per_level=20, seed=0)
    other = suite.fresh([6], 20, seed=1)
    assert len(other) == 20
    assert other.name != suite.name
    prompts = [task.prompt for task in cast(list[Task], suite._tasks)]
    assert not any(prompt in other.fingerprints(n=13) for prompt in prompts)
