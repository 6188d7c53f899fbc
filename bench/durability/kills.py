"""SIGKILL at random moments of real runs, and of a process that does nothing but store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from points import recorded
from worker import Acknowledged, Bench, acknowledging, begun, child, clear, decisions, unsound

from autotroph.store.artifacts import Artifacts
from autotroph.store.ledger import Ledger


@dataclass
class Tally:
    kills: int = 0
    runs: int = 0
    events: int = 0
    artifacts: int = 0
    lost: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    """Refused to go on, not sound, or another end."""

    def close(self, told: Acknowledged) -> None:
        self.runs += 1
        self.events += len(told.events)
        self.artifacts += len(told.artifacts)
        self.repeated += told.repeated


def runs(bench: Bench, kills: int, longest: float, seed: int = 0) -> Tally:
    """Kill runs of a recipe after up to `longest` seconds of computing, go on with them, and let the last one end."""
    rng, tally, (_, expected) = Random(seed), Tally(), recorded(bench)
    while tally.kills < kills:
        run, told = bench.fresh(), Acknowledged()
        code = 1
        while code:
            if not told.events and not begun(run):
                told = Acknowledged()
            ended = bench.go_on(run, life=rng.uniform(0, longest) if tally.kills < kills else None)
            for said in ended.said:
                told.add(said)
            tally.kills += ended.killed
            tally.lost += told.lost(run)
            code = ended.code
            if code and not ended.killed:
                tally.wrong.append(f"exit {code}: {ended.stderr[-300:]}")
                break
        tally.close(told)
        if not code:
            tally.wrong += unsound(run) + (["it ended otherwise"] if decisions(run) != expected else [])
        clear(run.parent)
    return tally


def store(folder: Path, kills: int, longest: float, seed: int = 0) -> Tally:
    """Kill a process that appends events and puts artifacts, and let the next one go on in the same folder."""
    rng, tally, told = Random(seed), Tally(), Acknowledged()
    folder.mkdir()
    while tally.kills < kills:
        ended = child(_storing(folder), life=rng.uniform(0, longest))
        for said in ended.said:
            told.add(said)
        tally.kills += ended.killed
        if not ended.killed:
            tally.wrong.append(f"exit {ended.code}: {ended.stderr[-300:]}")
            break
        if tally.kills % 20 == 0:
            tally.lost += told.lost(folder)
            with Ledger(folder / "ledger.sqlite") as ledger:
                tally.wrong += [f"event {seq}: {what}" for seq, what in ledger.faults()]
    tally.lost += told.lost(folder)
    tally.close(told)
    return tally


def _storing(folder: Path) -> Callable[[Any], int]:
    def work(say: Any) -> int:
        acknowledging(say)
        store = Artifacts(folder / "rows")
        with Ledger(folder / "ledger.sqlite", write=True) as ledger:
            while True:
                text = str(len(ledger))
                ledger.append("event", {"number": text})
                if text.endswith("0"):
                    store.put(partial(_write, text), _name)

    return work


def _write(text: str, work: Path) -> None:
    (work / "rows").write_text(text)


def _name(work: Path) -> str:
    return f"{int((work / 'rows').read_text()):016x}"
