"""Yellow signals: what a person may want to look at before a run goes on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from statistics import median

from autotroph.store.record import CycleRecord, Signal

PACE, CYCLES, HISTORY = 2.0, 3, 3
"""Progress per compute over `PACE` times its trailing median for so many `CYCLES`, each with so many before it."""


def raised(past: Sequence[CycleRecord], record: CycleRecord, touched: Iterable[str]) -> tuple[Signal, ...]:
    """The signals of a cycle. `touched`: protected reward, filter or tool code that has changed since the start."""
    return (*pace([*past, record]), *touches(touched))


def touches(names: Iterable[str]) -> Iterator[Signal]:
    found = sorted(names)
    if found:
        yield Signal(name="code", what=f"reward, filter or tool code was touched: {', '.join(found)}")


def pace(records: Sequence[CycleRecord]) -> Iterator[Signal]:
    """Progress per compute, too fast to be believed: each of the last cycles above the limit that its past sets."""
    rates = list(progress(records))
    for last in range(len(rates) - CYCLES, len(rates)):
        before = rates[:last]
        if len(before) < HISTORY or not 0 < PACE * median(before) < rates[last]:
            return
    yield Signal(name="pace", what=f"progress per compute over {PACE:g} times its trailing median for {CYCLES} cycles")


def progress(records: Sequence[CycleRecord]) -> Iterator[float]:
    """Of each cycle: the candidate's gain in mean sealed score over its champion, for each floating-point operation
    since that one became the champion; a cycle without a comparison or without compute is left out."""
    spent = 0.0
    for record in records:
        spent += record.metrics.get("flops", 0.0)
        if record.decision.difference is not None and spent:
            yield record.decision.difference / spent
        if record.decision.promoted:
            spent = 0.0
