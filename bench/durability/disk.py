"""A disk that loses power: what may be on it, by POSIX alone, after the first n calls of a recorded sequence.

A file's content is as it was at its last fsync, with any of the writes since: whole, not at all, or in part, at
boundaries of a sector (512 bytes) or a page (4096); where it has grown, unwritten parts read as zeros. A folder's
entries are as they were at its own last fsync, with any of the changes since; a rename is there or not, never half.
Nothing follows for one file from the fsync of another, nor for a file's name from the fsync of the file. What an fsync
that failed should have written is lost for good: it can be read until the power goes, and no later one writes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path, PurePosixPath
from random import Random

from shim import SYNC, Call

TORN = (512, 4096)


@dataclass
class File:
    synced: bytes = b""
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)
    """(offset, data) of a write; (size, None) of a truncation."""


@dataclass
class Folder:
    synced: dict[str, Node] = field(default_factory=dict)
    pending: list[dict[str, Node | None]] = field(default_factory=list)
    """Changes of entries that go together; None: there is none any more."""

    def entries(self, kept: Iterable[bool] | None = None) -> dict[str, Node]:
        """With all changes, or with those that are kept."""
        found = dict(self.synced)
        for change, keep in zip(self.pending, kept or [True] * len(self.pending), strict=True):
            if keep:
                for name, node in change.items():
                    found.pop(name, None)
                    if node is not None:
                        found[name] = node
        return found


Node = File | Folder


@dataclass(frozen=True)
class Loss:
    """What power loss leaves of a file's pending writes and of a folder's pending changes."""

    name: str
    file: Callable[[File, Random], bytes]
    folder: Callable[[Folder, Random], list[bool]]


class Disk:
    """Takes calls one after the other, and can say at any moment what a loss of power may leave."""

    def __init__(self) -> None:
        self.root = Folder()
        self.files: dict[int, File] = {}

    def apply(self, call: Call) -> None:
        if call.kind == "create":
            self.files[call.inode] = File()
            self._change({call.path: self.files[call.inode]})
        elif call.kind == "mkdir":
            self._change({call.path: Folder()})
        elif call.kind in ("unlink", "rmdir"):
            self._change({call.path: None})
        elif call.kind == "rename":
            self._change({call.path: None, call.other: self._find(call.path)})
        elif call.kind == "write":
            self.files[call.inode].pending.append((call.offset, call.data))
        elif call.kind in ("resize", "empty"):
            self.files[call.inode].pending.append((call.offset, None))
        elif call.kind == "sync":
            self._sync(call)
        elif call.kind == "failed" and call.offset == SYNC and isinstance(node := self._find(call.path), File):
            node.pending.clear()

    def _sync(self, call: Call) -> None:
        """Of a folder by its path: its inode may have been that of a file which is gone."""
        node = None if call.inode in self.files and not self._is_folder(call.path) else self._find(call.path)
        if isinstance(node, Folder):
            node.synced, node.pending = node.entries(), []
        else:
            file = node or self.files[call.inode]
            file.synced, file.pending = patched(file.synced, file.pending), []

    def _is_folder(self, path: str) -> bool:
        try:
            return isinstance(self._find(path), Folder)
        except KeyError:
            return False

    def _change(self, paths: dict[str, Node | None]) -> None:
        (parent,) = {PurePosixPath(path).parent for path in paths}
        folder = self._find(str(parent))
        assert isinstance(folder, Folder)
        folder.pending.append({PurePosixPath(path).name: node for path, node in paths.items()})

    def _find(self, path: str) -> Node:
        node: Node = self.root
        for part in PurePosixPath(path).parts:
            assert isinstance(node, Folder)
            node = node.entries()[part]
        return node

    def after(self, loss: Loss, rng: Random) -> dict[str, bytes | None]:
        """Path -> content of every file, None for a folder, as the loss leaves them."""
        found: dict[str, bytes | None] = {}

        def walk(folder: Folder, path: str) -> None:
            for name, node in folder.entries(loss.folder(folder, rng)).items():
                if isinstance(node, File):
                    found[path + name] = loss.file(node, rng)
                else:
                    found[path + name] = None
                    walk(node, f"{path}{name}/")

        walk(self.root, "")
        return found


def patched(content: bytes, changes: Sequence[tuple[int, bytes | None]]) -> bytes:
    result = bytearray(content)
    for offset, data in changes:
        if data is None:
            del result[offset:]
            result.extend(bytes(offset - len(result)))
        else:
            result.extend(bytes(max(0, offset - len(result))))
            result[offset : offset + len(data)] = data
    return bytes(result)


def write_out(state: dict[str, bytes | None], folder: Path) -> None:
    for path, content in state.items():
        if content is None:
            (folder / path).mkdir()
        else:
            (folder / path).write_bytes(content)


def _some(file: File, rng: Random) -> bytes:
    """Each pending write is there, is not, or is torn, in any order that two writes to one place allow."""
    changes: list[tuple[int, bytes | None]] = []
    for offset, data in file.pending:
        fate = rng.choice(("there", "gone", "torn"))
        if fate == "there" or (data is None and fate == "torn"):
            changes.append((offset, data))
        elif fate == "torn" and data is not None:
            size = rng.choice(TORN)
            first = size - offset % size
            cuts = [0, *range(first, len(data), size), len(data)]
            changes += [(offset + start, data[start:end]) for start, end in pairwise(cuts) if rng.random() < 0.5]
    rng.shuffle(changes)
    return patched(file.synced, changes)


def _zeroed(file: File, _: Random) -> bytes:
    """The size has reached the disk, the data have not."""
    whole = patched(file.synced, file.pending)
    return file.synced[: len(whole)] + bytes(max(0, len(whole) - len(file.synced)))


def _coins(folder: Folder, rng: Random) -> list[bool]:
    return [rng.random() < 0.5 for _ in folder.pending]


def _first(folder: Folder, rng: Random) -> list[bool]:
    kept = rng.randint(0, len(folder.pending))
    return [number < kept for number in range(len(folder.pending))]


def _all(folder: Folder, _: Random) -> list[bool]:
    return [True] * len(folder.pending)


def _none(folder: Folder, _: Random) -> list[bool]:
    return [False] * len(folder.pending)


def _kept(file: File, _: Random) -> bytes:
    return patched(file.synced, file.pending)


def _lost(file: File, _: Random) -> bytes:
    return file.synced


FIXED = (
    Loss("nothing is lost", _kept, _all),
    Loss("all that was not synced is lost", _lost, _none),
    Loss("names without data", _lost, _all),
    Loss("names and sizes without data", _zeroed, _all),
    Loss("data without names", _kept, _none),
)
RANDOM = (
    Loss("some writes, some changes of folders", _some, _coins),
    Loss("some writes, the first changes of folders", _some, _first),
    Loss("some writes, all changes of folders", _some, _all),
    Loss("all writes, some changes of folders", _kept, _coins),
)
