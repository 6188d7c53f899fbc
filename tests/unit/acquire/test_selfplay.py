"""Games between policies: who hears what, who wins what, and a policy read back exactly."""

from __future__ import annotations

import pytest
import torch

from autotroph.acquire.selfplay import REWARD, Exploited, SelfPlay, places, read
from autotroph.core.protocols import SamplingParams
from autotroph.core.task import Task
from autotroph.models.tokenizer import TextTokenizer
from autotroph.models.transformer import ModelConfig, Transformer
from autotroph.optimize.algo.rae import RAE
from autotroph.optimize.table import Table
from autotroph.tasks.games.family import Played
from autotroph.tasks.games.game import uniform
from autotroph.tasks.games.kuhn import Kuhn
from autotroph.tasks.games.leduc import Leduc

FAMILY = Played(Kuhn(), rules=True)
TASK = Task.of("kuhn_rules", "10000:", None)


def table(answers: str = "pb") -> Table:
    return Table(FAMILY.alphabet, answers, RAE(), rate=1.0)


def test_both_seats_win_what_the_other_one_loses() -> None:
    first, second = SelfPlay(FAMILY)([TASK], table(), SamplingParams(), 200, 0)
    assert len(first.traces) == len(second.traces) == 200
    for one, other in zip(first.traces, second.traces, strict=True):
        assert one.rewards[REWARD] == -(other.rewards[REWARD] or 0.0)
        assert abs(one.rewards[REWARD] or 0.0) in (0.5, 1.0)
    assert {trace.text for trace in first.traces} == {"p", "b", "pp", "pb"}
    assert {trace.text for trace in second.traces} == {"p", "b"}
    assert (first.task.meta["seat"], second.task.meta["seat"]) == (0, 1)
    assert first.task.split == "train"


def test_the_same_seed_plays_the_same_games() -> None:
    assert SelfPlay(FAMILY)([TASK], table(), SamplingParams(), 20, 7) == SelfPlay(FAMILY)(
        [TASK], table(), SamplingParams(), 20, 7
    )


def test_what_is_sampled_follows_what_is_heard() -> None:
    policy = table()
    [first, _] = SelfPlay(FAMILY)([TASK], policy, SamplingParams(), 50, 1)
    trace = next(trace for trace in first.traces if len(trace.text) == 2)
    text = policy.tokenizer.backend.decode(list(trace.ids), skip_special_tokens=False)
    assert text[:13] == "<bos>10000:" + text[11] + "?"
    assert text[13:].startswith("p<eos>b")
    own = [t for t, sampled in zip(trace.ids, trace.sampled, strict=True) if sampled]
    assert policy.tokenizer.decode(own) == trace.text


def test_a_fixed_opponent_has_the_other_seat_and_a_coin_needs_no_game() -> None:
    first, second = SelfPlay(FAMILY, uniform)([TASK], table(), SamplingParams(), 100, 0)
    assert len(first.traces) <= 50
    assert len(second.traces) <= 50
    blind = SelfPlay(FAMILY, blind=True)([TASK], table(), SamplingParams(), 100, 0)
    assert {trace.rewards[REWARD] for group in blind for trace in group.traces} == {1.0, -1.0}


def test_an_illegal_move_loses_the_stake() -> None:
    first, second = SelfPlay(FAMILY)([TASK], table("?"), SamplingParams(), 10, 0)
    assert [trace.rewards[REWARD] for trace in first.traces] == [-1.0] * 10
    assert second.traces == ()


@pytest.mark.parametrize(("game", "n"), [(Kuhn(), 12), (Leduc(), 288)])
def test_places_are_the_information_sets(game: Kuhn | Leduc, n: int) -> None:
    found = places(game)
    assert len(found) == n
    assert [place.said for place in found if place.seen == "Kpb"] in ([("p",)], [])


def test_a_model_is_read_exactly() -> None:
    """Two tables, one place, the long way."""
    tokenizer = TextTokenizer.characters(FAMILY.alphabet)
    model = Transformer(ModelConfig(vocab_size=len(tokenizer), hidden_size=16, intermediate_size=24)).initialise(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)) * 0.3)
    policy, illegal = read(model, tokenizer, FAMILY, ["10000", "20007"])
    assert len(policy) == 12
    mass = {}
    for move in "pb":
        mass[move] = 0.0
        for number in ("10000", "20007"):
            ids = [*tokenizer.prompt(f"{number}:K?"), *tokenizer.encode("p"), tokenizer.eos_id, *tokenizer.encode("b")]
            row = torch.tensor([[*ids, *tokenizer.encode(move), tokenizer.eos_id]])
            logp = model.logits(model(row[:, :-1])).log_softmax(-1)[0].gather(1, row[0, 1:, None])[:, 0]
            mass[move] += float(logp[-2:].detach().sum().exp()) / 2
    assert policy["Kpb"]["p"] == pytest.approx(mass["p"] / (mass["p"] + mass["b"]), abs=1e-5)
    assert 0 < illegal < 1
    watch = Exploited(FAMILY, ["10000", "20007"])
    watch.look(model, tokenizer)
    assert watch.figures()["nash_conv"] == pytest.approx(watch.figures()["last_nash_conv"])


def test_a_table_learns_what_pays() -> None:
    """Against an opponent at random a king that is bet at calls: 2 instead of -1."""
    policy, play = table(), SelfPlay(FAMILY, uniform)
    for step in range(60):
        policy.step(policy.algorithm.signals(play([TASK], policy, SamplingParams(), 100, step)))
    place = next(place for place in places(Kuhn()) if place.seen == "Kb")
    assert policy.probabilities(place.ids(FAMILY, policy.tokenizer, "10000"))["b"] > 0.7
