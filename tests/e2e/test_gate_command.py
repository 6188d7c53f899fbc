"""`autotroph gate` as a process: exit codes, table, JSON, bad input."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from autotroph.cli.main import invoke


def results(path: Path, scores: list[float | None], **about) -> str:
    path.write_text("".join(json.dumps({"key": str(i), "score": s, **about}) + "\n" for i, s in enumerate(scores)))
    return str(path)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[str, str]:
    """A champion that solves half of 100 tasks, and a candidate that solves twelve more."""
    return results(tmp_path / "a", [0.0, 1.0] * 50), results(tmp_path / "b", [1.0] * 24 + [0.0, 1.0] * 38)


def gate(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "autotroph", "gate", *arguments], capture_output=True, text=True)


def test_exit_codes_and_what_is_printed(pair: tuple[str, str]) -> None:
    better = gate(*pair)
    assert better.returncode == 0
    assert "promote: gained 12, lost 0 of 100 tasks" in better.stdout
    assert "+0.1200" in better.stdout
    worse = gate(*reversed(pair), "--json")
    assert worse.returncode == 3
    decision = json.loads(worse.stdout)
    assert (decision["verdict"], decision["gained"], decision["lost"]) == ("roll back", 0, 12)
    assert decision["lost_tasks"] == [str(2 * i) for i in range(12)]
    assert decision["levels"] == {"0": {"gained": 0, "lost": 12, "kept": 88, "unscored": 0}}


def test_a_champion_that_is_the_candidate_holds(pair: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["gate", pair[0], pair[0]]) == 1
    assert "the candidate is the champion" in capsys.readouterr().out


def test_a_gain_that_more_inference_gives_too_is_told_so(
    tmp_path: Path, pair: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    voted = results(tmp_path / "voted", [1.0] * 25 + [0.0] + [0.0, 1.0] * 37)
    assert invoke(["gate", *pair, "--refined", voted]) == 0
    assert "Matched: at equal cost" in " ".join(capsys.readouterr().out.split())
    assert invoke(["gate", *pair, "--refined", pair[0], "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["refinement"]
    assert found["outcome"] == "not matched"
    assert found["comparisons"][1]["difference"] == pytest.approx(0.12)
    assert invoke(["gate", pair[0], pair[0], "--refined", voted, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["refinement"] is None
    assert invoke(["gate", *pair, "--refined", results(tmp_path / "short", [1.0] * 99)]) == 2
    assert "1 tasks stand in the champion's file alone" in capsys.readouterr().err


def test_flags_reach_the_gate(pair: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["gate", *pair, "--looks", "20", "--reuse", "20", "--look", "5", "--answered", "1", "--json"]) == 1
    decision = json.loads(capsys.readouterr().out)
    assert decision["alpha"] == pytest.approx(0.05 / 20 / 4 / 8)
    assert invoke(["gate", *pair, "--alpha", "0.0001"]) == 1
    assert invoke(["gate", *pair, "--guardrails", "safety=0"]) == 1


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--alpha", "2"], "--alpha"),
        (["--alpha", "nan"], "--alpha"),
        (["--look", "0"], "--look"),
        (["--answered", "1"], "this sealed set"),
        (["--guardrails", "safety"], "--guardrails"),
        (["--guardrails", "safety=2"], "--guardrails"),
        (["--off"], "--off"),
    ],
)
def test_bad_flags_are_one_line(
    flags: list[str], words: str, pair: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke(["gate", *pair, *flags]) == 2
    shown = capsys.readouterr()
    assert words in shown.err
    assert shown.err.count("\n") == 1
    assert shown.out == ""


def test_bad_files_are_one_line(tmp_path: Path, pair: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    short = results(tmp_path / "short", [1.0] * 99)
    empty = results(tmp_path / "empty", [])
    for arguments in ((pair[0], short), (empty, pair[1]), (pair[0], str(tmp_path / "none"))):
        assert invoke(["gate", *arguments]) == 2
        assert capsys.readouterr().err.count("\n") == 1


GOOD = [f'{{"key": "{i}", "score": 0}}' for i in range(40)]
BETTER = [line.replace("0}", "1}") for line in GOOD]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (BETTER[1:], "1 tasks stand in the"),
        ([*BETTER, '{"key": "other", "score": 1}'], "1 tasks stand in the"),
        ([*BETTER, BETTER[3]], "line 41: key '3' stands on line 4 already"),
        ([*BETTER[1:], '{"key": "0", "score": NaN}'], "line 40: not a JSON object (NaN is not a number"),
        ([*BETTER[1:], '{"key": "0", "score": Infinity}'], "line 40"),
        ([*BETTER[1:], '{"key": "0", "score": 1, "score": 0}'], "line 40: not a JSON object (a field is given twice"),
        ([*BETTER[1:], '{"key": "0", "score": 1, "level": 3}'], "task '0' has level"),
        ([*BETTER[1:], '{"key": "0", "score": 2}'], "line 40: 'score'"),
        ([*BETTER[1:], '{"key": "0"}'], "line 40: 'score'"),
        (["[]"], "line 1: a JSON list"),
        ([], "no results"),
        ([""] * 40, "no results"),
        ([BETTER[0][:-1]], "line 1: not a JSON object"),
    ],
)
@pytest.mark.parametrize("side", ["champion", "candidate", "refined"])
def test_bad_input_is_one_line_and_never_a_promotion(
    lines: list[str], words: str, side: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the fault the candidate would be promoted: it gains all of 40 tasks."""
    sides = {"champion": GOOD, "candidate": BETTER, "refined": GOOD}

    def gate(**given: list[str]) -> int:
        for name, content in given.items():
            (tmp_path / name).write_text("\n".join(content))
        champion, candidate, refined = (str(tmp_path / name) for name in sides)
        return invoke(["gate", champion, candidate, "--refined", refined])

    assert gate(**sides) == 0
    capsys.readouterr()
    assert gate(**(sides | {side: lines})) == 2
    shown = capsys.readouterr()
    assert words in shown.err
    assert shown.err.count("\n") == 1
    assert shown.out == ""


def test_the_champion_in_another_order_is_still_the_champion(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [tmp_path / "a", tmp_path / "b"]
    for file, lines in zip(files, (GOOD, GOOD[::-1]), strict=True):
        file.write_text("\n".join(lines))
    assert invoke(["gate", *map(str, files)]) == 1
    assert "the candidate is the champion" in capsys.readouterr().out


def test_missing_scores_hold(tmp_path: Path, pair: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    holes = results(tmp_path / "holes", [1.0] * 24 + [0.0, None] * 38)
    assert invoke(["gate", pair[0], holes]) == 1
    assert "38 of 100 tasks are unscored" in capsys.readouterr().out


def test_a_line_of_a_gigabyte_is_refused_without_reading_it(tmp_path: Path, pair: tuple[str, str]) -> None:
    """The file is sparse; a process that may not have a gigabyte of data gets by."""
    long = tmp_path / "long"
    with long.open("wb") as file:
        file.write(b'{"key": "')
        file.truncate(1 << 30)
    limited = "import resource, sys; resource.setrlimit(resource.RLIMIT_DATA, (1 << 30, 1 << 30)); "
    program = limited + "from autotroph.cli.main import main; main(sys.argv[1:])"
    refused = subprocess.run(
        [sys.executable, "-c", program, "gate", pair[0], str(long)], capture_output=True, text=True
    )
    assert refused.returncode == 2
    assert "line 1: longer than" in refused.stderr


def test_help_shows_defaults_and_ranges(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["gate", "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    for words in ("--alpha", "[default: 0.05]", "--looks", "--answered", "0<x<1", "TAG=TOLERANCE"):
        assert words in shown
