"""`autotroph runs` beside real processes: what it says at the very moment after a kill."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import heeds_ctrl_c

from autotroph.cli.main import invoke

LONG = [
    "--taught", "1", "--target", "2", "--per-round", "50", "--gold-per-level", "50", "--base-train-steps", "100000",
    "--base-train-rows", "50", "--base-hidden", "16", "--base-train-batch", "8",
]  # fmt: skip
"""A base that takes far longer to train than the test waits."""


def listed(folder: Path, capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str]]:
    """Of every run that has written its first event."""
    capsys.readouterr()
    assert invoke(["runs", str(folder), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    return [(Path(row["folder"]).name, row["state"]) for row in rows if row["recipe"]]


def test_a_killed_run_has_crashed_at_once_and_an_interrupted_one_has_stopped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOTROPH_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "runs"
    folder.mkdir()
    command = [sys.executable, "-m", "autotroph", "run", "length_generalisation", *LONG, "--out"]
    processes = {
        name: subprocess.Popen([*command, str(folder / name)], stderr=subprocess.DEVNULL, preexec_fn=heeds_ctrl_c)
        for name in "ab"
    }
    try:
        deadline = time.monotonic() + 100
        while listed(folder, capsys) != [("a", "running"), ("b", "running")]:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        processes["a"].send_signal(signal.SIGKILL)
        processes["a"].wait()
        assert listed(folder, capsys) == [("a", "crashed"), ("b", "running")]
        processes["b"].send_signal(signal.SIGINT)
        assert processes["b"].wait(timeout=60) == 130
        assert listed(folder, capsys) == [("a", "crashed"), ("b", "stopped")]
    finally:
        for process in processes.values():
            process.kill()
            process.wait()


def test_an_empty_folder_and_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert listed(tmp_path, capsys) == []
    assert invoke(["runs", str(tmp_path / "none")]) == 2
    assert "no such folder" in capsys.readouterr().err
