"""Red lines: the run ends with all its processes, what was found is preserved, and the run is locked for a person.

The lock is an event of the ledger and a file beside it, for the ledger may be what was tampered with. Either of them
keeps the run from going on until a person unlocks it, which is an event, too.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from collections.abc import Container
from pathlib import Path

import apsw

from autotroph.core.errors import AutotrophError, Locked, RedLine
from autotroph.oversight import approvals, switch
from autotroph.oversight.processes import supported
from autotroph.store.disk import clear_disk_errors
from autotroph.store.run import Run


def lock(run: Run, line: RedLine, spare: Container[int] = ()) -> Path:
    """End the run's other processes but those in `spare`, preserve what was found, and lock the run.

    Returns the folder of what was preserved.
    """
    killed = switch.pull(run.folder, spare=spare).killed if supported() else 0
    kept = _preserve(run.folder, line)
    finding = {"rule": line.rule, "what": line.what, "preserved": kept.name, "killed": killed}
    with clear_disk_errors(run.folder):
        path = kept / "finding.json"
        path.write_text(json.dumps({**finding, "at": time.time()}, indent=1))
        shutil.copyfile(path, _file(run.folder))
    with contextlib.suppress(AutotrophError, apsw.Error):  # a ledger that was taken away: the file says it
        run.ledger.append("red line", finding)
    return kept


def refuse_locked(run: Run) -> None:
    """Raises Locked where the run has crossed a red line since it was last unlocked."""
    if (finding := _standing(run)) is not None:
        raise Locked(
            f"run {run.folder}: locked since it crossed a red line ({finding}); look at "
            f"{run.folder / 'preserved'}, then `autotroph unlock {run.folder} --reason WHY`"
        )


def unlock(run: Run, by: str, reason: str) -> None:
    """Raises AutotrophError where the run is not locked."""
    finding = _standing(run)
    if finding is None:
        raise AutotrophError(f"run {run.folder}: it is not locked; `autotroph resume {run.folder}` goes on with it")
    approvals.sign(run, "unlock", {"by": by, "reason": reason, "finding": finding})
    _file(run.folder).unlink(missing_ok=True)


def _standing(run: Run) -> str | None:
    """What the run is locked for; None where it is not."""
    with contextlib.suppress(FileNotFoundError):
        return _words(_file(run.folder).read_text())
    line, after = run.ledger.last("red line"), run.ledger.last("unlock")
    if line is None or (after is not None and after.seq > line.seq):
        return None
    return f"{line.data['rule']}: {line.data['what']}"


def _words(text: str) -> str:
    try:
        finding = json.loads(text)
        return f"{finding['rule']}: {finding['what']}"
    except (ValueError, KeyError, TypeError):
        return "what for cannot be read any more"


def _file(folder: Path) -> Path:
    return folder / "locked.json"


def _preserve(folder: Path, line: RedLine) -> Path:
    """Copies of what was found, links as links, in a folder that nobody writes to again."""
    number = 1
    while (kept := folder / "preserved" / str(number)).exists():
        number += 1
    with clear_disk_errors(folder):
        kept.mkdir(parents=True)
        for number, found in enumerate(line.found):
            target = kept / f"{number}-{found.name}"
            with contextlib.suppress(FileNotFoundError):
                if found.is_symlink():
                    target.symlink_to(os.readlink(found))
                elif found.is_dir():
                    shutil.copytree(found, target, symlinks=True)
                else:
                    shutil.copyfile(found, target)
    return kept
