"""Programs at work: tried on train tasks while they are searched for, and asked the sealed ones by the gate."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar

from autotroph.core.budget import Meter
from autotroph.core.errors import AutotrophError
from autotroph.core.policy import Policy
from autotroph.core.protocols import Sampler
from autotroph.core.task import Task, stable_hash
from autotroph.core.trace import Trace
from autotroph.evolve.candidate import Candidate
from autotroph.evolve.search import Tried
from autotroph.sandbox.jail import Jail
from autotroph.tasks.programs.family import ProgramFamily

FEEDBACK = 500
"""Characters of what is said of one task."""
ONE = {"verifier_calls": 1}
"""What one evaluation costs: a run in the jail, and the judgement of what came out."""


@dataclass(frozen=True)
class Program:
    """A program as what answers: `core.protocols.Sampler` as far as judging one goes, without tokens."""

    policy: Policy
    candidate: Candidate
    meter: Meter


@dataclass
class Answering:
    """A refiner that runs a program on each task: one answer, and the deadline at most for each."""

    n: ClassVar[int] = 1
    family: ProgramFamily
    jail: Jail
    name: str = "run"

    def answer(self, tasks: Sequence[Task], sampler: Sampler, seed: int) -> list[Trace]:
        """Raises AutotrophError for a policy that is no program."""
        if not isinstance(sampler, Program):
            raise AutotrophError(f"policy {sampler.policy.id}: of kind '{sampler.policy.kind}', and a program is asked")
        program = sampler.candidate.directory
        found = [self.family.ask(self.jail, program, task) for task in tasks]
        return [
            Trace(task.key, sampler.policy.id, (), (), (), text, "error" if error else "stop")
            for task, (text, error) in zip(tasks, found, strict=True)
        ]


@dataclass(frozen=True)
class Trying:
    """An evaluator that runs programs on these tasks; what it has found is paid for once, crashes included."""

    family: ProgramFamily
    given: Sequence[Task]
    jail: Jail
    meter: Meter

    @property
    def tasks(self) -> int:
        return len(self.given)

    def evaluate(self, candidate: Candidate, task: int) -> Tried:
        """Raises BudgetExceeded where a cap leaves no room for another one."""
        asked = self.given[task]
        name, parts = self.meter.replayed(stable_hash("try", candidate.id, asked.key))
        for answer in parts.values():
            return Tried(**json.loads(answer))
        with self.meter.unit(**ONE):
            found = self._tried(candidate, asked)
            self.meter.spend(**ONE)
            self.meter.record(name, 0, json.dumps(asdict(found)).encode(), ONE)
        return found

    def _tried(self, candidate: Candidate, task: Task) -> Tried:
        answer, error = self.family.ask(self.jail, candidate.directory, task)
        if error:
            return Tried(None, error[:FEEDBACK])
        value, refused = self.family.judged(task, answer)
        if value is None:
            return Tried(None, refused[:FEEDBACK])
        return Tried(self.family.verify(task, answer), f"value {value:.6g}")


def refuse_broken(candidate: Candidate, trying: Trying) -> None:
    """Raises AutotrophError where a search would begin with a program that does not even answer the first task."""
    found = trying.evaluate(candidate, 0)
    if found.outcome is None:
        raise AutotrophError(
            f"the seed program fails its own evaluation on {trying.family.name}: {found.feedback}; repair it first"
        )
