"""Changes of the disk that a loss of power can neither take back nor leave half done, and its errors in one line.

A file's content is safe once the file is synced, its name once the folder that holds it is: each is done here, for
POSIX promises neither from the other.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autotroph.core.errors import AutotrophError


def sync(path: Path) -> None:
    """Of a file its content, of a folder the names in it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_all(folder: Path) -> None:
    """Everything in a folder, and the folder."""
    for path in sorted(folder.iterdir()):
        (sync_all if path.is_dir() else sync)(path)
    sync(folder)


def make_folder(path: Path) -> None:
    """Make a folder that lasts, and those above it. One that is there may have been made by a process that was killed
    before it could sync."""
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(exist_ok=True)
    sync(path.parent)


def write_whole(path: Path, text: str) -> None:
    """Write a file that lasts; whoever reads it sees the old one or the new one, never a part."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    with clear_disk_errors(path):
        try:
            part.write_text(text, "utf-8")
            sync(part)
            part.replace(path)
            sync(path.parent)
        finally:
            part.unlink(missing_ok=True)


@contextmanager
def clear_disk_errors(where: Path) -> Iterator[None]:
    """Turn a full or failing disk into one line that says so."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise AutotrophError(f"{where}: disk full; free some space and resume the run") from error
        if error.errno == errno.EIO:
            raise AutotrophError(f"{where}: {error.strerror}; check the disk and resume the run") from error
        if error.errno in (errno.EROFS, errno.EACCES):
            raise AutotrophError(f"{where}: {error.strerror}; give a folder that can be written") from error
        raise
