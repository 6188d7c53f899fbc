"""A ledger that is read while another process writes it."""

import time
from pathlib import Path
from threading import Thread

import pytest
from tracked import add_cycle, add_end, begun

from autotroph.track.follow import follow


def test_events_come_while_the_run_goes_on_and_end_when_its_writer_does(tmp_path: Path) -> None:
    run, seen = begun(tmp_path / "r"), []
    reader = Thread(target=lambda: seen.extend(follow(tmp_path / "r", pause=0.01)))
    reader.start()
    for cycle in range(3):
        add_cycle(run, cycle)
        deadline = time.monotonic() + 100
        while len(seen) < 3 + cycle:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    add_end(run)
    assert reader.is_alive()
    run.close()
    reader.join(timeout=60)
    assert not reader.is_alive()
    assert [event.kind for event in seen] == ["start", "base", "cycle", "cycle", "cycle", "end"]


def test_more_events_than_are_read_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autotroph.track.follow.BATCH", 3)
    with begun(tmp_path / "r") as run:
        for i in range(6):
            run.ledger.append("note", {"i": i})
    assert [event.seq for event in follow(tmp_path / "r")] == list(range(8))
