"""A full disk and a failing one, at every call of a run that changes a file."""

from __future__ import annotations

import errno
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from points import recorded
from shim import Mode, read
from worker import Acknowledged, Bench, Ended, begun, clear, decisions, unsound

KINDS = {
    "ENOSPC once": (errno.ENOSPC, Mode.FAIL_ONCE),
    "ENOSPC from then on": (errno.ENOSPC, Mode.FAIL_ON),
    "EIO once": (errno.EIO, Mode.FAIL_ONCE),
    "EIO from then on": (errno.EIO, Mode.FAIL_ON),
}
WAYS_OUT = ("free some space", "check the disk", "delete the folder")


@dataclass
class Tally:
    sites: int = 0
    roles: set[str] = field(default_factory=set)
    trials: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    """Ended with exit code 2 and one line."""
    absorbed: int = 0
    """Did not need the call: it ended as it should."""
    unreached: int = 0
    """A ledger's size depends on how figures are printed: its last write may not come."""
    wrong: list[str] = field(default_factory=list)


def measure(bench: Bench, every: int = 1, below: str = "") -> Tally:
    """Every kind of failure at every call (or every so many-th) below a folder; then `resume`, the disk being fine."""
    calls, expected = recorded(bench)
    calls = [call for call in calls if call.role.startswith(below)]
    tally = Tally(sites=len(calls), roles={f"{call.kind} {call.role}" for call in calls})
    times: Counter[tuple[str, str]] = Counter()
    trial = 0
    for call in calls:
        times[call.kind, call.role] += 1
        for kind, (code, mode) in KINDS.items():
            trial += 1
            if trial % every:
                continue
            run, n = bench.fresh(), times[call.kind, call.role]
            ended = bench.start(run, trap := bench.trap(run, mode, call, n, code))
            tally.trials[kind] += 1
            if not any(made.kind == "failed" for made in read(trap.log, run.parent)):
                tally.unreached += 1
            else:
                tally.absorbed += ended.code == 0
                tally.refused += ended.code != 0
            wrong = _judged(bench, run, ended, expected)
            tally.wrong += [f"{kind} at {call.kind} {call.role}, time {n}: {what}" for what in wrong]
            clear(run.parent)
    return tally


def _judged(bench: Bench, run: Path, ended: Ended, expected: dict[str, Any]) -> list[str]:
    """What is wrong with a run on a failing disk, and with what becomes of it later."""
    told = Acknowledged()
    for said in ended.said:
        told.add(said)
    wrong = told.lost(run) if ended.code == 0 or begun(run) or told.events else []
    wrong += unclear(ended) if ended.code else []
    if begun(run):
        wrong += unsound(run)
    again = bench.go_on(run)
    for said in again.said:
        told.add(said)
    if again.code:
        return [*wrong, f"resume exits with {again.code}: {again.stderr[-300:]}"]
    wrong += told.lost(run) + told.repeated + unsound(run)
    if decisions(run) != expected:
        wrong.append("it ended otherwise")
    return wrong


def unclear(ended: Ended) -> list[str]:
    """What an error lacks: it has to be one line that says where and the way out, with exit code 2."""
    errors = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    last = ended.stderr.rstrip().splitlines()[-1:]
    if ended.code != 2 or errors != last or "Traceback" in ended.stderr:
        return [f"no clear error: exit {ended.code}, {ended.stderr[-400:]}"]
    if not any(way in errors[0] for way in WAYS_OUT) or "/place-" not in errors[0]:
        return [f"an error without place or way out: {errors[0]}"]
    return []
