"""Jails held by Ray actors judge as local ones do. Ray comes with `autotroph[ray]`, which dev does without."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from autotroph.sandbox import Calls, Directory, Limits
from autotroph.sandbox.verdict import asserts, pairs

ray = pytest.importorskip("ray")

from autotroph.sandbox.cluster import RayJail  # noqa: E402

SLEEPS = "import time\ndef f(): time.sleep(60)"


@pytest.fixture(scope="module")
def jail() -> Iterator[RayJail]:
    ray.init(num_cpus=2, log_to_driver=False, include_dashboard=False)
    with RayJail(workers=2) as jail:
        yield jail
    ray.shutdown()


def test_programs_folders_and_verdicts(jail: RayJail) -> None:
    assert jail.run("print(input()[::-1])", "abc").stdout == "cba\n"
    assert jail.command(Directory({"a.py": b"print(1)"}), ["python3", "a.py"]).stdout == "1\n"
    assert pairs(jail, "def f(x): return x + 1", "f", [((1,), 2)]).passed
    assert not pairs(jail, "def f(x): return x", "f", [((1,), 2)]).passed
    assert asserts(jail, "def f(x): return x", ["f"], {"one": "assert f(1) == 1"}).passed


def test_workers_run_side_by_side_and_deadlines_hold(jail: RayJail) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: jail.run(SLEEPS, Calls("f", [()]), Limits(wall=0.5)), range(4)))
    assert [outcome.status for outcome in found] == ["timeout"] * 4


def test_a_candidate_whose_actor_dies_is_lost_and_the_next_one_runs(jail: RayJail) -> None:
    pid = ray.get(jail._actors[0].__ray_call__.remote(lambda _: os.getpid()))
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(jail.run, SLEEPS, Calls("f", [()]), Limits(wall=5)) for _ in range(2)]
        os.kill(pid, signal.SIGKILL)
        assert sorted(one.result().status for one in both) == ["killed", "timeout"]
    assert [jail.run("print(1)").stdout for _ in range(4)] == ["1\n"] * 4
