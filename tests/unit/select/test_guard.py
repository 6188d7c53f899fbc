"""The guard between selection and training."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from autotroph.core.errors import AutotrophError
from autotroph.core.protocols import View
from autotroph.core.task import Task
from autotroph.core.trace import Group, Trace
from autotroph.select.guard import Guard

VIEW = cast(View, SimpleNamespace(cycle=3))


def group(*depths: int) -> Group:
    task = Task.of("toy", str(depths), "1")
    return Group(task, tuple(Trace(task.key, "p", (0,), (True,), (0.0,), str(d), "stop", depth=d) for d in depths))


def test_rows_above_the_cap_are_rejected_with_a_reason() -> None:
    guarded = Guard(max_depth=2).select([group(0, 1, 2, 3), group(7)], VIEW)
    assert [[trace.rejected for trace in g.traces] for g in guarded] == [[None, None, None, "too deep"], ["too deep"]]
    uncapped = [group(0, 1, 2, 3), group(7)]
    assert Guard().select(uncapped, VIEW) == uncapped


def test_self_made_rows_alone_are_refused() -> None:
    with pytest.raises(AutotrophError, match=r"cycle 3 would train on self-made rows only, depth 1 to 4; give it"):
        Guard().select([group(1), group(4, 2)], VIEW)
    only_real_is_rejected = Group(group(0).task, tuple(trace.reject("short") for trace in group(0).traces))
    with pytest.raises(AutotrophError, match="self-made rows only"):
        Guard().select([only_real_is_rejected, group(1)], VIEW)
    assert Guard(real_floor=0).select([group(1)], VIEW) == [group(1)]


def test_bare_tasks_and_nothing_at_all_pass() -> None:
    bare = Group(Task.of("toy", "p", None))
    assert Guard(max_depth=1).select([bare], VIEW) == [bare]
    assert Guard().select([], VIEW) == []
