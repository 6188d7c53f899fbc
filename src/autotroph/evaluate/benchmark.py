"""Sealed suites: the only code that draws sealed tasks, and the only code that holds them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from autotroph.core.decision import Report, Result
from autotroph.core.errors import AutotrophError, SealedLeak
from autotroph.core.estimate import Range, Work
from autotroph.core.fingerprint import Fingerprints, fingerprint
from autotroph.core.protocols import Refiner, Sampler, TaskFamily
from autotroph.core.task import Task, stable_hash
from autotroph.core.trace import Group
from autotroph.evaluate.adaptive import allotted
from autotroph.models.lengths import Lengths
from autotroph.rewards.scoring import scored
from autotroph.rewards.verifiable import Verifiable


class SealedSuite:
    """`per_level` sealed tasks of each level, at most; one that two levels share counts for the lower one.

    Levels that have none are left out; a suite without any is refused. `guards` are suites of other families, which no
    stage practises: their results come after the others, under the family's name as their tag.
    """

    def __init__(
        self,
        family: TaskFamily,
        levels: Sequence[int],
        per_level: int | Mapping[int, int],
        seed: int,
        guards: Sequence[SealedSuite] = (),
    ):
        self._family, self._guards, self.levels = family, guards, levels
        counts = dict.fromkeys(levels, per_level) if isinstance(per_level, int) else per_level
        tasks: dict[str, Task] = {}
        for level in levels:
            for task in family.generate(level, counts[level], seed, "sealed"):
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

    @property
    def longest(self) -> int:
        """Characters of the longest answer that any task may ask for."""
        return max(suite._family.max_answer(task.level) for suite in (self, *self._guards) for task in suite._tasks)

    def fingerprints(self, n: int) -> Fingerprints:
        """Hashes of prompts and of their n-grams: what decontamination needs, and nothing that could be read."""
        return fingerprint([task.prompt for suite in (self, *self._guards) for task in suite._tasks], n)

    def adapted(self, sampler: Sampler, refiner: Refiner, seed: int, probe: int = 20) -> SealedSuite:
        """As many tasks in all, most of them from levels of which the policy solves a part.

        What it solves is seen on `probe` tasks a level of the dev split, which no decision rests on.
        """
        counts = Counter(task.level for task in self._tasks)
        tasks = [task for level in counts for task in self._family.generate(level, probe, seed, "dev")]
        seen = self._scored(tasks, sampler, refiner, seed).accuracy() if tasks else {}
        if not seen:
            return self
        accuracy = {level: mean for level, (mean, _) in seen.items()}
        wanted = allotted(accuracy, max(counts.values()))
        return SealedSuite(self._family, sorted(counts), {**counts, **wanted}, seed, self._guards)

    def fresh(self, levels: Sequence[int], n: int, seed: int) -> SealedSuite:
        """Another suite of the same family: about n tasks, spread over the levels."""
        return SealedSuite(self._family, levels, -(-n // len(levels)), seed)

    def estimate(self, lengths: Lengths, samples: int, longest: int) -> Work:
        """One run of it: so many answers to each task, of at most `longest` tokens, of which one is verified."""
        others = sum(map(len, self._guards))
        own = lengths.sampled(self._tasks, samples, longest)
        guards = Work(Range(1, longest), Range(1, lengths.row().high)) * (others * samples)
        calls = len(self) + others
        return own + guards + Work(verifier_calls=Range(calls, calls))

    def refuse_leaks(self, groups: Sequence[Group], where: str) -> None:
        """Raises SealedLeak where something to learn from is one of these tasks, whatever split it says it is of."""
        keys = {task.key for suite in (self, *self._guards) for task in suite._tasks}
        for group in groups:
            if group.task.key in keys and (group.kept or not group.traces):
                raise SealedLeak(f"{where}: task {group.task.key} is one that the gate is about to ask; drop its rows")

    def run(self, sampler: Sampler, refiner: Refiner, others: Sequence[Refiner] = (), seed: int = 0) -> Report:
        """Per-task results of `refiner`'s answers, and mean scores of `others` on the same tasks beside them."""
        report = self._scored(self._tasks, sampler, refiner, seed)
        refined = dict(report.refined)
        for other in others:
            refined |= self._scored(self._tasks, sampler, other, seed).refined
        guarded = [
            replace(result, tag=guard._family.name)
            for guard in self._guards
            for result in guard.run(sampler, refiner, seed=seed).results
        ]
        return replace(report, results=(*report.results, *guarded), refined=refined)

    def _scored(self, tasks: Sequence[Task], sampler: Sampler, refiner: Refiner, seed: int) -> Report:
        spent = sampler.meter.tokens
        traces = refiner.answer(tasks, sampler, seed)
        cost = (sampler.meter.tokens - spent) / len(traces)
        answered = [Group(task, (trace,)) for task, trace in zip(tasks, traces, strict=True)]
        verified = Verifiable.of(self._family)
        scores = [group.traces[0].rewards[verified.name] for group in scored(answered, [verified], sampler.meter)]
        results = tuple(Result(task.key, task.level, score) for task, score in zip(tasks, scores, strict=True))
        entropies = [trace.entropy for trace in traces if trace.entropy is not None]
        entropy = sum(entropies) / len(entropies) if entropies else None
        length = sum(len(trace.text) for trace in traces) / len(traces)
        return Report(sampler.policy.id, self.name, results, {refiner.name: _mean(scores)}, entropy, cost, length)


def _mean(scores: Sequence[float | None]) -> float:
    scored = [score for score in scores if score is not None]
    return sum(scored) / len(scored) if scored else 0.0
