"""Candidates and the archive, by hand."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from autotroph.core.errors import AutotrophError
from autotroph.evolve.archive import Archive, Node, weighted
from autotroph.evolve.candidate import Candidate, NoEdit
from autotroph.store.artifacts import Artifacts

TREE = Candidate.of({"main.py": "x = 1\n", "skills/one.md": "be kind\n", "eval.py": "judge()\n"}, frozen=("eval*",))


def test_its_name_is_that_of_the_artifact_that_it_becomes(tmp_path: Path) -> None:
    folder = Artifacts(tmp_path).put(TREE.write)
    assert folder.name == TREE.id
    assert Candidate.stored(folder) == TREE


def test_its_name_is_what_sha256sum_prints() -> None:
    one = Candidate.of({"a b.txt": "hello\n"})
    line = f"{hashlib.sha256(b'hello' + bytes([10])).hexdigest()}  a b.txt\n"
    assert one.id == hashlib.sha256(line.encode()).hexdigest()


def test_edits_change_what_is_open_and_nothing_else() -> None:
    child = TREE.edited({"main.py": "x = 2\n", "skills/one.md": None})
    assert sorted(child.files) == ["eval.py", "main.py"]
    assert child.frozen == TREE.frozen
    assert child.diff(TREE).splitlines()[2:5] == ["@@ -1 +1 @@", "-x = 1", "+x = 2"]
    assert TREE.open == ["main.py", "skills/one.md"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"eval.py": "accept()"}, "frozen"),
        ({"eval_more.py": "accept()"}, "frozen"),
        ({"main.py": "x = 1\n"}, "nothing is changed"),
        ({"../main.py": "x"}, "leads out"),
        ({"big.txt": "x" * (9 << 20)}, "MB"),
    ],
)
def test_edits_that_are_refused(changes: dict[str, str | None], why: str) -> None:
    with pytest.raises(NoEdit, match=why):
        TREE.edited(changes)


def test_a_folder_is_read_and_led_nowhere(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("x = 1\n")
    assert Candidate.read(tmp_path).text("main.py") == "x = 1\n"
    (tmp_path / "secret").symlink_to("/etc/passwd")
    with pytest.raises(AutotrophError, match="secret"):
        Candidate.read(tmp_path)


def test_an_empty_folder_is_no_candidate(tmp_path: Path) -> None:
    with pytest.raises(AutotrophError, match="without any file"):
        Candidate.read(tmp_path)


def family() -> Archive:
    """0 -> 1 -> 2, and 0 -> 3, which also has 2 as a second parent."""
    archive = Archive(tasks=4)
    for parents in ((), (0,), (1,), (0, 2)):
        archive.add(Node("x", parents))
    return archive


def test_outcomes_count_for_the_node_and_its_clade_by_first_parents() -> None:
    archive = family()
    for node, outcome in ((2, 1.0), (2, 0.0), (3, 1.0), (0, 0.5)):
        task = archive.begin(node)
        assert task is not None
        archive.record(node, task, outcome)
    assert archive.column("trials").tolist() == [1, 0, 2, 1]
    assert archive.column("successes").tolist() == [0.5, 0, 1, 1]
    assert archive.column("clade_trials").tolist() == [4, 2, 2, 1]
    assert archive.column("clade_successes").tolist() == [2.5, 1, 1, 1]
    assert archive.column("children").tolist() == [2, 1, 1, 0]
    assert np.isnan(archive.means[1])
    assert archive.evaluations == 4


def test_tasks_are_begun_once() -> None:
    archive = family()
    assert [archive.begin(1) for _ in range(5)] == [0, 1, 2, 3, None]
    archive.close(2)
    assert archive.begin(2) is None
    assert archive.begun.tolist() == [0, 4, 4, 0]


@pytest.mark.parametrize("outcome", [1.1, -0.1, float("nan"), float("inf")])
def test_an_outcome_out_of_range_is_refused(outcome: float) -> None:
    with pytest.raises(ValueError, match="not in"):
        family().record(0, 0, outcome)


def test_the_final_pick_is_by_a_lower_bound() -> None:
    """1 of 1 has the better mean, 9 of 10 the better bound: Wilson at z = 1 gives 1/2 and .766."""
    archive = Archive(tasks=10)
    archive.add(Node("a"))
    archive.add(Node("b"))
    archive.record(0, 0, 1.0)
    for task in range(10):
        archive.record(1, task, float(task > 0))
    assert archive.lower() == pytest.approx([0.5, 0.766147], abs=1e-4)
    assert archive.best() == 1
    assert archive.means.tolist() == pytest.approx([1.0, 0.9])
    assert archive.best(z=0.0) == 1  # without noise too, for the other's mean is one of a part of the tasks


def test_draws_by_weight() -> None:
    rng = np.random.default_rng(0)
    counts = np.bincount([weighted([1.0, 0.0, 3.0], rng) for _ in range(4000)], minlength=3)
    assert counts[1] == 0
    assert counts[2] / 4000 == pytest.approx(0.75, abs=0.03)
    assert {weighted([0.0, 0.0], rng) for _ in range(50)} == {0, 1}
