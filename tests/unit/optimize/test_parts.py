"""What a step says of a reward that has several parts."""

from __future__ import annotations

from autotroph.core.task import Task
from autotroph.core.trace import Group, Trace
from autotroph.optimize.gro import parts

TASK = Task.of("toy", "1+1=", "2")


def scored(**rewards: float | None) -> Trace:
    return Trace(TASK.key, "p", (1,), (True,), (0.0,), "2", "stop", rewards=rewards)


def test_each_part_has_its_mean_over_the_traces_where_it_is_scored() -> None:
    group = Group(TASK, (scored(vote=1.0, format=0.5), scored(vote=None, format=0.0), scored(vote=0.0, format=0.25)))
    assert parts([group]) == {"reward_vote": 0.5, "reward_format": 0.25}


def test_a_reward_of_one_part_is_not_told_twice() -> None:
    assert parts([Group(TASK, (scored(vote=1.0),))]) == {}
