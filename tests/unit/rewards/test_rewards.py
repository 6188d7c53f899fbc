"""Rewards: hand-derived values, and None where nothing can be said."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autotroph.core.budget import Meter
from autotroph.core.errors import AutotrophError
from autotroph.core.task import Task
from autotroph.core.trace import Group, Stop, Trace
from autotroph.rewards.combine import Weighted
from autotroph.rewards.heuristic import Certainty, FormatReward, LengthPenalty, MajorityAgreement
from autotroph.rewards.measure import is_scored, majority, mean_logprob, votes
from autotroph.rewards.scoring import scored
from autotroph.rewards.verifiable import Verifiable

TASK = Task.of("toy", "1+1=", "2")
TEXTS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=9)


def trace(
    text: str = "2", logprobs: tuple[float, ...] = (-1.0,), stop: Stop = "stop", error: str | None = None
) -> Trace:
    """One prompt token, whose log-probability of -9 must never count, then sampled ones."""
    n = len(logprobs)
    return Trace(TASK.key, "p", (0,) * (n + 1), (False,) + (True,) * n, (-9.0, *logprobs), text, stop, error=error)


def group(*traces: Trace) -> Group:
    return Group(TASK, traces)


def values(scored: Group, name: str) -> list[float | None]:
    return [trace.rewards[name] for trace in scored.traces]


FAILED = trace("", error="timeout", stop="error")


def test_mean_logprob_counts_sampled_tokens_alone() -> None:
    assert mean_logprob(trace(logprobs=(-1.0, -2.0))) == -1.5
    assert mean_logprob(trace(logprobs=())) is None
    assert mean_logprob(trace(stop="given")) is None
    assert mean_logprob(FAILED) is None


def test_is_scored() -> None:
    assert [is_scored(value) for value in (0.0, -math.inf, None, math.nan)] == [True, True, False, False]


def test_majority_is_single() -> None:
    assert majority(votes([])) is None
    assert majority(votes([trace("a")])) == "a"
    assert majority(votes([trace("a"), trace("b")])) is None
    assert majority(votes([trace("a"), trace("b"), trace("b"), FAILED, FAILED, FAILED])) == "b"


@given(TEXTS, st.randoms())
@settings(deadline=None)
def test_majority_does_not_depend_on_order(texts: list[str], random) -> None:
    shuffled = random.sample(texts, len(texts))
    assert majority(votes(map(trace, texts))) == majority(votes(map(trace, shuffled)))


def test_verifiable_keeps_none_and_counts_each_text_once() -> None:
    asked: list[str] = []

    def verify(task: Task, answer: str) -> float | None:
        asked.append(answer)
        return None if answer == "?" else float(answer == task.answer)

    scored = Verifiable(verify).score(group(trace("2"), trace("3"), trace("?"), trace("2"), FAILED))
    assert values(scored, "verified") == [1.0, 0.0, None, 1.0, None]
    assert asked == ["2", "3", "?"]
    assert [trace.reward for trace in scored.traces] == [1.0, 0.0, None, 1.0, None]


def test_agreement() -> None:
    scored = MajorityAgreement().score(group(trace("a"), trace("b"), trace("a"), FAILED))
    assert values(scored, "agreement") == [1.0, 0.0, 1.0, None]
    assert values(MajorityAgreement().score(group(trace("a"), trace("b"))), "agreement") == [None, None]
    assert values(MajorityAgreement().score(group(FAILED, FAILED)), "agreement") == [None, None]


def test_certainty() -> None:
    scored = Certainty().score(group(trace(logprobs=(-0.5, -1.5)), trace(stop="given"), FAILED))
    assert values(scored, "certainty") == [-1.0, None, None]


def test_length_penalty_follows_dapo_equation_13() -> None:
    scored = LengthPenalty(max_tokens=10, buffer=4).score(
        group(*(trace(logprobs=(-1.0,) * n) for n in (0, 6, 7, 10, 99)))
    )
    assert values(scored, "length") == [0.0, 0.0, -0.25, -1.0, -1.0]
    assert values(LengthPenalty(10, 4).score(group(FAILED)), "length") == [None]


@pytest.mark.parametrize("buffer", [0, -1, 11])
def test_length_penalty_refuses_an_impossible_buffer(buffer: int) -> None:
    with pytest.raises(AutotrophError, match=f"buffer {buffer} is outside 1..10"):
        LengthPenalty(10, buffer)


def test_format_matches_the_whole_answer() -> None:
    scored = FormatReward(r"\d+").score(group(trace("12"), trace("12 "), trace(""), FAILED))
    assert values(scored, "format") == [1.0, 0.0, 0.0, None]


def test_weighted_scales_each_part_and_leaves_other_rewards_alone() -> None:
    reward = Weighted([(FormatReward(r"\d"), 0.5), (Certainty(), 2.0)])
    scored = reward.score(group(trace("7", (-0.25,)).scored("bonus", 3.0), trace("7", ())))
    assert dict(scored.traces[0].rewards) == {"bonus": 3.0, "format": 0.5, "certainty": -0.5}
    assert scored.traces[0].reward == 3.0
    assert dict(scored.traces[1].rewards) == {"format": 0.5, "certainty": None}
    assert scored.traces[1].reward is None


def test_weighted_refuses_parts_of_one_name() -> None:
    with pytest.raises(AutotrophError, match="two parts share a name"):
        Weighted([(FormatReward("a"), 1.0), (FormatReward("b"), 1.0)])


REWARDS = [
    Verifiable(lambda task, answer: float(answer == "a")),
    MajorityAgreement(),
    Certainty(),
    LengthPenalty(4, 2),
    FormatReward("a"),
    Weighted([(FormatReward("a"), 0.3), (MajorityAgreement(), 0.7)]),
]


@pytest.mark.parametrize("reward", REWARDS, ids=lambda reward: reward.name)
def test_every_reward_takes_an_empty_group(reward) -> None:
    assert reward.score(group()) == group()


@pytest.mark.parametrize("reward", REWARDS, ids=lambda reward: reward.name)
@given(texts=TEXTS)
@settings(deadline=None, max_examples=30)
def test_every_reward_adds_and_changes_nothing_else(reward, texts: list[str]) -> None:
    before = group(*(trace(text).reject("short") if text == "c" else trace(text) for text in texts))
    once = reward.score(before)
    assert reward.score(once) == once
    for old, new in zip(before.traces, once.traces, strict=True):
        assert new.rewards
        assert (new.ids, new.text, new.logprobs, new.rejected) == (old.ids, old.text, old.logprobs, old.rejected)


def test_a_verifier_that_takes_several_is_asked_once_for_all_groups() -> None:
    asked: list[list[str]] = []

    def verify_all(pairs: Sequence[tuple[Task, str]]) -> list[float | None]:
        asked.append([text for _, text in pairs])
        return [float(text == task.answer) for task, text in pairs]

    reward = Verifiable(lambda task, text: 0.0, verify_all=verify_all)
    groups = scored([group(trace("2"), trace("3"), trace("2"), FAILED), group(), group(trace("2"))], [reward], Meter())
    assert [values(one, "verified") for one in groups] == [[1.0, 0.0, 1.0, None], [], [1.0]]
    assert asked == [["2", "3", "2"]]
