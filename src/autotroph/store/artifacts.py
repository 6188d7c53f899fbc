"""Content-addressed files and folders that appear whole or not at all."""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections.abc import Callable, Container
from pathlib import Path

from autotroph.core.errors import AutotrophError
from autotroph.store.disk import clear_disk_errors, make_folder, sync, sync_all


def digest(folder: Path) -> str:
    """The name of an artifact: SHA-256, in hexadecimal, of what `sha256sum` prints of its files in the order of names.

    Raises ValueError where something else than files is in it, or a name that does not stand on one line.
    """
    lines = []
    for path in sorted(folder.iterdir()):
        if not path.is_file() or not path.name.isprintable() or "\\" in path.name:
            raise ValueError(f"{path.name!r} in it is no file that sha256sum gives a plain line")
        with path.open("rb") as file:
            lines.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {path.name}\n")
    return hashlib.sha256("".join(lines).encode()).hexdigest()


class Artifacts:
    """A folder of folders, each named by the `digest` of its content.

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

    def put(self, build: Callable[[Path], object], name: Callable[[Path], str] = digest) -> Path:
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

    def unnamed(self, kept: Container[str]) -> list[Path]:
        """What `put` and `remove` have left behind in a crash, and every artifact that is not among the `kept`."""
        ours = [path for path in self.root.glob("*") if re.fullmatch(r"\.(new|gone)-.+|[0-9a-f]{64}", path.name)]
        return sorted(path for path in ours if path.name not in kept)

    def remove(self, path: Path) -> None:
        """Take an artifact away: at any moment it is there whole, or its name is not."""
        gone = path
        if not path.name.startswith("."):
            gone = path.with_name(f".gone-{path.name}")
            path.rename(gone)
            sync(self.root)
        shutil.rmtree(gone)
