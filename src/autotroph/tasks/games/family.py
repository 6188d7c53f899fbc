"""Games as tasks: one game each, played turn by turn against an opponent that does not learn."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from functools import cache

from autotroph.core.protocols import Environment, Turn
from autotroph.core.task import Task, stable_hash
from autotroph.tasks.family import FULLWIDTH, Family
from autotroph.tasks.games.game import CHANCE, Game, Policy, tabular, uniform
from autotroph.tasks.games.solve import likelihoods, minimax
from autotroph.tasks.procedural import Drawn

TABLES = 10_000
"""Tables of each level: each has its own seat, its own cards and an opponent with its own moods."""


class Match:
    """One game seen from one seat: an observation is what has become known since one's last move.

    An illegal move loses the stake. `step` is pure in its history: everything random follows from `seed`. A score is
    what was won, from -stake to stake, as a number in [0, 1].
    """

    def __init__(self, game: Game, seat: int, opponent: Policy, seed: str) -> None:
        self.game, self.seat, self.opponent = game, seat, opponent
        self.rng, self.state = random.Random(seed), game.start
        self.end: Turn | None = None
        self.opening = self._others()

    def step(self, action: str) -> Turn:
        if self.end is None:
            if action not in self.game.moves(self.state):
                self.end = Turn("", done=True, score=0.0)
            else:
                self.state = self.game.after(self.state, action)
                heard = self._others()
                if self.game.mover(self.state) is not None:
                    return Turn(heard, done=False)
                won = self.game.utility(self.state) * (1 - 2 * self.seat)
                self.end = Turn("", done=True, score=(won / self.game.stake + 1) / 2)
        return self.end

    def _others(self) -> str:
        """Chance and opponent move, until it is this seat's turn or the game is over; returns what it hears."""
        heard = ""
        while (mover := self.game.mover(self.state)) is not None and mover != self.seat:
            move = drawn(likelihoods(self.game, self.opponent, self.state), self.rng)
            heard += self.game.told(self.state, move, self.seat)
            self.state = self.game.after(self.state, move)
        return heard


def drawn(chances: Mapping[str, float], rng: random.Random) -> str:
    return rng.choices(list(chances), list(chances.values()))[0]


class Played(Drawn):
    """A game against opponents of five strengths: at level n an opponent makes a minimax move with probability
    (n - 1) / 4 and else any legal one.

    A prompt is the number of a table, whose first digit is the level, and what is known when one's first move is due:
    "20417:Kb?" is a king, and a bet to answer. The table says which seat one has, which cards there are and what the
    opponent does to what. The expert plays minimax moves; with `rules` it makes any legal ones, so that a base that
    learns from it knows the rules and no strategy. The gold answer is the expert's moves where they win all there is
    to win, by luck or not; else there is none.
    """

    levels = range(1, 6)

    def __init__(self, game: Game, rules: bool = False) -> None:
        self.game, self.rules = game, rules
        self.name = f"{game.name}_rules" if rules else game.name
        self.alphabet = "0123456789:?" + game.alphabet
        self.max_action = len(max(game.moves(_first(game)), key=len))

    def draw(self, level: int, rng: random.Random) -> Task:
        table = f"{level}{rng.randrange(TABLES):04}"
        prompt = self.prompt(table, self._match(table).opening)
        line = "".join(self.expert(Task.of(self.name, prompt, None, level)))
        task = Task.of(self.name, prompt, line, level)
        return task if self.verify(task, line) == 1 else Task.of(self.name, prompt, None, level)

    def prompt(self, table: str, opening: str) -> str:
        return f"{table}:{opening}?"

    def start(self, task: Task) -> Environment:
        return self._match(task.prompt.partition(":")[0])

    def expert(self, task: Task) -> list[str]:
        match = self._match(task.prompt.partition(":")[0])
        policy = uniform if self.rules else strong(type(self.game))
        rng, line = random.Random(stable_hash("expert", task.key)), list[str]()
        while match.end is None:
            line.append(drawn(likelihoods(self.game, policy, match.state), rng))
            match.step(line[-1])
        return line

    def verify(self, task: Task, answer: str) -> float | None:
        """Replays the answer, `max_action` characters a move; 0 where it ends before the game does, or goes on."""
        if len(answer) > self.max_answer(task.level):
            return 0.0
        match, size = self.start(task), self.max_action
        turns = [match.step(answer[i : i + size]) for i in range(0, len(answer), size)]
        ends = [turn.score for turn in turns if turn.done]
        return ends[0] if len(ends) == 1 else 0.0

    def wrong_answers(self, task: Task) -> list[str]:
        gold = task.answer or ""
        misses = ["", gold[:-1], gold + gold[-self.max_action :], gold[:-1] + ":", gold + " "]
        return misses + [wide for wide in (gold.translate(FULLWIDTH),) if wide != gold]

    def max_turns(self, level: int) -> int:
        return self.game.turns

    def max_answer(self, level: int) -> int:
        return self.game.turns * self.max_action

    def validate(self, samples: int = 8) -> None:
        """`Family.validate`, and: every level has training tasks, and the expert's moves are legal and end the game."""
        Family.validate(self, samples)
        for level in self.levels:
            tasks = self.generate(level, samples, 0)
            self.demand(bool(tasks), f"level {level} has no training task")
            for task in tasks:
                match, line = self.start(task), self.expert(task)
                turns = [match.step(move) for move in line]
                ended = [turn.done for turn in turns] == [False] * (len(line) - 1) + [True]
                self.demand(ended, f"the expert's moves {line} at {task.prompt!r} are no game")
                scored = turns[-1].score == self.verify(task, "".join(line))
                self.demand(scored, f"{line} at {task.prompt!r} scores otherwise when it is played again")

    def _match(self, table: str) -> Match:
        seed = stable_hash(self.game.name, table)
        return Match(self.game, int(seed[-1], 16) % 2, opponent(type(self.game), int(table[0])), seed)


def _first(game: Game) -> str:
    """A state in which player 0 makes the first move."""
    state = game.start
    while game.mover(state) == CHANCE:
        state = game.after(state, next(iter(game.chances(state))))
    return state


@cache
def strong(game: type[Game]) -> Policy:
    """The minimax policy of a game, solved once."""
    return tabular(minimax(game()))


@cache
def opponent(game: type[Game], level: int) -> Policy:
    """A minimax move with probability (level - 1) / 4, else any legal one."""
    share = (level - 1) / 4

    def mixed(seen: str, moves: Sequence[str]) -> Mapping[str, float]:
        good, any_ = strong(game)(seen, moves) if share else {}, uniform(seen, moves)
        return {move: share * good.get(move, 0.0) + (1 - share) * any_[move] for move in moves}

    return mixed
