"""What `autotroph stop` does: ask or kill, wait, and write down who it was and why."""

from __future__ import annotations

from pathlib import Path

from autotroph.core.errors import AutotrophError, RedLine
from autotroph.oversight import request, switch
from autotroph.oversight.processes import first_in_line
from autotroph.store.run import Run


def at_safe_point(folder: Path, by: str, reason: str) -> str:
    """Ask for the end and wait for it; a run that goes on although the request is gone is killed and locked.

    Raises AutotrophError where no process has the run, RedLine where the request was taken away.
    """
    from autotroph.oversight import redline  # loads what the kill switch does not wait for

    asked = request.ask(folder, by, reason)
    if not request.wait(folder, asked):
        switch.pull(folder)
        with Run.open(folder) as run:
            line = RedLine("kill switch", "the request to stop was taken away", folder.glob("stop.json"))
            kept = redline.lock(run, line)
        raise RedLine(line.rule, f"{line.what}; the run was killed and is locked, what was found is in {kept}")
    with Run.open(folder) as run:
        if request.read(folder) == asked and not request.obeyed(folder, asked):
            run.ledger.append("stop", request.event(asked, now=False))
        request.withdraw(folder)
    return f"stopped; `autotroph resume {folder}` goes on"


def now(folder: Path, by: str, reason: str) -> str:
    """Kill every process of the run, and write it down once the lock is free.

    Raises AutotrophError where there was none, where one is left, or where the ledger cannot be written to.
    """
    with first_in_line():
        pulled = switch.pull(folder)
    if pulled.left:
        raise AutotrophError(
            f"run {folder}: processes {', '.join(map(str, pulled.left))} are still there after {pulled.seconds:.0f} s; "
            "the kernel does not end them: are they waiting for a disk, or another user's?"
        )
    if not pulled.killed:
        raise AutotrophError(f"run {folder}: it has no process; `autotroph runs {folder}` says what became of it")
    request.withdraw(folder)
    told = f"killed {pulled.killed} processes in {pulled.seconds:.2f} s"
    try:
        with Run.open(folder) as run:
            run.ledger.append("stop", request.event(request.Request(by, reason), now=True))
    except AutotrophError as error:
        raise AutotrophError(f"{told}, but the ledger could not be told: {error}") from error
    return f"{told}; `autotroph resume {folder}` goes on"
