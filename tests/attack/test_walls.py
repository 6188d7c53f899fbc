"""Every attack against all walls, and every wall taken down in turn: then an attack gets through that it alone stops.

The quick part: each attack on one path, each path in turn. `bench/jail.py` runs each on every path.
"""

from __future__ import annotations

import os
import pty
import sys

import pytest
from attacks import ALL, DEADLINE, FLOODS, Attack
from paths import PATHS, attempt
from scene import Scene

from autotroph.sandbox import cgroup, walls

EVERY = [*ALL, *FLOODS, DEADLINE]
TERMINAL = next(attack for attack in ALL if attack.name == "terminal")


def works(wall: str) -> bool:
    """Whether this system and user have the wall at all."""
    return not (wall == "memory" and cgroup.home() is None) and not (wall == "nobody" and os.getuid() != 0)


@pytest.mark.parametrize(("number", "attack"), list(enumerate(EVERY)), ids=[attack.name for attack in EVERY])
def test_the_walls_hold(number: int, attack: Attack, scene: Scene) -> None:
    if attack.wall is not None and not works(attack.wall):
        pytest.skip(f"no wall '{attack.wall}' here")
    assert attempt(attack, list(PATHS)[number % 3], scene) == []


@pytest.mark.parametrize("wall", [name for name in walls.WALLS if name != "session"])
def test_without_this_wall_an_attack_gets_through(wall: str, scene: Scene) -> None:
    if not works(wall):
        pytest.skip(f"no wall '{wall}' here")
    attack = next(attack for attack in EVERY if attack.wall == wall)
    assert attempt(attack, "warm", scene, frozenset([wall]))


@pytest.mark.parametrize("down", [(), ("session",)])
def test_a_terminal_is_reached_only_without_a_session_of_its_own(down: tuple[str, ...]) -> None:
    """The jail is started by a process that has a terminal."""
    child, master = pty.fork()
    if child == 0:
        code = (
            "import sys; from autotroph.sandbox import Jail; Jail(1, (), (), frozenset(sys.argv[2:])).run(sys.argv[1])"
        )
        os.execv(sys.executable, [sys.executable, "-c", code, TERMINAL.program, *down])
    said = b""
    while True:
        try:
            more = os.read(master, 1000)
        except OSError:  # the terminal's other side is closed
            break
        if not more:
            break
        said += more
    os.waitpid(child, 0)
    os.close(master)
    assert said.decode() == ("THROUGH the terminal" if down else "")
