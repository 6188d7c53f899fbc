"""Proposers: what is admitted, and what a synthesis is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

from autotroph.acquire.curated import Given
from autotroph.acquire.proposers import Proposed, Rephrased, Synthesised, admitted, proposing
from autotroph.acquire.replay import From
from autotroph.core.budget import Meter
from autotroph.core.policy import Policy
from autotroph.core.protocols import View
from autotroph.core.trace import Completion
from autotroph.models.tokenizer import TextTokenizer
from autotroph.rewards.verifiable import Verifiable
from autotroph.select.weakness import WeaknessMiner
from autotroph.tasks.countdown import Countdown
from autotroph.tasks.steps import Steps

STEPS = Steps()


class Saying:
    """A sampler that says what it is told to, one text after the other."""

    def __init__(self, family: Any, texts: Sequence[str]) -> None:
        self.tokenizer, self.policy, self._texts = TextTokenizer.characters(family.alphabet), POLICY, texts

    def sample(self, prompts: Sequence[Sequence[int]], params: Any, seeds: Sequence[int]) -> list[Completion]:
        found = [self.tokenizer.encode(self._texts[i % len(self._texts)]) for i in range(len(prompts))]
        return [Completion((*ids, self.tokenizer.eos_id), (0.0,) * (len(ids) + 1), "stop", None) for ids in found]


POLICY = Policy("champion", "weights", "", depth=2)


def view(family: Any, *texts: str, cycle: int = 0) -> View:
    sampler = Saying(family, texts)
    looking = SimpleNamespace(
        cycle=cycle, champion=POLICY, meter=Meter(), seed=lambda purpose: len(purpose), sampler=lambda policy: sampler
    )
    return cast(View, looking)


def test_proposals_that_are_no_tasks_sealed_or_repeated_are_dropped_and_counted() -> None:
    sealed, dev = (STEPS.generate(2, 1, 0, split)[0] for split in ("sealed", "dev"))
    train = STEPS.generate(2, 2, 0)
    said = [train[0].prompt, sealed.prompt, "7+*=", train[1].prompt, dev.prompt, train[0].prompt, sealed.prompt]
    proposed = Proposed(STEPS, n=7)
    groups = proposed.propose(view(STEPS, *said))
    assert [group.task.key for group in groups] == [task.key for task in train]
    assert proposed.dropped == {"sealed": 2, "invalid": 1, "dev": 1, "repeated": 1}
    assert [group.task.answer for group in groups] == [task.answer for task in train]
    assert {(group.task.provenance.source, group.task.provenance.depth) for group in groups} == {("proposal", 3)}
    assert admitted([]) == ([], {})


def test_a_model_learns_to_propose_from_prompts_as_answers() -> None:
    tokenizer = TextTokenizer.characters(STEPS.alphabet)
    task = STEPS.generate(2, 1, 0)[0]
    (group,) = proposing([task], tokenizer)
    trace = group.traces[0]
    assert trace.text == task.prompt
    assert [i for i, own in zip(trace.ids, trace.sampled, strict=True) if not own] == list(tokenizer.prompt(""))


def test_a_rephrasing_keeps_the_answer_or_is_dropped() -> None:
    family = Countdown("path")
    rephrased = Rephrased(family, [2], 40, family.rephrase)
    groups = rephrased.propose(view(family, ""))
    originals = {task.key: task for task in family.generate(2, 40, len("rephrased"))}
    assert 20 < len(groups) < 40
    assert rephrased.dropped.keys() <= {"repeated"}
    for group in groups:
        assert group.task.split == "train"
        assert any(family.verify(group.task, task.answer or "") == 1 for task in originals.values())
    wrong = Rephrased(family, [2], 5, lambda task: replace(task, prompt="1,1,1>3:"))
    assert wrong.propose(view(family, "")) == []
    assert wrong.dropped == {"changed": 5}


def test_synthesis_is_made_of_the_concepts_that_fail() -> None:
    """A champion that always says =0 is right where the last thing done is to multiply by 0, and seldom elsewhere."""
    reward, miner = Verifiable.of(STEPS), WeaknessMiner(STEPS.concepts_of)
    source = Synthesised(STEPS, 1, 80, reward, miner, probes=256, samples=2)
    seen = view(STEPS, "=0")
    drawn = Counter(concept for group in source.propose(seen) for concept in STEPS.concepts_of(group.task))
    assert drawn["*0"] == 0
    assert len(drawn) > 15
    assert seen.meter.verifier_calls == 2 * len(STEPS.generate(1, 256, len("probes")))
    uniform = Synthesised(STEPS, 2, 300, reward)
    drawn = Counter(concept for group in uniform.propose(view(STEPS, "0")) for concept in STEPS.concepts_of(group.task))
    assert len(drawn) == 30
    assert uniform.dropped.keys() <= {"sealed", "dev", "repeated"}
    assert sum(uniform.dropped.values()) > 0


def test_without_a_weakness_the_synthesis_is_uniform() -> None:
    source = Synthesised(STEPS, 2, 300, Verifiable.of(STEPS), lambda rounds: {"+1": 0.0}, probes=4)
    drawn = {concept for group in source.propose(view(STEPS, "0")) for concept in STEPS.concepts_of(group.task)}
    assert drawn == set(STEPS.concepts)


def test_given_tasks_come_every_cycle_and_others_from_one_on() -> None:
    tasks = STEPS.generate(2, 3, 0)
    given = Given(STEPS, tasks)
    later = From(2, given)
    for cycle, n in ((0, 0), (1, 0), (2, 3)):
        seen = view(STEPS, "0", cycle=cycle)
        assert [group.task for group in given.propose(seen)] == tasks
        assert len(later.propose(seen)) == n
