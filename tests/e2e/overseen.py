"""A tiny run in the middle, one cycle committed and the next one proposed, to be copied by each test that meddles."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw

from autotroph.loop import Recorder, cycle
from autotroph.oversight.overseer import Overseer, overseen
from autotroph.oversight.proposal import Proposal
from autotroph.recipes import registry
from autotroph.state import State
from autotroph.store.ledger import GENESIS, chain_hash, entry
from autotroph.store.merkle import leaf_hash
from autotroph.store.run import Run

RECIPE = "length_generalisation"
TINY: dict[str, Any] = {
    "taught": 1,
    "target": 2,
    "rounds": 4,
    "ahead": 1,
    "per_round": 20,
    "gold_per_level": 20,
    "steps": 1,
    "batch": 8,
    "sealed": 4,
    "final_sealed": 4,
    "gap_samples": 0,
    "rival_tasks": 0,
    "reach": 0,
    "members": 1,
    "votes": 2,
    "filter": "none",
    "gate": {"off": True},
    "monitors": {"tasks": 0},
    "budget": {"tokens": 10_000_000},
    "base": {"hidden": 16, "layers": 1, "train": {"steps": 2, "rows": 20, "batch": 8}},
}


@dataclass
class Opened:
    """A session under oversight, and what it is about to commit."""

    run: Run
    state: State
    overseer: Overseer
    proposal: Proposal

    @property
    def folder(self) -> Path:
        return self.run.folder

    @property
    def loop(self) -> Any:
        return self.overseer.loop

    def commit(self) -> State:
        return self.overseer.commit(self.state, self.proposal, Recorder())


def halfway(folder: Path, **settings: Any) -> Proposal:
    """Make the run; returns what its second cycle proposes."""
    recipe = registry.find(RECIPE)
    config = recipe.configure(TINY | settings)
    proposed: list[Proposal] = []

    def keep(state: State, proposal: Proposal, watch: Any) -> State:
        proposed.append(proposal)
        return state

    with Run.create(folder, {"recipe": RECIPE, "config": config.model_dump(mode="json")}) as run:
        loop = recipe.build(config)
        base, taught = loop.base(Recorder())
        state = cycle(State.begin(run, base, taught), loop, Recorder())
        cycle(state, loop, Recorder(), keep)
    return proposed[0]


@contextmanager
def opened(folder: Path, proposal: Proposal) -> Iterator[Opened]:
    """Go on with the run, up to what it is about to commit."""
    with Run.open(folder) as run:
        recipe = registry.find(RECIPE)
        loop = recipe.build(recipe.configure(run.start["config"]))
        with overseen(run, loop) as overseer:
            yield Opened(run, State.restore(run), overseer, proposal)


def copy(folder: Path, target: Path) -> Path:
    return Path(shutil.copytree(folder, target))


@contextmanager
def database(folder: Path) -> Iterator[apsw.Connection]:
    """Another connection to the ledger, in one transaction."""
    db = apsw.Connection(str(folder / "ledger.sqlite"))
    db.set_busy_timeout(5000)
    try:
        with db:
            yield db
    finally:
        db.close()


def rows(folder: Path) -> list[list[Any]]:
    """The ledger's rows as they lie there."""
    with database(folder) as db:
        return [list(row) for row in db.execute("SELECT * FROM event ORDER BY seq")]


def rechained(folder: Path, events: list[list[Any]]) -> None:
    """Write these events with a chain that fits: what somebody can do who knows the code."""
    previous = GENESIS
    with database(folder) as db:
        db.execute("DELETE FROM event")
        for seq, (_, at, kind, data, _) in enumerate(events):
            previous = chain_hash(previous, leaf_hash(entry(seq, at, kind, data)))
            db.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?)", (seq, at, kind, data, previous))


def flip(path: Path) -> None:
    """Change a file's last byte."""
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
