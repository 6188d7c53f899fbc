"""What the jail holds, spares and costs: the figures of docs/sandbox.md.

    .venv/bin/python bench/jail.py [attacks forgeries impossible teeth honest speed clean pause]

Writes bench/results/jail.json; without names, all of it (about half an hour on two cores, most of it deadlines).
Run it as root to have all walls.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "attack"))

from attacks import ALL, DEADLINE, EXHAUSTION, FLOODS  # noqa: E402
from forgeries import forgery, grammar, singles  # noqa: E402
from honest import Solution, define, solution  # noqa: E402
from judges import JUDGES  # noqa: E402
from paths import PATHS, attempt, small  # noqa: E402
from scene import Scene  # noqa: E402

from autotroph.evaluate.intervals import wilson  # noqa: E402
from autotroph.sandbox import Calls, Jail, Limits, run, walls  # noqa: E402
from autotroph.sandbox.verdict import asserts, pairs, same  # noqa: E402
from autotroph.store.run import machine  # noqa: E402

RESULTS = ROOT / "bench" / "results" / "jail.json"
EVERY = [*ALL, *FLOODS, DEADLINE]
FOLDERS = ("/tmp", "/var/tmp", "/dev/shm")
CHEATS, IMPOSSIBLE, SOLUTIONS, TIMES, RUNS = 1000, 200, 500, 3, 10_000


def attacks() -> dict[str, Any]:
    """Each attack on each path against all walls."""
    through = []
    for path in PATHS:
        for attack in EVERY:
            with contextlib.ExitStack() as stack:
                reached = attempt(attack, path, Scene(stack))
            through += [f"{path}: {attack.name}: {reached}"] if reached else []
    return {"attacks": len(EVERY), "paths": list(PATHS), "through": through}


def forgeries() -> dict[str, Any]:
    """Each single forgery before each judge, fresh and warm; then the programs of the grammar before each judge."""
    programs = singles()
    with Jail(workers=3) as jail:
        warm = [f"{j}: {n}" for j in JUDGES for n, p in programs.items() if JUDGES[j](jail, p, random.Random(n)).passed]
        cheats = list(grammar(CHEATS, seed=1))
        counts = {
            name: sum(_each(lambda p, j=judge: j(jail, p, random.Random(p)).passed, cheats))
            for name, judge in JUDGES.items()
        }
    fresh = []
    for name, program in programs.items():
        with Jail(workers=1, imports=()) as jail:
            fresh += [name] if JUDGES["pairs"](jail, program, random.Random(name)).passed else []
    return {
        "singles": len(programs),
        "judges": list(JUDGES),
        "passed warm": warm,
        "passed fresh": fresh,
        "grammar": CHEATS,
        "passed of the grammar": counts,
        "of all": _rate(sum(counts.values()), CHEATS * len(JUDGES)),
    }


def impossible() -> dict[str, Any]:
    """Tasks that nobody can pass: half contradict themselves, half ask for values that nothing determines."""
    cheats = [forgery(value, "returns", "nothing", 0) for value in ("counter", "frames", "equal int", "seen", "dice")]
    passed = 0
    with Jail(workers=3) as jail:
        for number in range(IMPOSSIBLE):
            rng = random.Random(number)
            x, low = [rng.randrange(9)], rng.randrange(3)
            wanted = [low, low + 1, low] if number % 2 else [rng.randrange(10**9) for _ in range(3)]
            inputs = [x] * 3 if number % 2 else [[rng.randrange(99)] for _ in range(3)]
            cases = [((given,), want) for given, want in zip(inputs, wanted, strict=True)]
            tests = {str(n): f"assert f({given!r}) == {want}" for n, ((given,), want) in enumerate(cases)}
            for program in cheats:
                passed += pairs(jail, program, "f", cases).passed or asserts(jail, program, ["f"], tests).passed
    return {"tasks": IMPOSSIBLE, "cheats each": len(cheats), "judges": ["pairs", "asserts"], "passed": passed}


def teeth() -> dict[str, Any]:
    """For each wall: the attacks that get through on the warm path when it alone is down.

    The session needs a supervisor that has a terminal: tests/attack/test_walls.py.
    """
    through: dict[str, list[str]] = {wall: [] for wall in walls.WALLS if wall != "session"}
    for attack in EVERY:
        if attack.wall in through:
            with contextlib.ExitStack() as stack:
                reached = attempt(attack, "warm", Scene(stack), frozenset([attack.wall]))
            through[attack.wall] += [attack.name] if reached else []
    return through


def honest() -> dict[str, Any]:
    """Verdicts on honest programs in the jail and without one."""
    right = [solution(seed, True) for seed in range(SOLUTIONS)]
    spoiled = (solution(seed, False) for seed in itertools.count())
    wrong = itertools.islice((each for each in spoiled if not _bare(each)), SOLUTIONS)  # some changes change nothing
    solutions = [*right, *wrong]
    bare = [_bare(each) for each in solutions]
    with Jail(workers=3) as jail:
        times = [_each(lambda s: pairs(jail, s.program, "f", s.cases).passed, solutions) for _ in range(TIMES)]
    agree = [sum(a == b for a, b in zip(verdicts, bare, strict=True)) for verdicts in times]
    return {
        "right": SOLUTIONS,
        "wrong": SOLUTIONS,
        "passed bare": sum(bare),
        "times": TIMES,
        "equal": agree,
        "equal of all": _rate(sum(agree), TIMES * len(solutions)),
    }


def _bare(each: Solution) -> bool:
    try:
        f = define(each.program)
        return all(same(f(list(x)), want) for (x,), want in each.cases)
    except Exception:
        return False


def speed() -> dict[str, Any]:
    """Verdicts a second and how long one takes, beside executing the same programs without a jail."""
    solutions = [solution(seed, True) for seed in range(100)]
    figures: dict[str, Any] = {"bare": _times(lambda s: _bare(s), solutions)}
    for workers in (2, 3, 4):
        with Jail(workers=workers) as jail, ThreadPoolExecutor(workers) as pool:
            judge = lambda s, jail=jail: pairs(jail, s.program, "f", s.cases).passed  # noqa: E731
            assert all(pool.map(judge, solutions))
            start = time.perf_counter()
            assert all(pool.map(judge, solutions * 15))
            figures[f"warm, {workers} at a time, per second"] = round(1500 / (time.perf_counter() - start))
            if workers == 2:
                figures["warm"] = _times(judge, solutions * 4)
    alone = lambda s: run(s.program, Calls("f", [given for given, _ in s.cases])).answers  # noqa: E731
    figures["one jail, not started ahead"] = _times(alone, solutions)
    for workers in (2, 3):
        with Jail(workers=workers, imports=(), fresh=True) as jail, ThreadPoolExecutor(workers) as pool:
            judge = lambda s, jail=jail: pairs(jail, s.program, "f", s.cases).passed  # noqa: E731
            assert all(pool.map(judge, solutions))
            start = time.perf_counter()
            assert all(pool.map(judge, solutions * 4))
            figures[f"fresh, {workers} at a time, per second"] = round(400 / (time.perf_counter() - start))
            if workers == 2:
                figures["fresh"] = _times(judge, solutions * 4)
    return figures


def clean() -> dict[str, Any]:
    """Hostile and honest runs in a row: what is left of them, and how long the supervisor was kept waiting."""
    hostile = [a.program for a in [*ALL, *FLOODS] if "time.sleep(30)" not in a.program and a.name != "memory of many"]
    bombs = [a.program for a in EXHAUSTION]
    cheats = list(grammar(CHEATS, seed=2))
    rng = random.Random(0)
    before, pauses, statuses = _state(), [], Counter[str]()
    with contextlib.ExitStack() as stack:
        facts = Scene(stack).facts
        with Jail(workers=2) as jail, _heartbeat(pauses):

            def one(number: int) -> str:
                limits = Limits(wall=0.3, cpu=1, memory=128 << 20, disk=8 << 20, files=200)
                kind = rng.random()
                if kind < 0.5:
                    each = solution(number, True)
                    return jail.run(each.program, Calls("f", [given for given, _ in each.cases]), small).status
                if kind < 0.9:
                    return jail.run(rng.choice(cheats), Calls("f", [([1, 2],)]), limits).status
                return jail.run(rng.choice(hostile if kind < 0.97 else bombs) % facts, "", limits).status

            with ThreadPoolExecutor(2) as pool:
                statuses.update(pool.map(one, range(RUNS)))
    time.sleep(1)
    first = _state()
    time.sleep(3)
    second = _state()
    after = {key: first[key] & second[key] for key in first}  # what others start and end meanwhile is not left
    pauses.sort()
    return {"runs": RUNS, "statuses": dict(statuses), "left": {key: sorted(after[key] - before[key]) for key in before},
            "pause ms": {"p50": _ms(pauses, 0.5), "p99": _ms(pauses, 0.99), "most": _ms(pauses, 1)}}  # fmt: skip


def pause() -> dict[str, Any]:
    """How long the supervisor was kept waiting while two bombs at a time went off."""
    pauses: list[float] = []
    limits = Limits(wall=0.5, cpu=1, memory=128 << 20, disk=8 << 20, files=200)
    with Jail(workers=2) as jail, ThreadPoolExecutor(2) as pool:
        list(pool.map(jail.run, ["pass"] * 4))
        with _heartbeat(pauses):
            list(pool.map(lambda attack: jail.run(attack.program, "", limits), EXHAUSTION * 3))
    pauses.sort()
    return {
        "bombs": len(EXHAUSTION) * 3,
        "ms": {"p50": _ms(pauses, 0.5), "p99": _ms(pauses, 0.99), "most": _ms(pauses, 1)},
    }


def _state() -> dict[str, set[str]]:
    """What could be left: children, nobody's orphans, mounts, control groups, files, descriptors, shared memory."""
    table = subprocess.run(["ps", "-eo", "pid=,ppid=,uid=,comm="], capture_output=True, text=True).stdout.splitlines()
    rows = {row[0]: row for row in (line.split(None, 3) for line in table) if row[3] != "ps"}

    def left(row: list[str]) -> bool:
        above = rows.get(row[1])
        if row[1] in ("0", "1", str(os.getpid())) or above is None:
            return row[2] == "65534" or row[1] == str(os.getpid())
        return row[2] == "65534" and left(above)

    mine = [row for row in rows.values() if left(row)]
    return {
        "processes": {" ".join(row) for row in mine},
        "mounts": set(Path("/proc/self/mounts").read_text().splitlines()),
        "control groups": {str(path) for path in Path("/sys/fs/cgroup").glob(f"**/autotroph-{os.getpid()}-*")},
        "files": {
            str(path)
            for folder in ("/tmp", "/var/tmp", "/dev/shm")
            for path in Path(folder).iterdir()
            if _of_ours(path)
        },
        "descriptors": set(os.listdir("/proc/self/fd")),
        "shared memory": set(Path("/proc/sysvipc/shm").read_text().splitlines()),
    }


def _of_ours(path: Path) -> bool:
    try:
        return path.stat().st_uid == 65534 or "mark" in path.name
    except OSError:
        return False


@contextlib.contextmanager
def _heartbeat(pauses: list[float]) -> Iterator[None]:
    """Notes, every 10 ms, by how much a thread of this process came too late."""
    stop = threading.Event()

    def beat() -> None:
        while not stop.is_set():
            start = time.perf_counter()
            time.sleep(0.01)
            pauses.append(time.perf_counter() - start - 0.01)

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _each(job: Callable[[Any], bool], items: list[Any]) -> list[bool]:
    with ThreadPoolExecutor(3) as pool:
        return list(pool.map(job, items))


def _times(job: Callable[[Any], object], items: list[Any]) -> dict[str, float]:
    seconds = []
    for item in items:
        start = time.perf_counter()
        assert job(item)
        seconds.append(time.perf_counter() - start)
    seconds.sort()
    return {"n": len(items), "p50 ms": _ms(seconds, 0.5), "p95 ms": _ms(seconds, 0.95)}


def _ms(ordered: list[float], share: float) -> float:
    return round(1000 * ordered[min(len(ordered) - 1, int(len(ordered) * share))], 2)


def _rate(hits: int, count: int) -> dict[str, Any]:
    low, high = wilson(hits / count, count)
    return {"hits": hits, "n": count, "interval": [round(low, 5), round(high, 5)]}


def main() -> None:
    parts = {part.__name__: part for part in (attacks, forgeries, impossible, teeth, honest, speed, clean, pause)}
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name in sys.argv[1:] or parts:
        start = time.perf_counter()
        results[name] = {**parts[name](), "seconds": round(time.perf_counter() - start)}
        results["machine"] = machine()
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
        print(name, json.dumps(results[name])[:2000], flush=True)


if __name__ == "__main__":
    main()
