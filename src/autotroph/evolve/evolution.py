"""Evolution as a way to optimise: a cycle's search goes on in the archive of all cycles, its pick is the candidate."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from autotroph.core.errors import AutotrophError
from autotroph.core.policy import Policy
from autotroph.core.protocols import View
from autotroph.core.trace import Group
from autotroph.evolve.archive import Archive, Node
from autotroph.evolve.candidate import Candidate
from autotroph.evolve.programs import Trying, refuse_broken
from autotroph.evolve.protocols import Mutator, SearchPolicy
from autotroph.evolve.search import Population, Search, Settings, Tried
from autotroph.sandbox.jail import Jail
from autotroph.tasks.programs.family import ProgramFamily

PAGE = "archive.jsonl"
"""What a cycle adds to the archive, one happening a line."""


@dataclass(frozen=True)
class Evolution:
    """Implements `core.protocols.Optimize` on bare tasks, which are the same ones in every cycle.

    `baselines`: other policies that are given as many evaluations, from the same seed program, each in an archive of
    its own; what their picks come to on the search's tasks stands among the metrics, beside that of ours.
    """

    family: ProgramFamily
    policy: SearchPolicy
    mutator: Mutator
    settings: Settings
    jail: Jail
    frozen: tuple[str, ...] = ()
    baselines: Mapping[str, SearchPolicy] = field(default_factory=dict)
    figures: Callable[[Archive, int], Mapping[str, float]] | None = None
    """More figures of a cycle, from the archive and the number of nodes that were in it before."""

    def __call__(self, groups: Sequence[Group], view: View) -> tuple[Policy, dict[str, float]]:
        """Raises AutotrophError for a seed program that fails its own evaluation, and BudgetExceeded."""
        tasks = sorted((group.task for group in groups), key=lambda task: (task.level, task.key))
        trying = Trying(self.family, tasks, self.jail, view.meter)
        found = {
            name: self._searched(policy, name, trying, view)
            for name, policy in {"": self.policy, **self.baselines}.items()
        }
        population, picked = found[""]
        metrics = population.metrics() | {"picked": float(population.archive.means[picked])}
        if self.figures is not None:
            metrics |= self.figures(population.archive, population.before)
        for name in self.baselines:
            other, best = found[name]
            metrics[f"picked_by_{name}"] = float(other.archive.means[best])
        kept = {f"{name or 'ours'}.{PAGE}": found[name][0].page().encode() for name in found}
        return view.publish_files(population.candidate(picked), kept), metrics

    def _searched(self, policy: SearchPolicy, name: str, trying: Trying, view: View) -> tuple[Kept, int]:
        root = Candidate(view.candidate(view.base).files, self.frozen)
        population = Kept(Archive(trying.tasks), [task.key for task in trying.given], self.frozen)
        for page in view.kept(f"{name or 'ours'}.{PAGE}"):
            population.read(page.decode())
        if not population.candidates:
            refuse_broken(root, trying)
            population.add(root, Node(root.id))
        search = Search(
            population, policy, self.mutator, trying, self.settings, view.seed(f"search {name}"), view.meter
        )
        return population, search.run()


class Kept(Population):
    """A population that can be written down and read again, a page for each cycle."""

    def __init__(self, archive: Archive, tasks: Sequence[str], frozen: tuple[str, ...]):
        super().__init__(archive)
        self._tasks, self._frozen = tasks, frozen
        self._lines: list[dict[str, Any]] = [{"tasks": list(tasks)}]
        self._told = Counter[str]()
        self.before = 0
        """Nodes that earlier cycles have made."""

    def add(self, candidate: Candidate, node: Node) -> int:
        files = {name: base64.b64encode(data).decode() for name, data in candidate.files.items()}
        self._lines.append({"node": asdict(node), "files": files})
        return super().add(candidate, node)

    def record(self, node: int, task: int, tried: Tried) -> None:
        self._lines.append({"tried": node, "task": task, **asdict(tried)})
        super().record(node, task, tried)

    def close(self, node: int) -> None:
        self._lines.append({"closed": node})
        super().close(node)

    def page(self) -> str:
        """What has happened since the last page was read."""
        lines = [*self._lines, {"refused": dict(self.refused - self._told)}]
        return "".join(f"{json.dumps(line, sort_keys=True)}\n" for line in lines)

    def read(self, page: str) -> None:
        """Do again what a page tells. Raises AutotrophError where it is about other tasks."""
        for line in map(json.loads, page.splitlines()):
            match line:
                case {"tasks": tasks}:
                    if tasks != list(self._tasks):
                        raise AutotrophError("the archive is of other tasks than this cycle's; begin another run")
                case {"node": node, "files": files}:
                    own = {name: base64.b64decode(data) for name, data in files.items()}
                    self.add(Candidate(own, self._frozen), Node(**{**node, "parents": tuple(node["parents"])}))
                case {"tried": node, "task": task, "outcome": outcome, "feedback": feedback}:
                    self.archive.begin(node)
                    self.record(node, task, Tried(outcome, feedback))
                case {"closed": node}:
                    self.close(node)
                case {"refused": refused}:
                    self.refused.update(refused)
        self._lines, self._told, self.before = self._lines[:1], self.refused.copy(), len(self.archive)

    def metrics(self) -> dict[str, float]:
        archive = self.archive
        return {
            "evaluations": float(archive.evaluations),
            "nodes": float(len(archive)),
            "refused": float(sum(self.refused.values())),
        }
