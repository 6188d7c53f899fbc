"""Selection by what a task would teach: scores by hand, and what happens when nothing is left."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
import torch

from autotroph.core.budget import Meter
from autotroph.core.errors import AutotrophError, SealedLeak
from autotroph.core.protocols import Signal, View
from autotroph.core.task import Task
from autotroph.core.trace import Group, Trace
from autotroph.models.likelihood import mean_logprobs
from autotroph.models.rollout import gold_trace
from autotroph.models.tokenizer import TextTokenizer
from autotroph.models.transformer import ModelConfig, Transformer
from autotroph.optimize.algo.grpo import GRPO
from autotroph.select.bandit import Bandit, softmax
from autotroph.select.chain import Chain, counted
from autotroph.select.difficulty import DifficultyBand, learnability, success
from autotroph.select.diversity import Diverse, cosine, facility_location
from autotroph.select.influence import Influence, gradient, sketched
from autotroph.select.recall import Recall, due_rounds
from autotroph.select.top import Shuffled, TopShare
from autotroph.select.uncertainty import Uncertainty, confidences, fuzziness
from autotroph.select.weakness import WeaknessMiner
from autotroph.tasks.registry import task_family


def tried(prompt: str, *rewards: float | None, level: int = 1) -> Group:
    task = Task.of("toy", prompt, None, level)
    trace = Trace(task.key, "p", (0, 5), (False, True), (0.0, -1.0), "", "stop")
    return Group(task, tuple(trace.scored("verified", reward) for reward in rewards))


def prompts(groups: Sequence[Group]) -> list[str]:
    return [group.task.prompt for group in groups if not group.traces or group.kept]


class Looking:
    """A view of a run whose champion is a small model that nothing has taught."""

    def __init__(self, history: Sequence[Sequence[Group]] = ()) -> None:
        self.family, self.meter, self.champion = task_family("copy"), Meter(), None
        self.tokenizer = TextTokenizer.characters(self.family.alphabet)
        shape = ModelConfig(vocab_size=len(self.tokenizer), hidden_size=16, intermediate_size=16, head_dim=4)
        self.model = Transformer(shape).initialise(3)
        self._history = history

    def seed(self, purpose: str) -> int:
        return len(purpose)

    def load(self, policy: Any) -> tuple[Transformer, TextTokenizer]:
        return self.model, self.tokenizer

    def history(self) -> Any:
        return iter(self._history)


VIEW = cast(View, Looking())


# Difficulty


def test_success_is_the_mean_of_what_was_scored() -> None:
    assert success(tried("a", 1, 0, None, 1)) == pytest.approx(2 / 3)
    assert success(tried("a", None, math.nan)) is None
    assert success(Group(Task.of("toy", "a", None))) is None


def test_the_band_keeps_its_edges_and_says_why_the_others_go() -> None:
    groups = [tried("easy", 1, 1, 1, 1), tried("edge", 1, 1, 1, 0), tried("hard", 0, 0), tried("mute", None)]
    band = DifficultyBand(0.25, 0.75)
    chosen = band.select([*groups, Group(Task.of("toy", "bare", None))], VIEW)
    assert [group.traces[0].rejected for group in chosen] == ["too easy", None, "too hard", "unscored"]
    assert band.dropped == {"unscored": 1}
    assert band.metrics == {"too_easy": 0.2, "too_hard": 0.2}
    with pytest.raises(AutotrophError, match="is no band"):
        DifficultyBand(0.8, 0.2)


def test_learnability_is_the_variance_of_the_reward() -> None:
    assert learnability([tried("a", 1, 0), tried("b", 1, 1), tried("c", 1, 0, 0, 0), tried("d")], VIEW) == [
        0.25,
        0.0,
        0.1875,
        None,
    ]


def test_the_top_share_is_rounded_up_and_prefers_the_earlier_of_equals() -> None:
    groups = [
        tried(name, *rewards) for name, *rewards in (("a", 1, 1), ("b", 1, 0), ("c", 0, 1), ("d", 0), ("e", None))
    ]
    top = TopShare(learnability, 0.25, "learnability")
    chosen = top.select(groups, VIEW)
    assert [g.traces[0].rejected for g in chosen] == ["low learnability", None, *["low learnability"] * 2, "unscored"]
    assert top.metrics["learnability_kept"] == 0.25
    assert top.metrics["learnability_mean"] == 0.125
    assert prompts(TopShare(learnability, 1.0).select(groups, VIEW)) == ["a", "b", "c", "d"]


def test_scores_of_another_number_and_shares_of_nothing_are_refused() -> None:
    with pytest.raises(AutotrophError, match="1 scores by 'x' of 2 groups"):
        TopShare(lambda groups, view: [1.0], 0.5, "x").select([tried("a", 1), tried("b", 1)], VIEW)
    with pytest.raises(AutotrophError, match="use a share above 0"):
        TopShare(learnability, 0.0)


def test_shuffled_scores_are_the_same_scores() -> None:
    groups = [tried(str(i), *[1] * i, *[0] * (9 - i)) for i in range(10)]
    plain, shuffled = learnability(groups, VIEW), Shuffled(learnability)(groups, VIEW)
    assert plain != shuffled
    assert sorted(map(str, plain)) == sorted(map(str, shuffled))


# Uncertainty


def test_fuzziness_is_highest_at_the_mean() -> None:
    assert fuzziness([0.1, 0.5, 0.9]) == pytest.approx([0.84, 1.0, 0.84])
    assert fuzziness([]) == []


def test_confidence_is_the_geometric_mean_of_the_answers_chances() -> None:
    """A head of zeros finds every token as likely: 1 / V, whatever the length, and padding changes nothing."""
    view = Looking()
    traces = [gold_trace(t, view.tokenizer) for level in (1, 7) for t in view.family.generate(level, 3, 0)]
    batched, alone = mean_logprobs(view.model, traces), [mean_logprobs(view.model, [one])[0] for one in traces]
    assert torch.allclose(batched, torch.stack(alone), atol=1e-5)
    with torch.no_grad():
        view.model.lm_head.weight.zero_()
    assert confidences(view.model, traces) == pytest.approx([1 / len(view.tokenizer)] * 6)


def test_uncertainty_scores_gold_answers_alone_and_counts_one_pass() -> None:
    view = Looking()
    tasks = view.family.generate(2, 4, 0)
    groups = [*map(Group, tasks), Group(replace(tasks[0], answer=None))]
    scores = Uncertainty(view.family)(groups, cast(View, view))
    assert scores[4] is None
    assert all(0 < score <= 1 for score in scores[:4] if score is not None)
    tokens = sum(len(gold_trace(task, view.tokenizer).ids) for task in tasks)
    assert view.meter.flops == 2 * sum(p.numel() for p in view.model.parameters()) * tokens


# Influence


def test_sketches_keep_inner_products_on_average() -> None:
    a, b = torch.randn(400, generator=torch.Generator().manual_seed(0)), torch.ones(400)
    products = [float(sketched(a, 64, seed) @ sketched(b, 64, seed)) for seed in range(400)]
    spread = float(np.std(products)) / 20
    assert abs(float(np.mean(products)) - float(a @ b)) < 3 * spread


def test_a_row_is_most_influential_for_itself() -> None:
    view = Looking()
    tasks = view.family.generate(3, 6, 0)
    scores = Influence(view.family, lambda _: tasks[2:3])([*map(Group, tasks)], cast(View, view))
    assert scores[2] == pytest.approx(1.0, abs=1e-5)
    assert max(range(6), key=lambda i: scores[i] or -9) == 2
    assert view.meter.flops > 0


def test_influence_is_the_first_order_gain_of_a_step() -> None:
    """A small step along a row's gradient lowers the loss of that row, by the square of its norm."""
    view = Looking()
    trace = gold_trace(view.family.generate(3, 1, 0)[0], view.tokenizer)
    parameters = list(view.model.parameters())
    found = torch.autograd.grad(-mean_logprobs(view.model, [trace])[0], parameters)
    norm = sum(float((part**2).sum()) for part in found)
    before, step = mean_logprobs(view.model, [trace]).item(), 1e-4
    with torch.no_grad():
        for parameter, part in zip(parameters, found, strict=True):
            parameter -= step * part
    assert mean_logprobs(view.model, [trace]).item() - before == pytest.approx(step * norm, rel=0.1)
    assert gradient(view.model, trace, 32, 0).shape == (32,)


def test_what_is_wanted_has_to_be_of_the_train_split() -> None:
    view = Looking()
    sealed = view.family.generate(3, 1, 0, "sealed")
    with pytest.raises(SealedLeak):
        Influence(view.family, lambda _: sealed)([], cast(View, view))


# Diversity


def test_facility_location_by_hand() -> None:
    """Column 1 serves two rows fully; after it, column 2 adds 1, and the others nothing."""
    similarity = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1.0]])
    assert facility_location(similarity, 2) == [0, 2]
    assert facility_location(similarity, 9) == [0, 2, 1]
    assert facility_location(np.array([[1, 0.9, 0], [0, 0.9, 0], [0, 0.9, 1]]), 1) == [1]


def test_diverse_tasks_stand_for_all() -> None:
    texts = ["aaaaaa", "aaaaaab", "zzzzzz", "zzzzzzy"]
    assert cosine(["abc", "abc", "xyz"], 3).tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 1]]
    diverse = Diverse(0.5)
    chosen = diverse.select([Group(Task.of("toy", text, None)) for text in texts], VIEW)
    assert {text[0] for text in prompts(chosen)} == {"a", "z"}
    assert diverse.dropped == {"redundant": 2}
    assert 0.5 < diverse.metrics["coverage"] < 1
    assert diverse.select([], VIEW) == []


# Recall


def test_what_was_solved_is_due_after_a_while_that_doubles() -> None:
    rounds = [[tried("a", 1), tried("b", 0)], [tried("a", 1), tried("b", 1)], [tried("c", None)]]
    key = {name: Task.of("toy", name, None).key for name in "abc"}
    assert due_rounds(rounds, 2.0, 1.0) == {key["a"]: 1 + 4, key["b"]: 1 + 2}
    view = cast(View, Looking(rounds))
    recall = Recall(2.0)
    assert prompts(recall.select([tried(name, 1) for name in "abcd"], view)) == ["b", "c", "d"]
    assert recall.metrics == {"due": 0.75}
    later = cast(View, Looking([*rounds, [], []]))
    assert prompts(recall.select([tried(name, 1) for name in "abcd"], later)) == ["a", "b", "c", "d"]
    with pytest.raises(AutotrophError, match="below 1 round"):
        Recall(0.5)


# Weakness


def test_a_weak_concept_is_one_whose_problems_stay_below_half() -> None:
    miner = WeaknessMiner(lambda task: task.prompt.split())
    first = [tried("x y", 0, 0), tried("x", 1, 1), tried("z", 0, 1), tried("w", 0, 0)]
    assert miner([first]) == {"w": 1.0, "x": 0.5, "y": 1.0, "z": 1.0}
    better = [tried("z", 1, 1), tried("w", 0, 1), tried("x y", 0, 0)]
    assert miner([first, better]) == {"w": 0.0, "x": 0.5, "y": 1.0, "z": 0.0}  # w gets better, z got there
    assert miner([[tried("x", None)]]) == {}


# Bandit


def test_q_follows_the_mean_absolute_advantage() -> None:
    bandit = Bandit(rate=0.5)
    groups = [tried("a", 1, 0, level=1), tried("b", 1, 1, level=2), tried("c", 0, 1, 1, 1, level=3)]
    bandit.observe(groups, GRPO().signals(groups))
    # level 1: advantages 1 and -1; level 3: -sqrt(3) and 3 of 1/sqrt(3)
    assert bandit.q == pytest.approx({"1": 0.5, "2": 0.0, "3": 0.5 * 2 * math.sqrt(3) / 4})
    bandit.observe(groups[1:2], [])
    assert bandit.q["1"] == 0.5  # what was not practised stays


def test_advantages_of_tokens_count_by_their_mean() -> None:
    group = tried("a", 1)
    assert Bandit().rewards([group], [Signal(group.traces[0], (1.0, -0.5))]) == {"1": 0.75}


def test_the_bandit_draws_where_q_is_high_and_nothing_twice() -> None:
    assert softmax({"a": 0.0, "b": math.log(3)}, 1.0) == pytest.approx({"a": 0.25, "b": 0.75})
    tasks = [Task.of("toy", f"{level} {i}", None, level) for level in (1, 2) for i in range(200)]
    bandit = Bandit(temperature=0.5)
    bandit.load_state_dict({"1": 0.0, "2": math.log(3) / 2})
    drawn = [task.level for seed in range(40) for task in bandit.draw(tasks, 20, random.Random(seed))]
    share = drawn.count(2) / len(drawn)
    assert abs(share - 0.75) < 3 * math.sqrt(0.75 * 0.25 / 800)
    few = bandit.draw(tasks[195:205], 50, random.Random(0))
    assert len(few) == len({task.key for task in few}) == 10


def test_the_bandits_state_is_q() -> None:
    bandit, other = Bandit(), Bandit()
    bandit.load_state_dict({"3": 0.7})
    other.load_state_dict(bandit.state_dict())
    assert other.q == {"3": 0.7}
    assert other.metrics == {"q_3": 0.7}
    with pytest.raises(AutotrophError, match="temperature above 0"):
        Bandit(temperature=0.0)


# Nothing left


def test_a_chain_gathers_what_its_selectors_measured_and_counts_the_rejected() -> None:
    chain = Chain([DifficultyBand(), TopShare(learnability, 0.5, "learnability")])
    chosen = chain.select([tried("a", 1, 1), tried("b", 0, 0), tried("c", 1, 1)], VIEW)
    assert chain.metrics["too_easy"] == pytest.approx(2 / 3)
    assert counted(chain, chosen) == "4 too easy, 2 too hard"
    assert counted(Chain([]), []) == "nothing was acquired"
