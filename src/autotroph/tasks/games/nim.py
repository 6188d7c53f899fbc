"""Nim (Bouton 1901): who takes the last object wins. Won by whoever faces heaps whose exclusive or is not 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from autotroph.tasks.games.game import CHANCE

NAMES, MOST = "abc", 5
"""The heaps, and the objects of the largest."""


class Nim:
    """Three heaps of 1 to 5 objects, dealt by chance; "b2" takes two of the second.

    A state is the heaps and whose move it is, "345/0"; what a player sees is the heaps.
    """

    name = "nim"
    alphabet = NAMES + "12345"
    start = ""
    open = True
    stake = 1.0
    turns = (len(NAMES) * MOST + 1) // 2

    def mover(self, state: str) -> int | None:
        if "/" not in state:
            return CHANCE
        heaps, _, turn = state.partition("/")
        return int(turn) if heaps.strip("0") else None

    def moves(self, state: str) -> Sequence[str]:
        heaps = zip(NAMES, state, strict=False)
        return [f"{name}{take}" for name, heap in heaps for take in range(1, int(heap) + 1)]

    def chances(self, state: str) -> Mapping[str, float]:
        return {str(size): 1 / MOST for size in range(1, MOST + 1)}

    def after(self, state: str, move: str) -> str:
        if "/" not in state:
            dealt = state + move
            return dealt + "/0" if len(dealt) == len(NAMES) else dealt
        heaps = [int(heap) - (int(move[1]) if name == move[0] else 0) for name, heap in zip(NAMES, state, strict=False)]
        return "".join(map(str, heaps)) + f"/{1 - int(state[-1])}"

    def utility(self, state: str) -> float:
        """Who is to move has lost: the other one took the last."""
        return -1.0 if state.endswith("0") else 1.0

    def seen(self, state: str, player: int) -> str:
        return state[: len(NAMES)]

    def told(self, state: str, move: str, player: int) -> str:
        return move
