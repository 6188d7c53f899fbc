"""Several sources as one, what earlier cycles made, and a planted failure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from autotroph.core.estimate import Range, Work, total
from autotroph.core.protocols import View
from autotroph.core.trace import Group, Trace
from autotroph.models.lengths import Estimated, Lengths


@dataclass(frozen=True)
class Mixed:
    """What all the sources propose, in their order."""

    sources: Sequence[Estimated]

    def propose(self, view: View) -> list[Group]:
        return [group for source in self.sources for group in source.propose(view)]

    def estimate(self, lengths: Lengths) -> Work:
        return total(source.estimate(lengths) for source in self.sources)


@dataclass(frozen=True)
class From:
    """A source that proposes nothing before a cycle, 0-based."""

    cycle: int
    source: Estimated

    def propose(self, view: View) -> list[Group]:
        return self.source.propose(view) if view.cycle >= self.cycle else []

    def estimate(self, lengths: Lengths) -> Work:
        return self.source.estimate(lengths) * Range(0, 1)


@dataclass(frozen=True)
class Replay:
    """The kept self-made rows of every earlier cycle that was promoted, oldest first.

    With `newest`, each level's rows are replaced when a later cycle has some: a better champion labelled them.
    """

    newest: bool = False

    def propose(self, view: View) -> list[Group]:
        if not self.newest:
            return [group for rows in view.history() for group in rows]
        levels: dict[int, list[Group]] = {}
        for rows in view.history():
            of_cycle: dict[int, list[Group]] = defaultdict(list)
            for group in rows:
                of_cycle[group.task.level].append(group)
            levels |= of_cycle
        return [group for rows in levels.values() for group in rows]

    def estimate(self, lengths: Lengths) -> Work:
        return Work()


@dataclass(frozen=True)
class Poisoned:
    """A source whose answers are corrupted in one cycle: every sampled character moves one place on in `digits`.

    The planted failure behind `--poison-round`: all labels wrong, all of the right length and format.
    """

    source: Estimated
    at: int
    digits: str = "0123456789"

    def propose(self, view: View) -> list[Group]:
        groups = self.source.propose(view)
        if view.cycle != self.at:
            return groups
        encode = view.sampler(view.champion).tokenizer.encode
        ids = [encode(digit)[0] for digit in self.digits]
        following = dict(zip(ids, ids[1:] + ids[:1], strict=True))
        text = str.maketrans(self.digits, self.digits[1:] + self.digits[0])

        def corrupt(trace: Trace) -> Trace:
            pairs = zip(trace.ids, trace.sampled, strict=True)
            moved = tuple(following.get(token, token) if sampled else token for token, sampled in pairs)
            return replace(trace, ids=moved, text=trace.text.translate(text))

        return [Group(group.task, tuple(corrupt(trace) for trace in group.traces)) for group in groups]

    def estimate(self, lengths: Lengths) -> Work:
        return self.source.estimate(lengths)
