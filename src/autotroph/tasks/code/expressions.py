"""Answers that are expressions without effect: many of them run in one child of the jail."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from functools import partial
from itertools import chain, islice

from autotroph.core.task import Task
from autotroph.sandbox import Calls
from autotroph.tasks.code.executed import LIMITS, Answers, Executed, Trial, jail, together

MOST = 64
"""Answers that run in one child."""
CHOICE = "def chosen(number, *given):\\n    return functions[number](*given)\\n"


class Expressions(Executed):
    """A family whose answers can do nothing but compute: what `function` lets through names nothing that has an effect.

    So answers of one child cannot tell of one another, but for time and memory: where a child does not get to its end,
    each of its answers runs again in one of its own.
    """

    entry = "f"

    @abstractmethod
    def function(self, task: Task, answer: str) -> str | None:
        """The source of a function without effect, in one line; None for an answer that is not to be run at all."""

    def program(self, task: Task, answer: str) -> str | None:
        source = self.function(task, answer)
        return None if source is None else f"f = {source}"

    def answers(self, tried: Sequence[Trial]) -> list[Answers]:
        sources = [self.function(task, answer) for task, answer, _ in tried]
        runs = [(place, source) for place, source in enumerate(sources) if source is not None]
        parts = [runs[i : i + MOST] for i in range(0, len(runs), MOST)]
        jobs = [partial(self._joint, [source for _, source in part], [tried[i] for i, _ in part]) for part in parts]
        found = chain.from_iterable(together(jobs))
        return [() if source is None else next(found) for source in sources]

    def _joint(self, sources: Sequence[str], tried: Sequence[Trial]) -> list[Answers]:
        listed = "".join(f"    {source},\n" for source in sources)
        arguments = [(number, *given) for number, (*_, several) in enumerate(tried) for given in several]
        outcome = jail().run(f"functions = [\n{listed}]\n{CHOICE}", Calls("chosen", arguments), LIMITS)
        if outcome.status != "ok" or len(outcome.answers) < len(arguments):
            return [self.alone(*trial) for trial in tried]
        found = iter(outcome.answers)
        return [tuple(islice(found, len(several))) for *_, several in tried]
