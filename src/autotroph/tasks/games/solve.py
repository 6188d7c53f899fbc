"""Games, solved: exact values, best responses, and policies that cannot be exploited.

All of it walks a game layer by layer (a layer: the states after as many moves), where ways that meet in one state go on
as one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array

from autotroph.core.errors import AutotrophError
from autotroph.tasks.games.game import CHANCE, Game, Policy, uniform

Table = Mapping[str, Mapping[str, float]]
"""What is seen -> move -> probability."""


def likelihoods(game: Game, policy: Policy, state: str) -> Mapping[str, float]:
    """Every move that may come next, and how likely it is; none where the game is over."""
    mover = game.mover(state)
    if mover is None:
        return {}
    return game.chances(state) if mover == CHANCE else policy(game.seen(state, mover), game.moves(state))


def layers(game: Game, policy: Policy, free: int | None = None) -> Iterator[dict[str, float]]:
    """The states after 0, 1, ... moves and how likely each is; moves of the player `free` count as certain."""
    layer = {game.start: 1.0}
    while layer:
        yield layer
        following: defaultdict[str, float] = defaultdict(float)
        for state, weight in layer.items():
            mover = game.mover(state)
            for move, p in likelihoods(game, uniform if mover == free else policy, state).items():
                following[game.after(state, move)] += weight if mover == free else weight * p
        layer = following


def outcomes(game: Game, policy: Policy) -> dict[float, float]:
    """Utility to player 0 -> probability, where both players keep to a policy."""
    found: defaultdict[float, float] = defaultdict(float)
    for layer in layers(game, policy):
        for state, weight in layer.items():
            if game.mover(state) is None:
                found[game.utility(state)] += weight
    return dict(found)


def value(game: Game, policy: Policy) -> float:
    """What player 0 wins on average."""
    return sum(utility * p for utility, p in outcomes(game, policy).items())


def best_response(game: Game, policy: Policy, player: int) -> tuple[float, dict[str, str]]:
    """What a player wins on average who does best against the other one's policy, and its moves by what it sees."""
    walked, sign = list(layers(game, policy, free=player)), 1 - 2 * player
    best: dict[str, str] = {}
    ahead: dict[str, float] = {}
    for layer in reversed(walked):
        values: dict[str, float] = {}
        totals: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
        own: list[str] = []
        for state, weight in layer.items():
            mover = game.mover(state)
            if mover is None:
                values[state] = sign * game.utility(state)
            elif mover == player:
                own.append(state)
                for move in game.moves(state):
                    totals[game.seen(state, player)][move] += weight * ahead[game.after(state, move)]
            else:
                found = likelihoods(game, policy, state)
                values[state] = sum(p * ahead[game.after(state, move)] for move, p in found.items())
        best |= {seen: max(moves, key=moves.__getitem__) for seen, moves in totals.items()}
        values |= {state: ahead[game.after(state, best[game.seen(state, player)])] for state in own}
        ahead = values
    return ahead[game.start], best


def nash_conv(game: Game, policy: Policy) -> float:
    """What both players together gain who turn to their best responses: 0 in equilibrium, twice the exploitability."""
    return sum(best_response(game, policy, player)[0] for player in (0, 1))


def minimax(game: Game) -> dict[str, dict[str, float]]:
    """A policy that nobody can exploit, exact: by backward induction where the game is open, else as a linear program.

    Of an open game, every move that keeps the value is equally likely.
    """
    return _induced(game) if game.open else _programmed(game)


def _induced(game: Game) -> dict[str, dict[str, float]]:
    table: dict[str, dict[str, float]] = {}

    @cache
    def worth(state: str) -> float:
        mover = game.mover(state)
        if mover is None:
            return game.utility(state)
        if mover == CHANCE:
            return sum(p * worth(game.after(state, move)) for move, p in game.chances(state).items())
        values = {move: worth(game.after(state, move)) * (1 - 2 * mover) for move in game.moves(state)}
        most = max(values.values())
        good = [move for move, found in values.items() if found == most]
        table[game.seen(state, mover)] = dict.fromkeys(good, 1 / len(good))
        return most * (1 - 2 * mover)

    worth(game.start)
    return table


@dataclass
class Sequences:
    """One player's sequences: its ways to each of its moves. Number 0 is the empty one."""

    parents: dict[str, int] = field(default_factory=dict)
    """What the player sees -> the sequence that led there."""
    numbers: dict[tuple[str, str], int] = field(default_factory=dict)
    """(what it sees, its move) -> the sequence that ends so."""

    def number(self, seen: str, move: str) -> int:
        return self.numbers.setdefault((seen, move), len(self.numbers) + 1)

    def constraints(self) -> np.ndarray:
        """Rows over sequences that are 0 for a plan, but for the first, which is 1: what goes in comes out."""
        rows = np.zeros((len(self.parents) + 1, len(self.numbers) + 1))
        rows[0, 0] = 1
        places = {seen: row for row, seen in enumerate(self.parents, 1)}
        for seen, parent in self.parents.items():
            rows[places[seen], parent] = -1
        for (seen, _), number in self.numbers.items():
            rows[places[seen], number] = 1
        return rows

    def behaviour(self, plan: Sequence[float]) -> dict[str, dict[str, float]]:
        """A plan as probabilities of moves; uniform where the player never gets to."""
        table: dict[str, dict[str, float]] = {}
        for (seen, move), number in self.numbers.items():
            table.setdefault(seen, {})[move] = max(0.0, float(plan[number]))
        for moves in table.values():
            whole = sum(moves.values())
            for move in moves:
                moves[move] = moves[move] / whole if whole > 1e-9 else 1 / len(moves)
        return table


def sequences(game: Game) -> tuple[Sequences, Sequences, dict[tuple[int, int], float]]:
    """Both players' sequences, and what each pair of them brings player 0, times the luck that it takes."""
    both, payoffs = (Sequences(), Sequences()), defaultdict[tuple[int, int], float](float)

    def walk(state: str, luck: float, last: tuple[int, int]) -> None:
        mover = game.mover(state)
        if mover is None:
            payoffs[last] += luck * game.utility(state)
        elif mover == CHANCE:
            for move, p in game.chances(state).items():
                walk(game.after(state, move), luck * p, last)
        else:
            seen = game.seen(state, mover)
            both[mover].parents.setdefault(seen, last[mover])
            for move in game.moves(state):
                number = both[mover].number(seen, move)
                walk(game.after(state, move), luck, (number, last[1]) if mover == 0 else (last[0], number))

    walk(game.start, 1.0, (0, 0))
    return *both, dict(payoffs)


def _programmed(game: Game) -> dict[str, dict[str, float]]:
    """Koller, Megiddo and von Stengel (1996): max q_0 over plans x with E x = e and F' q <= A' x."""
    one, other, payoffs = sequences(game)
    rows, columns = zip(*payoffs, strict=True)
    shape = len(one.numbers) + 1, len(other.numbers) + 1
    A = coo_array((list(payoffs.values()), (rows, columns)), shape=shape).toarray()
    table: dict[str, dict[str, float]] = {}
    for own, rival, gains in ((one, other, A), (other, one, -A.T)):
        E, F = own.constraints(), rival.constraints()
        found = linprog(
            np.concatenate([np.zeros(E.shape[1]), [-1.0], np.zeros(len(F) - 1)]),
            A_ub=np.hstack([-gains.T, F.T]),
            b_ub=np.zeros(F.shape[1]),
            A_eq=np.hstack([E, np.zeros((len(E), len(F)))]),
            b_eq=np.eye(len(E))[0],
            bounds=[(0, None)] * E.shape[1] + [(None, None)] * len(F),
        )
        if found.status != 0:
            raise AutotrophError(f"game '{game.name}': its linear program has no solution ({found.message})")
        table |= own.behaviour(found.x)
    return table


class Average:
    """The policy that is as likely as the mean of several to go every way: what self-play is about.

    Each policy's probabilities at a place count as much as it goes there itself, as in fictitious play.
    """

    def __init__(self, game: Game):
        self._paths: dict[str, tuple[tuple[str, str], ...]] = {}
        self._moves: dict[str, Sequence[str]] = {}
        self._sums: defaultdict[tuple[str, str], float] = defaultdict(float)
        self._walk(game, game.start, ((), ()))

    def _walk(self, game: Game, state: str, paths: tuple[tuple[tuple[str, str], ...], ...]) -> None:
        mover = game.mover(state)
        if mover == CHANCE:
            for move in game.chances(state):
                self._walk(game, game.after(state, move), paths)
        elif mover is not None:
            seen = game.seen(state, mover)
            self._paths[seen], self._moves[seen] = paths[mover], game.moves(state)
            for move in game.moves(state):
                on = (*paths[mover], (seen, move))
                self._walk(game, game.after(state, move), (on, paths[1]) if mover == 0 else (paths[0], on))

    @property
    def places(self) -> dict[str, Sequence[str]]:
        """All that a player may see, and the legal moves there."""
        return self._moves

    def add(self, table: Table, weight: float = 1.0) -> None:
        for seen, path in self._paths.items():
            reach = weight * float(np.prod([table[before][move] for before, move in path]))
            for move in self._moves[seen]:
                self._sums[seen, move] += reach * table[seen][move]

    def table(self) -> dict[str, dict[str, float]]:
        found: dict[str, dict[str, float]] = {}
        for seen, moves in self._moves.items():
            whole = sum(self._sums[seen, move] for move in moves)
            found[seen] = {m: self._sums[seen, m] / whole if whole else 1 / len(moves) for m in moves}
        return found
