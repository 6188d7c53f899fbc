"""Role-conditioned advantages by hand, and the variance that they leave, as derived."""

from __future__ import annotations

import random
from statistics import fmean

import pytest

from autotroph.core.errors import AutotrophError
from autotroph.core.task import Task
from autotroph.core.trace import Group, Trace
from autotroph.optimize.algo.rae import RAE
from autotroph.tasks.games.game import Game, uniform
from autotroph.tasks.games.kuhn import Kuhn
from autotroph.tasks.games.solve import outcomes
from autotroph.tasks.games.tictactoe import TicTacToe


def played(seat: int, *rewards: float | None, logprobs: tuple[float, ...] = (0.0, -0.5)) -> Group:
    task = Task.of("kuhn", f"seat {seat}", None, split="train", meta={"seat": seat})
    sampled = (False, *[True] * (len(logprobs) - 1))
    traces = [
        Trace(task.key, "p", (1,) * len(logprobs), sampled, logprobs, "", "stop", rewards={"outcome": reward})
        for reward in rewards
    ]
    return Group(task, tuple(traces))


def advantages(groups: list[Group], algorithm: RAE) -> list[float]:
    return [signal.advantage[0] for signal in algorithm.signals(groups)]


def test_advantages_by_hand() -> None:
    """b: 0.5, then 0.5 / 2 - 1 / 2; the other role has a mean of its own."""
    assert advantages([played(0, 1.0, -1.0), played(1, -1.0)], RAE(0.5)) == [0.5, -0.75, -0.5]
    assert advantages([played(0, 1.0), played(1, -1.0)], RAE(0.5, shared=True)) == [0.5, -0.75]
    assert advantages([played(0, 1.0, -1.0)], RAE(1.0)) == [1.0, -1.0]


def test_the_paper_reads_the_mean_after_and_its_code_before() -> None:
    """Which differs by the decay alone."""
    rewards, rng = [], random.Random(0)
    for _ in range(50):
        rewards.append(rng.choice((-1.0, 0.5, 1.0)))
    after, mean, before = advantages([played(0, *rewards)], RAE(0.95)), 0.0, []
    for reward in rewards:
        before.append(reward - mean)
        mean = 0.95 * mean + 0.05 * reward
    assert after == pytest.approx([0.95 * advantage for advantage in before])


def test_unscored_traces_move_no_mean_and_entropy_is_a_share_of_surprise() -> None:
    assert advantages([played(0, None, 1.0)], RAE(0.5)) == [0.5]
    assert RAE().signals([played(0, None)]) == []
    [signal] = RAE(0.5, entropy=0.1).signals([played(0, 1.0, logprobs=(0.0, -2.0, -0.5))])
    assert signal.advantage == pytest.approx((0.5 + 0.2, 0.5 + 0.05))
    with pytest.raises(AutotrophError, match=r"decay 1\.5 is outside"):
        RAE(1.5)


@pytest.mark.parametrize(("game", "falls"), [(TicTacToe(), True), (Kuhn(), False)], ids=["tictactoe", "kuhn"])
def test_variance_is_what_was_derived(game: Game, falls: bool) -> None:
    """Of the random policy: E (R - b)^2 = 2 v / (1 + a) by role, against v + mu^2 without a mean or with a shared one.

    It falls where mu^2 / v > (1 - a) / (1 + a): in tic-tac-toe, where the first player often wins, not in Kuhn poker.
    """
    a, found = 0.95, outcomes(game, uniform)
    wins = [utility / game.stake for utility in found]
    mu = sum(win * p for win, p in zip(wins, found.values(), strict=True))
    v = sum(win**2 * p for win, p in zip(wins, found.values(), strict=True)) - mu**2
    drawn = random.Random(0).choices(wins, list(found.values()), k=40_000)
    groups = [played(seat, win if seat == 0 else -win) for win in drawn for seat in (0, 1)]
    squares = {
        name: fmean(x**2 for x in advantages(groups, algorithm)[2000:])
        for name, algorithm in (("role", RAE(a)), ("shared", RAE(a, shared=True)), ("none", RAE(1.0)))
    }
    assert squares["role"] / a**2 == pytest.approx(2 * v / (1 + a), rel=0.02)
    assert squares["none"] == pytest.approx(v + mu**2, rel=0.02)
    assert squares["shared"] / a**2 > squares["none"] * 0.99
    assert (squares["role"] / a**2 < squares["none"]) == falls == (mu**2 / v > (1 - a) / (1 + a))
