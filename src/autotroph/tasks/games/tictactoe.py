"""Tic-tac-toe: three in a row of nine squares. A draw, played well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

LINES = ("012", "345", "678", "036", "147", "258", "048", "246")


class TicTacToe:
    """Player 0 writes x, player 1 writes o; a move names a square, 1 to 9. A state is the board, as in "x...o...."."""

    name = "tictactoe"
    alphabet = "123456789"
    start = "." * 9
    open = True
    stake = 1.0
    turns = 5

    def mover(self, state: str) -> int | None:
        return None if "." not in state or self.utility(state) else state.count(".") % 2 ^ 1

    def moves(self, state: str) -> Sequence[str]:
        return [str(square + 1) for square, mark in enumerate(state) if mark == "."]

    def chances(self, state: str) -> Mapping[str, float]:
        return {}

    def after(self, state: str, move: str) -> str:
        square = int(move) - 1
        return state[:square] + "xo"[state.count(".") % 2 ^ 1] + state[square + 1 :]

    def utility(self, state: str) -> float:
        return won(state)

    def seen(self, state: str, player: int) -> str:
        return state

    def told(self, state: str, move: str, player: int) -> str:
        return move


@cache
def won(board: str) -> float:
    """1 where x has three in a row, -1 where o has, else 0."""
    rows = ["".join(board[int(square)] for square in line) for line in LINES]
    return float("xxx" in rows) - float("ooo" in rows)
