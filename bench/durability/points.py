"""SIGKILL at every named point of a run: before, within and after each kind of call on each kind of file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shim import UNCOUNTED, Call, Mode, read
from worker import Acknowledged, Bench, begun, clear, decisions, unsound

from autotroph.store.ledger import Ledger
from autotroph.store.runs import state_of

WHEN = {"before": Mode.KILL_BEFORE, "within": Mode.KILL_WITHIN, "after": Mode.KILL_AFTER}


@dataclass
class Tally:
    names: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def recorded(bench: Bench) -> tuple[list[Call], dict[str, Any]]:
    """The calls of an uninterrupted run, and its decisions."""
    run = bench.fresh()
    trap = bench.trap(run)
    ended = bench.start(run, trap)
    assert ended.code == 0, ended.stderr
    calls = [call for call in read(trap.log, run.parent) if call.kind not in UNCOUNTED]
    found = calls, decisions(run)
    clear(run.parent)
    return found


def points(calls: Sequence[Call]) -> dict[str, list[Call]]:
    """Name -> the calls that it stands for."""
    found: dict[str, list[Call]] = defaultdict(list)
    for call in calls:
        for when in WHEN:
            if when != "within" or len(call.data) > 1:
                found[f"{when} {call.kind} {call.role}"].append(call)
    return found


def measure(bench: Bench, names: int | None = None) -> Tally:
    """Kill at the middle one of the calls of every name, or of so many names, and go on."""
    calls, expected = recorded(bench)
    named, tally = points(calls), Tally()
    for name in list(named)[:: len(named) // names if names else 1]:
        n = len(named[name]) // 2 + 1
        tally.names.append(name)
        tally.wrong += [f"{name}, time {n}: {what}" for what in _killed(bench, name, named[name][0], n, expected)]
    return tally


def _killed(bench: Bench, name: str, call: Call, n: int, expected: dict[str, Any]) -> list[str]:
    run, when = bench.fresh(), name.split()[0]
    trap = bench.trap(run, WHEN[when], call, n)
    ended = bench.start(run, trap)
    made = sum((one.kind, one.role) == (call.kind, call.role) for one in read(trap.log, run.parent))
    if not ended.killed or made != n - (when == "before"):
        return [f"it was not killed there: exit {ended.code}, {ended.stderr[-300:]}"]
    told = Acknowledged()
    for said in ended.said:
        told.add(said)
    return _gone_on(bench, run, told, expected)


def _gone_on(bench: Bench, run: Path, told: Acknowledged, expected: dict[str, Any]) -> list[str]:
    """What is wrong with a killed run, and with what becomes of it."""
    wrong = told.lost(run)
    if told.events:
        with Ledger(run / "ledger.sqlite") as ledger:
            due = "finished" if ledger.last("end") else "crashed"
        if (state := state_of(run)) != due:
            wrong.append(f"its state is {state} and not {due}")
    if not begun(run) and not told.events:
        told = Acknowledged()
    ended = bench.go_on(run)
    for said in ended.said:
        told.add(said)
    if ended.code:
        return [*wrong, f"resume exits with {ended.code}: {ended.stderr[-300:]}"]
    wrong += told.repeated + told.lost(run) + unsound(run)
    if decisions(run) != expected:
        wrong.append("it ended otherwise")
    clear(run.parent)
    return wrong
