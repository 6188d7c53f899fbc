"""Paid work: what a session has recorded the next one replays, and what a killed one took still counts."""

import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from autotroph.core.budget import BEAT, Budget, Meter
from autotroph.core.errors import AutotrophError, BudgetExceeded
from autotroph.store.journal import Journal


def meter(folder: Path, since: int = 0, **caps: float) -> Meter:
    """As the next session has it."""
    journal = Journal(folder)
    journal.begin(since)
    return Meter(budget=Budget(**caps), journal=journal)


def work(one: Meter, calls: list[str]) -> list[str]:
    """Each call costs its length in tokens; returns those that were not replayed."""
    done = []
    for call in calls:
        name, parts = one.replayed(call)
        if not parts:
            with one.unit(tokens=10):
                one.spend(tokens=len(call))
                one.record(name, 0, call.upper().encode(), {"tokens": len(call)})
            done.append(call)
        else:
            assert parts == {0: call.upper().encode()}
    return done


def test_recorded_work_counts_once_and_is_paid_once(tmp_path: Path) -> None:
    first = meter(tmp_path)
    assert work(first, ["a", "bb", "a"]) == ["a", "bb", "a"], "equal calls of one session are work of their own"
    again = meter(tmp_path)
    assert work(again, ["a", "bb", "a", "a", "ccc"]) == ["a", "ccc"]
    assert again.tokens == 4 + 1 + 3
    assert again.snapshot()["lost"] == {}
    assert again.left("tokens") == float("inf")


def test_work_is_forgotten_once_an_event_rests_on_it(tmp_path: Path) -> None:
    work(meter(tmp_path, since=3), ["a"])
    assert work(meter(tmp_path, since=3), ["a"]) == []
    assert work(meter(tmp_path, since=4), ["a"]) == ["a"]
    assert work(meter(tmp_path, since=3), ["a"]) == ["a"]


def test_what_was_spent_and_not_recorded_is_lost_and_counts_for_the_caps(tmp_path: Path) -> None:
    first = meter(tmp_path)
    work(first, ["aaa"])
    first.spend(tokens=5, flops=7.0)
    again = meter(tmp_path, tokens=20)
    assert work(again, ["aaa"]) == []
    assert again.snapshot()["lost"] == {"tokens": 5, "flops": 7.0}
    assert again.left("tokens") == 12
    later = Meter(**{**again.snapshot(), "flops": 1.0}, journal=Journal(tmp_path))
    assert (later.tokens, later.snapshot()["lost"]["tokens"]) == (3, 5)


def test_what_is_under_way_counts_at_its_worst_until_it_is_done(tmp_path: Path) -> None:
    first = meter(tmp_path)
    with first.unit(tokens=100), first.unit(dollars=0.5):
        first.spend(tokens=1)
        assert meter(tmp_path, tokens=150).left("tokens") == 50
    assert meter(tmp_path, tokens=150).left("tokens") == 149


def test_a_lost_mark_leaves_what_was_recorded(tmp_path: Path) -> None:
    """As a power failure may: then work that was not recorded is forgotten, and nothing else."""
    first = meter(tmp_path)
    work(first, ["aaa"])
    first.spend(tokens=5)
    (tmp_path / "meter.json").write_bytes(b'{"tokens": 1')
    again = meter(tmp_path, tokens=20)
    assert work(again, ["aaa"]) == []
    assert (again.tokens, again.left("tokens")) == (3, 17)


def test_no_unit_begins_that_may_go_beyond_a_cap(tmp_path: Path) -> None:
    one = meter(tmp_path, tokens=25)
    assert work(one, ["a" * 9, "b" * 9]) == ["a" * 9, "b" * 9]
    with pytest.raises(BudgetExceeded, match="tokens at 18 of 25, and what comes next may take 10"):
        work(one, ["c"])
    one.spend(tokens=7)
    with pytest.raises(BudgetExceeded, match="tokens at 25 of 25; "):
        one.check()


def test_units_side_by_side_wait_where_they_may_meet_a_cap_together() -> None:
    """Ten units of at most 10 tokens, which take 5 in truth, under a cap of 42: seven fit, however they are timed."""
    one, ended = Meter(budget=Budget(tokens=42)), []

    def run() -> None:
        try:
            with one.unit(tokens=10):
                time.sleep(0.01)
                one.spend(tokens=5)
            ended.append("done")
        except BudgetExceeded:
            ended.append("refused")

    threads = [threading.Thread(target=run) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert (ended.count("done"), one.tokens) == (7, 35)
    assert ended.count("refused") == 3


CRASHING = """
import os, sys, time
from pathlib import Path
from autotroph.core.budget import Budget, Meter
from autotroph.store.journal import Journal

folder, seconds = Path(sys.argv[1]), float(sys.argv[2])
journal = Journal(folder)
journal.begin(0)
meter = Meter(budget=Budget(tokens=400, seconds=seconds), journal=journal)
truth = os.open(folder / "truth", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
print("begun", flush=True)
with meter.ticking():
    for call in range(1000):
        name, parts = meter.replayed(str(call))
        if not parts:
            with meter.unit(tokens=7):
                for _ in range(3 + call % 4):
                    os.write(truth, b"t")
                    time.sleep(0.002)
                meter.spend(tokens=3 + call % 4)
                meter.record(name, 0, b"x", {"tokens": 3 + call % 4})
"""


def crashing(folder: Path, seconds: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CRASHING, str(folder), str(seconds)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def test_caps_hold_over_twenty_kills(tmp_path: Path) -> None:
    """The process notes every token where no kill can take it away: never more than the cap, and not much less."""
    rng, kills = random.Random(0), 0
    while kills < 20:
        with crashing(tmp_path, 1e6) as process:
            time.sleep(rng.uniform(0.0, 0.06))
            process.send_signal(signal.SIGKILL)
            process.wait()
        kills += 1
    with crashing(tmp_path, 1e6) as process:
        _, error = process.communicate(timeout=60)
    assert "BudgetExceeded: budget: tokens at" in error
    spent = len((tmp_path / "truth").read_bytes())
    assert 400 - 20 * 7 - 7 <= spent <= 400


def test_the_time_of_killed_processes_counts(tmp_path: Path) -> None:
    lived = 0.0
    for _ in range(3):
        with crashing(tmp_path, 1e6) as process:
            begun = time.monotonic()
            time.sleep(0.4)
            process.send_signal(signal.SIGKILL)
            process.wait()
            lived += time.monotonic() - begun
    counted = 1e6 - meter(tmp_path, seconds=1e6).left("seconds")
    assert lived - 3 * BEAT <= counted <= lived + 3 * BEAT + 1.0
    with crashing(tmp_path, counted + 0.01) as process:
        _, error = process.communicate(timeout=60)
    assert "BudgetExceeded: budget: seconds at" in error


def test_a_damaged_journal_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(AutotrophError, match=r"journal\.sqlite: .*delete it and resume"):
        Journal(tmp_path)
