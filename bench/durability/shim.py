"""The C shim: built, loaded before libc, armed, and its log read."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

KINDS = ("create", "empty", "write", "resize", "sync", "rename", "unlink", "mkdir", "rmdir", "failed", "mark")
UNCOUNTED = ("failed", "mark")
SYNC = KINDS.index("sync") + 1
HEADER = struct.Struct("=IIIIQqQ")
FLAG = "AUTOTROPH_DURABILITY_SHIM"


class Mode(IntEnum):
    """What happens at the n-th call that changes a file; the numbers are those of `enum mode` in shim.c."""

    WATCH = 0
    KILL_BEFORE = 1
    KILL_WITHIN = 2
    KILL_AFTER = 3
    FAIL_ONCE = 4
    FAIL_ON = 5


@dataclass(frozen=True, slots=True)
class Call:
    """A call that has changed a file; `path` is relative to the watched folder.

    A "failed" one was made to fail, and its offset is the number of its kind; a mark has its text as path.
    """

    kind: str
    path: str
    other: str = ""
    inode: int = 0
    offset: int = 0
    data: bytes = b""

    @property
    def role(self) -> str:
        """The path without what differs from run to run: hashes, random names, process numbers."""
        plain = re.sub(r"\.\d+\.part$", ".*.part", self.path)
        return re.sub(r"/(\.new-[^/]*|[0-9a-f]{16,64})(?=/|$)", "/*", plain)


@dataclass(frozen=True)
class Trap:
    """What the shim does: watch a folder, write to the log, and at the n-th call like `call` do what the mode says."""

    folder: Path
    log: Path
    mode: Mode = Mode.WATCH
    call: Call | None = None
    n: int = 1
    code: int = 0
    """The errno of what fails."""

    def arm(self) -> None:
        kind = KINDS.index(self.call.kind) + 1 if self.call else 0
        files = self.folder / self.call.role if self.call else ""
        folder, log, pattern = (str(path).encode() for path in (self.folder, self.log, files))
        ctypes.CDLL(None).shim_arm(folder, log, int(self.mode), kind, pattern, ctypes.c_long(self.n), self.code)


def kill_after(seconds: float) -> None:
    """SIGKILL for this process once it has computed for so long, however busy the machine is."""
    ctypes.CDLL(None).shim_kill_after(ctypes.c_double(seconds))


def mark(text: str) -> None:
    """A line of one's own in the log."""
    ctypes.CDLL(None).shim_mark(text.encode())


def compiler() -> str | None:
    return shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


def preload() -> None:
    """Become this same program once more, with the shim before libc and one thread. Raises SystemExit without cc."""
    if FLAG in os.environ:
        return
    cc = compiler()
    if cc is None:
        raise SystemExit("durability: no C compiler; install cc, gcc or clang")
    library = Path(tempfile.mkdtemp(prefix="durability-")) / "shim.so"
    source = Path(__file__).with_name("shim.c")
    subprocess.run([cc, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl", "-lrt", "-pthread"], check=True)
    alone = {"LD_PRELOAD": str(library), FLAG: str(library), "OMP_NUM_THREADS": "1"}
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], os.environ | alone)


def read(log: Path, folder: Path) -> list[Call]:
    """All calls of a log, in order."""
    raw, calls, at = log.read_bytes(), [], 0

    def text(size: int) -> str:
        nonlocal at
        at += size
        return raw[at - size : at].decode()

    while at < len(raw):
        kind, path, other, _, inode, offset, size = HEADER.unpack_from(raw, at)
        at += HEADER.size
        name, second = text(path), text(other)
        at += size
        if kind != len(KINDS):
            name, second = (os.path.relpath(one, folder) if one else "" for one in (name, second))
        calls.append(Call(KINDS[kind - 1], name, second, inode, offset, raw[at - size : at]))
    return calls
