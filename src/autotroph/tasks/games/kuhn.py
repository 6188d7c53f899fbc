"""Kuhn poker (Kuhn 1950): three cards, one bet. Worth -1/18 to the player who begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from autotroph.tasks.games.game import CHANCE

RANKS = "JQK"


class Kuhn:
    """Both put one chip in and get one of three cards; "p" passes or folds, "b" bets or calls one more chip.

    A state is both cards and the moves so far, such as "KQpb". Player 0 sees "Kpb", player 1 "Qpb" with one move less.
    """

    name = "kuhn"
    alphabet = RANKS + "pb"
    start = ""
    open = False
    stake = 2.0
    turns = 2

    def mover(self, state: str) -> int | None:
        if len(state) < 2:
            return CHANCE
        return None if state[2:] in ("pp", "bp", "bb", "pbp", "pbb") else len(state) % 2

    def moves(self, state: str) -> Sequence[str]:
        return ("p", "b")

    def chances(self, state: str) -> Mapping[str, float]:
        left = [card for card in RANKS if card not in state]
        return dict.fromkeys(left, 1 / len(left))

    def after(self, state: str, move: str) -> str:
        return state + move

    def utility(self, state: str) -> float:
        moves = state[2:]
        if moves in ("bp", "pbp"):
            return 1.0 if moves == "bp" else -1.0
        won = RANKS.index(state[0]) > RANKS.index(state[1])
        return (2.0 if moves.endswith("bb") else 1.0) * (1 if won else -1)

    def seen(self, state: str, player: int) -> str:
        return state[player] + state[2:]

    def told(self, state: str, move: str, player: int) -> str:
        return move if len(state) >= 2 or len(state) == player else ""
