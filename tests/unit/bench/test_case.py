"""What a benchmark reports, against numbers derived by hand."""

import json
import time
from pathlib import Path

import pytest

from autotroph.bench import grpo, limits, rollouts, train, verify
from autotroph.bench.case import line, measured
from autotroph.bench.work import million
from autotroph.cli.main import invoke


def test_a_line_by_hand() -> None:
    assert line([(1, 5), (2, 7), (3, 9)]) == pytest.approx((2, 3, 1))
    slope, intercept, fit = line([(0, 0), (1, 1), (2, 0)])
    assert (slope, intercept, fit) == pytest.approx((0, 1 / 3, 0))


def test_both_sides_run_in_turns_and_the_ratio_is_ours_over_theirs() -> None:
    turns: list[str] = []

    def side(name: str, seconds: float):
        def work() -> float:
            turns.append(name)
            time.sleep(seconds)
            return 10.0

        return work

    case = measured("sleep", "units/s", side("a", 0.01), side("b", 0.04), "the slow one", n=3)
    assert turns == ["a", "b"] * 4
    assert case.ours < 1000
    assert case.ratio == pytest.approx(4, rel=0.3)
    assert case.spread[0] <= case.ratio <= case.spread[1]
    alone = measured("sleep", "units/s", side("a", 0.001), n=2)
    assert (alone.peer, alone.ratio) == (None, None)


@pytest.mark.parametrize(("name", "cases"), [("rollouts", 4), ("train", 1), ("grpo", 1), ("limits", 6), ("verify", 5)])
def test_bench_writes_its_figures(
    name: str, cases: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for module, constant, small in [
        (rollouts, "PROMPTS", 4),
        (rollouts, "TOKENS", 16),
        (rollouts, "SAMPLES", 2),
        (train, "BATCH", 4),
        (train, "BATCHES", 1),
        (grpo, "PROMPTS", 2),
        (grpo, "TOKENS", 8),
        (grpo, "STEPS", 1),
        (limits, "MODELS", {"1M parameters": million}),
        (limits, "PROMPTS", 4),
        (limits, "TOKENS", 4),
        (limits, "ROWS", 4),
        (verify, "ANSWERS", 4),
    ]:
        monkeypatch.setattr(module, constant, small)
    out = tmp_path / "new" / "figures.json"
    assert invoke(["bench", name, "--repeats", "1", "--json", "--out", str(out)]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures == json.loads(out.read_text())
    assert figures["bench"] == name
    assert len(figures["cases"]) == cases
    for case in figures["cases"]:
        assert set(case) == {"case", "unit", "ours", "peer", "peer_name", "ratio", "spread", "n"}
        assert case["ours"] > 0
        if case["peer"] is not None:
            assert case["ratio"] == pytest.approx(case["ours"] / case["peer"])
    assert invoke(["bench", name, "--repeats", "1"]) == 0
    assert figures["cases"][0]["case"][:10] in capsys.readouterr().out
