"""A candidate that is a folder of files: read from disk without being led elsewhere, checked, kept as plain data."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from autotroph.core.errors import AutotrophError

FILES, BYTES, DEEPEST = 1000, 8 << 20, 100
"""Most files of a candidate, bytes of all of them, and folders within one another."""


@dataclass(frozen=True, slots=True)
class Directory:
    """Files by their relative names. Raises AutotrophError for a name that could lead elsewhere, or for too much."""

    files: Mapping[str, bytes]

    def __post_init__(self) -> None:
        if len(self.files) > FILES or sum(map(len, self.files.values())) > BYTES:
            raise AutotrophError(f"a candidate of more than {FILES} files or {BYTES >> 20} MB; give fewer")
        for name in self.files:
            path = PurePosixPath(name)
            odd = path.is_absolute() or ".." in path.parts or "\0" in name or str(path) != name or name in ("", ".")
            if odd or len(name.encode(errors="surrogateescape")) > 1000:
                raise AutotrophError(f"the file name {name[:80]!r} leads out of the folder; use a plain relative one")

    @classmethod
    def read(cls, folder: Path) -> Directory:
        """All regular files of a folder. Raises AutotrophError at a symbolic or hard link and at a special file.

        Every step is taken from an open folder and follows no link, so that nobody can swap one in on the way.
        """
        files: dict[str, bytes] = {}
        top = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            _walk(top, "", files)
        finally:
            os.close(top)
        return cls(files)

    def with_files(self, files: Mapping[str, bytes]) -> Directory:
        """The same with these files in it, in place of any of that name."""
        return Directory({**self.files, **files})


def _walk(folder: int, prefix: str, files: dict[str, bytes]) -> None:
    if prefix.count("/") > DEEPEST:
        raise AutotrophError(f"'{prefix[:80]}...': folders more than {DEEPEST} deep; give fewer")
    for name in sorted(os.listdir(folder)):
        path = prefix + name
        try:
            fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        except OSError as error:
            raise AutotrophError(f"'{path}' is a link or cannot be read ({error.strerror}); leave it out") from None
        try:
            facts = os.fstat(fd)
            if stat.S_ISDIR(facts.st_mode):
                _walk(fd, f"{path}/", files)
                continue
            if not stat.S_ISREG(facts.st_mode) or facts.st_nlink > 1:
                raise AutotrophError(f"'{path}' is a special file or has several names; leave it out")
            left = BYTES - sum(map(len, files.values()))
            with open(fd, "rb", closefd=False) as file:
                files[path] = file.read(left + 1)
            if len(files[path]) > left or len(files) > FILES:
                raise AutotrophError(f"'{path}': more than {FILES} files or {BYTES >> 20} MB; give fewer")
        finally:
            os.close(fd)
