"""`autotroph verify`: real runs, tampered with in earnest. Each forgery is found, and the wrong line is named."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autotroph.cli.main import invoke
from autotroph.store.artifacts import digest
from autotroph.store.ledger import GENESIS, chain_hash, entry
from autotroph.store.merkle import leaf_hash

TINY = [
    "--taught", "1", "--target", "3", "--rounds", "2", "--per-round", "50", "--gold-per-level", "50", "--steps", "2",
    "--base-train-steps", "4", "--base-train-rows", "50", "--sealed", "6", "--final-sealed", "4", "--base-hidden", "16",
    "--batch", "8", "--base-train-batch", "8", "--reach", "0",
]  # fmt: skip


FIRST, LAST = 3, 4
"""Events of the two cycles."""


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run: start, base, gap, two cycles, end."""
    folder = tmp_path_factory.mktemp("runs") / "r"
    assert invoke(["run", "length_generalisation", *TINY, "--out", str(folder)]) == 0
    return folder


@pytest.fixture
def run(honest: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(honest, tmp_path / "r"))


@pytest.fixture
def check(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, dict[str, Any]]]:
    def findings(run: Path, *flags: str) -> tuple[int, dict[str, Any]]:
        capsys.readouterr()
        code = invoke(["verify", str(run), *flags, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return findings


def lines(found: dict[str, Any]) -> list[tuple[int | None, str]]:
    return [(fault["event"], fault["what"]) for fault in found["faults"]]


def rows(run: Path) -> list[list[Any]]:
    with sqlite3.connect(run / "ledger.sqlite") as db:
        return [list(row) for row in db.execute("SELECT seq, at, kind, data, hash FROM event ORDER BY seq")]


def rewrite(run: Path, events: list[list[Any]]) -> None:
    """Replace the ledger's events and chain them anew, as someone would who owns the file and knows the code."""
    previous = GENESIS
    with sqlite3.connect(run / "ledger.sqlite") as db:
        db.execute("DELETE FROM event")
        for seq, (_, at, kind, data, _) in enumerate(events):
            previous = chain_hash(previous, leaf_hash(entry(seq, at, kind, data)))
            db.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?)", (seq, at, kind, data, previous))


def changed(events: list[list[Any]], seq: int, change: Callable[[dict[str, Any]], None]) -> list[list[Any]]:
    data = json.loads(events[seq][3])
    change(data)
    events[seq][3] = json.dumps(data, sort_keys=True)
    return events


def ruling(run: Path, seq: int) -> dict[str, Any]:
    return json.loads(rows(run)[seq][3])["ruling"]


def flip(path: Path) -> None:
    """Turn the first task's score."""
    first, *rest = path.read_text().splitlines(keepends=True)
    row = json.loads(first)
    row["score"] = 1.0 - row["score"]
    path.write_text("".join([json.dumps(row, sort_keys=True) + "\n", *rest]))


def test_an_honest_run_is_sound_and_its_root_was_printed_and_reported(
    honest: Path, check: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [row[2] for row in rows(honest)] == ["start", "base", "gap", "cycle", "cycle", "end"]
    code, found = check(honest)
    assert (code, found["sound"], found["faults"]) == (0, True, [])
    assert (found["events"], found["artifacts"], found["decisions"]) == (6, 8, 2)
    assert check(honest, "--root", found["root"])[0] == 0
    assert found["root"] in (honest / "report.html").read_text()
    assert invoke(["verify", str(honest)]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("sound: 6 events, 8 artifacts, 2 decisions")
    assert shown.count("\n") == 1


def test_the_kept_results_are_what_the_gate_command_reads(honest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    decision = json.loads(rows(honest)[FIRST][3])["record"]["decision"]
    folder = honest / "evidence" / ruling(honest, FIRST)["evidence"]
    invoke(["gate", str(folder / "champion.jsonl"), str(folder / "candidate.jsonl"), "--looks", "2", "--json"])
    again = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    for name in ("gained", "lost", "kept", "unscored", "p_value", "alpha"):
        assert again[name] == decision[name]


def test_one_flipped_score(run: Path, check: Any) -> None:
    name = ruling(run, LAST)["evidence"]
    flip(run / "evidence" / name / "candidate.jsonl")
    code, found = check(run)
    assert code == 1
    ((seq, what),) = lines(found)
    assert seq == LAST
    assert what.startswith(f"evidence {name} was altered")


def test_one_flipped_score_with_names_and_chain_made_anew(run: Path, check: Any) -> None:
    printed = check(run)[1]["root"]
    folder = run / "evidence" / ruling(run, FIRST)["evidence"]
    flip(folder / "candidate.jsonl")
    forged = folder.rename(folder.parent / digest(folder))
    rewrite(run, changed(rows(run), FIRST, lambda data: data["ruling"].update(evidence=forged.name)))
    code, found = check(run)
    assert code == 1
    assert {seq for seq, _ in lines(found)} == {FIRST}
    assert any("does not follow from its per-task results" in what for _, what in lines(found))
    assert lines(check(run, "--root", printed)[1])[0][0] is None


def test_one_removed_event(run: Path, check: Any) -> None:
    with sqlite3.connect(run / "ledger.sqlite") as db:
        db.execute("DELETE FROM event WHERE seq = 3")
    code, found = check(run)
    assert code == 1
    assert (FIRST, "it was removed") in lines(found)


def test_one_removed_event_with_the_chain_made_anew(run: Path, check: Any) -> None:
    rewrite(run, [row for row in rows(run) if row[0] != FIRST])
    code, found = check(run)
    assert code == 1
    assert (FIRST, "it is cycle 1, and cycle 0 is next") in lines(found)


def test_a_cut_tail_is_seen_against_the_printed_root_alone(run: Path, check: Any) -> None:
    printed = check(run)[1]["root"]
    rewrite(run, rows(run)[:-1])
    assert check(run)[0] == 0
    code, found = check(run, "--root", printed)
    assert code == 1
    ((seq, what),) = lines(found)
    assert seq is None
    assert "no beginning of it has the root" in what


def test_what_was_added_after_the_printed_root_is_named(run: Path, check: Any) -> None:
    printed = check(run)[1]["root"]
    rewrite(run, [*rows(run), [6, 0, "note", "{}", ""]])
    code, found = check(run, "--root", printed)
    assert code == 1
    assert lines(found) == [(6, "the given root ends before it: 1 events were added since")]


def test_one_altered_weight_file(run: Path, check: Any) -> None:
    name = json.loads(rows(run)[LAST][3])["record"]["candidate"]
    weights = run / "policies" / name / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    code, found = check(run)
    assert code == 1
    ((seq, what),) = lines(found)
    assert seq == LAST
    assert what.startswith(f"policy {name} was altered")


def test_one_missing_artifact(run: Path, check: Any) -> None:
    name = json.loads(rows(run)[1][3])["policy"]["id"]
    shutil.rmtree(run / "policies" / name)
    assert lines(check(run)[1]) == [(1, f"policy {name} is missing")]


def promote(data: dict[str, Any]) -> None:
    assert data["record"]["decision"]["verdict"] != "promote"
    data["record"]["decision"] |= {"verdict": "promote", "reason": "gained 9, lost 0 of 9 tasks"}
    data["state"]["champion"] = {**data["state"]["champion"], "id": data["record"]["candidate"]}


def test_one_rewritten_decision(run: Path, check: Any) -> None:
    events = changed(rows(run), LAST, promote)
    with sqlite3.connect(run / "ledger.sqlite") as db:
        db.execute("UPDATE event SET data = ? WHERE seq = 4", (events[LAST][3],))
    code, found = check(run)
    assert code == 1
    assert {seq for seq, _ in lines(found)} == {LAST}
    assert (LAST, "it was altered, or moved here") in lines(found)


def test_one_rewritten_decision_with_the_chain_made_anew(run: Path, check: Any) -> None:
    rewrite(run, changed(rows(run), LAST, promote))
    code, found = check(run)
    assert code == 1
    assert {seq for seq, _ in lines(found)} == {LAST}
    assert any("verdict is 'promote', recomputed" in what for _, what in lines(found))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda data: data["ruling"]["gate"].update(off=True), "its gate has off True"),
        (lambda data: data["ruling"].update(answered=1), "told of 1 answers"),
        (lambda data: data.pop("ruling"), "no per-task results were kept"),
        (lambda data: data["ruling"].update(evidence="../../etc"), "is no artifact's name"),
        (lambda data: data["state"]["trainee"].update(id="0123456789abcdef"), "trainee 0123456789abcdef goes on"),
        (lambda data: data["record"]["candidate_accuracy"].update({"1": [1.0, 7]}), "the accuracy of its candidate"),
        (lambda data: data.pop("record"), "it cannot be read: KeyError: 'record'"),
    ],
)
def test_other_forgeries_with_the_chain_made_anew(run: Path, check: Any, change: Any, words: str) -> None:
    rewrite(run, changed(rows(run), LAST, change))
    code, found = check(run)
    assert code == 1
    assert any(seq == LAST and words in what for seq, what in lines(found)), found


def test_bad_input_is_one_line_and_exit_2(honest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "ledger.sqlite").write_text("no database")
    for arguments in ([str(tmp_path / "none")], [str(tmp_path)], [str(honest), "--root", "abc"]):
        assert invoke(["verify", *arguments]) == 2
        shown = capsys.readouterr()
        assert shown.err.startswith("error: ")
        assert (shown.err.count("\n"), shown.out) == (1, "")
