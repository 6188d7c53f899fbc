"""How selectors reject: traces are marked, bare tasks are counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from autotroph.core.trace import Group, Trace


def reject_traces(group: Group, reason: Callable[[Trace], str | None]) -> Group:
    """The group with every kept trace rejected for which `reason` gives one; rejected traces are not asked about."""

    def judged(trace: Trace) -> Trace:
        why = None if trace.rejected else reason(trace)
        return trace.reject(why) if why else trace

    return Group(group.task, tuple(judged(trace) for trace in group.traces))


def reject_groups(groups: Sequence[Group], reasons: Iterable[str | None]) -> tuple[list[Group], dict[str, int]]:
    """(remaining groups, reason -> dropped bare tasks), each group rejected as a whole where it has a reason.

    A bare task has no trace to bear the reason, so it leaves the list and is counted instead.
    """
    remaining: list[Group] = []
    dropped: Counter[str] = Counter()
    for group, reason in zip(groups, reasons, strict=True):
        if reason is None:
            remaining.append(group)
        elif group.traces:
            remaining.append(group.reject(reason))
        else:
            dropped[reason] += 1
    return remaining, dict(dropped)


def level_of(group: Group) -> tuple[str, int]:
    """(family, level) of the group's task: what its answers are compared within."""
    return group.task.family, group.task.level


def is_live(group: Group) -> bool:
    """Whether there is something left to select: a kept trace, or a bare task."""
    return not group.traces or any(trace.rejected is None for trace in group.traces)
