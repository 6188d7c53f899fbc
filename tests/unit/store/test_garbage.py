"""Garbage collection: what an event names stays, whole, whatever happens meanwhile."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autotroph.core.errors import AutotrophError
from autotroph.store.artifacts import Artifacts, digest
from autotroph.store.garbage import collect
from autotroph.store.lock import Lock
from autotroph.store.run import Run
from autotroph.store.runs import state_of


def put(store: Artifacts, content: str) -> str:
    return store.put(lambda work: [(work / name).write_text(content) for name in ("a", "b", "c")]).name


def begun(folder: Path) -> Run:
    return Run.create(folder, {"recipe": "grpo", "config": {}})


def whole(run: Run) -> set[str]:
    """Names of the artifacts that are there; each has the content that it is named by."""
    found = {path for store in run.stores for path in store.root.glob("*") if not path.name.startswith(".")}
    assert all(digest(path) == path.name for path in found)
    return {path.name for path in found}


KILLED = 137
NESTS = st.sampled_from(
    [
        lambda name: {"rows": name},
        lambda name: {"record": {"candidate": name}},
        lambda name: {"pending": [{"candidate": {"uri": name}}]},
        lambda name: {"approved": f"promote {name}, said somebody"},
        lambda name: {name: None},
    ]
)


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans(), NESTS), max_size=5), st.integers(0, 2))
@settings(max_examples=15, deadline=None)
def test_named_artifacts_stay_and_the_others_go(made: list, leftovers: int) -> None:
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work) / "r"
        named: set[str] = set()
        with begun(folder) as run:
            for i, (store, is_named, nest) in enumerate(made):
                name = put(run.stores[store], str(i))
                if is_named:
                    run.ledger.append("whatever", nest(name))
                    named.add(name)
            for i in range(leftovers):
                (run.stores[i].root / ".new-x").mkdir(parents=True)
                (run.stores[i].root / f".gone-{'b' * 64}").mkdir()
        shown = [path for path, _ in collect(folder, remove=False)]
        with Run.open(folder, write=False) as run:
            assert len(whole(run)) == len(made)
        assert [path for path, _ in collect(folder, remove=True)] == shown
        assert len(shown) == len(made) - len(named) + 2 * leftovers
        with Run.open(folder, write=False) as run:
            assert whole(run) == named
        assert list(collect(folder, remove=True)) == []


def test_a_name_that_two_stores_have_is_kept_in_both(tmp_path: Path) -> None:
    with begun(tmp_path / "r") as run:
        name = put(run.policies, "x")
        assert put(run.rows, "x") == name
        run.ledger.append("note", {"rows": name})
    assert list(collect(tmp_path / "r", remove=True)) == []


def test_what_is_none_of_ours_stays(tmp_path: Path) -> None:
    with begun(tmp_path / "r") as run:
        put(run.policies, "x")
        (run.policies.root / "mine").mkdir()
    assert len(list(collect(tmp_path / "r", remove=True))) == 1
    assert [path.name for path in (tmp_path / "r" / "policies").iterdir()] == ["mine"]


def test_a_run_that_is_running_is_left_alone(tmp_path: Path) -> None:
    with begun(tmp_path / "r") as run:
        name = put(run.policies, "unnamed yet")
        with pytest.raises(AutotrophError, match="another process is writing"):
            list(collect(tmp_path / "r", remove=True))
        assert whole(run) == {name}


@pytest.mark.parametrize(("orderly", "state"), [(True, "stopped"), (False, "crashed")])
def test_a_crashed_run_stays_one(tmp_path: Path, orderly: bool, state: str) -> None:
    begun(tmp_path / "r").close(orderly=orderly)
    list(collect(tmp_path / "r", remove=True))
    assert state_of(tmp_path / "r") == state
    Lock(tmp_path / "r" / "ledger.lock").release(orderly=True)


def killed_at(folder: Path, moment: int) -> bool:
    """Collect in a child that ends at its `moment`-th look at or change of the disk; False: it came through."""
    child = os.fork()
    if not child:
        left = [moment]

        def hook(event: str, _: object) -> None:
            if event.split(".")[0] in ("os", "shutil", "open", "pathlib"):
                left[0] -= 1
                if left[0] < 0:
                    os._exit(KILLED)  # nothing of the process is left to tidy up

        try:
            sys.addaudithook(hook)
            list(collect(folder, remove=True))
            os._exit(0)
        finally:
            os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, KILLED)
    return code == KILLED


def test_a_kill_at_any_moment_leaves_every_artifact_whole(tmp_path: Path) -> None:
    with begun(tmp_path / "r") as run:
        named, unnamed = put(run.policies, "named"), put(run.policies, "unnamed")
        run.ledger.append("note", {"name": named})
    moment, seen = 0, []
    while not seen or seen[-1] != {named}:
        folder = Path(shutil.copytree(tmp_path / "r", tmp_path / str(moment)))
        killed = killed_at(folder, moment)
        with Run.open(folder, write=False) as run:
            seen.append(whole(run))
            left = {path.name for path in run.policies.root.iterdir()} - seen[-1]
        assert killed or not left
        if left:
            assert [path.name for path, _ in collect(folder, remove=True)] == sorted(left)
        moment += 1
    assert seen == sorted(seen, key=len, reverse=True)
    assert {frozenset(names) for names in seen} == {frozenset({named, unnamed}), frozenset({named})}
