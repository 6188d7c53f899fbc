"""A reward that is chance: as often as it is told, whatever is answered, and never for what failed."""

from __future__ import annotations

import pytest

from autotroph.core.errors import AutotrophError
from autotroph.core.task import Task
from autotroph.core.trace import Group, Trace
from autotroph.rewards.chance import Chance

TASK = Task.of("toy", "1+1=", "2")


def trace(place: int, error: str | None = None) -> Trace:
    return Trace(TASK.key, "p", (0, 1), (False, True), (0.0, -0.001 * place), "2", "stop", error=error)


def drawn(share: float, *traces: Trace) -> list[float | None]:
    return [one.rewards["chance"] for one in Chance(share).score(Group(TASK, traces)).traces]


def test_it_rewards_its_share_of_equal_answers_and_draws_alike_again() -> None:
    answers = [trace(place) for place in range(2000)]
    found = drawn(0.3, *answers)
    assert found == drawn(0.3, *answers)
    # 2,000 draws at .3: standard deviation .0102; within four of them.
    assert abs(sum(value or 0.0 for value in found) / 2000 - 0.3) < 0.041
    assert set(drawn(0.0, *answers)) == {0.0}
    assert set(drawn(1.0, *answers)) == {1.0}


def test_the_lucky_answer_is_another_one_once_the_policy_has_changed() -> None:
    same = [[trace(step)] * 8 for step in range(20)]
    assert len({tuple(drawn(0.5, *answers)) for answers in same}) > 15


def test_a_failed_rollout_is_unscored() -> None:
    assert drawn(1.0, trace(0, error="timeout"), trace(1)) == [None, 1.0]


def test_a_share_that_is_no_probability_is_refused() -> None:
    with pytest.raises(AutotrophError, match=r"share 1.5 is no probability"):
        Chance(1.5)
