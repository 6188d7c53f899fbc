"""A run's folder: its configuration, its ledger, its artifacts.

runs/<id>/ledger.sqlite    every event; what is acknowledged there has happened
         /policies/<hash>/ checkpoints, content-addressed
         /rows/<hash>/     the training rows of each cycle
         /evidence/<hash>/ per-task results of champion and candidate, on which a decision rests
         /journal.sqlite   paid work of the unfinished cycle, to be replayed after a crash; /meter.json what was paid
         /report.html
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from autotroph.core.budget import Budget, Meter
from autotroph.core.errors import AutotrophError
from autotroph.core.policy import Policy
from autotroph.store.artifacts import Artifacts
from autotroph.store.disk import clear_disk_errors, make_folder
from autotroph.store.journal import Journal
from autotroph.store.ledger import Ledger, foreseen
from autotroph.store.record import CycleRecord, Gap, RunRecord
from autotroph.store.signing import Signer
from autotroph.store.sources import sources

PACKAGES = ("autotroph", "torch", "numpy", "tokenizers", "safetensors", "reasoning-gym", "datasketch")


def machine() -> dict[str, Any]:
    """What a reader needs to judge a timing, and nothing that identifies the machine."""
    return {
        "system": platform.system(),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "python": platform.python_version(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def versions() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in PACKAGES}


class Run:
    """An open run folder. `create` makes a new one, `open` goes on with one. `signer`: signs what it writes."""

    def __init__(self, folder: Path, *, write: bool, signer: Signer | None = None):
        if signer is not None and signer.path.resolve().is_relative_to(folder.resolve()):
            raise AutotrophError(f"key {signer.path}: lies in the run's folder; keep it where the run does not write")
        self.folder, self._signer = folder, signer
        if write:
            with clear_disk_errors(folder):
                make_folder(folder)
        self.ledger = Ledger(folder / "ledger.sqlite", write=write)
        try:
            self.journal = Journal(folder) if write else None
        except AutotrophError:
            self.ledger.close()
            raise
        self.policies = Artifacts(folder / "policies")
        self.rows = Artifacts(folder / "rows")
        self.evidence = Artifacts(folder / "evidence")
        self.stores = (self.policies, self.rows, self.evidence)

    @classmethod
    def create(cls, folder: Path, start: Mapping[str, Any], signer: Signer | None = None) -> Run:
        """A new run whose first event is `start` with machine, versions and hashes of protected code added, and the key
        that signs it.

        Raises AutotrophError when the folder exists and is not empty, or cannot be written.
        """
        if folder.exists() and any(folder.iterdir()):
            raise AutotrophError(
                f"run folder {folder} exists; choose another with --out, or `autotroph resume {folder}`"
            )
        run = cls(folder, write=True, signer=signer)
        made_by = {"machine": machine(), "versions": versions(), "code": sources(start["config"])}
        run.ledger.append("start", {**start, **made_by, "signer": signer.public if signer else None})
        return run

    @classmethod
    def open(cls, folder: Path, *, write: bool = True, signer: Signer | None = None) -> Run:
        never = AutotrophError(f"run {folder}: it never started; delete the folder and run again")
        if not (folder / "ledger.sqlite").is_file():
            if (folder / "ledger.lock").is_file():
                raise never
            raise AutotrophError(
                f"no run in {folder}: it has no ledger.sqlite; give a folder that `autotroph run` made"
            )
        run = cls(folder, write=write, signer=signer)
        if run.ledger.last("start") is None:
            run.close()
            raise never
        return run

    def check_signer(self) -> None:
        """Raises AutotrophError unless what is written from here on is signed as it was so far: by the same key, or not
        at all."""
        due, public = self.start.get("signer"), self._signer.public if self._signer else None
        if public != due:
            way = f"give its key with --sign: the one of {due}" if due else "it was begun without --sign: go on so"
            raise AutotrophError(f"run {self.folder}: its ledger is not signed by {public or 'nobody'}; {way}")

    def sign(self) -> None:
        """Sign the ledger as it stands, where there is a key, and anything new since it was signed last."""
        if self._signer is not None and self.ledger.newest != "signature":
            head = self.ledger.head()
            self.ledger.append("signature", {**asdict(head), "signature": self._signer.sign(head)})

    @property
    def lock(self) -> Path:
        return self.folder / "ledger.lock"

    @property
    def start(self) -> dict[str, Any]:
        event = self.ledger.last("start")
        assert event is not None
        return event.data

    @property
    def budget(self) -> Budget:
        """The caps that the run was configured with, or those of the last `budget` event."""
        changed = self.ledger.last("budget")
        return Budget.model_validate(changed.data["caps"] if changed else self.start["config"].get("budget", {}))

    def base_policy(self) -> Policy:
        """The policy that the run began with; its base must be stored."""
        event = self.ledger.last("base")
        assert event is not None
        return Policy(**event.data["policy"])

    def gap(self) -> Gap | None:
        """What was measured before the first cycle; None where nothing was."""
        event = self.ledger.last("gap")
        return Gap.model_validate(event.data["gap"]) if event else None

    def record(self) -> RunRecord:
        """The run as its ledger tells it; sealed accuracies are empty until the final report is in."""
        start, base, end = self.start, self.ledger.last("base"), self.ledger.last("end")
        cycles = tuple(CycleRecord.model_validate(event.data["record"]) for event in self.ledger.events("cycle"))
        latest = end or self.ledger.last("cycle") or self.ledger.last("gap") or base
        spent = Meter(**latest.data["meter"]) if latest else Meter()
        first = base.data["policy"]["id"] if base else ""
        promoted = [cycle.candidate for cycle in cycles if cycle.decision.promoted]
        return RunRecord(
            id=self.folder.name,
            recipe=start["recipe"],
            config=start["config"],
            machine=start["machine"],
            versions=start["versions"],
            seed=start["config"]["seed"],
            base=first,
            champion=promoted[-1] if promoted else first,
            taught=base.data["taught"] if base else 0,
            base_accuracy=end.data["base_accuracy"] if end else {},
            champion_accuracy=end.data["champion_accuracy"] if end else {},
            refined=end.data["refined"] if end else {},
            cycles=cycles,
            seconds=spent.seconds,
            tokens=spent.tokens,
            spent=spent.counters() | {"seconds": spent.seconds},
            finished=end is not None,
            lost=dict(spent.lost),
            gap=self.gap(),
            events=len(self.ledger),
            root=self.ledger.root(),
            signer=start.get("signer"),
        )

    def close(self, *, orderly: bool = True) -> None:
        if self.journal is not None:
            self.journal.close()
        self.ledger.close(orderly=orderly)

    def __enter__(self) -> Run:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self.close(orderly=foreseen(error))
