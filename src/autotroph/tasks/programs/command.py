"""Problems of the user's own: a folder, and a command that says how good it is."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from autotroph.core.errors import AutotrophError
from autotroph.core.task import Task
from autotroph.sandbox.directory import Directory
from autotroph.sandbox.jail import Jail
from autotroph.sandbox.outcome import MB, Limits, Outcome
from autotroph.tasks.programs.family import ProgramFamily, Refused

SEED = "{seed}"
"""In a command: the number of a task. With it there are as many tasks as numbers, without it there is one."""

LIMITS = Limits(wall=10.0, cpu=10.0, memory=512 * MB)


@dataclass
class Command(ProgramFamily):
    """Files are good as far as `evaluate` says, whose last line on standard output is a number, or JSON with a "score".

    `evaluate` is run in the jail in a folder of the files. Whoever runs in the evaluator's own process can make it say
    what he likes; where that matters, `run` is a command of its own: it alone sees the files, and `evaluate` reads what
    it printed on its standard input, in a folder of the `evaluator`'s files, where nothing of the candidate is.
    """

    evaluate: str
    files: Directory
    run: str | None = None
    evaluator: Directory | None = None
    limits: Limits = LIMITS
    name: str = "command"
    goal: str = "make the score as high as possible"
    levels: range = range(1, 2)
    commands: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        if (self.run is None) != (self.evaluator is None):
            raise AutotrophError("evolve: --run and --evaluator go together: one runs the files, the other judges them")
        self.commands = tuple(filter(None, (self.run, self.evaluate)))
        for command in self.commands:
            if not shlex.split(command):
                raise AutotrophError("evolve: an empty command; give one like --eval 'python3 evaluate.py'")
        self.exact = not any(SEED in command for command in self.commands)

    @property
    def starter(self) -> dict[str, str]:  # type: ignore[override]
        return {name: data.decode() for name, data in self.files.files.items()}

    def arguments(self, task: Task) -> tuple[Any, ...]:
        return (task.meta["seed"],)

    def named(self) -> tuple[str, ...]:
        """Files of the folder that `evaluate` names: no edit may touch them."""
        words = shlex.split(self.evaluate) if self.run is None else ()
        return tuple(word for word in words if word in self.files.files)

    def candidates(self, level: int, seed: int) -> Iterator[Task]:
        if self.exact:
            yield from self.posed_again(level, self.evaluate, {"seed": 0})
            return
        for number in count(seed % 1_000_000 * 1000):
            yield Task.of(self.name, f"{self.evaluate} on {number}", None, level, meta={"seed": number})

    def ask(self, jail: Jail, program: Directory, task: Task) -> tuple[str, str]:
        """The last line that the evaluator printed."""
        said = ""
        for command, folder in self._turns(program):
            words = shlex.split(command.replace(SEED, str(task.meta["seed"])))
            outcome = jail.command(folder, words, said, self.limits)
            if outcome.status != "ok" or not outcome.stdout.strip():
                return "", f"`{command}`: {_fault(outcome)}"
            said = outcome.stdout
        return said.strip().splitlines()[-1], ""

    def _turns(self, program: Directory) -> Iterator[tuple[str, Directory]]:
        if self.run is not None and self.evaluator is not None:
            yield self.run, program
            yield self.evaluate, self.evaluator
        else:
            yield self.evaluate, program

    def measure(self, task: Task, output: Any) -> float:
        value = output.get("score") if isinstance(output, dict) else output
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Refused(f'it ends with {json.dumps(output)[:80]}; a number or {{"score": number}} is asked for')
        return float(value)

    def score(self, task: Task, value: float) -> float:
        """All numbers, in their order, between 0 and 1: 1/2 + arctan(value) / pi."""
        return 0.5 + math.atan(value) / math.pi


def _fault(outcome: Outcome) -> str:
    said = (outcome.stderr.strip() or outcome.stdout.strip()).splitlines()[-3:]
    why = "it printed nothing" if outcome.status == "ok" else f"{outcome.status}, exit code {outcome.code}"
    return f"{why}: {' / '.join(said)}" if said else why


def of_folder(folder: Path, evaluate: str, run: str | None, evaluator: Path | None) -> Command:
    """Raises AutotrophError as `Directory.read` does, and for a folder that is not there."""
    for place in filter(None, (folder, evaluator)):
        if not place.is_dir():
            raise AutotrophError(f"evolve: no folder {place}; give one that holds the files to evolve")
    return Command(evaluate, Directory.read(folder), run, Directory.read(evaluator) if evaluator else None)
