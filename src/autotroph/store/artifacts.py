"""Content-addressed files and folders that appear whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from autotroph.core.errors import AutotrophError
from autotroph.store.disk import clear_disk_errors, make_folder, sync, sync_all


class Artifacts:
    """A folder of folders, each named by the hash of its content.

    `put` builds a folder aside, syncs it to the disk and renames it into place, so that a name that exists is whole.
    """

    def __init__(self, root: Path):
        self.root = root

    def __contains__(self, name: str) -> bool:
        return (self.root / name).is_dir()

    def path(self, name: str) -> Path:
        """Raises AutotrophError when there is no such artifact."""
        if name not in self:
            raise AutotrophError(f"artifact {name} is not in {self.root}; the run folder is incomplete")
        return self.root / name

    def put(self, build: Callable[[Path], object], name: Callable[[Path], str]) -> Path:
        """Let `build` fill a fresh folder, name it by its content, move it into place; an equal one stays as it is."""
        with clear_disk_errors(self.root):
            make_folder(self.root)
            work = Path(tempfile.mkdtemp(prefix=".new-", dir=self.root))
            try:
                build(work)
                sync_all(work)
                target = self.root / name(work)
                if not target.is_dir():
                    work.rename(target)
                sync(self.root)
                return target
            finally:
                shutil.rmtree(work, ignore_errors=True)
