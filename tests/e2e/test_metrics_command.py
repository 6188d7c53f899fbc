"""`autotroph metrics` over real HTTP: what Prometheus sees, who may ask, and what it sees after a kill."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tracked import add_cycle, add_end, begun

from autotroph.cli.main import invoke

Figures = dict[tuple[str, ...], float]
"""(name, run, values of the other labels by name) -> value."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run and one that cannot be read."""
    runs = tmp_path_factory.mktemp("runs")
    with begun(runs / "a") as run:
        for cycle, verdict in enumerate(("promote", "hold", "hold")):
            add_cycle(run, cycle, verdict)
        add_end(run)
    (runs / "damaged").mkdir()
    (runs / "damaged" / "ledger.sqlite").write_text("no database at all")
    return runs


@pytest.fixture(scope="module")
def port(folder: Path) -> Iterator[int]:
    command = [sys.executable, "-u", "-m", "autotroph", "metrics", str(folder), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline().rpartition(":")[2].partition("/")[0])
        finally:
            process.kill()


def ask(port: int, **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/metrics", headers=headers)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def figures(text: str) -> Figures:
    from prometheus_client.parser import text_string_to_metric_families

    found = {}
    for sample in (sample for family in text_string_to_metric_families(text) for sample in family.samples):
        others = [value for label, value in sorted(sample.labels.items()) if label != "run"]
        found[sample.name, Path(sample.labels["run"]).name, *others] = sample.value
    return found


def states(found: Figures, run: str) -> list[str]:
    return [key[2] for key, value in found.items() if key[:2] == ("autotroph_run_state", run) and value == 1]


def test_what_prometheus_sees(port: int) -> None:
    status, text = ask(port)
    found = figures(text)
    assert status == 200
    assert states(found, "a") == ["finished"]
    assert states(found, "damaged") == ["stopped"]
    expected = {
        ("autotroph_run_readable", "a"): 1,
        ("autotroph_run_readable", "damaged"): 0,
        ("autotroph_run_info", "a", "p0", "grpo"): 1,
        ("autotroph_cycles_total", "a"): 3,
        ("autotroph_level", "a"): 3,
        # held: the champion's, (0.5 * 2 + 0 * 6) / 8
        ("autotroph_champion_accuracy", "a"): 0.125,
        ("autotroph_champion_level_accuracy", "a", "2"): 0.5,
        ("autotroph_champion_level_accuracy", "a", "3"): 0,
        ("autotroph_verdicts_total", "a", "promote"): 1,
        ("autotroph_verdicts_total", "a", "hold"): 2,
        ("autotroph_alarms_total", "a", "entropy", "warn"): 1,
        ("autotroph_spent", "a", "tokens"): 1000,
        ("autotroph_cap", "a", "tokens"): 5000,
    }
    assert {key: found.get(key) for key in expected} == expected
    assert not [key for key in found if key[0] == "autotroph_cap" and key[2] == "seconds"]


def test_only_this_machine_may_ask_and_no_web_page(port: int) -> None:
    for host in ("127.0.0.1", "localhost", "localhost:1", f"127.0.0.1:{port}"):
        status, text = ask(port, Host=host)
        assert status == 200
        assert "autotroph_run_state" in text
    for headers in (
        *(
            {"Host": host}
            for host in (
                "",
                "rebound.example",
                "rebound.example:9464",
                "127.0.0.1.rebound.example",
                "localhost:80@rebound.example",
                "localhost.",
                "0.0.0.0",
            )
        ),
        {"Origin": "http://rebound.example"},
        {"Origin": "null"},
    ):
        status, text = ask(port, **headers)
        assert (headers, status) == (headers, 403)
        assert "autotroph_run_state" not in text


def test_a_killed_run_has_crashed_by_the_next_scrape(folder: Path, port: int) -> None:
    code = (
        "import sys, time; from pathlib import Path; from tracked import begun;"
        "run = begun(Path(sys.argv[1])); run.journal.mark({'tokens': 77}); print('ready', flush=True); time.sleep(1000)"
    )
    path = os.pathsep.join(filter(None, [str(Path(__file__).parents[1] / "unit"), os.environ.get("PYTHONPATH")]))
    with subprocess.Popen(
        [sys.executable, "-c", code, str(folder / "b")], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            assert states(figures(ask(port)[1]), "b") == ["running"]
        finally:
            process.send_signal(signal.SIGKILL)
    found = figures(ask(port)[1])
    assert states(found, "b") == ["crashed"]
    assert found["autotroph_level", "b"] == 2
    assert found["autotroph_cycles_total", "b"] == 0
    assert found["autotroph_spent", "b", "tokens"] == 77


def test_a_file_for_the_textfile_collector(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "made" / "autotroph.prom"
    assert invoke(["metrics", str(folder), "--out", str(out)]) == 0
    assert states(figures(out.read_text()), "a") == ["finished"]
    assert list(out.parent.iterdir()) == [out]


def test_mistakes_are_one_line(folder: Path, port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, words in (
        ([str(tmp_path / "none")], "no such folder"),
        ([str(folder), "--port", str(port)], "give another with --port"),
    ):
        assert invoke(["metrics", *arguments]) == 2
        error = capsys.readouterr().err.strip()
        assert words in error
        assert "\n" not in error
