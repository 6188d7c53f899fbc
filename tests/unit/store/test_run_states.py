"""States of runs, as they are derived from a lock and a ledger."""

from pathlib import Path

import pytest

from autotroph.core.errors import AutotrophError
from autotroph.store.lock import Lock, is_held, is_marked
from autotroph.store.run import Run
from autotroph.store.runs import runs, state_of


def begun(folder: Path) -> Run:
    return Run.create(folder, {"recipe": "grpo", "config": {}})


def test_a_run_is_running_while_its_process_has_it_and_stopped_after(tmp_path: Path) -> None:
    with begun(tmp_path / "r"):
        assert state_of(tmp_path / "r") == "running"
    assert state_of(tmp_path / "r") == "stopped"


@pytest.mark.parametrize(
    ("error", "state"),
    [(AutotrophError("budget"), "stopped"), (KeyboardInterrupt(), "stopped"), (ValueError("a defect"), "crashed")],
)
def test_how_a_process_ended(tmp_path: Path, error: BaseException, state: str) -> None:
    with pytest.raises(type(error)), begun(tmp_path / "r"):
        raise error
    assert state_of(tmp_path / "r") == state


def test_a_finished_run_is_finished_whatever_came_of_its_process(tmp_path: Path) -> None:
    run = begun(tmp_path / "r")
    run.ledger.append("end", {})
    run.close(orderly=False)
    assert state_of(tmp_path / "r") == "finished"


def test_a_crash_is_forgotten_once_somebody_has_gone_on_and_stopped_in_order(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="x"), begun(tmp_path / "r"):
        raise ValueError("x")
    with Run.open(tmp_path / "r"):
        assert state_of(tmp_path / "r") == "running"
    assert state_of(tmp_path / "r") == "stopped"


def test_looking_neither_takes_the_lock_nor_makes_one(tmp_path: Path) -> None:
    assert not is_held(tmp_path / "ledger.lock")
    assert not is_marked(tmp_path / "ledger.lock")
    assert list(tmp_path.iterdir()) == []
    lock = Lock(tmp_path / "ledger.lock")
    assert is_held(tmp_path / "ledger.lock")
    with pytest.raises(AutotrophError, match="another process"):
        Lock(tmp_path / "ledger.lock")
    lock.release(orderly=True)
    assert not is_held(tmp_path / "ledger.lock")


def test_a_damaged_ledger_is_listed_with_its_problem(tmp_path: Path) -> None:
    begun(tmp_path / "a").close()
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "ledger.sqlite").write_text("no database at all")
    (tmp_path / "c").mkdir()
    good, bad = runs(tmp_path)
    assert (good.state, good.recipe, good.problem) == ("stopped", "grpo", None)
    assert bad.folder == str(tmp_path / "b")
    assert "not a database" in (bad.problem or "")
