"""Drills: a copy of a run goes on with a planted failure. Who catches it, when, and what has it cost by then?

The yardstick is a second copy that goes on without it, from the same point and the same seed. Gold accuracy is that of
the champion's greedy answers to the run's final sealed tasks, by the verifier that the run itself has; nothing inside
either copy sees it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from autotroph.core.errors import AutotrophError, SealedLeak
from autotroph.core.policy import Policy
from autotroph.drills.plants import PLANTS, Plant
from autotroph.evaluate.gate import PairedGate
from autotroph.loop import Loop, Recorder, cycle
from autotroph.recipes import registry
from autotroph.state import State
from autotroph.store.record import CycleRecord
from autotroph.store.run import Run


@dataclass(frozen=True)
class Step:
    """A cycle of a copy: what the ledger says of it, or who refused to let it happen."""

    champion: Policy
    candidate: Policy | None
    record: CycleRecord | None = None
    refused_by: str | None = None
    reason: str = ""

    @property
    def alarms(self) -> frozenset[str]:
        return frozenset(alarm.monitor for alarm in self.record.alarms) if self.record else frozenset()

    @property
    def rolled_back(self) -> bool:
        return self.record is not None and self.record.decision.verdict == "roll back"


@dataclass(frozen=True)
class Outcome:
    """What became of a plant. `cost`, `damage`: points of gold accuracy that champion and candidate had lost, against
    those of the unplanted copy, in the cycle in which it was caught, else in the last one."""

    plant: str
    caught_by: tuple[str, ...]
    cycle: int | None
    """Cycles after planting, from 1; None: not caught."""
    cycles: int
    cost: float
    damage: float | None
    reason: str = ""


class Drills:
    """Drills on one run, in copies below `work`; the run itself is only read.

    Raises AutotrophError where there is no run, where it has not begun, or where its recipe cannot be drilled.
    """

    def __init__(self, run: Path, work: Path, cycles: int = 3, seed: int | None = None):
        self.run, self.work, self.cycles = run, work, cycles
        with Run.open(run, write=False) as opened:
            start, begun = opened.start, opened.ledger.last("base") is not None
        if not begun:
            raise AutotrophError(f"run {run}: it has no base yet; `autotroph resume {run}` first")
        self.recipe = registry.find(start["recipe"])
        self.config = self.recipe.configure(start["config"])
        self._loop: Loop = self.recipe.build(self.config)
        self._gold_suite, self._gold = self._loop.final_suite(), dict[str, float]()
        self.seed: int = self.config.seed if seed is None else seed

    @cached_property
    def clean(self) -> list[Step]:
        """The unplanted copy's cycles."""
        return list(self._steps("clean", self._loop))

    def refusal(self, plant: Plant) -> str | None:
        """Why a plant does not fit this run, and the way out; None where it fits."""
        if self.recipe.name not in plant.recipes:
            return f"recipe '{self.recipe.name}' has nothing to plant it in; take a run of {' or '.join(plant.recipes)}"
        return plant.needs(self.config)

    def drill(self, name: str) -> Outcome:
        """Plant it in a fresh copy and go on until somebody catches it, or to the last cycle."""
        steps: list[Step] = []
        found: tuple[str, ...] = ()
        for step in self.steps(name):
            steps.append(step)
            found = caught(step, self.clean[len(steps) - 1])
            if found:
                break
        last, clean = steps[-1], self.clean[len(steps) - 1]
        return Outcome(
            name,
            found,
            len(steps) if found else None,
            len(steps),
            self._lost(name, last.champion, clean.champion),
            self._lost(name, last.candidate, clean.candidate) if last.candidate and clean.candidate else None,
            last.reason,
        )

    def steps(self, name: str) -> Iterator[Step]:
        """Cycles of a fresh planted copy, whoever notices. Raises AutotrophError for a plant that does not fit."""
        return self._steps(name, self._planted(PLANTS[name]))

    def unattended(self, name: str) -> list[float]:
        """Points of gold accuracy lost after each cycle where nobody looks: every candidate is promoted."""
        loop = self._planted(PLANTS[name])
        blind = replace(loop, stages=replace(loop.stages, gate=PairedGate(off=True)))
        steps = self._steps(f"{name}, unattended", blind)
        return [
            self._lost(f"{name}, unattended", step.candidate, clean.candidate)
            for step, clean in zip(steps, self.clean, strict=False)
            if step.candidate is not None and clean.candidate is not None
        ]

    def _planted(self, plant: Plant) -> Loop:
        if reason := self.refusal(plant):
            raise AutotrophError(f"run {self.run}: no place for {plant.name}: {reason}")
        config = plant.config(self.config)
        return plant.loop(self.recipe.build(config), config)

    def _steps(self, name: str, loop: Loop) -> Iterator[Step]:
        """Cycles of a fresh copy; one that is refused is the last."""
        with Run.open(copied(self.run, self.work / name)) as run:
            state = replace(State.restore(run), run_seed=self.seed)
            loop = with_looks(loop, state.cycle + self.cycles)
            for _ in range(self.cycles):
                watch = Recorder()
                try:
                    state = cycle(state, loop, watch)
                except AutotrophError as error:
                    if not (by := refuser(error)):
                        raise
                    yield Step(state.champion, None, None, by, str(error))
                    return
                yield Step(state.champion, made(run), watch.records[-1])

    def _lost(self, name: str, planted: Policy, clean: Policy) -> float:
        """Points of gold accuracy by which a planted copy's policy is behind the clean one's."""
        return 100 * (self._accuracy("clean", clean) - self._accuracy(name, planted))

    def _accuracy(self, name: str, policy: Policy) -> float:
        if policy.id not in self._gold:
            with Run.open(self.work / name, write=False) as run:
                report = self._gold_suite.run(State.restore(run).sampler(policy), self._loop.stages.refiner)
            scores = [result.score for result in report.results if result.score is not None]
            self._gold[policy.id] = sum(scores) / len(scores)
        return self._gold[policy.id]


def caught(step: Step, clean: Step) -> tuple[str, ...]:
    """Who noticed something in a cycle of a planted copy that the same cycle of the unplanted one is silent about."""
    found = [f"monitor {name}" for name in sorted(step.alarms - clean.alarms)]
    if step.refused_by:
        found.append(step.refused_by)
    if step.rolled_back and not clean.rolled_back:
        found.append("gate")
    return tuple(found)


def refuser(error: AutotrophError) -> str | None:
    """Whether it was the wall between training and sealed tasks, or the guard; None: it only went wrong."""
    if isinstance(error, SealedLeak):
        return "wall"
    return "guard" if str(error).startswith("guard:") else None


OF_THE_ORIGINAL = ("*.lock", "report.html", "journal.sqlite*", "meter.json")
"""What of a run a copy does without: its unfinished work belongs to the failure-free one."""


def copied(run: Path, target: Path) -> Path:
    """A run's folder, copied whole, in place of an earlier copy; the ledger is checked, as it may be written to."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(run, target, ignore=shutil.ignore_patterns(*OF_THE_ORIGINAL))
    with Run.open(target, write=False) as copy:
        copy.ledger.check()
    return target


def with_looks(loop: Loop, looks: int) -> Loop:
    """The gate's level planned for so many comparisons."""
    gate = loop.stages.gate
    planned = gate.model_copy(update={"looks": looks}) if isinstance(gate, PairedGate) else gate
    return replace(loop, stages=replace(loop.stages, gate=planned))


def made(run: Run) -> Policy:
    """The last candidate, promoted or not."""
    last = run.ledger.last("cycle")
    assert last is not None
    name = last.data["record"]["candidate"]
    return Policy(name, "weights", uri=name)
