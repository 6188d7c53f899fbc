"""The process of one tracker: what bounds it, and what it remembers."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from autotroph.core.errors import AutotrophError
from autotroph.track.deliver import Progress, leave_room


def python(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=60)


def test_a_tracker_has_one_name_for_a_run_and_its_next_step(tmp_path: Path) -> None:
    first = Progress(tmp_path, "a run 'of mine'")
    first.reach(3)
    again = Progress(tmp_path, "another name")
    assert (again.run, again.step) == (first.run, 3)
    assert first.run.startswith("a-run--of-mine--")
    (tmp_path / "other").mkdir()
    assert Progress(tmp_path / "other", "a run 'of mine'").run != first.run


@pytest.mark.parametrize("hang", ["import time; time.sleep(60)", "sum(iter(int, 1))"])
def test_a_call_that_does_not_return_ends_the_process(tmp_path: Path, hang: str) -> None:
    """The second one never lets go of the interpreter."""
    code = f"from autotroph.track.deliver import patience\nwith patience(1):\n    {hang}"
    assert python(code, tmp_path).returncode == -signal.SIGALRM


def test_a_call_that_returns_has_its_time_back(tmp_path: Path) -> None:
    code = "import time\nfrom autotroph.track.deliver import patience\nwith patience(1): pass\ntime.sleep(1.5)"
    assert python(code, tmp_path).returncode == 0


def test_the_run_goes_first(tmp_path: Path) -> None:
    code = (
        "import os\nfrom autotroph.track.deliver import OOM, be_modest\nbe_modest(1 << 20)\n"
        "print(os.nice(0), OOM.read_text().strip() if OOM.exists() else 1000)\n"
        "open('large', 'wb').write(bytes(1 << 21))"
    )
    done = python(code, tmp_path)
    assert done.stdout.split() == [str(min(19, os.nice(0) + 10)), "1000"]
    assert "File too large" in done.stderr
    assert (tmp_path / "large").stat().st_size <= 1 << 20


def test_a_tracker_gives_way_where_the_disk_is_nearly_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_room(tmp_path)
    usage = type(shutil.disk_usage(tmp_path))(10**9, 10**9 - 2**20, 2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(AutotrophError, match="1 MiB of disk left"):
        leave_room(tmp_path)
