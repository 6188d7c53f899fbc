"""Running programs: what comes out, what is told of their end, and that nothing goes from one to the next."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from autotroph.core.errors import AutotrophError
from autotroph.sandbox import Answer, Calls, Directory, Jail, Limits, bubblewrap, run
from autotroph.sandbox.verdict import asserts


@pytest.fixture(scope="module")
def jail() -> Iterator[Jail]:
    with Jail(workers=2) as jail:
        yield jail


def test_a_program_reads_and_prints(jail: Jail) -> None:
    for outcome in (run("print(input() * 2)", "ab\n"), jail.run("print(input() * 2)", "ab\n")):
        assert (outcome.status, outcome.stdout, outcome.code) == ("ok", "abab\n", 0)


def test_calls_give_plain_values_or_what_was_raised(jail: Jail) -> None:
    outcome = jail.run("def f(x): return {x: (1 / x, [x])}", Calls("f", [(2,), (0,), ("a",)]))
    assert outcome.answers[0] == Answer({2: (0.5, [2])})
    assert [answer.error for answer in outcome.answers] == [None, "ZeroDivisionError", "TypeError"]
    assert outcome.value == {2: (0.5, [2])}


@pytest.mark.parametrize(
    ("program", "status", "code"),
    [
        ("raise ValueError('what')", "error", 1),
        ("import sys; sys.exit(7)", "error", 7),
        ("import sys; sys.exit('why')", "error", 1),
        ("syntax error", "error", 1),
        ("import os; os.abort()", "killed", None),
        ("import ctypes; ctypes.string_at(0)", "killed", -signal.SIGSEGV),
        ("while True: pass", "timeout", -signal.SIGKILL),
    ],
)
def test_how_a_program_ended(jail: Jail, program: str, status: str, code: int | None) -> None:
    outcome = jail.run(program, "", Limits(wall=0.4))
    assert outcome.status == status
    assert code is None or outcome.code == code


def test_answers_before_the_deadline_count(jail: Jail) -> None:
    outcome = jail.run(
        "import time\ndef f(x): time.sleep(x); return x", Calls("f", [(0,), (9,), (0,)]), Limits(wall=0.5)
    )
    assert (outcome.status, outcome.answers) == ("timeout", (Answer(0),))


def test_output_is_read_up_to_the_limit(jail: Jail) -> None:
    assert len(jail.run("print('x' * 10 ** 6)", "", Limits(output=1000)).stdout) == 1000


def test_exit_handlers_and_threads_end_as_in_python(jail: Jail) -> None:
    program = (
        "import atexit, threading\natexit.register(print, 'c')\nthreading.Timer(.05, print, 'b').start()\nprint('a')"
    )
    assert jail.run(program).stdout == "a\nb\nc\n"


def test_usage_is_measured(jail: Jail) -> None:
    usage = jail.run("x = bytearray(50 << 20)\nwhile __import__('time').process_time() < .2: pass").usage
    assert usage.cpu >= 0.15
    assert usage.wall >= 0.15
    assert usage.memory > 50 << 20


def test_every_candidate_finds_the_same_fresh_place(jail: Jail) -> None:
    program = """
import json, os
print(hasattr(json, 'mark'), os.listdir('/tmp'), os.getpid())
json.mark = 1
open('mark', 'w').close()
"""
    assert {jail.run(program).stdout for _ in range(4)} == {"False [] 1\n"}


def test_many_at_a_time(jail: Jail) -> None:
    with ThreadPoolExecutor(4) as pool:
        values = pool.map(lambda n: jail.run("def f(x): return x * x", Calls("f", [(n,)])).value, range(60))
    assert list(values) == [n * n for n in range(60)]


def test_packages_can_be_imported(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)  # nobody reads it
    (tmp_path / "helper.py").write_text("def twice(x): return 2 * x")
    with Jail(workers=1, imports=["helper"], packages=[tmp_path]) as jail:
        assert jail.run("import helper, sys; print(helper.twice(4))").stdout == "8\n"


def test_a_command_in_a_folder(jail: Jail) -> None:
    files = Directory({"pkg/__init__.py": b"", "pkg/a.py": b"print('ran')", "in.txt": b"data"})
    outcome = jail.command(files, ["python3", "-m", "pkg.a"])
    assert (outcome.status, outcome.stdout) == ("ok", "ran\n")
    outcome = jail.command(files, ["sh", "-c", "cat in.txt - > out.txt; exit 3"], "more", collect=["out.txt", "none"])
    assert (outcome.code, outcome.files) == (3, {"out.txt": b"datamore"})
    assert jail.command(files, ["no-such-command"]).code == 127


def test_a_jail_that_died_is_replaced(jail: Jail) -> None:
    with Jail(workers=1, imports=()) as jail:
        assert jail.run("print(1)").stdout == "1\n"
        jail._free[0]._process.kill()
        signal.pidfd_send_signal(jail._free[0]._first[0], signal.SIGKILL)
        assert jail.run("print(2)").stdout == "2\n"


def test_closing_leaves_no_process() -> None:
    jail = Jail(workers=1, imports=())
    jail.run("print(1)")
    worker = jail._free[0]
    group = worker._group
    process = worker._process.pid
    jail.close()
    assert not Path(f"/proc/{process}").exists()
    assert group is None or not group.path.exists()


def test_nothing_runs_on_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    """The end of the socket to it ends the jail, whatever the candidate is doing."""
    program = "import os, time; os.fork(); time.sleep(47)"
    code = f"from autotroph.sandbox import Limits, run; run({program!r}, '', Limits(wall=50))"
    process = subprocess.Popen([sys.executable, "-c", code])
    deadline = time.monotonic() + 20
    while not (inside := _jailed_by(process.pid)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(inside) > 3
    process.kill()
    process.wait()
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{each}").exists() for each in inside) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [each for each in inside if Path(f"/proc/{each}").exists()] == []


def _jailed_by(process: int) -> list[int]:
    """Its descendants, once the candidate and the one that it forked are among them."""
    table = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True).stdout.split()
    parents = dict(zip(map(int, table[::2]), map(int, table[1::2]), strict=True))
    found = [process]
    for each in found:
        found += [child for child, parent in parents.items() if parent == each]
    return found[1:] if len(found) > 5 else []


def test_arguments_that_are_no_plain_data_are_refused(jail: Jail) -> None:
    with pytest.raises(AutotrophError, match="plain data"):
        jail.run("def f(x): pass", Calls("f", [(object(),)]))


def test_without_bubblewrap_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(AutotrophError, match="apt-get install bubblewrap"):
        bubblewrap.tool()


def test_where_bubblewrap_may_not_work_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho 'No permissions to create new namespace' >&2; exit 1")
    broken.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(broken))
    bubblewrap.prove.cache_clear()
    with pytest.raises(AutotrophError, match="No permissions to create new namespace"):
        run("print(1)")
    bubblewrap.prove.cache_clear()


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to become another user")
def test_a_user_without_rights_can_have_a_jail() -> None:
    """As on most machines: no root, no control groups. With the system's Python, as ours may be for root alone."""
    if not os.path.exists("/usr/bin/python3"):
        pytest.skip("no Python that every user may run")
    source = Path(bubblewrap.__file__).parents[2]
    code = (
        "from autotroph.sandbox import run; print(run('import os; print(os.getuid(), os.listdir(\"/proc\"))').stdout)"
    )
    done = subprocess.run(
        ["/usr/bin/python3", "-c", code], user=1234, group=1234, extra_groups=[], cwd="/", capture_output=True,
        env={"PYTHONPATH": str(source), "PATH": os.environ["PATH"]}, text=True,
    )  # fmt: skip
    assert done.stdout.strip() == "1234 []", done.stderr


def test_threads_of_the_caller_may_come_and_go() -> None:
    """A jail that one thread has started serves another one after the first has ended."""
    with Jail(workers=1, imports=()) as jail:
        thread = threading.Thread(target=jail.run, args=("print(1)",))
        thread.start()
        thread.join()
        first = jail._free[0]
        assert jail.run("print(2)").stdout == "2\n"
        assert jail._free[0] is first


def test_jails_that_were_killed_while_they_waited_cost_no_candidate_its_verdict() -> None:
    with Jail(workers=2) as own:
        assert asserts(own, "def f(x): return x", ["f"], {"one": "assert f(1) == 1"}).passed
        for worker in own._free:
            worker._process.kill()
            worker._process.wait()
        assert asserts(own, "def f(x): return x", ["f"], {"one": "assert f(1) == 1"}).passed
