"""Rewards without labels: hand-derived values, what is unscored, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
import torch
from scripted import Characters
from torch import Tensor

from autotroph.core.budget import Meter
from autotroph.core.errors import AutotrophError
from autotroph.core.policy import Policy
from autotroph.core.protocols import SamplingParams
from autotroph.core.task import Provenance, Task
from autotroph.core.trace import Completion, Group, Trace
from autotroph.models.rollout import rollout
from autotroph.rewards.asked import ask
from autotroph.rewards.combine import Weighted
from autotroph.rewards.confidence import LogLikelihood, NegativeEntropy, SelfCertainty
from autotroph.rewards.generative import GenerativeJudge, verdict
from autotroph.rewards.heuristic import FormatReward, MajorityAgreement
from autotroph.rewards.novelty import Novelty
from autotroph.rewards.process import ProcessReward, monte_carlo, prefixes
from autotroph.rewards.rephrased import CrossAgreement
from autotroph.rewards.reward_model import RewardModel, bradley_terry, pairs
from autotroph.rewards.scoring import scored
from autotroph.rewards.shuffled import Shuffled
from autotroph.rewards.soft_vote import SoftVote

TASK = Task.of("toy", "1+1=", "2", split="train")


def trace(text: str, *logprobs: float, error: str | None = None) -> Trace:
    n = len(logprobs)
    ids = (1, *(ord(char) for char in text))
    return Trace(TASK.key, "p", ids, (False,) + (True,) * n, (-9.0, *logprobs), text, "stop", error=error)


FAILED = trace("", error="timeout")


def group(*texts: str) -> Group:
    return Group(TASK, tuple(trace(text, -1.0) for text in texts))


def values(found: Group) -> list[float | None]:
    return [next(iter(trace.rewards.values())) for trace in found.traces]


def test_soft_vote_is_the_share_of_those_who_answered() -> None:
    found = SoftVote().score(Group(TASK, (*group("a", "a", "a", "b").traces, FAILED)))
    assert values(found) == [0.75, 0.75, 0.75, 0.25, None]


def test_a_vote_below_the_threshold_is_no_label() -> None:
    three = group("a", "a", "b", "c")
    assert values(MajorityAgreement(threshold=0.5).score(three)) == [1.0, 1.0, 0.0, 0.0]
    assert values(MajorityAgreement(threshold=0.6).score(three)) == [None] * 4


def test_confidence_is_what_the_sampler_tells() -> None:
    told = Group(TASK, (replace(trace("a", -1.0, -3.0), entropy=0.25, certainty=2.0), FAILED))
    assert values(NegativeEntropy().score(told)) == [-0.25, None]
    assert values(SelfCertainty().score(told)) == [2.0, None]
    assert values(LogLikelihood().score(told)) == [-4.0, None]


class Told:
    """A sampler that answers "a" and tells, or does not tell, how sure it was."""

    policy, tokenizer, meter = Policy("p", "weights", "none"), Characters(), Meter()

    def __init__(self, entropy: float | None):
        self.entropy = entropy

    def sample(
        self, prompts: Sequence[Sequence[int]], params: SamplingParams, seeds: Sequence[int]
    ) -> list[Completion]:
        return [Completion((97, 2), (-1.0, 0.0), "stop", self.entropy, certainty=0.5) for _ in prompts]


@pytest.mark.parametrize(("entropy", "certainty"), [(0.25, 0.5), (None, None)])
def test_rollouts_carry_certainty(entropy: float | None, certainty: float | None) -> None:
    [found] = rollout([TASK], Told(entropy), SamplingParams(), 1, 0)
    assert (found.traces[0].entropy, found.traces[0].certainty) == (entropy, certainty)


def test_novelty_is_one_minus_the_mean_overlap() -> None:
    # Bigrams: ab bc | ab bc | ab bd. The first overlaps the second in 2 of 2 and the third in 1 of 2.
    assert values(Novelty().score(group("abc", "abc", "abd"))) == [0.25, 0.25, 0.5]
    assert values(Novelty().score(group("abc"))) == [None]


def test_cross_agreement_takes_the_label_of_the_other_question() -> None:
    twin = replace(TASK, key="twin", prompt="=1+1", provenance=Provenance("rephrased", (TASK.key,)))
    question, other = group("a", "a", "b"), Group(twin, group("b", "b", "a").traces)
    found = CrossAgreement().score_all([question, other])
    assert [values(one) for one in found] == [[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]]
    assert values(CrossAgreement(threshold=0.7).score_all([question, other])[0]) == [None] * 3
    with pytest.raises(AutotrophError, match="without its rephrasing"):
        CrossAgreement().score(question)


def test_shuffled_keeps_a_groups_scores_and_not_their_places() -> None:
    asked = [Group(TASK, tuple(trace("a" if i % 3 else "b", -0.1 * i) for i in range(8))) for _ in range(1)]
    found = ask(Shuffled(SoftVote()), asked)[0]
    plain = values(SoftVote().score(asked[0]))
    assert sorted(map(float, filter(None, values(found)))) == sorted(map(float, filter(None, plain)))
    assert values(found) != plain
    assert values(ask(Shuffled(SoftVote()), asked)[0]) == values(found)


@dataclass
class Says:
    verifier_calls: ClassVar[int] = 0
    value: object
    name: str = "says"

    def score(self, group: Group) -> Group:
        return Group(group.task, tuple(t.scored(self.name, self.value) for t in group.traces))  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [math.nan, math.inf, [1.0], torch.tensor(1.0)])
def test_what_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(AutotrophError, match="finite number, or None") as error:
        scored([group("a", "b")], [Says(value)], Meter())
    assert "\n" not in str(error.value)


def test_another_number_of_scores_is_refused() -> None:
    class Short(Says):
        def score(self, group: Group) -> Group:
            return Group(group.task, group.traces[:1])

    with pytest.raises(AutotrophError, match="1 scores for the 2 traces"):
        scored([group("a", "b")], [Weighted([(Short(0.0), 1.0)])], Meter())


def test_a_combination_scores_together_what_has_to_be() -> None:
    twin = replace(TASK, key="twin", provenance=Provenance("rephrased", (TASK.key,)))
    both = [group("a", "b"), Group(twin, group("a", "a").traces)]
    mixed = Weighted([(CrossAgreement(), 2.0), (FormatReward("[ab]"), 0.5)])
    assert [trace.reward for trace in scored(both, [mixed], Meter())[0].traces] == [2.5, 0.5]


def lengths(traces: Sequence[Trace]) -> Tensor:
    """Two features: how long a text is, and 1."""
    return torch.tensor([[float(len(trace.text)), 1.0] for trace in traces])


def rated(*texts: tuple[str, float]) -> Group:
    return Group(TASK, tuple(trace(text, -1.0).scored("gold", value) for text, value in texts))


def test_bradley_terry_of_equals_is_log_two() -> None:
    assert float(bradley_terry(torch.zeros(3), torch.zeros(3))) == pytest.approx(math.log(2))
    assert float(bradley_terry(torch.tensor([math.log(3)]), torch.zeros(1))) == pytest.approx(math.log(4 / 3))


def test_reward_model_learns_what_the_better_ones_share() -> None:
    taught = [rated(("aaa", 1.0), ("a", 0.0)), rated(("aaaa", 1.0), ("aa", 0.0), ("a", 0.0))]
    assert len(list(pairs(taught))) == 3
    model = RewardModel.fitted(lengths, taught)
    # Of pairs that differ in length alone, the second feature is never told apart: its weight stays 0.
    assert model.weight_C[0] > 0.3
    assert abs(model.weight_C[1]) < 1e-6
    assert model.accuracy([rated(("bb", 1.0), ("b", 0.0))]) == 1.0
    found = values(model.score(Group(TASK, (trace("bb", -1.0), trace("b", -1.0), FAILED))))
    assert found[0] is not None
    assert found[1] is not None
    assert found[0] > found[1]
    assert found[2] is None


def test_reward_model_needs_pairs() -> None:
    with pytest.raises(AutotrophError, match="no task has two answers of different rewards"):
        RewardModel.fitted(lengths, [rated(("a", 1.0), ("b", 1.0))])


def steps(answer: str) -> list[str]:
    return [part + ";" for part in answer.split(";")[:-1]] + [answer.split(";")[-1]]


class Continues(Told):
    """Goes on with "2" behind "good;" and with "3" behind anything else, every second time."""

    def sample(
        self, prompts: Sequence[Sequence[int]], params: SamplingParams, seeds: Sequence[int]
    ) -> list[Completion]:
        texts = [self.tokenizer.decode(prompt) for prompt in prompts]
        said = ["2" if text.endswith("good;") or i % 2 else "3" for i, text in enumerate(texts)]
        return [Completion((ord(one), 2), (0.0, 0.0), "stop", None) for one in said]


def test_monte_carlo_labels_are_shares_of_continuations() -> None:
    def verify(task: Task, answer: str) -> float:
        return float(answer.endswith("2"))

    assert prefixes("bad;good;3", steps) == ["bad;", "bad;good;", "bad;good;3"]
    labels = monte_carlo(TASK, "bad;good;3", steps, verify, Continues(None), SamplingParams(), 4, 0)
    assert labels == [0.5, 1.0, 0.0]


def test_process_reward_is_the_weakest_step() -> None:
    def goodness(traces: Sequence[Trace]) -> Tensor:
        return torch.tensor([[1.0 if one.text.endswith(("good;", "2")) else -1.0] for one in traces])

    taught = [(trace("good;2", -1.0), [1.0, 1.0]), (trace("bad;3", -1.0), [0.0, 0.0])]
    model = ProcessReward.fitted(goodness, taught, steps, Characters().encode)
    whole, broken = model.step_scores(trace("good;2", -1.0)), model.step_scores(trace("bad;2", -1.0))
    assert min(whole) > 0.8
    assert broken[0] < 0.2
    assert broken[1] > 0.8
    found = values(model.score(Group(TASK, (trace("bad;2", -1.0), FAILED))))
    assert found == [pytest.approx(broken[0]), None]
    with pytest.raises(AutotrophError, match="1 labels for 2 steps"):
        ProcessReward.fitted(goodness, [(taught[0][0], [1.0])], steps, Characters().encode)


class Replies(Told):
    """Gives its replies one after the other."""

    def __init__(self, *texts: str):
        self.texts = iter(texts)

    def sample(
        self, prompts: Sequence[Sequence[int]], params: SamplingParams, seeds: Sequence[int]
    ) -> list[Completion]:
        rows = [tuple(map(ord, next(self.texts))) for _ in prompts]
        return [Completion((*row, 2), (0.0,) * (len(row) + 1), "stop", None) for row in rows]


def test_a_verdict_is_one_word() -> None:
    said = [verdict(text) for text in ("Yes.", " no", "1", "0\n", "yes, I think", "", "I would say yes")]
    assert said == [True, False, True, False, None, None, None]


def test_a_judge_that_returns_prose_is_counted_and_leaves_the_answer_unscored() -> None:
    judge = GenerativeJudge(
        Replies("yes", "no", "yes", "it is", "well", "hm"), lambda task, text: f"{task.prompt}{text}?", k=3
    )
    found = judge.score(Group(TASK, (*group("a", "b", "a").traces, FAILED)))
    assert values(found) == [2 / 3, None, 2 / 3, None]
    assert (judge.replies, judge.prose) == (6, 3)


def test_a_judge_votes_at_least_once() -> None:
    with pytest.raises(AutotrophError, match="k >= 1"):
        GenerativeJudge(Replies(), lambda task, text: text, k=0)
