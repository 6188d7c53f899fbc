"""`--track` and `autotroph track` on a real run."""

import json
from pathlib import Path

import pytest
from test_command_line import TINY

from autotroph.cli.main import invoke

SINKS = """
import ctypes

class Dies:
    def __init__(self, folder): ...
    def begin(self, run, config, step):
        ctypes.string_at(0)
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sinks.py").write_text(SINKS)
    monkeypatch.chdir(tmp_path)


def test_a_run_ends_well_beside_a_tracker_that_does_not(capfd: pytest.CaptureFixture[str]) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    arguments = [*TINY, "--out", "r", "--track", "tensorboard,sinks:Dies", "--json"]
    assert invoke(["run", "length_generalisation", *arguments]) == 0
    said = capfd.readouterr()
    told = json.loads(said.out.strip().splitlines()[-1])
    (line,) = (line for line in said.err.splitlines() if line.startswith("tracker"))
    assert "sinks:Dies: 0 of 2 steps delivered: it was ended by signal 11" in line
    events = EventAccumulator("r/track/tensorboard").Reload()
    assert [event.value for event in events.Scalars("cycle/generated")] == [told["decisions"][0]["generated"]]
    assert events.Scalars("spent/tokens")[-1].value == told["tokens"]

    assert invoke(["track", "r", "--to", "tensorboard"]) == 0
    assert capfd.readouterr().out == "tracker tensorboard: 2 of 2 steps delivered\n"
    assert invoke(["track", "r", "--to", "sinks:Dies"]) == 1
    assert "0 of 2 steps delivered: it was ended by signal 11" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "length_generalisation", "--track", "tensorbord"], "did you mean 'tensorboard'"),
        (["resume", "nowhere", "--track", "what"], "unknown tracker 'what'"),
        (["track", "nowhere", "--to", "tensorboard"], "no run in nowhere"),
        (["track", "nowhere"], "--to"),
    ],
)
def test_mistakes_are_one_line_and_write_nothing(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke(arguments) == 2
    error = capsys.readouterr().err.strip()
    assert words in error
    assert "\n" not in error
    assert [path.name for path in tmp_path.iterdir()] == ["sinks.py"]
