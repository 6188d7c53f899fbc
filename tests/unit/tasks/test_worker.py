"""The worker process: values, failures, deadlines."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from autotroph.core.errors import AutotrophError
from autotroph.tasks.worker import Worker

TRICKS = """
import itertools, os, sys, time

def trick(kind, *args):
    if kind == "echo":
        print("noise on stdout")
        return list(args)
    if kind == "pid":
        return os.getpid()
    if kind == "loop":
        while True:
            try:
                while True:
                    pass
            except BaseException:
                pass
    if kind == "c_loop":
        return sum(itertools.repeat(1))
    if kind == "sleep":
        return time.sleep(*args)
    if kind == "raise":
        raise ValueError("no")
    if kind == "exit":
        sys.exit(0)
    if kind == "crash":
        os._exit(3)
    if kind == "object":
        return object()
    if kind == "deep":
        return trick(kind)
"""


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Callable[..., Worker]]:
    (tmp_path / "tricks.py").write_text(TRICKS)
    workers = []

    def make(timeout: float = 20.0) -> Worker:
        workers.append(Worker(f"{tmp_path}/tricks.py:trick", timeout))
        return workers[-1]

    yield make
    for made in workers:
        made.close()


def test_values_cross_and_the_process_stays(worker: Callable[..., Worker]) -> None:
    calls = worker()
    assert calls.call("echo", 1, "é\ud800", None, {"a": [0.5]}) == [1, "é\ud800", None, {"a": [0.5]}]
    assert calls.call("echo", "x" * 10**6) == ["x" * 10**6]
    assert calls.call("pid") == calls.call("pid") != os.getpid()
    assert calls.failures == {"timeout": 0, "error": 0}


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("raise", "ValueError: no"),
        ("exit", "SystemExit: 0"),
        ("object", "TypeError: Object of type object is not JSON serializable"),
        ("deep", "RecursionError"),
        ("crash", "the process ended"),
    ],
)
def test_an_error_is_none_and_counted_and_the_next_call_works(
    worker: Callable[..., Worker], kind: str, error: str
) -> None:
    calls = worker()
    assert calls.call(kind) is None
    assert calls.failures == {"timeout": 0, "error": 1}
    assert calls.error is not None
    assert calls.error.startswith(error)
    assert calls.call("echo", 1) == [1]


@pytest.mark.parametrize("kind", ["loop", "c_loop"])
def test_a_hanging_call_is_killed_at_its_deadline(worker: Callable[..., Worker], kind: str) -> None:
    calls = worker(timeout=0.3)
    pid = calls.call("pid")
    started = time.monotonic()
    assert calls.call(kind) is None
    assert 0.3 <= time.monotonic() - started < 2
    assert calls.failures == {"timeout": 1, "error": 0}
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert calls.call("echo", 1) == [1]


def test_an_interrupted_call_leaves_no_reply_for_the_next(worker: Callable[..., Worker]) -> None:
    calls = worker()
    assert calls.call("echo", 0) == [0]

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    with pytest.raises(KeyboardInterrupt):
        calls.call("sleep", 0.5)
    signal.signal(signal.SIGALRM, previous)
    time.sleep(0.5)
    assert calls.call("echo", 1) == [1]


def test_a_closed_or_forgotten_worker_leaves_no_process(worker: Callable[..., Worker], tmp_path: Path) -> None:
    calls = worker()
    pid = calls.call("pid")
    calls.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    forgotten = Worker(f"{tmp_path}/tricks.py:trick", 5.0)
    pid = forgotten.call("pid")
    del forgotten
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        ("no_such_module:verify", "ModuleNotFoundError"),
        ("no/such/file.py:verify", "AutotrophError: no/such/file.py: no such file"),
        ("json:no_such_function", "AutotrophError: json: it has no .no_such_function."),
        ("json", "ValueError"),
    ],
)
def test_a_target_that_cannot_be_imported_is_an_error_with_a_way_out(target: str, problem: str) -> None:
    with pytest.raises(AutotrophError, match=f"'{target}' cannot be imported: {problem}.*; give module:function"):
        Worker(target, 1.0).start()
