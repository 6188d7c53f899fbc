"""From a fork of the warm Python to a candidate behind all walls."""

from __future__ import annotations

import _signal as signal  # as in zygote.py
import posix as os  # os itself takes longer to import than all else here
import resource
import sys

from . import landlock, seccomp
from .kernel import BIND, NEWIPC, NEWNS, NODEV, NOSUID, call, mount
from .runner import run

TYPE_CHECKING = False  # importing typing takes longer than all else that a fresh jail imports
if TYPE_CHECKING:
    from typing import Any, NoReturn

NICE = 5
"""Behind the supervisor and the warm Python where all want the processor."""
OPEN_FILES = 256


def become(order: dict[str, Any], fds: list[int], down: frozenset[str]) -> NoReturn:
    """Never returns: the candidate's end is the process's."""
    code = 125
    try:
        wall(order, fds, down)
        code = run(4)
    except BaseException as error:
        sys.stderr.write(f"the jail's child failed: {type(error).__name__}: {error}\n")
    finally:
        os._exit(code)


def wall(order: dict[str, Any], fds: list[int], down: frozenset[str]) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if "session" not in down:
        os.setsid()
    own = [(NEWNS, "scratch"), (NEWIPC, "ipc")]
    call("unshare", sum(flag for flag, name in own if name not in down))
    if "scratch" not in down:
        size = "" if "rlimits" in down else f"size={order['disk']},nr_inodes={order['files']},"
        mount("none", "/tmp", "tmpfs", NOSUID | NODEV, size + "mode=700")
        mount("/tmp", "/dev/shm", None, BIND)
    keep(fds, down)
    os.chdir("/tmp")
    os.nice(NICE)
    if "rlimits" not in down:
        limit(order)
    if "capabilities" not in down:
        call("capset", (0x20080522).to_bytes(4, "little") + bytes(4), bytes(24))
    if "landlock" not in down:
        landlock.restrict()
    if "seccomp" not in down:
        seccomp.install()


def keep(fds: list[int], down: frozenset[str]) -> None:
    """The given descriptors become 0, 1, 2 and on; no other stays open."""
    high = [os.dup2(fd, 100 + place) for place, fd in enumerate(fds)]
    for place, fd in enumerate(high):
        os.dup2(fd, place)
    if "descriptors" not in down:
        os.closerange(len(fds), OPEN_FILES)
    else:
        for fd in high:
            os.close(fd)


def limit(order: dict[str, Any]) -> None:
    """Hard limits, which nothing without privileges can raise."""
    for name, value in (
        (resource.RLIMIT_AS, order["memory"] + order["size"]),
        (resource.RLIMIT_NPROC, order["processes"] + 2),
        (resource.RLIMIT_FSIZE, order["disk"]),
        (resource.RLIMIT_CPU, int(order["cpu"]) + 1),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
    ):
        resource.setrlimit(name, (value, value))
