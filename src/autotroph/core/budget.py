"""What a run may cost, and what it has cost so far."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Condition, Event, Thread
from typing import Any, Protocol

from pydantic import Field

from autotroph.core.config import Config
from autotroph.core.errors import AutotrophError, BudgetExceeded

BEAT = 0.5
"""Seconds between two marks of the time; so many more count as spent where a process is killed."""

COUNTERS = ("tokens", "trained_tokens", "verifier_calls", "flops", "dollars")
"""What is counted beside the time."""

Cost = Mapping[str, float]
"""Counter -> amount."""


class Budget(Config):
    """Hard caps; None means no cap."""

    tokens: int | None = Field(default=None, ge=1, description="sampled tokens")
    verifier_calls: int | None = Field(default=None, ge=1, description="calls of a verifier")
    flops: float | None = Field(default=None, gt=0, description="floating-point operations of sampling and training")
    seconds: float | None = Field(default=None, gt=0, description="wall-clock time")
    dollars: float | None = Field(
        default=None, gt=0, description="what endpoints charge, at the prices they were given"
    )


class Journal(Protocol):
    """Where paid work is kept until the event that rests on it is in the ledger."""

    def parts(self, call: str) -> tuple[str, dict[int, tuple[bytes, Cost]]]:
        """A name for this call of the session, and what earlier sessions have of it: part -> (answer, its cost)."""
        ...

    def record(self, name: str, part: int, answer: bytes, cost: Cost, paid: Cost) -> None:
        """Durable when it returns. `paid`: all that was paid so far, this part included."""
        ...

    def mark(self, paid: Cost) -> None:
        """All that was paid so far, what is under way at its worst; it outlives the process."""
        ...

    def paid(self) -> Cost:
        """The most that was marked or recorded."""
        ...


@dataclass
class Meter:
    """Counts what is spent, from any thread, and holds it to a budget. `seconds` covers earlier sessions of the run.

    The counters are those of a run that nothing ever interrupted: replayed work counts as it did when it was done.
    `lost` is what was paid beside that, for work that a crash took and that had to be done again. Caps are on both.
    """

    tokens: int = 0
    trained_tokens: int = 0
    verifier_calls: int = 0
    flops: float = 0.0
    seconds: float = 0.0
    dollars: float = 0.0
    lost: Cost = field(default_factory=dict)
    budget: Budget = field(default_factory=Budget)
    journal: Journal | None = None

    def __post_init__(self) -> None:
        known = self.journal.paid() if self.journal else {}
        self._paid = {n: max(v + self.lost.get(n, 0), known.get(n, 0)) for n, v in self.counters().items()}
        self._started = time.monotonic() - max(self.seconds, known.get("seconds", 0.0))
        self._reserved: dict[str, float] = dict.fromkeys(COUNTERS, 0)
        self._under_way, self._ahead = 0, 0.0
        self._changed = Condition()

    def counters(self) -> dict[str, float]:
        return {name: getattr(self, name) for name in COUNTERS}

    def spend(self, **cost: float) -> None:
        """Count work that was done."""
        with self._changed:
            self._count(cost)
            _add(self._paid, cost)
            if not self._under_way:  # else it is marked at its worst until the unit is over
                self._mark()

    def waste(self, **cost: float) -> None:
        """Count what was paid for nothing: a request that may be billed and brought no answer."""
        with self._changed:
            _add(self._paid, cost)
            self._mark()

    def replayed(self, call: str) -> tuple[str, dict[int, bytes]]:
        """A name under which to record this call, and its parts that earlier sessions have paid for, which count now.

        `call` says all that the answers depend on.
        """
        if self.journal is None:
            return call, {}
        name, parts = self.journal.parts(call)
        with self._changed:
            for _, cost in parts.values():
                self._count(cost)
        return name, {part: answer for part, (answer, _) in parts.items()}

    def record(self, name: str, part: int, answer: bytes, cost: Cost) -> None:
        """Keep a part of a call durably, and what of all that was spent it has cost."""
        if self.journal is not None:
            with self._changed:
                paid = {**self._paid, "seconds": self._elapsed()}
            self.journal.record(name, part, answer, cost, paid)

    @contextmanager
    def unit(self, **worst: float) -> Iterator[None]:
        """Around work that costs at most `worst`, which is marked before it begins; what it does cost is spent inside.

        Raises BudgetExceeded where a cap is reached or `worst` would go beyond it. Where that depends on units that are
        under way, it waits for them.
        """
        with self._changed:
            while self._under_way and any(self._left(name) < most for name, most in worst.items()):
                self._changed.wait()
            self.check(worst)
            self._under_way += 1
            _add(self._reserved, worst)
            self._mark()
        try:
            yield
        finally:
            with self._changed:
                self._under_way -= 1
                _add(self._reserved, worst, sign=-1)
                self._mark()
                self._changed.notify_all()

    @contextmanager
    def ticking(self) -> Iterator[None]:
        """Marks the time while inside, so that what a killed process took is known."""
        over = Event()

        def beat() -> None:
            with suppress(AutotrophError):  # a failing disk is for the run to meet
                while not over.wait(BEAT):
                    with self._changed:
                        self._mark()

        thread = Thread(target=beat, daemon=True)
        self._ahead = BEAT
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            self._ahead = 0.0
            self._mark()

    def left(self, name: str) -> float:
        """What a cap leaves, units under way at their worst; infinite where there is none."""
        with self._changed:
            return self._left(name)

    def check(self, worst: Cost | None = None) -> None:
        """Raises BudgetExceeded where any cap is reached, or would be passed by what costs `worst`."""
        for name, cap in self.budget.model_dump(exclude_none=True).items():
            paid, most = self._elapsed() if name == "seconds" else self._paid[name], (worst or {}).get(name, 0)
            if paid >= cap or paid + most > cap:
                after = f", and what comes next may take {most:.6g}" if paid < cap else ""
                raise BudgetExceeded(f"budget: {name} at {paid:.6g} of {cap:.6g}{after}; start a run with a higher cap")

    def snapshot(self) -> dict[str, Any]:
        """All counters as plain numbers; `Meter(**snapshot)` counts on from there."""
        self.seconds = self._elapsed()
        counted = self.counters()
        lost = {name: self._paid[name] - value for name, value in counted.items() if self._paid[name] > value}
        return {**counted, "seconds": self.seconds, "lost": lost}

    def _count(self, cost: Cost) -> None:
        for name, amount in cost.items():
            setattr(self, name, getattr(self, name) + amount)

    def _elapsed(self) -> float:
        return time.monotonic() - self._started

    def _left(self, name: str) -> float:
        cap = getattr(self.budget, name, None)
        if cap is None:
            return math.inf
        return float(cap - (self._elapsed() if name == "seconds" else self._paid[name] + self._reserved[name]))

    def _mark(self) -> None:
        if self.journal is not None:
            paid = {name: self._paid[name] + self._reserved[name] for name in COUNTERS}
            self.journal.mark({**paid, "seconds": self._elapsed() + self._ahead})


def _add(sums: dict[str, float], cost: Cost, sign: int = 1) -> None:
    for name, amount in cost.items():
        sums[name] += sign * amount
