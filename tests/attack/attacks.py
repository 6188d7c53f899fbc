"""Programs that try to get out, to spy or to exhaust. Each prints THROUGH where it succeeded, or is seen.

`%(name)s` are filled with the scene's facts. `after`: what a second candidate in the same jail looks for. `wall`: the
one wall without which the attack gets through; None where several would have to be down. `seconds`: its deadline.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Attack:
    name: str
    program: str
    wall: str | None = None
    after: str | None = None
    seconds: float = 0.6


SYSCALL = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def call(*args):
    return libc.syscall(*(ctypes.c_long(a) if isinstance(a, int) else a for a in args))
"""

MACHINE_CODE = """
import ctypes, mmap
def machine(code):
    page = mmap.mmap(-1, 4096, prot=7)
    page.write(code)
    return ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
"""

SECRETS = [
    Attack("environment", "import os; print(os.environ)", "environment"),
    Attack(
        "environ of the supervisor",
        "for p in ('%(supervisor)s', 'self', '1', '2'):\n"
        "    try: print(open(f'/proc/{p}/environ').read())\n"
        "    except OSError: pass",
    ),
    Attack(
        "inherited descriptor",
        "import os\n"
        "for fd in range(3, 1024):\n"
        "    try: print(os.pread(fd, 100, 0))\n"
        "    except OSError: pass",
        "descriptors",
    ),
    Attack(
        "descriptors through /proc",
        "import glob\n"
        "for path in glob.glob('/proc/*/fd/*') + glob.glob('/proc/*/task/*/fd/*'):\n"
        "    try: print(open(path, 'rb').read(100))\n"
        "    except OSError: pass",
    ),
    Attack(
        "memory of others",
        "import glob\n"
        "for path in [*glob.glob('/proc/*/mem'), '/dev/mem', '/dev/kmem', '/proc/kcore']:\n"
        "    try: open(path, 'r+b').close(); print('THROUGH', path)\n"
        "    except OSError: pass",
    ),
    Attack(
        "key in a home",
        "import os\n"
        "for top in ('', '/host', '/proc/1/root', '/..'):\n"
        "    try: print(open(top + '%(host_home)s/key').read())\n"
        "    except OSError: pass",
        "filesystem",
    ),
    Attack("file for root alone", "print(open('/packages/0/private').read())", "nobody"),
    Attack(
        "users, keys and history",
        "import glob\n"
        "for path in ['/etc/shadow', '/etc/passwd', *glob.glob('/home/*/.ssh/*'), *glob.glob('/root/.ssh/*'),\n"
        "             *glob.glob('/root/.netrc'), *glob.glob('/**/.git/HEAD')]:\n"
        "    try: open(path).read(); print('THROUGH', path)\n"
        "    except OSError: pass",
    ),
    Attack(
        "links out of the folder",
        "import os\n"
        "os.symlink('%(host_home)s/key', '/tmp/link')\n"
        "for path in ('/tmp/link', '/tmp/../..%(host_home)s/key'):\n"
        "    try: print(open(path).read())\n"
        "    except OSError: pass\n"
        "try: os.link('/packages/0/private', '/tmp/hard'); print(open('/tmp/hard').read())\n"
        "except OSError: pass",
    ),
    Attack(
        "what is left in memory",
        "SENTINEL = 'a long sentinel-of-the-first candidate'",
        None,
        "import gc\n"
        "want = ''.join(['sentinel', '-of-the-', 'first'])\n"
        "for each in gc.get_objects():\n"
        "    try:\n"
        "        if want in repr(each) and each is not globals() and 'want' not in repr(each): print('THROUGH')\n"
        "    except BaseException: pass",
    ),
]  # fmt: skip

ESCAPES = [
    Attack("TCP to loopback", "import socket; socket.create_connection(('127.0.0.1', %(tcp)s), 1).send(b'x')", "network"),
    Attack("UDP", "import socket; socket.socket(2, 2).sendto(b'x', ('127.0.0.1', %(udp)s))", "network"),
    Attack(
        "abstract unix socket",
        "import socket, ctypes\ns = socket.socket(1, 1); s.connect(%(abstract)r)",
    ),
    Attack("path unix socket", "import socket; socket.socket(1, 1).connect('/packages/0/stream')", "seccomp"),
    Attack(
        "datagram through a pair",
        "import socket\na, b = socket.socketpair(1, 2)\na.sendto(b'x', '/packages/0/datagram')",
        "seccomp",
    ),
    Attack("vsock", "import socket; socket.socket(40, 1); print('THROUGH')", "seccomp"),
    Attack("DNS", "import socket; socket.getaddrinfo('example.org', 80); print('THROUGH')"),
    Attack("FIFO in a read-only folder", "open('/packages/0/fifo', 'wb', 0).write(b'x')", "landlock"),
    Attack("modes of what is mounted", "import os; os.chmod('/packages/0/own', 0o777)", "read_only"),
    Attack("planted module", "open('/packages/0/writable/json.py', 'w').write('evil')"),
    Attack(
        "writing to the system",
        "import os, sys\n"
        "for path in ('/usr/x', '/jail/inside/runner.py', '/etc/x', '/x', '/dev/x', sys.prefix + '/lib/x.pth', '/proc/x'):\n"
        "    try: open(path, 'w'); print('THROUGH', path)\n"
        "    except OSError: pass",
    ),
    Attack(
        "signals",
        "import os\n"
        "for pid in (%(decoy)s, %(supervisor)s, -1):\n"
        "    try: os.kill(pid, 9 if pid == %(decoy)s else 0)\n"
        "    except OSError: pass",
    ),
    Attack(
        "survivor",
        "import os, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0:\n"
        "        for n in range(3): os.closerange(0, 64)\n"
        "        time.sleep(3)\n"
        "    os._exit(0)\n"
        "time.sleep(.05)",
        "processes",
        "import os\n"
        "seen = []\n"
        "for pid in range(2, 300):\n"
        "    try: os.kill(pid, 0); seen.append(pid)\n"
        "    except ProcessLookupError: pass\n"
        "    except PermissionError: pass\n"
        "import time\n"
        "if len([p for p in seen if p != os.getpid() and p != os.getppid()]) > 0: print('THROUGH', seen)",
    ),
    Attack(
        "terminal",
        "import os; os.write(os.open('/dev/tty', os.O_RDWR), b'THROUGH the terminal'); print('THROUGH')",
        "session",
    ),
    Attack(
        "typing into a terminal",
        "import fcntl, os, pty, errno\n"
        "master, slave = pty.openpty()\n"
        "for code in (0x5412, 0x541c):\n"
        "    try: fcntl.ioctl(slave, code, b'x'); print('THROUGH')\n"
        "    except OSError as error:\n"
        "        if error.errno != errno.EPERM: print('THROUGH the filter', error)",
        "seccomp",
    ),
    Attack(
        "nested namespaces",
        SYSCALL + "if call(272, 0x10000000) == 0: print('THROUGH')",
        "seccomp",
    ),
    Attack(
        "nested namespaces by clone",
        SYSCALL + "pid = call(56, 0x10000000 | 17, 0, 0, 0, 0)\n"
        "if pid == 0: os._exit(0)\n"
        "if pid > 0: print('THROUGH')",
        "seccomp",
    ),
    Attack("clone3", SYSCALL + "if call(435, 0, 0) and ctypes.get_errno() != 38: print('THROUGH')", "seccomp"),
    Attack(
        "a disk of one's own",
        SYSCALL + "call(272, 0x10020000)\n"
        "if libc.mount(b'x', b'/tmp', b'tmpfs', 0, b'size=900m') == 0: print('THROUGH')",
    ),
    Attack(
        "ptrace",
        SYSCALL + "pid = os.fork()\n"
        "if pid == 0: os._exit(0 if call(101, 0, 0, 0, 0) == 0 else 1)\n"
        "if os.waitpid(pid, 0)[1] == 0: print('THROUGH')",
        "seccomp",
    ),
    Attack("ptrace of the host", SYSCALL + "if call(101, 16, %(decoy)s, 0, 0) == 0: print('THROUGH')"),
    Attack(
        "memory of another process",
        SYSCALL + "if call(310, os.getpid(), 0, 0, 0, 0, 0) >= 0: print('THROUGH')",
        "seccomp",
    ),
    Attack(
        "io_uring",
        SYSCALL + "page = ctypes.create_string_buffer(256)\nif call(425, 4, page) >= 0: print('THROUGH')",
        "seccomp",
    ),
    Attack("userfaultfd", SYSCALL + "if call(323, 1) >= 0: print('THROUGH')", "seccomp"),
    Attack(
        "bpf",
        SYSCALL + "call(321, 0, 0, 0)\nif ctypes.get_errno() != 1: print('THROUGH')",
    ),
    Attack(
        "key ring",
        SYSCALL + "call(248, b'user', b'mark', b'left', 4, -4)",
        "seccomp",
        SYSCALL + "if call(249, b'user', b'mark', 0, 0) > 0 or call(250, 10, -4, b'user', b'mark', 0) > 0: print('THROUGH')",
    ),
    Attack(
        "i386 calls",
        MACHINE_CODE + "got = machine(bytes.fromhex('b814000000cd80c3'))\n"  # mov eax, 20 (getpid); int 0x80; ret
        "print('THROUGH' if got > 0 else '')",
        "seccomp",
    ),
    Attack("x32 calls", SYSCALL + "if call(0x40000000 + 39) > 0: print('THROUGH')"),
    Attack(
        "program in memory",
        "import os, socket\n"
        "fd = os.memfd_create('x')\n"
        "os.write(fd, b'#!/bin/sh\\nif [ $(id -u) = 0 ] || ls %(host_home)s; then echo THROUGH; fi')\n"
        "os.execve(f'/proc/self/fd/{fd}', ['x'], {})",
    ),
    Attack(
        "program in memory by its descriptor",
        "import os\n"
        "fd = os.memfd_create('x')\n"
        "os.write(fd, open('/usr/bin/cat', 'rb').read())\n"
        "os.execve(fd, ['cat', '%(host_home)s/key', '/packages/0/private'], {})",
    ),
    Attack(
        "through the classes",
        "found = [c for c in ().__class__.__base__.__subclasses__() if c.__name__ == '_wrap_close']\n"
        "for c in found: print(c.__init__.__globals__['popen']('cat %(host_home)s/key /packages/0/private').read())",
    ),
    Attack(
        "host name",
        "import ctypes; ctypes.CDLL(None).sethostname(b'marked', 6)",
        "capabilities",
        "import os\nif os.uname().nodename == 'marked': print('THROUGH')",
    ),
    Attack(
        "file left behind",
        "import os\n"
        "for folder in ('/tmp', '/dev/shm', '/var/tmp'):\n"
        "    try: open(folder + '/mark', 'w').write('x')\n"
        "    except OSError: pass",
        "scratch",
        "import os\nif any(map(os.path.exists, ('/tmp/mark', '/dev/shm/mark', '/var/tmp/mark'))): print('THROUGH')",
    ),
    Attack(
        "shared memory left behind",
        "import ctypes; ctypes.CDLL(None).shmget(0x5151, 4096, 0o1666)",
        "ipc",
        "import ctypes\nif ctypes.CDLL(None).shmget(0x5151, 0, 0) >= 0: print('THROUGH')",
    ),
    Attack("setuid program", "import subprocess; print(subprocess.run(['su', '-c', 'echo THROUGH'], stdin=-3, capture_output=True).stdout)"),
]  # fmt: skip

EXHAUSTION = [
    Attack(
        "processes",
        "import os, time\n"
        "n = 0\n"
        "try:\n"
        "    while n < 150:\n"
        "        if os.fork() == 0: time.sleep(1); os._exit(0)\n"
        "        n += 1\n"
        "except OSError: pass\n"
        "if n > 100: print('THROUGH', n)",
        "rlimits",
        seconds=4,
    ),
    Attack(
        "processes that hide",
        "import os, time\n"
        "for n in range(150):\n"
        "    try:\n"
        "        if os.fork() == 0:\n"
        "            os.setsid()\n"
        "            if os.fork() == 0: time.sleep(30)\n"
        "            os._exit(0)\n"
        "    except OSError: break\n"
        "if n > 100: print('THROUGH', n)",
    ),
    Attack(
        "threads",
        "import threading, time\n"
        "n = 0\n"
        "try:\n"
        "    for n in range(150): threading.Thread(target=time.sleep, args=(1,), daemon=True).start()\n"
        "except RuntimeError: pass\n"
        "if n > 100: print('THROUGH', n, flush=True)\n"
        "import os; os._exit(0)",
        "rlimits",
        seconds=4,
    ),
    Attack("heap", "x = bytearray(600 << 20); print('THROUGH')"),
    Attack("anonymous map", "import mmap; m = mmap.mmap(-1, 600 << 20); m[::4096] = b'x' * (600 << 8); print('THROUGH')"),
    Attack(
        "memory of many",
        "import os, time\n"
        "r, w = os.pipe(); os.set_blocking(r, False)\n"
        "for n in range(5):\n"
        "    if os.fork() == 0:\n"
        "        x = bytearray(60 << 20); x[::4096] = b'x' * (60 << 8); os.write(w, b'x'); time.sleep(20); os._exit(0)\n"
        "got = 0\n"
        "while got < 5 and os.waitpid(-1, os.WNOHANG)[0] == 0:\n"
        "    try: got += len(os.read(r, 5))\n"
        "    except BlockingIOError: time.sleep(.01)\n"
        "time.sleep(.1)\n"
        "if got == 5 and os.waitpid(-1, os.WNOHANG)[0] == 0: print('THROUGH')",
        "memory",
        seconds=12,
    ),
    Attack(
        "disk",
        "n = 0\n"
        "try:\n"
        "    for n in range(64): open(f'/tmp/{n}', 'wb').write(bytes(1 << 20))\n"
        "    print('THROUGH')\n"
        "except OSError: pass",
        "rlimits",
    ),
    Attack(
        "shared memory files",
        "try:\n"
        "    for n in range(64): open(f'/dev/shm/{n}', 'wb').write(bytes(1 << 20))\n"
        "    print('THROUGH')\n"
        "except OSError: pass",
        "rlimits",
    ),
    Attack(
        "file in memory",
        "import os\n"
        "fd = os.memfd_create('x')\n"
        "try:\n"
        "    for n in range(64): os.write(fd, bytes(1 << 20))\n"
        "    if os.fstat(fd).st_size == 64 << 20: print('THROUGH')\n"
        "except OSError: pass",
        "rlimits",
    ),
    Attack(
        "inodes",
        "try:\n"
        "    for n in range(5000): open(f'/tmp/{n}', 'w').close()\n"
        "    print('THROUGH')\n"
        "except OSError: pass",
        "rlimits",
    ),
    Attack("sparse file", "open('/tmp/x', 'wb').truncate(1 << 34); print('THROUGH')", "rlimits"),
    Attack(
        "own limit",
        "import resource\n"
        "for name in (resource.RLIMIT_AS, resource.RLIMIT_NPROC, resource.RLIMIT_FSIZE, resource.RLIMIT_CPU):\n"
        "    try: resource.setrlimit(name, (-1, -1)); print('THROUGH')\n"
        "    except (ValueError, OSError): pass",
    ),
    Attack(
        "itself again",
        "import os, sys\n"
        "for n in range(40):\n"
        "    try: pid = os.fork()\n"
        "    except OSError: break\n"
        "    if pid == 0: continue\n"
        "    break\n"
        "import time; time.sleep(30); print('THROUGH')",
    ),
    Attack("time", "import time; time.sleep(30); print('THROUGH')"),
    Attack(
        "signals ignored",
        "import signal\n"
        "for s in range(1, 65):\n"
        "    try: signal.signal(s, signal.SIG_IGN)\n"
        "    except (OSError, ValueError): pass\n"
        "while True: pass",
    ),
    Attack("loop in C", "sum(iter(int, 1))"),
    Attack("regular expression", "import re; re.match('(a+)+$', 'a' * 64 + 'b')"),
    Attack("huge power", "x = 9 ** 9 ** 9"),
]  # fmt: skip

FLOODS = [
    Attack("a line without end", "import sys\nfor n in range(15): sys.stdout.write('x' * (1 << 20))", "output"),
    Attack("standard error", "import sys\nfor n in range(15): sys.stderr.write('x' * (1 << 20))", "output"),
    Attack("odd bytes", "import os\nos.write(1, bytes(range(256)) * 100 + b'\\x1b[2J\\x1b]0;title\\x07\\xff\\xfe')"),
    Attack("answers without end", "import os\nfor n in range(15): os.write(3, b'N' * (1 << 20))"),
    Attack("answers nested", "import os\nos.write(3, b'l1:' * 300000)"),
    Attack("answers of a false length", "import os\nos.write(3, b's999999999:x' + b'l99999999:N' + b'i' + b'f' * 500000 + b';')"),
    Attack("a pickle", "import os, pickle\nos.write(3, pickle.dumps(os.system))"),
]  # fmt: skip

DEADLINE = Attack("sleep", "import time; time.sleep(1.5); print('THROUGH')", "deadline")

ALL = [*SECRETS, *ESCAPES, *EXHAUSTION]
