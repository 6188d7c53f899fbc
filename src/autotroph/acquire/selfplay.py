"""Self-play: one policy in both seats of a game, or in one of them against a fixed opponent."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import exp
from statistics import fmean

from autotroph.core.protocols import Sampler, SamplingParams, Tokenizer
from autotroph.core.task import Task
from autotroph.core.trace import Group, Trace
from autotroph.models.drift import trace_logprobs
from autotroph.models.transformer import Transformer
from autotroph.tasks.games.family import Played, drawn
from autotroph.tasks.games.game import CHANCE, Game, Policy, tabular
from autotroph.tasks.games.solve import Average, Table, nash_conv, value

REWARD = "outcome"
"""Name of the reward: what was won, as a share of the stake."""


@dataclass
class Seat:
    """What one player of a game has heard and said so far, as tokens."""

    table: str
    ids: list[int] = field(default_factory=list)
    sampled: list[bool] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    heard: str = ""
    said: list[str] = field(default_factory=list)

    def listen(self, family: Played, tokenizer: Tokenizer) -> None:
        """Put what was heard since the last move into tokens: it is this seat's turn."""
        if self.said:
            ids = tokenizer.turn(self.heard, last=self.ids[-1])
        else:
            ids = tokenizer.prompt(family.prompt(self.table, self.heard))
        self.extend(ids, [0.0] * len(ids), False)
        self.heard = ""

    def speak(self, text: str, ids: Sequence[int], logprobs: Sequence[float]) -> None:
        self.extend(ids, logprobs, True)
        self.said.append(text)

    def extend(self, ids: Sequence[int], logprobs: Sequence[float], sampled: bool) -> None:
        self.ids += ids
        self.logprobs += logprobs
        self.sampled += [sampled] * len(ids)


class Duel:
    """One game between two seats. An illegal move loses the stake."""

    def __init__(self, family: Played, tables: Sequence[str], rng: random.Random):
        self.family, self.rng, self.state = family, rng, family.game.start
        self.seats, self.utility = [Seat(table) for table in tables], 0.0
        self.over = False

    def advance(self, fixed: dict[int, Policy]) -> int | None:
        """Let chance and the fixed players move; returns whose turn it is then, None at the end."""
        game = self.family.game
        while not self.over:
            mover = game.mover(self.state)
            if mover is None:
                self.over, self.utility = True, game.utility(self.state)
            elif mover == CHANCE:
                self._make(drawn(game.chances(self.state), self.rng))
            elif mover in fixed:
                self._make(drawn(fixed[mover](game.seen(self.state, mover), game.moves(self.state)), self.rng))
            else:
                return mover
        return None

    def play(self, mover: int, move: str) -> None:
        if move in self.family.game.moves(self.state):
            self._make(move, mover)
        else:
            self.over, self.utility = True, self.family.game.stake * (2 * mover - 1)

    def _make(self, move: str, by: int | None = None) -> None:
        for player, seat in enumerate(self.seats):
            if player != by:
                seat.heard += self.family.game.told(self.state, move, player)
        self.state = self.family.game.after(self.state, move)


@dataclass(frozen=True)
class SelfPlay:
    """A rollout of games: implements `core.protocols.Rollout`.

    `n` games for every task, whose number names the tables; cards are dealt afresh for each game, and each seat is told
    a table of its own, so that the number says nothing. Returns two groups, one for each seat, with all traces that
    made a move and what they won, in stakes. `opponent`: who has the other seat, in every second game the first one;
    None: the policy itself. `blind`: a fair coin says who has won.
    """

    family: Played
    opponent: Policy | None = None
    blind: bool = False

    def __call__(
        self, tasks: Sequence[Task], sampler: Sampler, params: SamplingParams, n: int, seed: int
    ) -> list[Group]:
        rng = random.Random(seed)
        names = [task.prompt.partition(":")[0] for task in tasks]
        duels = [Duel(self.family, rng.choices(names, k=2), rng) for _ in range(len(tasks) * n)]
        fixed = [{} if self.opponent is None else {game % 2: self.opponent} for game in range(len(duels))]
        action = params.model_copy(update={"max_tokens": self.family.max_action + 1})
        for _ in range(2 * self.family.game.turns):
            movers = [duel.advance(own) for duel, own in zip(duels, fixed, strict=True)]
            live = [(game, mover) for game, mover in enumerate(movers) if mover is not None]
            if not live:
                break
            for game, mover in live:
                duels[game].seats[mover].listen(self.family, sampler.tokenizer)
            seeds = [rng.getrandbits(60) for _ in live]
            replies = sampler.sample([duels[game].seats[mover].ids for game, mover in live], action, seeds)
            for (game, mover), reply in zip(live, replies, strict=True):
                move = sampler.tokenizer.decode(reply.ids)
                duels[game].seats[mover].speak(move, reply.ids, reply.logprobs)
                duels[game].play(mover, move)
        for duel, own in zip(duels, fixed, strict=True):
            duel.advance(own)
            if self.blind:
                duel.utility = self.family.game.stake * rng.choice((1, -1))
        return [self._group(seat, duels, sampler) for seat in (0, 1)]

    def _group(self, seat: int, duels: Sequence[Duel], sampler: Sampler) -> Group:
        task = Task.of(self.family.name, f"seat {seat}", None, split="train", meta={"seat": seat})
        policy, stake = sampler.policy, self.family.game.stake * (1 - 2 * seat)
        return Group(
            task,
            tuple(
                Trace(
                    task.key,
                    policy.id,
                    tuple(own.ids),
                    tuple(own.sampled),
                    tuple(own.logprobs),
                    "".join(own.said),
                    "stop",
                    policy.depth + 1,
                    rewards={REWARD: duel.utility / stake},
                )
                for duel in duels
                if (own := duel.seats[seat]).said
            ),
        )


@dataclass(frozen=True)
class Place:
    """Where a player may have to move: what it sees, what it heard and said on the way, and its legal moves."""

    seen: str
    heard: tuple[str, ...]
    said: tuple[str, ...]
    moves: tuple[str, ...]

    def ids(self, family: Played, tokenizer: Tokenizer, table: str) -> list[int]:
        """The tokens that stand before the next move."""
        seat = Seat(table)
        for turn, heard in enumerate(self.heard):
            seat.heard = heard
            seat.listen(family, tokenizer)
            if turn < len(self.said):
                ids = [*tokenizer.encode(self.said[turn]), tokenizer.eos_id]
                seat.speak(self.said[turn], ids, [0.0] * len(ids))
        return seat.ids


def places(game: Game) -> list[Place]:
    """Every place of both players."""
    found: dict[str, Place] = {}

    def walk(state: str, heard: tuple[tuple[str, ...], ...], said: tuple[tuple[str, ...], ...]) -> None:
        mover = game.mover(state)
        if mover is None:
            return
        if mover != CHANCE:
            seen, moves = game.seen(state, mover), tuple(game.moves(state))
            found.setdefault(seen, Place(seen, heard[mover], said[mover], moves))
        for move in game.chances(state) if mover == CHANCE else game.moves(state):
            told = [(*h[:-1], h[-1] + game.told(state, move, player)) for player, h in enumerate(heard)]
            spoken = list(said)
            if mover != CHANCE:
                told[mover], spoken[mover] = (*heard[mover], ""), (*said[mover], move)
            walk(game.after(state, move), tuple(told), tuple(spoken))

    walk(game.start, (("",), ("",)), ((), ()))
    return list(found.values())


def read(model: Transformer, tokenizer: Tokenizer, family: Played, tables: Sequence[str]) -> tuple[Table, float]:
    """The policy of a model, exactly: how likely each legal move is at each place, as a mean over these tables.

    And the probability that it makes no legal move, as a mean over the places.
    """
    rows = [(place, move, table) for place in places(family.game) for move in place.moves for table in tables]
    traces = list(_asked(rows, family, tokenizer))
    found, values = iter(trace_logprobs(model, traces)), dict[str, dict[str, float]]()
    for (place, move, _), trace in zip(rows, traces, strict=True):
        logp = sum(next(found) for _ in range(sum(trace.sampled)))
        own = values.setdefault(place.seen, dict.fromkeys(place.moves, 0.0))
        own[move] += exp(logp) / len(tables)
    legal = {seen: sum(own.values()) for seen, own in values.items()}
    table = {seen: {move: p / legal[seen] for move, p in own.items()} for seen, own in values.items()}
    return table, 1 - fmean(legal.values())


def _asked(rows: Sequence[tuple[Place, str, str]], family: Played, tokenizer: Tokenizer) -> Iterator[Trace]:
    for place, move, table in rows:
        before, after = place.ids(family, tokenizer, table), [*tokenizer.encode(move), tokenizer.eos_id]
        sampled = (*[False] * len(before), *[True] * len(after))
        yield Trace("", "", (*before, *after), sampled, (0.0,) * len(sampled), move, "given")


@dataclass
class Exploited:
    """Watches a policy that plays: how far it can be exploited, and how far the average of what it was can be.

    It looks before every `every`th step and weighs looks by their number, as in CFR+: late policies count for more.
    """

    family: Played
    tables: Sequence[str]
    every: int = 5

    def __post_init__(self) -> None:
        self.average, self.steps, self.illegal = Average(self.family.game), 0, 0.0
        self.last: Table = {}

    def look(self, model: Transformer, tokenizer: Tokenizer) -> None:
        if self.steps % self.every == 0:
            self.last, self.illegal = read(model, tokenizer, self.family, self.tables)
            self.average.add(self.last, self.steps // self.every + 1)
        self.steps += 1

    def figures(self) -> dict[str, float]:
        return {**exploited(self.family.game, self.average.table(), self.last), "illegal": self.illegal}


def exploited(game: Game, average: Table, last: Table) -> dict[str, float]:
    """`nash_conv` and `game_value` of the average policy, `last_nash_conv` of the last one; in chips."""
    policy = tabular(average)
    return {
        "nash_conv": nash_conv(game, policy),
        "game_value": value(game, policy),
        "last_nash_conv": nash_conv(game, tabular(last)),
    }
