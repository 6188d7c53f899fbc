import numpy as np
import pytest
from grown import grown

from autotroph.evolve.archive import Archive, Node, wilson


def test_a_clade_is_a_node_with_its_descendants():
    archive = grown(3, (None, [1, 0]), (0, [1]), (1, [1, 1, 0]), (0, [0]))
    assert archive.column("clade_trials").tolist() == [7, 4, 3, 1]
    assert archive.column("clade_successes").tolist() == [4, 3, 2, 0]
    assert archive.column("trials").tolist() == [2, 1, 3, 1]
    assert archive.column("children").tolist() == [2, 1, 0, 0]
    assert archive.column("parent").tolist() == [-1, 0, 1, 0]


def test_a_second_parent_counts_a_child_and_no_outcome():
    archive = grown(1, (None, [0]), (0, [0]))
    archive.record(archive.add(Node("c", (1, 0))), 0, 1.0)
    assert archive.column("children").tolist() == [2, 1, 0]
    assert archive.column("clade_successes").tolist() == [1, 1, 1]


def test_every_node_begins_with_task_0_without_a_turn():
    archive = grown(3, (None, []), (0, []))
    assert [archive.begin(1) for _ in range(4)] == [0, 1, 2, None]
    assert archive.begun.tolist() == [0, 3]


def test_with_a_turn_nodes_begin_with_different_tasks_and_miss_none():
    archive = grown(5, (None, []), (0, []), (0, []), turn=3)
    assert [archive.begin(1) for _ in range(6)] == [3, 4, 0, 1, 2, None]
    assert archive.begin(2) == 1


def test_the_table_keeps_pace():
    archive = grown(2, (None, [1]))
    assert np.array_equal(archive.table, [[1, np.nan]], equal_nan=True)
    for number in range(100):
        archive.record(archive.add(Node("x", (0,))), 1, number / 100)
    assert archive.table.shape == (101, 2)
    assert archive.table[1:, 1].tolist() == [number / 100 for number in range(100)]
    assert archive.table[0, 0] == 1


def test_lower_bound_is_wilsons():
    archive = grown(4, (None, [1, 1, 1, 0]), (0, []))
    # p = .75, n = 4, z = 1: (.75 + 1/8 - sqrt(.75 * .25 / 4 + 1/64)) / (1 + 1/4)
    assert archive.lower(1.0).tolist() == pytest.approx([(0.875 - 0.25) / 1.25, -1.0])


def test_bounds_keep_pace_with_outcomes_and_nodes():
    archive = grown(4, (None, [1]))
    for number in range(100):
        archive.lower()
        archive.record(archive.add(Node("x", (0,))), 0, number % 2)
    archive.record(1, 1, 1.0)
    expected = wilson(archive.column("successes"), archive.column("trials"), 1.0)
    assert archive.lower().tolist() == expected.tolist()
    assert archive.lower(0).tolist() == [1.0, 0.5, 1.0, *[0.0, 1.0] * 49]
    with pytest.raises(ValueError, match="read-only"):
        archive.lower()[0] = 1


def test_the_pick_trusts_many_outcomes_more_than_few():
    assert grown(10, (None, [1] * 9 + [0]), (0, [1])).best() == 0
    assert grown(10, (None, [0] * 10), (0, [1])).best() == 1


def test_without_noise_a_part_of_the_tasks_is_no_mean():
    assert grown(3, (None, [0.5, 0.5, 0.5]), (0, [1.0])).best(z=0) == 0
    assert grown(3, (None, [0.5]), (0, [1.0])).best(z=0) == 1


@pytest.mark.parametrize("outcome", [-0.1, 1.1, float("nan"), float("inf")])
def test_an_outcome_outside_0_to_1_is_refused(outcome):
    archive = Archive(1)
    archive.add(Node("a"))
    with pytest.raises(ValueError, match=r"not in \[0, 1\]"):
        archive.record(0, 0, outcome)
    assert archive.evaluations == 0
