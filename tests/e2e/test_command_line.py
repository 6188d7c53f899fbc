"""The command line: what scripts rely on, and every kind of bad input as one line with exit code 2."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import heeds_ctrl_c

from autotroph.cli.main import invoke
from autotroph.core.errors import AutotrophError
from autotroph.store.run import Run

TINY = [
    "--taught", "1", "--target", "2", "--rounds", "1", "--per-round", "50", "--gold-per-level", "50", "--steps", "2",
    "--base-train-steps", "4", "--base-train-rows", "50", "--sealed", "4", "--final-sealed", "4", "--base-hidden", "16",
    "--batch", "8", "--base-train-batch", "8",
]  # fmt: skip


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "lenght_generalisation"], "did you mean 'length_generalisation'"),
        (["run", "length_generalisation", "--tought", "3"], "--taught"),
        (["run", "length_generalisation", "--taught", "0"], "--taught"),
        (["run", "length_generalisation", "--taught", "x"], "not a valid integer"),
        (["run", "length_generalisation", "--target", "500"], "no level 500"),
        (["run", "length_generalisation", "--taught", "9", "--target", "9"], "not above taught level 9"),
        (["run", "length_generalisation", "--task", "adition"], "did you mean 'addition'"),
        (["run", "length_generalisation", "--filter", "some"], "--filter"),
        (["run", "grpo", "--task", "addition", "--level", "0"], "level"),
        (["run", "grpo", "--task", "reasoning_gym:leg_countin"], "leg_counting"),
        (["run", "grpo", "--task", "jsonl:missing.jsonl"], "missing.jsonl"),
        (["run", "missing.toml"], "missing.toml"),
        (["resume", "nowhere"], "nowhere"),
        (["report", "nowhere"], "nowhere"),
        (["frobnicate"], "frobnicate"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(
    arguments: list[str], words: str, elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke(arguments) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("error: ")
    assert words in error
    assert "\n" not in error
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no recipe"),
        ("recipe = ", "fix the TOML"),
        ('recipe = "length_generalisation"\ntaugt = 3', "did you mean 'taught'"),
        ('recipe = "length_generalisation"\n[base]\nhiden = 3', "base.hiden"),
        ('recipe = "length_generalisation"\ntaught = 0', "taught = 0"),
    ],
)
def test_bad_toml_is_one_line(text: str, words: str, elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (elsewhere / "run.toml").write_text(text)
    assert invoke(["run", "run.toml"]) == 2
    error = capsys.readouterr().err.strip()
    assert words in error
    assert "\n" not in error
    assert [path.name for path in elsewhere.iterdir()] == ["run.toml"]


def test_run_json_and_report(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["run", "length_generalisation", *TINY, "--out", "r", "--json"]) == 0
    summary = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert set(summary["base"]) == set(summary["champion"]) == {str(n) for n in range(1, 7)}
    assert all(level["n"] >= 1 for level in summary["champion"].values())
    assert [decision["verdict"] for decision in summary["decisions"]] in (["promote"], ["hold"], ["roll back"])
    assert summary["run"] == "r"
    assert summary["tokens"] > 0
    assert (elsewhere / "r" / "report.html").stat().st_size > 100_000
    (elsewhere / "r" / "report.html").unlink()
    assert invoke(["report", "r"]) == 0
    assert (elsewhere / "r" / "report.html").is_file()


def test_a_toml_file_gives_what_its_flags_would(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = {flag[2:].replace("-", "_"): int(value) for flag, value in zip(TINY[::2], TINY[1::2], strict=True)}
    nested = {"base_train_steps": ("base.train", "steps"), "base_train_rows": ("base.train", "rows")}
    nested |= {"base_train_batch": ("base.train", "batch"), "base_hidden": ("base", "hidden")}
    lines = ['recipe = "length_generalisation"']
    lines += [f"{name} = {value}" for name, value in settings.items() if name not in nested]
    lines += [f"{'.'.join(nested[name])} = {value}" for name, value in settings.items() if name in nested]
    (elsewhere / "run.toml").write_text("\n".join(lines))
    assert invoke(["run", "run.toml", "--out", "a", "--json"]) == 0
    assert invoke(["run", "length_generalisation", *TINY, "--out", "b", "--json"]) == 0
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{"))
    for summary in (first, second):
        for name in ("run", "seconds", "ledger_root"):
            summary.pop(name)
    assert first == second


def test_a_used_folder_is_refused_and_left_alone(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (elsewhere / "r").mkdir()
    (elsewhere / "r" / "thesis.txt").write_text("precious")
    assert invoke(["run", "length_generalisation", *TINY, "--out", "r"]) == 2
    assert "exists" in capsys.readouterr().err
    assert [path.name for path in (elsewhere / "r").iterdir()] == ["thesis.txt"]


def test_recipes_lists_names_and_sources(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["recipes", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["length_generalisation"]["source"] == "arXiv:2502.01612"
    assert rows["grpo"]["source"] == "arXiv:2402.03300"


def test_help_shows_defaults_and_ranges(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["run", "length_generalisation", "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "--vote-share FLOAT RANGE" in text
    assert "[default: 1.0]" in text
    assert "0<x<=1" in text


def test_a_budget_stops_at_a_safe_point_with_its_own_code(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["run", "length_generalisation", *TINY, "--out", "r", "--rounds", "5", "--budget-tokens", "6000"]
    assert invoke(arguments) == 3
    assert "tokens" in capsys.readouterr().err
    assert invoke(["report", "r"]) == 0


SLOW = [*TINY, "--rounds", "6", "--steps", "300", "--reach", "0"]
"""Rounds long enough to be interrupted in."""


def cycles_of(folder: Path) -> int:
    """Committed cycles; 0 while the run is still being created."""
    try:
        with Run.open(folder, write=False) as run:
            return len(run.record().cycles)
    except AutotrophError:
        return 0


def test_ctrl_c_is_a_safe_stop_and_resume_goes_on(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, "-m", "autotroph", "run", "length_generalisation", *SLOW, "--out", "r"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=heeds_ctrl_c) as process:
        deadline = time.monotonic() + 100
        while not cycles_of(elsewhere / "r"):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=30)
    assert process.returncode == 130, error
    assert error.strip().splitlines()[-1].startswith("interrupted: what was committed is safe")
    assert "Traceback" not in error
    assert 1 <= cycles_of(elsewhere / "r") < 6
    assert invoke(["resume", "r", "--json"]) == 0
    summary = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert [decision["cycle"] for decision in summary["decisions"]] == list(range(6))


@pytest.fixture(params=[120, 150, 300, 400])
def small_disk(request: pytest.FixtureRequest, elsewhere: Path) -> Iterator[Path]:
    """A real file system of so many kB."""
    disk = elsewhere / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={request.param}k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting needs rights that this user lacks")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk_is_one_line_and_resume_goes_on(small_disk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = small_disk / "r"
    assert invoke(["run", "length_generalisation", *TINY, "--rounds", "3", "--out", str(run)]) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: ")
    assert "disk full; free some space and resume the run" in error
    subprocess.run(["mount", "-o", "remount,size=100m", str(small_disk)], check=True)
    assert invoke(["resume", str(run)]) == 0
    with Run.open(run, write=False) as opened:
        opened.ledger.check()
    assert cycles_of(run) == 3


def test_compare_sets_algorithms_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    tiny = ["steps=1", "prompts=8", "sealed=5", "final_sealed=20", "base.hidden=16", "base.train={steps=5, rows=20}"]
    flags = [flag for setting in tiny for flag in ("--set", setting)]
    names = ["grpo", "grpo:dpo"]
    ground = ["--task", "copy", "--level", "3", "--flops", "1e6", "--seeds", "2"]
    assert invoke(["compare", *names, *ground, *flags, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found["sides"]) == names
    for side in found["sides"].values():
        assert len(side["trials"]) == 2
        assert all(trial["compute"]["flops"] >= 1e6 and len(trial["curve"]) >= 2 for trial in side["trials"])
