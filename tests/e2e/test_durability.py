"""What a run survives, in small: bench/durability on the real system calls of real runs."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCH = Path(__file__).parents[2] / "bench" / "durability"


@pytest.fixture(scope="module")
def tried() -> dict[str, Any]:
    """A little of each, in one warm process of its own that has the shim loaded before libc."""
    if not sys.platform.startswith("linux"):
        pytest.skip("durability is tried on Linux: the shim is loaded with LD_PRELOAD and reads /proc")
    if not any(shutil.which(name) for name in ("cc", "gcc", "clang")):
        pytest.skip("durability is tried with a shim in C, and there is no C compiler here")
    source = str(BENCH.parents[1] / "src")
    found = subprocess.run(
        [sys.executable, str(BENCH), "quick"],
        env=os.environ | {"PYTHONPATH": source},
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


def test_a_run_killed_at_named_points_ends_as_it_would_have(tried: dict[str, Any]) -> None:
    assert tried["points"]["killed_at"] >= 3
    assert tried["points"]["wrong"] == []


@pytest.mark.parametrize(("part", "kills"), [("kills", 3), ("store", 15)])
def test_nothing_acknowledged_is_lost_to_a_kill_and_nothing_finished_is_done_again(
    tried: dict[str, Any], part: str, kills: int
) -> None:
    assert tried[part]["kills"] == kills
    assert tried[part]["acknowledged"]["events"] > 0
    assert (tried[part]["lost"], tried[part]["repeated"], tried[part]["wrong"]) == ([], [], [])


def test_a_full_or_failing_disk_is_one_clear_line_and_the_run_can_be_resumed(tried: dict[str, Any]) -> None:
    assert sum(tried["faults"]["trials"].values()) >= 4
    assert tried["faults"]["clear_errors"] >= 1
    assert tried["faults"]["wrong"] == []


def test_no_loss_of_power_leaves_an_invalid_state(tried: dict[str, Any]) -> None:
    assert tried["power"]["whole"] > 50
    assert tried["power"]["never_started"] > 0
    assert tried["power"]["invalid"] == []


def test_an_end_that_was_not_synced_is_synced_before_the_next_process_builds_on_it(tried: dict[str, Any]) -> None:
    """The run is killed between writing its last event and the fsync; the next process reads it there."""
    assert tried["end"]["whole"] > 10
    assert tried["end"]["invalid"] == []


def test_a_program_that_forgets_an_fsync_is_found_out(tried: dict[str, Any]) -> None:
    """Of a folder's names, of an artifact's file, of the ledger: each leaves a state in which something is missing."""
    for role, invalid in tried["without"].items():
        assert len(invalid) == 1, role
    assert "artifact policies/" in tried["without"]["run/policies"][0]
    assert "was altered" in tried["without"]["run/evidence/*/candidate.jsonl"][0]
