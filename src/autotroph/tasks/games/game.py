"""Finite zero-sum games of two players, written down by their rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

CHANCE = 2
"""Who moves where a card is dealt."""

Policy = Callable[[str, Sequence[str]], Mapping[str, float]]
"""(what the mover sees, legal moves) to their probabilities."""


class Game(Protocol):
    """Two players, 0 and 1; what one wins the other loses.

    A state is a string and so is a move; all moves of players have the same number of characters. What a player sees
    recalls all that the player knew and did, unless the game is `open`: then it may be the position alone, and two
    ways to one position are one state.
    """

    name: str
    alphabet: str
    """Every character of moves, and of what is told of them."""
    start: str
    open: bool
    """Whether nothing is hidden."""
    stake: float
    """Most that can be won."""
    turns: int
    """Most moves of one player."""

    def mover(self, state: str) -> int | None:
        """0, 1 or CHANCE; None where the game is over."""
        ...

    def moves(self, state: str) -> Sequence[str]:
        """The legal moves of a player."""
        ...

    def chances(self, state: str) -> Mapping[str, float]:
        """The moves of chance, and how likely each is."""
        ...

    def after(self, state: str, move: str) -> str: ...

    def utility(self, state: str) -> float:
        """What player 0 has won where the game is over."""
        ...

    def seen(self, state: str, player: int) -> str:
        """What the player knows in a state in which it moves; it tells whose move it is, unless both play alike."""
        ...

    def told(self, state: str, move: str, player: int) -> str:
        """What the player gets to hear of somebody's move in this state."""
        ...


def uniform(seen: str, moves: Sequence[str]) -> Mapping[str, float]:
    """The policy that takes every legal move with the same probability."""
    return dict.fromkeys(moves, 1 / len(moves))


def tabular(table: Mapping[str, Mapping[str, float]]) -> Policy:
    """The policy of a table; uniform where it says nothing."""
    return lambda seen, moves: table.get(seen) or uniform(seen, moves)
