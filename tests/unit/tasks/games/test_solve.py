"""Games against known values, and against OpenSpiel where it is installed."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from autotroph.tasks.games.game import CHANCE, Game, tabular, uniform
from autotroph.tasks.games.kuhn import Kuhn
from autotroph.tasks.games.leduc import Leduc
from autotroph.tasks.games.nim import Nim
from autotroph.tasks.games.solve import Average, best_response, minimax, nash_conv, outcomes, value
from autotroph.tasks.games.tictactoe import TicTacToe


def passing(seen: str, moves: Sequence[str]) -> dict[str, float]:
    return {move: float(move == moves[0]) for move in moves}


def kuhn_equilibrium(alpha: float) -> dict[str, dict[str, float]]:
    """The equilibria of Kuhn poker by probability of "b"; alpha: how often the first player bets a jack."""
    bets = {
        "J": alpha, "Q": 0.0, "K": 3 * alpha, "Jpb": 0.0, "Qpb": alpha + 1 / 3, "Kpb": 1.0,
        "Jp": 1 / 3, "Qp": 0.0, "Kp": 1.0, "Jb": 0.0, "Qb": 1 / 3, "Kb": 1.0,
    }  # fmt: skip
    return {seen: {"p": 1 - bet, "b": bet} for seen, bet in bets.items()}


def test_kuhn_by_hand() -> None:
    game = Kuhn()
    assert value(game, uniform) == pytest.approx(1 / 8)
    assert best_response(game, uniform, 0)[0] == pytest.approx(1 / 2)
    assert best_response(game, uniform, 1)[0] == pytest.approx(5 / 12)
    assert nash_conv(game, uniform) == pytest.approx(11 / 12)
    assert nash_conv(game, passing) == pytest.approx(2)


@pytest.mark.parametrize("alpha", [0.0, 0.2, 1 / 3])
def test_every_known_equilibrium_of_kuhn_is_one(alpha: float) -> None:
    policy = tabular(kuhn_equilibrium(alpha))
    assert nash_conv(Kuhn(), policy) == pytest.approx(0, abs=1e-12)
    assert value(Kuhn(), policy) == pytest.approx(-1 / 18)
    off = kuhn_equilibrium(alpha) | {"Qb": {"p": 0.5, "b": 0.5}}
    assert nash_conv(Kuhn(), tabular(off)) > 0.01


def test_leduc_of_both_who_play_at_random() -> None:
    assert nash_conv(Leduc(), uniform) == pytest.approx(4.747222, abs=1e-6)


def test_tictactoe_at_random() -> None:
    found = outcomes(TicTacToe(), uniform)
    assert [round(found[won], 4) for won in (1.0, -1.0, 0.0)] == [0.5849, 0.2881, 0.1270]


@pytest.mark.parametrize(
    ("game", "worth"),
    [(Kuhn(), -1 / 18), (Leduc(), -0.085606424), (TicTacToe(), 0.0), (Nim(), 2 * 113 / 125 - 1)],
    ids=lambda one: getattr(one, "name", ""),
)
def test_minimax_policies_are_worth_what_is_known_and_cannot_be_exploited(game: Game, worth: float) -> None:
    policy = tabular(minimax(game))
    assert value(game, policy) == pytest.approx(worth, abs=1e-7)
    assert nash_conv(game, policy) == pytest.approx(0, abs=1e-9)


def test_nim_is_lost_exactly_where_the_exclusive_or_is_zero() -> None:
    """12 of 125 deals, counted by hand: pairs with an empty third heap do not occur, 1-2-3 and 1-4-5 in any order."""
    lost = [(a, b, c) for a in range(1, 6) for b in range(1, 6) for c in range(1, 6) if a ^ b ^ c == 0]
    assert len(lost) == 12
    table = minimax(Nim())
    assert table["345"] == {"a2": 1.0}
    assert len(table["123"]) == 6


def test_a_best_response_is_as_good_as_it_says() -> None:
    for game in (Kuhn(), Leduc()):
        for player in (0, 1):
            gain, moves = best_response(game, uniform, player)

            def both(seen: str, legal: Sequence[str], moves: dict[str, str] = moves) -> dict[str, float]:
                best = moves.get(seen)
                return {m: float(m == best) for m in legal} if best else dict(uniform(seen, legal))

            assert value(game, both) * (1 - 2 * player) == pytest.approx(gain)


def test_the_average_policy_goes_every_way_as_often_as_its_parts_do() -> None:
    """Of "always p" and "always b" the first player comes to "Kpb" in the first alone, and passes there."""
    game, average = Kuhn(), Average(Kuhn())
    for move in "pb":
        average.add({seen: {m: float(m == move) for m in moves} for seen, moves in average.places.items()})
    table = average.table()
    assert len(table) == 12
    assert table["K"] == table["Kb"] == {"p": 0.5, "b": 0.5}
    assert table["Kpb"] == {"p": 1.0, "b": 0.0}
    mixed = Average(game)
    mixed.add({seen: dict(uniform(seen, moves)) for seen, moves in mixed.places.items()}, 3.0)
    assert nash_conv(game, tabular(mixed.table())) == pytest.approx(11 / 12)


OURS: dict[str, tuple[Game, str, Callable[[Any, int], str]]] = {
    "kuhn_poker": (Kuhn(), "", lambda state, a: "JQK"[a] if state.is_chance_node() else "pb"[a]),
    "leduc_poker": (Leduc(), "", lambda state, a: "JQK"[a // 2] if state.is_chance_node() else "fcr"[a]),
    "tic_tac_toe": (TicTacToe(), "." * 9, lambda state, a: str(a + 1)),
    "nim(pile_sizes=3;4;5,is_misere=False)": (Nim(), "345/0", lambda state, a: taken(state.action_to_string(a))),
}


def taken(text: str) -> str:
    """Our move for one such as "pile:1, take:2;"."""
    pile, take = (int("".join(filter(str.isdigit, part))) for part in text.split(","))
    return f"{'_abc'[pile]}{take}"


@pytest.mark.parametrize("name", OURS)
def test_openspiel_plays_by_the_same_rules(name: str) -> None:
    """2,000 games at random: movers, chances, legal moves and utilities agree at every state."""
    pyspiel = pytest.importorskip("pyspiel", reason="OpenSpiel is not installed")
    game, start, move_of = OURS[name]
    theirs, rng = pyspiel.load_game(name), random.Random(0)
    for _ in range(2000):
        state, ours = theirs.new_initial_state(), start
        while not state.is_terminal():
            assert game.mover(ours) == (CHANCE if state.is_chance_node() else state.current_player())
            moves = {move_of(state, action): action for action in state.legal_actions()}
            if state.is_chance_node():
                chances = dict.fromkeys(moves, 0.0)
                for action, p in state.chance_outcomes():
                    chances[move_of(state, action)] += p
                assert chances == pytest.approx(game.chances(ours))
            else:
                assert set(moves) == set(game.moves(ours))
            move = rng.choice(sorted(moves))
            state.apply_action(moves[move])
            ours = game.after(ours, move)
        assert game.mover(ours) is None
        assert state.returns()[0] == game.utility(ours)


@pytest.mark.parametrize(("name", "game"), [("kuhn_poker", Kuhn()), ("leduc_poker", Leduc())])
def test_openspiel_finds_the_same_nash_conv(name: str, game: Game) -> None:
    pyspiel = pytest.importorskip("pyspiel", reason="OpenSpiel is not installed")
    from open_spiel.python import policy
    from open_spiel.python.algorithms import exploitability

    theirs = pyspiel.load_game(name)
    assert exploitability.nash_conv(theirs, policy.UniformRandomPolicy(theirs)) == pytest.approx(
        nash_conv(game, uniform)
    )
    first = policy.FirstActionPolicy(theirs)
    assert exploitability.nash_conv(theirs, first) == pytest.approx(nash_conv(game, passing))
