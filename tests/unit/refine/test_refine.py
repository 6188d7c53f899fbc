"""Refinement against a sampler that answers from a script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import Characters

from autotroph.core.budget import Meter
from autotroph.core.policy import Policy
from autotroph.core.protocols import SamplingParams
from autotroph.core.task import Task
from autotroph.core.trace import Completion, Group, Trace
from autotroph.refine.best_of_n import BestOfN
from autotroph.refine.greedy import Greedy
from autotroph.refine.self_consistency import SelfConsistency, elect
from autotroph.rewards.verifiable import Verifiable

TASKS = [Task.of("toy", "1+1=", "2"), Task.of("toy", "2+2=", "4")]
WARM = SamplingParams(temperature=0.8, max_tokens=4)


@dataclass
class Script:
    """Gives each prompt's samples in turn: (text, log-probability of its every token)."""

    answers: dict[str, list[tuple[str, float]]]
    tokenizer: Characters = field(default_factory=Characters)
    policy: Policy = field(default_factory=lambda: Policy("p", "weights", "nowhere", depth=2))
    meter: Meter = field(default_factory=Meter)
    calls: list[SamplingParams] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)

    def sample(
        self, prompts: Sequence[Sequence[int]], params: SamplingParams, seeds: Sequence[int]
    ) -> list[Completion]:
        self.calls.append(params)
        self.seeds.extend(seeds)
        lines = {prompt: iter(answers) for prompt, answers in self.answers.items()}
        return [self._complete(*next(lines[self.tokenizer.decode(prompt)])) for prompt in prompts]

    def _complete(self, text: str, logprob: float) -> Completion:
        ids = (*self.tokenizer.encode(text), self.tokenizer.eos_id)
        return Completion(ids, (logprob,) * len(ids), "stop", 0.0)


def script(*answers: list[tuple[str, float]]) -> Script:
    return Script({task.prompt: list(lines) for task, lines in zip(TASKS, answers, strict=False)})


def trace(text: str, logprob: float = -1.0, error: str | None = None) -> Trace:
    return Trace("t", "p", (0, 5), (False, True), (0.0, logprob), text, "error" if error else "stop", error=error)


def texts(traces: list[Trace]) -> list[str]:
    return [trace.text for trace in traces]


def test_greedy_asks_once_at_temperature_zero() -> None:
    sampler = script([("2", -0.1)], [("5", -0.2)])
    traces = Greedy(max_tokens=3).answer(TASKS, sampler, seed=1)
    assert texts(traces) == ["2", "5"]
    assert [trace.task_key for trace in traces] == [task.key for task in TASKS]
    assert sampler.calls == [SamplingParams(temperature=0, max_tokens=3)]
    assert len(sampler.seeds) == 2


def test_best_of_n_takes_the_first_of_the_best() -> None:
    sampler = script([("0", -1), ("2", -3), ("2", -1)], [("?", -1), ("5", -1), ("6", -1)])
    verify = Verifiable(lambda task, answer: None if answer == "?" else float(answer == task.answer))
    first, second = BestOfN(verify, WARM, n=3).answer(TASKS, sampler, seed=1)
    assert (first.text, first.reward, first.logprobs[-1]) == ("2", 1.0, -3)
    assert (second.text, second.reward) == ("5", 0.0)
    assert sampler.calls == [WARM]


def test_an_unscored_sample_wins_only_where_all_are() -> None:
    lowest = Verifiable(lambda task, answer: -1e9 if answer == "low" else None)
    answers = [("x", -1.0), ("low", -1.0)], [("y", -1.0), ("z", -1.0)]
    assert texts(BestOfN(lowest, WARM, n=2).answer(TASKS, script(*answers), 1)) == ["low", "y"]


def test_self_consistency_elects_the_surest_of_the_majority() -> None:
    sampler = script([("3", -0.01), ("2", -0.9), ("2", -0.5)], [("8", -0.9), ("4", -0.2), ("6", -0.5)])
    first, second = SelfConsistency(WARM, n=3).answer(TASKS, sampler, seed=1)
    assert (first.text, first.logprobs[-1]) == ("2", -0.5)
    assert second.text == "4", "of texts with equally many votes the surest"


def test_failed_rollouts_neither_vote_nor_answer() -> None:
    failed = trace("", logprob=0.0, error="timeout")
    assert elect(Group(TASKS[0], (failed, failed, trace("2", -5.0)))).text == "2"
    assert elect(Group(TASKS[0], (failed, failed))) is failed
    empty_without_logprobs = replace(trace(""), sampled=(False, False))
    assert elect(Group(TASKS[0], (failed, empty_without_logprobs))) is empty_without_logprobs


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(-9, 0)), min_size=1, max_size=7), st.randoms())
@settings(deadline=None)
def test_the_vote_does_not_depend_on_order(answers: list[tuple[str, float]], random) -> None:
    def result(order: list[tuple[str, float]]) -> tuple[int, float]:
        winner = elect(Group(TASKS[0], tuple(trace(*answer) for answer in order)))
        return sum(text == winner.text for text, _ in order), winner.logprobs[-1]

    counts = [sum(text == other for other, _ in answers) for text, _ in answers]
    assert result(answers) == result(random.sample(answers, len(answers)))
    assert result(answers)[0] == max(counts)


REFINERS = [Greedy(), BestOfN(Verifiable(lambda task, answer: 1.0), WARM, n=2), SelfConsistency(WARM, n=2)]


def test_names_are_those_of_the_report() -> None:
    assert [refiner.name for refiner in REFINERS] == ["greedy", "best@2", "vote@2"]


@pytest.mark.parametrize("refiner", REFINERS, ids=lambda refiner: refiner.name)
def test_no_tasks_no_answers(refiner) -> None:
    assert refiner.answer([], script(), 1) == []


@pytest.mark.parametrize("refiner", REFINERS, ids=lambda refiner: refiner.name)
def test_equal_seeds_draw_equally_and_different_ones_do_not(refiner) -> None:
    def seeds(seed: int) -> list[int]:
        sampler = script(*[[("2", -1.0)] * 2] * 2)
        refiner.answer(TASKS, sampler, seed)
        return sampler.seeds

    assert seeds(1) == seeds(1)
    assert not set(seeds(1)) & set(seeds(2))
