"""Leduc poker (Southey et al. 2005): six cards of three ranks, two rounds of bets, one public card between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from autotroph.tasks.games.game import CHANCE

RANKS = "JQK"


class Leduc:
    """Both put one chip in and get a card; "f" folds, "c" checks or calls, "r" raises by 2 chips, by 4 once a public
    card lies there, at most twice a round. A pair with the public card wins, else the higher rank; equal ranks share.

    A state is both cards, the first round's moves, the public card and the second round's moves: "JQrcKcc". Cards of a
    rank are alike.
    """

    name = "leduc"
    alphabet = RANKS + "fcr"
    start = ""
    open = False
    stake = 13.0
    turns = 4

    def mover(self, state: str) -> int | None:
        if len(state) < 2:
            return CHANCE
        first, public, second = rounds(state)
        if first.endswith("f") or second.endswith("f"):
            return None
        if not public:
            return CHANCE if is_settled(first) else len(first) % 2
        return None if is_settled(second) else len(second) % 2

    def moves(self, state: str) -> Sequence[str]:
        first, public, second = rounds(state)
        moves = second if public else first
        return tuple(("f" if moves.endswith("r") else "") + "c" + ("r" if moves.count("r") < 2 else ""))

    def chances(self, state: str) -> Mapping[str, float]:
        left = {card: 2 - state.count(card) for card in RANKS}
        return {card: n / sum(left.values()) for card, n in left.items() if n}

    def after(self, state: str, move: str) -> str:
        return state + move

    def utility(self, state: str) -> float:
        first, public, second = rounds(state)
        put = 1.0 + 2 * first.count("r") + 4 * second.count("r")
        last = second if public else first
        if last.endswith("f"):
            uncalled = 4 if public else 2
            return (put - uncalled) * (-1 if len(last) % 2 else 1)
        one, other = ((card == public, RANKS.index(card)) for card in state[:2])
        return put * ((one > other) - (one < other))

    def seen(self, state: str, player: int) -> str:
        return state[player] + state[2:]

    def told(self, state: str, move: str, player: int) -> str:
        return move if len(state) >= 2 or len(state) == player else ""


def rounds(state: str) -> tuple[str, str, str]:
    """Moves of the first round, public card (or nothing) and moves of the second."""
    for place, char in enumerate(state[2:], 2):
        if char in RANKS:
            return state[2:place], char, state[place + 1 :]
    return state[2:], "", ""


def is_settled(moves: str) -> bool:
    """Whether a round's bets are equal and both have spoken."""
    return len(moves) > 1 and moves.endswith("c")
