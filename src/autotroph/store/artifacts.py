"""Content-addressed files and folders that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from autotroph.core.errors import AutotrophError


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
            self.root.mkdir(parents=True, exist_ok=True)
            work = Path(tempfile.mkdtemp(prefix=".new-", dir=self.root))
            try:
                build(work)
                for file in work.iterdir():
                    _sync(file)
                _sync(work)
                target = self.root / name(work)
                if not target.is_dir():
                    work.rename(target)
                    _sync(self.root)
                return target
            finally:
                shutil.rmtree(work, ignore_errors=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def clear_disk_errors(where: Path) -> Iterator[None]:
    """Turn a full or failing disk into one line that says so."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise AutotrophError(f"{where}: disk full; free some space and resume the run") from error
        if error.errno in (errno.EIO, errno.EROFS, errno.EACCES):
            raise AutotrophError(f"{where}: {error.strerror}; give a folder that can be written") from error
        raise
