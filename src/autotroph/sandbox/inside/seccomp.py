"""The system calls that a candidate may not make, as a filter in the kernel's own language (BPF), written by hand.

libseccomp would do the same, but it is a library of the system that is not always there, and importing a binding to it
costs a fresh jail more than the sixty lines below. A forbidden call fails with EPERM, one that is newer than the list
with ENOSYS, and the calls of another architecture (i386, x32) kill.
"""

from __future__ import annotations

import errno

from .kernel import ARM, MACHINE, NEW, X86, call

LOAD, EQUAL, GREATER, SET, RETURN, AND = 0x20, 0x15, 0x25, 0x45, 0x06, 0x54
NUMBER, ARCH, FIRST, SECOND = 0, 4, 16, 24
"""Where the filter finds the call's number, its architecture and the low halves of two arguments."""
KILL, ERROR, ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
ARCHES = {X86: 0xC000003E, ARM: 0xC00000B7}

NEWEST = 450
FORBIDDEN = {
    X86: (
        101, 310, 311, 440, 438, 312,  # ptrace process_vm_readv process_vm_writev process_madvise pidfd_getfd kcmp
        425, 426, 427, 272, 308,  # io_uring_setup io_uring_enter io_uring_register unshare setns
        165, 166, 155, 428, 429, 430, 431, 432, 433, 442,  # mount umount2 pivot_root open_tree ... mount_setattr
        248, 249, 250, 321, 298, 323,  # add_key request_key keyctl bpf perf_event_open userfaultfd
        303, 304, 300, 154, 135,  # name_to_handle_at open_by_handle_at fanotify_init modify_ldt personality
    ),
    ARM: (
        117, 270, 271, 440, 438, 272, 425, 426, 427, 97, 268, 40, 39, 41, 428, 429, 430, 431, 432, 433, 442,
        217, 218, 219, 280, 241, 282, 264, 265, 262, 92,
    ),
}  # fmt: skip
CLONE, CLONE3, IOCTL, SOCKET, SOCKETPAIR = 0, 1, 2, 3, 4
LOOKED_AT = {X86: (56, 435, 16, 41, 53), ARM: (220, 435, 29, 198, 199)}
"""Calls whose arguments decide. clone3 keeps its own in memory, where no filter can read them: it is not there, and the
C library falls back to clone."""
TYPING = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX put characters into a terminal's input."""
FAMILIES = (2, 10)
"""inet and inet6, which a network namespace holds. Others lead out of it: vsock, and unix by a mounted path."""
CONNECTED = (1, 5)
"""The kinds of pairs of unix sockets that cannot be connected anew: stream and seqpacket."""

Rule = tuple[int, int, int, int]


def install() -> None:
    """For this process and whatever it becomes or starts; needs no_new_privs."""
    call("seccomp", 1, 0, HEADER)


def assembled(rules: list[Rule]) -> bytes:
    """As the kernel reads it: eight bytes an instruction."""
    return b"".join(
        op.to_bytes(2, "little") + bytes((yes, no)) + value.to_bytes(4, "little") for op, yes, no, value in rules
    )


def program() -> list[Rule]:
    """The filter's instructions: operation, steps to skip if it holds, steps if it does not, value."""
    denied = _fail(errno.EPERM)
    calls = LOOKED_AT[MACHINE]
    rules: list[Rule] = [
        (LOAD, 0, 0, ARCH), (EQUAL, 1, 0, ARCHES[MACHINE]), (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER), (GREATER, 0, 1, NEWEST), _fail(errno.ENOSYS),
        (EQUAL, 0, 1, calls[CLONE3]), _fail(errno.ENOSYS),
    ]  # fmt: skip
    for number in FORBIDDEN[MACHINE]:
        rules += [(EQUAL, 0, 1, number), denied]
    rules += _where(calls[CLONE], [(LOAD, 0, 0, FIRST), (SET, 0, 1, NEW), denied])
    typing = [(EQUAL, 0, 1, code) if step == 0 else denied for code in TYPING for step in (0, 1)]
    rules += _where(calls[IOCTL], [(LOAD, 0, 0, SECOND), *typing])
    rules += _where(calls[SOCKET], _only(FAMILIES, FIRST, 0xFFFFFFFF))
    rules += _where(calls[SOCKETPAIR], _only(CONNECTED, SECOND, 0xF))
    return [*rules, (RETURN, 0, 0, ALLOW)]


def _where(number: int, rules: list[Rule]) -> list[Rule]:
    """Rules for one call; behind them the number is what is looked at again."""
    rules = [*rules, (LOAD, 0, 0, NUMBER)]
    return [(EQUAL, 0, len(rules), number), *rules]


def _only(values: tuple[int, ...], argument: int, mask: int) -> list[Rule]:
    """Lets the call pass where the masked argument is one of the values."""
    known = [(EQUAL, len(values) - place, 0, value) for place, value in enumerate(values)]
    return [(LOAD, 0, 0, argument), (AND, 0, 0, mask), *known, _fail(errno.EAFNOSUPPORT)]


def _fail(code: int) -> Rule:
    return (RETURN, 0, 0, ERROR | code)


def _address(data: bytes) -> int:
    """Where the bytes themselves lie, for as long as the object lives."""
    return id(data) + bytes.__basicsize__ - 1


CODE = assembled(program())
"""Made once, in the warm Python: it is the same for every candidate."""
HEADER = (len(CODE) // 8).to_bytes(8, "little") + _address(CODE).to_bytes(8, "little")
