"""A candidate: a tree of text files, named by its content, that is edited and never changed."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path
from urllib.parse import quote, unquote

from autotroph.core.errors import AutotrophError
from autotroph.sandbox.directory import Directory

LONGEST = 255
"""Bytes of a file's name, as `flat` has it, beyond which no file system keeps it."""


class NoEdit(Exception):
    """A mutator made nothing that could be tried: it is counted with its reason, and the search goes on.

    `kind`: a few words to count it by, where the reason has more to say. `failed`: where several mutators were tried,
    each with its kind.
    """

    def __init__(self, reason: str, kind: str = "", failed: tuple[tuple[str, str], ...] = ()):
        super().__init__(reason)
        self.kind, self.failed = kind or reason, failed


@dataclass(frozen=True)
class Candidate:
    """A program, an agent, a prompt or a set of skills. `frozen`: patterns of file names that no edit may touch.

    Two candidates are equal where their files are. Raises AutotrophError for what `Directory` refuses, and where there
    is no file at all.
    """

    files: Mapping[str, bytes]
    frozen: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        Directory(self.files)
        if not self.files:
            raise AutotrophError("a candidate without any file; give it at least one")
        if long := [name for name in self.files if len(_flat(name)) > LONGEST]:
            raise AutotrophError(f"the file name {long[0][:80]!r}... is too long to be kept; give a shorter one")

    @classmethod
    def of(cls, texts: Mapping[str, str], frozen: tuple[str, ...] = ()) -> Candidate:
        return cls({name: text.encode() for name, text in texts.items()}, frozen)

    @classmethod
    def read(cls, folder: Path, frozen: tuple[str, ...] = ()) -> Candidate:
        """All regular files of a folder, followed nowhere else. Raises AutotrophError as `Directory.read` does."""
        return cls(Directory.read(folder).files, frozen)

    @cached_property
    def id(self) -> str:
        """SHA-256, in hexadecimal, of what `sha256sum` prints of its files, names as `flat` has them, in their order.

        So it is the name that `store.artifacts` gives to the folder that `write` makes.
        """
        lines = (f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(self.flat.items()))
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    @property
    def flat(self) -> dict[str, bytes]:
        """Its files in one folder: a name's "/" and whatever else is special in it are written as in addresses."""
        return {_flat(name): data for name, data in self.files.items()}

    def write(self, folder: Path) -> None:
        """Its files into an empty folder, as `flat` names them."""
        for name, data in self.flat.items():
            (folder / name).write_bytes(data)

    @classmethod
    def stored(cls, folder: Path, frozen: tuple[str, ...] = ()) -> Candidate:
        """What `write` has put there."""
        return cls(
            {unquote(path.name, errors="surrogateescape"): path.read_bytes() for path in sorted(folder.iterdir())},
            frozen,
        )

    @property
    def directory(self) -> Directory:
        return Directory(self.files)

    @property
    def open(self) -> list[str]:
        """Names of the files that may be edited."""
        return sorted(name for name in self.files if not self.is_frozen(name))

    def is_frozen(self, name: str) -> bool:
        return any(fnmatch(name, pattern) for pattern in self.frozen)

    def text(self, name: str) -> str:
        """A file as text. Raises NoEdit where it is none, or is not there."""
        try:
            return self.files[name].decode()
        except (KeyError, UnicodeDecodeError):
            raise NoEdit(f"no text file '{name}'", "no text") from None

    def edited(self, changes: Mapping[str, str | None]) -> Candidate:
        """The same with these texts in it; None takes a file away.

        Raises NoEdit where nothing is changed, where something frozen would be, and where the outcome is no candidate.
        """
        if touched := [name for name in changes if self.is_frozen(name)]:
            raise NoEdit(f"'{touched[0]}' is frozen", "frozen")
        try:
            files = {**self.files, **{name: text.encode() for name, text in changes.items() if text is not None}}
        except UnicodeEncodeError as error:
            raise NoEdit(f"no text: {error}", "no text") from None
        for name in (name for name, text in changes.items() if text is None):
            files.pop(name, None)
        if files == self.files:
            raise NoEdit("nothing is changed")
        try:
            return Candidate(files, self.frozen)
        except (AutotrophError, UnicodeEncodeError) as error:
            raise NoEdit(str(error), "no candidate") from None

    def diff(self, parent: Candidate) -> str:
        """What has changed since the parent, as unified diffs of all files."""
        names = sorted(self.files.keys() | parent.files.keys())
        return "".join(
            line if line.endswith("\n") else f"{line}\n"
            for name in names
            for line in difflib.unified_diff(_lines(parent, name), _lines(self, name), f"a/{name}", f"b/{name}")
        )


def _flat(name: str) -> str:
    return quote(name, safe=" ", errors="surrogateescape")


def _lines(candidate: Candidate, name: str) -> list[str]:
    return candidate.files.get(name, b"").decode(errors="replace").splitlines(keepends=True)
