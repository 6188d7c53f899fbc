"""Power loss at any moment of a real run: every state of the disk that may be found afterwards is a sound one.

A state is sound when every event and artifact that had been acknowledged before is there, `autotroph verify` finds
nothing wrong, `autotroph runs` says what has become of it, and its next writer can open it; or, before the first event
was acknowledged, when opening it says that there is no run.
"""

from __future__ import annotations

import errno
import hashlib
import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from disk import FIXED, RANDOM, Disk, Loss, write_out
from shim import Call, Mode, read
from worker import Acknowledged, Bench, begun, clear, decisions, unsound

from autotroph.core.errors import AutotrophError
from autotroph.state import State
from autotroph.store.run import Run
from autotroph.store.runs import state_of

Contents = dict[str, bytes | None]
"""Path -> content of a file; None for a folder."""

STOPS: dict[str, list[tuple[Mode, str, str, int, int]]] = {
    "never stopped": [],
    "killed before the names of folders were synced": [
        (Mode.KILL_AFTER, "mkdir", "run/policies", 1, 0),
        (Mode.KILL_AFTER, "rename", "run/policies/*", 1, 0),
        (Mode.KILL_AFTER, "rename", "run/rows/*", 1, 0),
        (Mode.KILL_AFTER, "rename", "run/evidence/*", 1, 0),
    ],
    "killed between writing events and their fsync": [
        (Mode.KILL_BEFORE, "sync", "run/ledger.sqlite-wal", 5, 0),
        (Mode.KILL_BEFORE, "sync", "run/ledger.sqlite-wal", 2, 0),
        (Mode.KILL_BEFORE, "sync", "run/ledger.sqlite-wal", 2, 0),
    ],
    "killed between writing its end and the fsync": [(Mode.KILL_BEFORE, "sync", "run/ledger.sqlite-wal", 10, 0)],
    "fsync of the ledger failed": [
        (Mode.FAIL_ONCE, "sync", "run/ledger.sqlite-wal", 6, errno.EIO),
        (Mode.FAIL_ONCE, "sync", "run/ledger.sqlite-wal", 2, errno.EIO),
    ],
    "killed while it closed": [
        (Mode.KILL_AFTER, "write", "run/ledger.sqlite", 5, 0),
        (Mode.KILL_BEFORE, "unlink", "run/ledger.sqlite-wal", 1, 0),
    ],
}
"""Where the processes of a run are stopped, one after the other, before the last one ends it."""


@dataclass
class Tally:
    states: int = 0
    """That differ in content, or in what had been acknowledged before."""
    by_loss: Counter[str] = field(default_factory=Counter)
    whole: int = 0
    never_started: int = 0
    resumed: int = 0
    invalid: list[str] = field(default_factory=list)


def recorded(bench: Bench, stops: Sequence[tuple[Mode, str, str, int, int]] = ()) -> list[Call]:
    """The calls and marks of a run whose processes were stopped there, in one sequence."""
    run = bench.fresh()
    go_on = bench.start
    for mode, kind, path, n, code in stops:
        ended = go_on(run, bench.trap(run, mode, Call(kind, path), n, code))
        assert ended.code, f"{kind} {path}, time {n}, was not reached"
        go_on = bench.resume
    ended = go_on(run, trap := bench.trap(run))
    assert ended.code == 0, ended.stderr
    calls = read(trap.log, run.parent)
    clear(run.parent)
    return calls


def states(
    calls: Sequence[Call], draws: int, seed: int, since: int
) -> Iterator[tuple[int, Loss, Contents, Acknowledged]]:
    """Every different state after each call but the first ones, with `draws` of each random loss."""
    disk, told, seen, rng = Disk(), Acknowledged(), set(), Random(seed)
    for number, call in enumerate(calls):
        if call.kind == "mark":
            said = json.loads(call.path)
            told.add(said)
            if "stage" not in said:
                seen.clear()  # the same contents are held to more from now on
        else:
            disk.apply(call)
        if number < since:
            continue
        for loss in (*FIXED, *(loss for loss in RANDOM for _ in range(draws))):
            state = disk.after(loss, rng)
            digest = hashlib.sha256(repr(sorted(state)).encode())
            for path in sorted(state):
                digest.update(hashlib.sha256(state[path] or b"").digest())
            if digest.digest() not in seen:
                seen.add(digest.digest())
                yield number, loss, state, told


def judge(run: Path, told: Acknowledged, crashed: bool) -> str:
    """ "whole" or "never started"; else what is wrong. `crashed`: no process has given the run back in order so far."""
    if crashed and told.events and begun(run) and (state := state_of(run)) not in ("crashed", "finished"):
        return f"a run that lost power is listed as {state}"
    try:
        with Run.open(run) as opened:
            if opened.ledger.last("base") is not None:
                State.restore(opened)
    except AutotrophError as error:
        return f"refused: {error}" if told.events else "never started"
    return "; ".join(told.lost(run) + unsound(run)) or "whole"


def measure(
    calls: Sequence[Call],
    draws: int,
    *,
    seed: int = 0,
    since: int = 0,
    bench: Bench | None = None,
    every: int = 0,
    expected: dict[str, Any] | None = None,
    most: int | None = None,
) -> Tally:
    """Judge the states, until so many are invalid; with a bench, resume every so many-th: it has to end as expected."""
    tally = Tally()
    unmarked = (number for number, call in enumerate(calls) if (call.kind, call.path) == ("empty", "run/ledger.lock"))
    released = next(unmarked, len(calls))
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as work:
        for number, loss, state, told in states(calls, draws, seed, since):
            place = Path(work) / "place"
            place.mkdir()
            write_out(state, place)
            tally.states += 1
            tally.by_loss[loss.name] += 1
            verdict = judge(place / "run", told, crashed=number < released)
            if verdict == "whole" and bench is not None and tally.states % every == 0:
                tally.resumed += 1
                verdict = _resumed(bench, place / "run", expected)
            tally.whole += verdict == "whole"
            tally.never_started += verdict == "never started"
            if verdict not in ("whole", "never started"):
                call = calls[number]
                tally.invalid.append(f"after call {number}, {call.kind} {call.path}: {loss.name}: {verdict}")
            clear(place)
            if most is not None and len(tally.invalid) >= most:
                break
    return tally


def _resumed(bench: Bench, run: Path, expected: dict[str, Any] | None) -> str:
    ended = bench.go_on(run)
    if ended.code:
        return f"resume exits with {ended.code}: {ended.stderr[-300:]}"
    return "; ".join(unsound(run)) or ("whole" if decisions(run) == expected else "it ended otherwise")


def bitten(calls: Sequence[Call], role: str, draws: int) -> str | None:
    """The first invalid state of a program that forgets to sync the files of a role; None: there is none."""
    syncs = [number for number, call in enumerate(calls) if (call.kind, call.role) == ("sync", role)]
    forgetful = [call for number, call in enumerate(calls) if number not in syncs]
    return next(iter(measure(forgetful, draws, most=1, since=syncs[0]).invalid), None)


def teeth(calls: Sequence[Call]) -> dict[str, str | None]:
    """`bitten`, for each role whose files are synced."""
    return {role: bitten(calls, role, 1) for role in sorted({call.role for call in calls if call.kind == "sync"})}
