"""Sealed suites: the only code that draws sealed tasks, and the only code that holds them."""

from __future__ import annotations

from collections.abc import Sequence

from autotroph.core.decision import Report, Result
from autotroph.core.errors import AutotrophError
from autotroph.core.fingerprint import Fingerprints, fingerprint
from autotroph.core.protocols import Refiner, Sampler, TaskFamily
from autotroph.core.task import Task, stable_hash


class SealedSuite:
    """`per_level` sealed tasks of each level, at most; one that two levels share counts for the lower one.

    Levels that have none are left out; a suite without any is refused.
    """

    def __init__(self, family: TaskFamily, levels: Sequence[int], per_level: int, seed: int):
        self._family = family
        tasks: dict[str, Task] = {}
        for level in levels:
            for task in family.generate(level, per_level, seed, "sealed"):
                tasks.setdefault(task.key, task)
        self._tasks = list(tasks.values())
        if not self._tasks:
            raise AutotrophError(
                f"task '{family.name}': no sealed tasks on levels {list(levels)}; give more rows, or mark some "
                '"split": "sealed"'
            )
        self.name = stable_hash(*sorted(task.key for task in self._tasks))[:16]

    def __len__(self) -> int:
        return len(self._tasks)

    def fingerprints(self, n: int) -> Fingerprints:
        """Hashes of prompts and of their n-grams: what decontamination needs, and nothing that could be read."""
        return fingerprint([task.prompt for task in self._tasks], n)

    def fresh(self, levels: Sequence[int], n: int, seed: int) -> SealedSuite:
        """Another suite of the same family: about n tasks, spread over the levels."""
        return SealedSuite(self._family, levels, -(-n // len(levels)), seed)

    def run(self, sampler: Sampler, refiner: Refiner, others: Sequence[Refiner] = (), seed: int = 0) -> Report:
        """Per-task results of `refiner`'s answers, and mean scores of `others` on the same tasks beside them."""
        spent = sampler.meter.tokens
        traces = refiner.answer(self._tasks, sampler, seed)
        cost = (sampler.meter.tokens - spent) / len(traces)
        scores = [self._family.verify(task, trace.text) for task, trace in zip(self._tasks, traces, strict=True)]
        sampler.meter.spend(verifier_calls=len(scores))
        results = tuple(Result(task.key, task.level, score) for task, score in zip(self._tasks, scores, strict=True))
        entropies = [trace.entropy for trace in traces if trace.entropy is not None]
        refined = {refiner.name: _mean(scores)}
        for other in others:
            answers = other.answer(self._tasks, sampler, seed)
            refined[other.name] = _mean(
                [self._family.verify(task, trace.text) for task, trace in zip(self._tasks, answers, strict=True)]
            )
        entropy = sum(entropies) / len(entropies) if entropies else None
        length = sum(len(trace.text) for trace in traces) / len(traces)
        return Report(sampler.policy.id, self.name, results, refined, entropy, cost, length)


def _mean(scores: Sequence[float | None]) -> float:
    scored = [score for score in scores if score is not None]
    return sum(scored) / len(scored) if scored else 0.0
