"""Calls of the Linux kernel that Python 3.11 has no name for.

Through `_ctypes` itself: importing `ctypes` takes longer than all that a fresh jail does with it.
"""

from __future__ import annotations

import posix as os  # os itself takes longer to import than all else here
from _ctypes import CFuncPtr, _SimpleCData, dlopen, dlsym, get_errno

NEWNS, NEWUTS, NEWIPC, NEWUSER, NEWPID = 0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000
NEW = 0x7E020000
"""All flags that make a namespace."""
READONLY, NOSUID, NODEV, BIND = 1, 2, 4, 4096
NO_NEW_PRIVILEGES, DEATH_SIGNAL, DUMPABLE = 38, 1, 4

X86, ARM = "x86_64", "aarch64"
MACHINE = os.uname().machine
CALLS: dict[str, dict[str, int]] = {
    X86: {"mount": 165, "unshare": 272, "setns": 308, "capset": 126, "prctl": 157, "seccomp": 317},
    ARM: {"mount": 40, "unshare": 97, "setns": 268, "capset": 91, "prctl": 167, "seccomp": 277},
}
EVERYWHERE = {"landlock_create_ruleset": 444, "landlock_add_rule": 445, "landlock_restrict_self": 446}


class _Long(_SimpleCData):  # type: ignore[type-arg]
    _type_ = "l"


class _Function(CFuncPtr):
    _flags_ = 1 | 8  # the C calling convention, and errno is kept
    _restype_ = _Long


_syscall = _Function(dlsym(dlopen("libc.so.6", 2), "syscall"))


def call(name: str, *args: int | bytes | None) -> int:
    """What the kernel returns. Raises OSError, with the call's name."""
    number = EVERYWHERE.get(name) or CALLS[MACHINE][name]
    result: int = _syscall(number, *args)
    if result < 0:
        raise OSError(get_errno(), f"{name}: {os.strerror(get_errno())}")
    return result


def mount(source: str, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    texts = [None if text is None else text.encode() for text in (kind, options)]
    call("mount", source.encode(), target.encode(), texts[0], flags, texts[1])
