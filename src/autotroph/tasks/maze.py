"""Mazes given as edges of a tree: the shortest path written down, as in arXiv:2502.01612, or walked step by step."""

from __future__ import annotations

import random
from collections import defaultdict
from itertools import pairwise
from string import ascii_lowercase as NODES

from autotroph.core.protocols import Environment, Turn
from autotroph.core.task import Task
from autotroph.tasks.procedural import Procedural


def shortest_path(neighbours: dict[str, set[str]], start: str, goal: str) -> str:
    """The nodes from start to goal, found breadth first; empty where there is no way."""
    paths = [start]
    seen = {start}
    for path in paths:
        if path[-1] == goal:
            return path
        ahead = sorted(neighbours[path[-1]] - seen)
        seen.update(ahead)
        paths.extend(path + node for node in ahead)
    return ""


def parse(prompt: str) -> tuple[dict[str, set[str]], str, str]:
    """Neighbours of every node, start and goal of a prompt such as "ab,cb:a>c="."""
    edges, _, ends = prompt.partition(":")
    neighbours: dict[str, set[str]] = defaultdict(set)
    for edge in edges.split(","):
        neighbours[edge[0]].add(edge[1])
        neighbours[edge[1]].add(edge[0])
    return neighbours, ends[0], ends[2]


def walkable(path: str, edges: str) -> bool:
    """Whether every step of the path is an edge of a list such as "ab,cb"."""
    known = edges.split(",")
    return all(a + b in known or b + a in known for a, b in pairwise(path))


class MazePath(Procedural):
    """Level h: a tree of 2h + 2 nodes in which start and goal are h hops apart; the answer is the path between them.

    A path of h + 1 nodes is drawn first, then each other node is hung on a uniformly chosen one. Nodes are single
    letters and edges come in random order and direction: "cb,ab,dc,be,...:a>c=" -> "abc".
    """

    name = "maze"
    levels = range(1, 13)
    alphabet = NODES + ",:>="

    def problem(self, level: int, rng: random.Random) -> tuple[str, str]:
        nodes = rng.sample(NODES, 2 * level + 2)
        edges = [nodes[i] + nodes[i + 1] for i in range(level)]
        edges += [rng.choice(nodes[:i]) + nodes[i] for i in range(level + 1, len(nodes))]
        edges = [edge[:: rng.choice((1, -1))] for edge in rng.sample(edges, len(edges))]
        return f"{','.join(edges)}:{nodes[0]}>{nodes[level]}=", "".join(nodes[: level + 1])

    def verify(self, task: Task, answer: str) -> float | None:
        """1 for a walk along edges from start to goal that is as short as any, else 0."""
        neighbours, start, goal = parse(task.prompt)
        best = shortest_path(neighbours, start, goal)
        joined = len(answer) == len(best) and answer[:1] == start and answer[-1:] == goal
        return float(joined and all(b in neighbours[a] for a, b in pairwise(answer)))

    def recheck(self, task: Task, answer: str) -> float | None:
        """In a tree the one path that visits no node twice is the shortest."""
        edges, ends = task.prompt[:-1].split(":")
        simple = len(set(answer)) == len(answer)
        return float(simple and f"{answer[:1]}>{answer[-1:]}" == ends and walkable(answer, edges))

    def max_answer(self, level: int) -> int:
        return level + 1


class Walk:
    """One episode: an action names the node to go to, an observation the nodes next to the one reached, as "(acd)".

    The end comes with score 1 at the goal, and with 0 on an action that is not a neighbour or when turns run out;
    actions after it change nothing.
    """

    def __init__(self, prompt: str, turns: int) -> None:
        self.neighbours, self.node, self.goal = parse(prompt)
        self.turns = turns
        self.end: Turn | None = None

    def step(self, action: str) -> Turn:
        if self.end is None:
            self.turns -= 1
            legal = action in self.neighbours[self.node]
            if not legal or action == self.goal or not self.turns:
                self.end = Turn("", done=True, score=float(legal and action == self.goal))
            else:
                self.node = action
        return self.end or Turn(f"({''.join(sorted(self.neighbours[self.node]))})", done=False)


class MazeWalk(MazePath):
    """The same mazes, walked: at level h there are 2h turns. The gold answer is the expert's actions in one string."""

    name = "maze_walk"
    alphabet = MazePath.alphabet + "()"
    max_action = 1

    def problem(self, level: int, rng: random.Random) -> tuple[str, str]:
        prompt, path = super().problem(level, rng)
        return prompt, path[1:]

    def start(self, task: Task) -> Environment:
        return Walk(task.prompt, self.max_turns(task.level))

    def expert(self, task: Task) -> list[str]:
        """The shortest way from start to goal, one node an action."""
        return list(shortest_path(*parse(task.prompt))[1:])

    def verify(self, task: Task, answer: str) -> float | None:
        """Replays the answer, one action a character: 1 when exactly its last action reaches the goal, else 0."""
        if len(answer) > self.max_turns(task.level):
            return 0.0
        walk = self.start(task)
        turns = [walk.step(action) for action in answer]
        return float([turn.score for turn in turns if turn.done] == [1.0])

    def equivalent_answers(self, task: Task) -> list[str]:
        """One step back and forth first, where turns allow it."""
        start, gold = task.prompt.partition(":")[2][0], task.answer or ""
        return [gold[0] + start + gold] if 1 < len(gold) <= self.max_turns(task.level) - 2 else []

    def recheck(self, task: Task, answer: str) -> float | None:
        """A walk along edges within the turns, whose end is the goal and nothing before it."""
        edges, ends = task.prompt[:-1].split(":")
        arrives = answer.find(ends[-1]) == len(answer) - 1 and 0 < len(answer) <= 2 * task.level
        return float(arrives and walkable(ends[0] + answer, edges))

    def max_turns(self, level: int) -> int:
        return 2 * level

    def max_answer(self, level: int) -> int:
        return self.max_turns(level)
