"""Landlock: writing is for the private folders alone, even to what a read-only mount lets through.

A read-only mount protects files and folders; a FIFO inside it can still be opened for writing, and its reader is on the
other side. Where the kernel has no Landlock this wall is missing; nothing says so inside.
"""

from __future__ import annotations

import posix as os  # os itself takes longer to import than all else here

from .kernel import call

WRITE = 1 << 1
CHANGES = 0x7FF0
"""remove, make and truncate in all their kinds, and refer: renaming between folders (bits 4 to 14)."""
DIRECTORY = 0o040000
WRITABLE = ("/tmp", "/dev/shm", "/dev/null", "/dev/zero", "/dev/full", "/dev/tty", "/dev/ptmx", "/dev/pts")
VERSION, PATH_BENEATH = 1, 1


def version() -> int:
    """0 where the kernel has none."""
    try:
        return call("landlock_create_ruleset", None, 0, VERSION)
    except OSError:
        return 0


def restrict() -> None:
    """For this process and what it starts; needs no_new_privs. Does nothing where there is no Landlock."""
    known = version()
    if not known:
        return
    handled = WRITE | (CHANGES & ((1 << (13 if known < 2 else 14 if known < 3 else 15)) - 1))
    ruleset = call("landlock_create_ruleset", handled.to_bytes(8, "little"), 8, 0)
    for path in WRITABLE:
        folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
        allowed = handled if os.fstat(folder).st_mode & DIRECTORY else handled & (WRITE | 1 << 14)
        rule = allowed.to_bytes(8, "little") + folder.to_bytes(4, "little")
        call("landlock_add_rule", ruleset, PATH_BENEATH, rule, 0)
        os.close(folder)
    call("landlock_restrict_self", ruleset, 0)
    os.close(ruleset)
