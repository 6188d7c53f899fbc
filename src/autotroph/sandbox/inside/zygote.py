"""The warm Python inside the jail: forks a child for every candidate, waits for it, and says how it ended.

It never reads what a candidate is given or gives: those are descriptors that pass through it to the child, so nothing
of one candidate is in the memory that the next one begins with. The child is the first process of a process namespace
of its own: when it ends or is killed, the kernel ends whatever it started, however it hid.
"""

from __future__ import annotations

import _signal as signal  # signal imports enum, which takes longer than all else here
import gc
import marshal
import posix as os  # os itself takes longer to import than all else here
import resource
import select
import sys
from _socket import CMSG_SPACE, SCM_RIGHTS, SOL_SOCKET, socket

from .child import become
from .kernel import DEATH_SIGNAL, DUMPABLE, NEWNS, NEWPID, NEWUSER, NEWUTS, NO_NEW_PRIVILEGES, call, mount
from .runner import rehearse

TYPE_CHECKING = False  # importing typing takes longer than all else that a fresh jail imports
if TYPE_CHECKING:
    from typing import Any

NOBODY = 65534
MESSAGE = 4096


def main(fd: int) -> None:
    """Serves candidates until the supervisor's end of this socket is closed.

    The first message says which walls are down, which modules to import, and where else to look for them; it comes
    when the supervisor has put this process into a control group.
    """
    control = socket(fileno=fd)
    message, _ = receive(control)
    if not message:
        return
    settings = marshal.loads(message)
    down = frozenset(settings["down"])
    if "session" not in down:
        os.setsid()
    proc = os.open("/proc", os.O_PATH | os.O_DIRECTORY)
    lower(down)
    sys.path += settings["path"]
    for name in settings["imports"]:
        __import__(name)
    if settings["imports"]:  # a jail for one candidate would gain nothing
        rehearse()
    size = room(proc)
    os.close(proc)
    serve(control, down, size)


def room(proc: int) -> int:
    """Bytes of address space that this process takes up."""
    statm = os.open("self/statm", os.O_RDONLY, dir_fd=proc)
    pages = int(os.read(statm, 64).split()[0])
    os.close(statm)
    return pages * resource.getpagesize()


def lower(down: frozenset[str]) -> None:
    """Leaves root for nobody, and becomes the first process of namespaces in which it may make others."""
    call("prctl", NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    own = os.getuid()
    if own == 0 and "nobody" not in down:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        call("prctl", DUMPABLE, 1, 0, 0, 0)  # else its own /proc files stay root's
    user, group = os.getuid(), os.getgid()
    call("unshare", NEWUSER | NEWNS | NEWPID | NEWUTS)
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    mount("none", "/proc", "tmpfs", 0, "size=0,mode=555")
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        os._exit(0)
    call("prctl", DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)


def serve(control: socket, down: frozenset[str], size: int) -> None:
    here = os.pidfd_open(os.getpid())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()
    control.send(b"ready")
    while True:
        message, fds = receive(control)
        if not message:
            return
        order = marshal.loads(message)
        if "processes" not in down:
            call("unshare", NEWPID)
        child = os.fork()
        if child == 0:
            become({**order, "size": size}, fds, down)
        for each in fds:
            os.close(each)
        if "processes" not in down:
            call("setns", here, NEWPID)
        report = attend(child, control, order["wall"] if "deadline" not in down else 1e6)
        control.send(marshal.dumps(report))


def receive(control: socket) -> tuple[bytes, list[int]]:
    """A message and the descriptors that came with it; nothing when the supervisor has gone."""
    message, ancillary, _, _ = control.recvmsg(MESSAGE, CMSG_SPACE(64))
    fds: list[int] = []
    for level, kind, data in ancillary:
        if level == SOL_SOCKET and kind == SCM_RIGHTS:
            fds += memoryview(data[: len(data) - len(data) % 4]).cast("i").tolist()
    return message, fds


def attend(child: int, control: socket, seconds: float) -> dict[str, Any]:
    """Waits until the child ends, its time is up or the supervisor goes; then nothing of it is left."""
    handle = os.pidfd_open(child)
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    poll.register(control, select.POLLIN)
    ready = poll.poll(seconds * 1000)
    os.close(handle)
    if not any(fd == handle for fd, _ in ready):
        os.kill(child, signal.SIGKILL)
    _, status, usage = os.wait4(child, 0)
    return {
        "late": not ready,
        "code": os.waitstatus_to_exitcode(status),
        "cpu": usage.ru_utime + usage.ru_stime,
        "memory": usage.ru_maxrss * 1024,
    }
