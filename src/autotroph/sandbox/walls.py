"""The walls of a jail, by name. Each stops an attack that no other one stops: tests/attack takes them down in turn."""

WALLS = {
    "network": "a network namespace without interfaces",
    "filesystem": "the system, Python and what was named are all that is mounted",
    "read_only": "what is mounted is read-only",
    "processes": "a process namespace for each candidate, which ends with it",
    "scratch": "/tmp and /dev/shm of each candidate's own, bounded, gone with it",
    "ipc": "System V and POSIX message queues, semaphores and memory of each candidate's own",
    "session": "a session of its own, without a terminal",
    "nobody": "not root outside, whatever started the jail",
    "capabilities": "no capability, not even in the jail",
    "seccomp": "no system call that leads around the other walls",
    "landlock": "no writing outside the private folders, to FIFOs neither",
    "rlimits": "limits of a process: memory, processes, files, processor time",
    "memory": "a control group limits the memory of all processes and files together",
    "output": "outputs are read up to a limit",
    "deadline": "the end of all processes after so many seconds",
    "environment": "no environment variable of the caller",
    "descriptors": "no open descriptor but the candidate's own",
}
