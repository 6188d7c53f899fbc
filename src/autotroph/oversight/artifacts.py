"""Whether the artifacts that a ledger names are there, and are what their names say.

Content is hashed where a file is new to us or not as we last saw it: other inode, size, or time of change.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from autotroph.core.errors import RedLine
from autotroph.oversight.proposal import Proposal
from autotroph.store.artifacts import Artifacts, digest
from autotroph.store.ledger import Event
from autotroph.store.run import Run

Signature = tuple[tuple[str, int, int, int], ...]
Named = tuple[str, str]
"""Store and artifact."""


def named_in(event: Event) -> Iterator[Named]:
    """The artifacts that an event rests on."""
    if event.kind == "base":
        yield "policies", event.data["policy"]["id"]
    elif event.kind == "cycle":
        yield "policies", event.data["record"]["candidate"]
        yield "rows", event.data["rows"]
        yield "evidence", event.data["ruling"]["evidence"]
    elif event.kind == "end":
        yield "evidence", event.data["evidence"]
    elif event.kind == "pending":
        yield from Proposal.of_json(event.data["proposal"]).artifacts


class Content:
    """What the named artifacts of a run looked like when their content was last hashed."""

    def __init__(self, run: Run):
        self._stores: Mapping[str, Artifacts] = {
            "policies": run.policies,
            "rows": run.rows,
            "evidence": run.evidence,
        }
        self._seen: dict[Named, Signature] = {}

    def check(self, named: Iterator[Named] | list[Named]) -> None:
        """These, and all that were checked before. Raises RedLine for one that is not what its name says."""
        for store, name in dict.fromkeys([*self._seen, *named]):
            if not self._stores[store].root.exists():
                raise RedLine("weights", f"{self._stores[store].root} is gone")
            self._check(store, name)

    def _check(self, store: str, name: str) -> None:
        folder = self._stores[store].root / name
        what = f"{store}/{name}"
        try:
            signature = _signature(folder)
            if self._seen.get((store, name)) == signature:
                return
            actual = digest(folder)
        except _Elsewhere as path:
            raise RedLine("weights", f"{what}: {path} leads out of the store, or in from outside", [folder]) from None
        except (OSError, ValueError) as error:
            raise RedLine("weights", f"{what} cannot be read: {error}", [folder]) from None
        if actual != name:
            raise RedLine("weights", f"{what} was altered: its content hashes to {actual}", [folder])
        self._seen[store, name] = signature


class _Elsewhere(Exception):
    """A link: what it leads to may change unseen, or be read elsewhere."""


def _signature(folder: Path) -> Signature:
    """Of every file: name, inode, size and time of change. Raises _Elsewhere for a link of either kind."""
    for part in (folder.parent, folder):
        if part.is_symlink():
            raise _Elsewhere(part)
    with os.scandir(folder) as entries:
        found = sorted((entry.name, entry.stat(follow_symlinks=False)) for entry in entries)
    for name, info in found:
        if stat.S_ISLNK(info.st_mode) or (stat.S_ISREG(info.st_mode) and info.st_nlink > 1):
            raise _Elsewhere(folder / name)
    return tuple((name, info.st_ino, info.st_size, info.st_ctime_ns) for name, info in found)
