"""Folders of the user's own, judged by a command in a real jail."""

from __future__ import annotations

from pathlib import Path

import pytest

from autotroph.core.errors import AutotrophError
from autotroph.sandbox.directory import Directory
from autotroph.sandbox.jail import Jail
from autotroph.tasks.programs.command import Command, of_folder


def files(**texts: str) -> Directory:
    return Directory({f"{name}.py": text.encode() for name, text in texts.items()})


def value(jail: Jail, command: Command) -> tuple[float | None, str]:
    (task,) = command.generate(1, 1, 0)
    answer, fault = command.ask(jail, command.files, task)
    return (None, fault) if fault else command.judged(task, answer)


@pytest.mark.parametrize(
    ("printed", "found"),
    [("print('so'); print(0.25)", 0.25), ("print('{\"score\": -3}')", -3.0), ("print(1e300)", 1e300)],
)
def test_the_last_line_is_the_score(jail: Jail, printed: str, found: float) -> None:
    assert value(jail, Command("python3 eval.py", files(eval=printed))) == (found, "")


@pytest.mark.parametrize(
    ("printed", "why"),
    [
        ("print('it went well')", "form"),
        ("print('nan')", "form"),
        ("print('NaN')", "not finite"),
        ("print('true')", "a number"),
        ('print(\'{"score": "1"}\')', "a number"),
        ("pass", "printed nothing"),
        ("print(1); raise SystemExit(3)", "exit code 3"),
        ("print(1); 1 / 0", "ZeroDivisionError"),
        ("while True: pass", "timeout"),
    ],
)
def test_no_score(jail: Jail, printed: str, why: str) -> None:
    command = Command("python3 eval.py", files(eval=printed))
    command.limits = type(command.limits)(wall=1.0, cpu=1.0)
    found, said = value(jail, command)
    assert found is None
    assert why in said


def test_an_evaluator_apart_is_out_of_reach(jail: Jail) -> None:
    """The candidate prints what it would like to have; only what it computes counts."""
    judge = files(judge="import sys\nsaid = sys.stdin.read().split()\nprint(len(set(said)))")
    cheat = files(main="open('judge.py', 'w').write('print(1000)')\nprint('1000 1000 1000')", judge="print(1000)")
    command = Command("python3 judge.py", cheat, "python3 main.py", judge)
    assert value(jail, command) == (1.0, "")
    assert command.named() == ()


def test_a_seed_in_the_command_makes_tasks(jail: Jail) -> None:
    command = Command("python3 eval.py {seed}", files(eval="import sys\nprint(int(sys.argv[1]))"))
    assert not command.exact
    tasks = command.generate(1, 20, 5)
    sealed = command.generate(1, 20, 5, "sealed")
    assert len(tasks) == len(sealed) == 20
    assert not {task.key for task in tasks} & {task.key for task in sealed}
    answer, _ = command.ask(jail, command.files, tasks[3])
    assert command.judged(tasks[3], answer)[0] == tasks[3].meta["seed"]


def test_scores_keep_the_order_of_values() -> None:
    command = Command("python3 eval.py", files(eval=""))
    (task,) = command.generate(1, 1, 0)
    scores = [command.score(task, one) for one in (-1e9, -2.0, 0.0, 0.1, 0.1001, 5e6)]
    assert scores == sorted(set(scores))
    assert command.score(task, 0.0) == 0.5
    assert command.named() == ("eval.py",)


def test_what_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AutotrophError, match="no folder"):
        of_folder(tmp_path / "nowhere", "true", None, None)
    with pytest.raises(AutotrophError, match="go together"):
        Command("true", files(a=""), run="python3 a.py")
    with pytest.raises(AutotrophError, match="empty command"):
        Command(" ", files(a=""))
