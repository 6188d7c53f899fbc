"""Live progress of a run: stage, accuracy by level, kept rows, promotions, time left."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import fmean

from rich.console import Console, Group
from rich.live import Live as RichLive
from rich.table import Table
from rich.text import Text

from autotroph.loop import Loop
from autotroph.report.sentences import alarms_sentence, gap_sentence, refinement_sentence
from autotroph.store.record import CycleRecord, Gap

MARKS = {"promote": ("promoted", "green"), "hold": ("held", "yellow"), "roll back": ("rolled back", "red")}
SHADES = ("grey23", "dark_orange3", "orange3", "yellow3", "chartreuse3", "green3")


class Live:
    """Implements `loop.Observer` on a terminal; without one it prints a line a cycle."""

    def __init__(self, loop: Loop, folder: Path):
        self.console = Console(stderr=True)
        self._loop, self._folder = loop, folder
        self._started = time.monotonic()
        self._stage = "start"
        self._records: list[CycleRecord] = []
        self._live = RichLive(console=self.console, get_renderable=self._view, refresh_per_second=4, transient=True)

    def __enter__(self) -> Live:
        if self.console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.console.is_terminal:
            self._live.stop()

    def stage(self, cycle: int, name: str) -> None:
        self._stage = f"round {cycle + 1}: {name}"

    def base(self, step: int, steps: int, loss: float) -> None:
        self._stage = f"base model: step {step}/{steps}, loss {loss:.3f}"
        if not self.console.is_terminal and step % max(1, steps // 10) == 0:
            self.console.print(self._stage)

    def gap(self, gap: Gap) -> None:
        self.console.print(gap_sentence(gap))

    def cycle(self, record: CycleRecord) -> None:
        self._records.append(record)
        if not self.console.is_terminal:
            self.console.print(sentence(record))
        if record.decision.refinement:
            self.console.print(f"round {record.cycle + 1}: {refinement_sentence(record.decision.refinement)}")
        if record.alarms:
            self.console.print(f"round {record.cycle + 1}: {alarms_sentence(record.alarms)}")

    def _view(self) -> Group:
        table = Table("round", "level", "kept", "decision", "sealed accuracy by level", box=None, pad_edge=False)
        for record in self._records[-16:]:
            mark, colour = MARKS[record.decision.verdict]
            table.add_row(
                str(record.cycle + 1), str(record.level), kept(record), Text(mark, style=colour), shades(record)
            )
        return Group(Text(f"{self._folder}  {self._stage}  {self._clock()}"), table)

    def _clock(self) -> str:
        elapsed = time.monotonic() - self._started
        if not self._records:
            return f"{elapsed:.0f} s"
        first, last = self._records[0], self._records[-1]
        left = float(self._loop.cycles - last.cycle - 1)
        if self._loop.target_level is not None:
            pace = max(1, last.mastered - first.mastered) / len(self._records)
            left = min(left, (self._loop.target_level - last.mastered) / pace)
        each = fmean(record.metrics["seconds"] for record in self._records)
        return f"{elapsed:.0f} s, about {left * each:.0f} s left"


def kept(record: CycleRecord) -> str:
    return f"{record.metrics.get('kept', 0):.0f}/{record.metrics.get('generated', 0):.0f}"


def shades(record: CycleRecord) -> Text:
    text = Text()
    for level, (accuracy, _) in record.candidate_accuracy.items():
        text.append(f"{level:>3}", style=f"on {SHADES[min(5, int(accuracy * 6))]}")
    return text


def sentence(record: CycleRecord) -> str:
    mark, _ = MARKS[record.decision.verdict]
    seconds = record.metrics["seconds"]
    top = max((level for level, (mean, _) in record.candidate_accuracy.items() if mean >= 0.95), default=0)
    return (
        f"round {record.cycle + 1}: level {record.level}, kept {kept(record)}, {mark} "
        f"({record.decision.reason}); 95% up to level {top}; {seconds:.0f} s"
    )
