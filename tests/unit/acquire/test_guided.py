"""Going on from inside one's own answers, token in and token out, and who guides on which task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest
from scripted import Characters

from autotroph.acquire.guided import HitGuided
from autotroph.core.budget import Meter
from autotroph.core.errors import AutotrophError
from autotroph.core.policy import Policy
from autotroph.core.protocols import Sampler, SamplingParams
from autotroph.core.task import Task
from autotroph.core.trace import Completion, Group, Trace
from autotroph.models.guided import go_on, start_of
from autotroph.rewards.verifiable import Verifiable

TASK = Task.of("toy", "abc<", "cba")


class Script:
    """A sampler that gives the texts that it is told, one after the other, and remembers its prompts."""

    policy, tokenizer = Policy("me", "weights", "nowhere", depth=2), Characters()

    def __init__(self, *texts: str):
        self.texts, self.meter, self.prompts = list(texts), Meter(), list[list[int]]()

    def sample(
        self, prompts: Sequence[Sequence[int]], params: SamplingParams, seeds: Sequence[int]
    ) -> list[Completion]:
        assert len(set(seeds)) == len(seeds)
        self.prompts += [list(prompt) for prompt in prompts]
        texts = [self.texts.pop(0) for _ in prompts]
        return [Completion((*map(ord, t), 2), (-0.5,) * (len(t) + 1), "stop", 0.1) for t in texts]


def answer(text: str, verified: float | None = None) -> Trace:
    prompt, own = Characters().prompt("abc<"), [*map(ord, text), 2]
    sampled = (False,) * len(prompt) + (True,) * len(own)
    rewards = {} if verified is None else {"verified": verified}
    return Trace(TASK.key, "me", (*prompt, *own), sampled, (0.0,) * len(sampled), text, "stop", rewards=rewards)


def test_an_intermediate_state_is_the_prompt_and_the_first_tokens_and_leaves_one_to_choose() -> None:
    prompt = tuple(Characters().prompt("abc<"))
    assert start_of(answer("cba"), 0) == prompt
    assert start_of(answer("cba"), 2) == (*prompt, ord("c"), ord("b"))
    assert start_of(answer("cba"), 9) == (*prompt, *map(ord, "cba"))
    played = Trace(TASK.key, "me", (1, 2, 3), (True, False, True), (0.0,) * 3, "x", "stop")
    with pytest.raises(AutotrophError, match="not one answer"):
        start_of(played, 1)


def test_what_was_there_is_given_and_what_follows_is_sampled_and_the_text_is_whole() -> None:
    sampler = Script("ba", "xx")
    state = (*Characters().prompt("abc<"), ord("c"))
    (group,) = go_on([(TASK, state)], cast(Sampler, sampler), SamplingParams(), 2, seed=1)
    assert sampler.prompts == [list(state)] * 2
    assert [trace.text for trace in group.traces] == ["cba", "cxx"]
    first = group.traces[0]
    assert first.ids == (*state, ord("b"), ord("a"), 2)
    assert first.sampled == (False,) * len(state) + (True,) * 3
    assert first.logprobs == (0.0,) * len(state) + (-0.5,) * 3
    assert first.depth == 3


def verify(task: Task, text: str) -> float:
    return float(text == task.answer)


@pytest.mark.parametrize(
    ("scores", "guide", "expected"),
    [
        ((1.0, 0.0, 0.0, 0.0), "hit", [1.0]),  # hard: a right one
        ((1.0, 1.0, 0.0, 0.0), "hit", [1.0, 1.0]),  # half of them is hard still
        ((1.0, 1.0, 1.0, 0.0), "hit", [0.0]),  # easy: a wrong one
        ((0.0, 0.0), "hit", []),  # never hit: there is no guide
        ((1.0, 1.0), "hit", []),
        ((1.0, None, 0.0), "hit", [1.0]),
        ((1.0, None, 0.0), "any", [1.0, 0.0]),
    ],
)
def test_who_guides(scores: Sequence[float | None], guide: Any, expected: list[float]) -> None:
    traces = tuple(answer("x").scored("verified", score) for score in scores)
    found = HitGuided(Verifiable(verify), guide=guide).guides(Group(TASK, traces))
    assert [trace.rewards["verified"] for trace in found] == expected


def test_half_of_the_answers_go_on_from_the_right_one() -> None:
    sampler = Script("cba", "xxx", "", "")
    (group,) = HitGuided(Verifiable(verify))([TASK], cast(Sampler, sampler), SamplingParams(), 4, seed=3)
    assert [trace.text for trace in group.traces[:2]] == ["cba", "xxx"]
    prompt = Characters().prompt("abc<")
    given = "".join(map(chr, sampler.prompts[2][len(prompt) :]))
    assert sampler.prompts[2] == sampler.prompts[3]
    assert "cba".startswith(given)
    assert [trace.text for trace in group.traces[2:]] == [given, given]
    assert sampler.meter.verifier_calls == HitGuided(Verifiable(verify)).judged(4) == 2


def test_a_task_without_a_guide_is_tried_from_its_prompt_again() -> None:
    sampler = Script("xxx", "yyy", "cba", "zzz")
    (group,) = HitGuided(Verifiable(verify))([TASK], cast(Sampler, sampler), SamplingParams(), 4, seed=3)
    assert sampler.prompts[2] == Characters().prompt("abc<")
    assert [trace.text for trace in group.traces] == ["xxx", "yyy", "cba", "zzz"]
