"""The archive: every candidate that was tried, what came of it, and what came of its descendants.

All that a search policy looks at is in columns of numbers, one entry a node, so that a choice among 100,000 nodes is a
few operations on arrays.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

COLUMNS = ("trials", "successes", "clade_trials", "clade_successes", "children", "begun", "parent", "tag")
"""Evaluations of a node and the sum of their outcomes, both also of its clade; how many nodes it is a parent of; how
many of its tasks are done or pending; its first parent, -1 for a root; its tag."""
WORST = 0.0
"""Outcome of a task on which a candidate gave nothing that could be scored."""


@dataclass(frozen=True, slots=True)
class Node:
    """How a candidate came to be. `candidate`: the hash of its content, or any name. `parents`: nodes, the one that was
    edited first; a root has none. `tag`: where a policy has put it, such as the number of an island."""

    candidate: str
    parents: tuple[int, ...] = ()
    mutator: str = ""
    note: str = ""
    tag: int = 0


@dataclass
class Archive:
    """`tasks`: how many tasks a node can be evaluated on; its outcomes on them are numbers in [0, 1]. `turn`: node n
    begins with task n * turn, and goes on from there all the way round; with 0, where cheap tasks come first, each
    begins with task 0.

    Outcomes count as successes by their value and as failures by the rest, so that those of a task that is solved or
    not are Bernoulli trials. A node's clade is itself with all its descendants by first parents (arXiv:2510.21614).
    What is decided but not yet known is pending: it counts as seen, and adds to no sum.
    """

    tasks: int
    turn: int = 0
    nodes: list[Node] = field(default_factory=list)
    outcomes: list[dict[int, float]] = field(default_factory=list)
    """Of each node: task -> outcome."""
    evaluations: int = 0
    expanding: int = 0
    """Children that were asked for and are not there yet."""
    _columns: dict[str, np.ndarray] = field(default_factory=lambda: {name: np.zeros(64) for name in COLUMNS})
    _table: np.ndarray | None = None
    _tabled: list[tuple[int, int, float]] = field(default_factory=list)
    """Outcomes that are not in the table yet."""
    _touched: list[int] = field(default_factory=list)
    """The node of each outcome, in their order."""
    _bounds: dict[float, tuple[np.ndarray, int]] = field(default_factory=dict)
    """z -> lower bounds, and up to which outcome they are right: only what has changed since is reckoned anew."""

    def __len__(self) -> int:
        return len(self.nodes)

    def add(self, node: Node) -> int:
        """Its number. Parents must be there before their children."""
        number = len(self.nodes)
        if number == len(self._columns["trials"]):
            self._columns = {name: np.concatenate([old, np.zeros(number)]) for name, old in self._columns.items()}
        self.nodes.append(node)
        self.outcomes.append({})
        self._columns["tag"][number] = node.tag
        self._columns["parent"][number] = node.parents[0] if node.parents else -1
        for parent in node.parents:
            self._columns["children"][parent] += 1
        return number

    def begin(self, node: int) -> int | None:
        """The next task of a node, which is pending from now on; None where all its tasks are begun."""
        begun = int(self._columns["begun"][node])
        if begun == self.tasks:
            return None
        self._columns["begun"][node] += 1
        return (node * self.turn + begun) % self.tasks

    def close(self, node: int) -> None:
        """Begin no more of its tasks."""
        self._columns["begun"][node] = self.tasks

    def record(self, node: int, task: int, outcome: float | None) -> None:
        """What came of a task; None: nothing that could be scored. Raises ValueError for anything outside [0, 1]."""
        value = WORST if outcome is None else float(outcome)
        if not 0.0 <= value <= 1.0:
            raise ValueError(f"outcome {outcome} of node {node} on task {task}: not in [0, 1]")
        self.outcomes[node][task] = value
        self._tabled.append((node, task, value))
        self._touched.append(node)
        self.evaluations += 1
        self._columns["trials"][node] += 1
        self._columns["successes"][node] += value
        line = list(self.line(node))
        self._columns["clade_trials"][line] += 1
        self._columns["clade_successes"][line] += value

    def line(self, node: int) -> Iterator[int]:
        """The node, its first parent, and so on up to its root."""
        yield node
        while parents := self.nodes[node].parents:
            node = parents[0]
            yield node

    def column(self, name: str) -> np.ndarray:
        """One number a node [N]: of COLUMNS."""
        return self._columns[name][: len(self.nodes)]

    @property
    def begun(self) -> np.ndarray:
        """Tasks of each node that are done or pending [N]."""
        return self.column("begun")

    @property
    def table(self) -> np.ndarray:
        """Outcome of each node on each task [N, T]; NaN where it is not known. Made where it is asked for."""
        if self._table is None or len(self._table) < len(self.nodes):
            grown = np.full((len(self._columns["trials"]), self.tasks), np.nan)
            if self._table is not None:
                grown[: len(self._table)] = self._table
            self._table = grown
        if self._tabled:
            nodes, tasks, values = zip(*self._tabled, strict=True)
            self._table[list(nodes), list(tasks)] = values
            self._tabled.clear()
        return self._table[: len(self.nodes)]

    @property
    def means(self) -> np.ndarray:
        """Mean outcome of each node [N]; NaN where nothing is known."""
        trials = self.column("trials")
        unknown = np.full(len(trials), np.nan)
        means: np.ndarray = np.divide(self.column("successes"), trials, out=unknown, where=trials > 0)
        return means

    @property
    def complete(self) -> np.ndarray:
        """Which nodes have an outcome on every task [N]."""
        complete: np.ndarray = self.column("trials") == self.tasks
        return complete

    def lower(self, z: float = 1.0) -> np.ndarray:
        """Lower confidence bound of each node's mean, z standard errors below it (Wilson) [N], not to be written to; -1
        where nothing is known. With z = 0 the mean itself, for outcomes without noise."""
        bounds, upto = self._bounds.get(z, (np.empty(0), 0))
        if len(bounds) < len(self.nodes):
            bounds = np.concatenate([bounds, np.full(len(self._columns["trials"]) - len(bounds), -1.0)])
        if touched := list(set(self._touched[upto:])):
            bounds[touched] = wilson(self._columns["successes"][touched], self._columns["trials"][touched], z)
        self._bounds[z] = bounds, len(self._touched)
        view = bounds[: len(self.nodes)]
        view.flags.writeable = False
        return view

    def best(self, z: float = 1.0) -> int:
        """The node with the highest lower bound, the earliest of several: what is finally taken.

        Without noise (z = 0) it is one with an outcome on every task, if there is any: the mean of a part of them is
        not the mean.
        """
        lower = self.lower(z)
        if z == 0 and (complete := self.complete).any():
            lower = np.where(complete, lower, -1.0)
        return int(np.argmax(lower))


def wilson(successes: np.ndarray, trials: np.ndarray, z: float) -> np.ndarray:
    """Lower end of Wilson's score interval, z standard errors wide on each side (Wilson 1927); trials > 0."""
    p = successes / trials
    middle, spread = p + z * z / (2 * trials), z * np.sqrt(p * (1 - p) / trials + z * z / (4 * trials * trials))
    bound: np.ndarray = (middle - spread) / (1 + z * z / trials)
    return bound


def weighted(weights: Sequence[float] | np.ndarray, rng: np.random.Generator) -> int:
    """A place drawn with these weights, or uniformly where all are 0."""
    found = np.asarray(weights, dtype=float)
    total = found.sum()
    if not total > 0 or not np.isfinite(total):
        return int(rng.integers(len(found)))
    return int(min(np.searchsorted(np.cumsum(found), rng.random() * total, side="right"), len(found) - 1))
