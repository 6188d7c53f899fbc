"""The balance score and what it is chosen by, against values worked out by hand."""

from __future__ import annotations

import pytest

from autotroph.core.errors import AutotrophError
from autotroph.core.task import Task
from autotroph.core.trace import Group, Trace
from autotroph.rewards.balance import Tried, balance, below, best_threshold, exploitation, exploration, tried

RIGHT, UNSURE, WRONG = Tried(1.9, True), Tried(0.4, True), Tried(-0.1, False)


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [
        (-1.0, 2 / 8 * 2 / 3),  # all three selected, two of them right
        (0.0, 2 / 8 * 2 / 2),
        (1.0, 1 / 8 * 1 / 1),
        (2.0, 0.0),  # nothing is selected
    ],
)
def test_balance_counts_right_ones_up_to_eight_times_their_share(threshold: float, expected: float) -> None:
    assert balance([RIGHT, UNSURE, WRONG], threshold) == pytest.approx(expected)


def test_more_right_answers_than_wanted_count_no_more() -> None:
    assert balance([RIGHT] * 8, 0.0) == balance([RIGHT] * 20, 0.0) == 1.0
    assert balance([RIGHT] * 8 + [WRONG] * 8, -1.0) == 0.5


def test_the_best_threshold_lets_all_right_ones_in_and_no_wrong_one() -> None:
    score, threshold = best_threshold([[RIGHT, UNSURE, WRONG], [WRONG]])
    assert score == pytest.approx(2 / 8 / 2)
    assert threshold == 0.4
    with pytest.raises(AutotrophError, match="no task to choose by"):
        best_threshold([])


def test_exploration_and_exploitation() -> None:
    tasks = [[RIGHT, UNSURE, WRONG], [WRONG, RIGHT], [WRONG]]
    assert exploration(tasks, 1) == pytest.approx(2 / 3)
    assert exploration(tasks, 2) == pytest.approx(1 / 3)
    assert exploitation(tasks, 1) == pytest.approx(2 / 3)
    assert exploitation(tasks, 2) == pytest.approx((1 + 0.5 + 0) / 3)


def trace(text: str, verified: float | None, certainty: float | None) -> Trace:
    scores = {"verified": verified, "certainty": certainty}
    return Trace("k", "p", (0, 1), (False, True), (0.0, -1.0), text, "stop", rewards=scores)


def test_an_answer_counts_once_with_its_highest_reward_and_unscored_ones_do_not() -> None:
    group = Group(
        Task.of("toy", "1+1=", "2"),
        (trace("2", 2.0, -0.5), trace("3", 0.0, -0.25), trace("2", 2.0, -0.25), trace("4", None, -1.0)),
    )
    assert tried(group, "verified") == [Tried(1.75, True), Tried(-0.25, False)]


def test_what_is_below_the_threshold_or_unscored_is_rejected() -> None:
    assert below(0.0, trace("2", 2.0, -0.5)) is None
    assert below(0.0, trace("3", 0.0, -0.25)) == "below threshold"
    assert below(0.0, trace("3", None, -0.25)) == "unscored"
