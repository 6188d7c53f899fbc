"""Archives as tests need them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autotroph.evolve.archive import Archive, Node
from autotroph.evolve.protocols import Choice, Evaluate, Expand, Left, SearchPolicy

LEFT = Left(100, 100)


def grown(tasks: int, *nodes: tuple[int | None, Sequence[float]], turn: int = 0, tags: Sequence[int] = ()) -> Archive:
    """Nodes (parent, outcomes), in their order."""
    archive = Archive(tasks, turn)
    for number, (parent, outcomes) in enumerate(nodes):
        tag = tags[number] if tags else 0
        archive.add(Node(str(number), () if parent is None else (parent,), tag=tag))
        for outcome in outcomes:
            task = archive.begin(number)
            assert task is not None
            archive.record(number, task, outcome)
    return archive


def chosen(policy: SearchPolicy, archive: Archive, draws: int = 400, left: Left = LEFT) -> list[Choice]:
    return [policy.choose(archive, left, np.random.default_rng(seed)) for seed in range(draws)]


def shares(policy: SearchPolicy, archive: Archive, draws: int = 1000) -> list[float]:
    """How often each node is expanded."""
    choices = chosen(policy, archive, draws)
    assert all(isinstance(choice, Expand) for choice in choices)
    parents = [choice.parents[0] for choice in choices if isinstance(choice, Expand)]
    return [parents.count(node) / draws for node in range(len(archive))]


def evaluated(choice: Choice) -> int:
    assert isinstance(choice, Evaluate)
    return choice.node
