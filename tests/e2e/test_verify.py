"""`autotroph verify`: real runs, tampered with in earnest. Each forgery is found, and the wrong line is named."""

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import autotroph
from autotroph.cli.main import invoke
from autotroph.store.artifacts import digest
from autotroph.store.ledger import GENESIS, chain_hash, entry
from autotroph.store.merkle import leaf_hash

TINY = [
    "--taught", "1", "--target", "3", "--rounds", "2", "--per-round", "50", "--gold-per-level", "50", "--steps", "2",
    "--base-train-steps", "4", "--base-train-rows", "50", "--sealed", "6", "--final-sealed", "4", "--base-hidden", "16",
    "--batch", "8", "--base-train-batch", "8", "--reach", "0",
]  # fmt: skip


ALARM = {"monitor": "depth", "value": 1.0, "limit": 0.5, "response": "warn", "change": None}
REFINEMENT = {"outcome": "not matched", "levels": [1], "comparisons": []}

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
        (lambda data: data["state"]["trainee"].update(uri="a" * 64), f"trainee {'a' * 64} goes on"),
        (lambda data: data["state"].update(level=3), "it goes on with level 3, and that should be 1"),
        (lambda data: data["state"].update(knobs={"real_floor": 0.0}), "it goes on with knobs {'real_floor': 0.0}"),
        (lambda data: data["record"].update(mastered=2), "its mastered is 2, by its rows 1"),
        (lambda data: data["ruling"].update(tried={"2": 0}), "its mastered is 1, by its rows 2"),
        (lambda data: data["record"].update(level=9), "its level is 9, by its rows"),
        (lambda data: data["record"]["metrics"].update(kept=50.0), "its kept is 50.0, by its rows"),
        (lambda data: data["record"]["metrics"].update(saturation=0.5), "its saturation is 0.5, by its per-task"),
        (lambda data: data["record"]["metrics"].update(self_made_share=0.99), "due: vendi_ngram, self_made_share"),
        (lambda data: data["record"]["alarms"].append(ALARM), "figures: vendi_ngram, depth; due: vendi_ngram"),
        (lambda data: data["record"]["decision"].update(refinement=REFINEMENT), "its refinement does not follow"),
        (lambda data: data["meter"].update(tokens=1), "it has spent 1 tokens"),
    ],
)
def test_other_forgeries_with_the_chain_made_anew(run: Path, check: Any, change: Any, words: str) -> None:
    rewrite(run, changed(rows(run), LAST, change))
    code, found = check(run)
    assert code == 1
    assert any(seq == LAST and words in what for seq, what in lines(found)), found


@pytest.mark.parametrize(
    ("seq", "change", "words"),
    [
        (5, lambda data: data["champion_accuracy"].update({"1": [1.0, 4]}), "the accuracy of its champion"),
        (5, lambda data: data["base_accuracy"].clear(), "the accuracy of its base"),
        (5, lambda data: data.pop("evidence"), "it cannot be read: KeyError: 'evidence'"),
        (1, lambda data: data["policy"].update(uri="a" * 64), f"base {'a' * 64} goes on"),
        (0, lambda data: data["config"]["monitors"]["ceiling"].update(low=2.0), "due: vendi_ngram, ceiling"),
    ],
)
def test_forgeries_of_other_events_with_the_chain_made_anew(
    run: Path, check: Any, seq: int, change: Any, words: str
) -> None:
    rewrite(run, changed(rows(run), seq, change))
    code, found = check(run)
    assert code == 1
    assert any(words in what for _, what in lines(found)), found


@pytest.mark.parametrize("kind", ["start", "base", "gap", "cycle", "end"])
def test_a_second_event_of_what_happens_once_is_named(run: Path, check: Any, kind: str) -> None:
    """Readers take the last one of a kind: a second one would tell them something else."""
    events = rows(run)
    rewrite(run, [*events, next(row for row in events if row[2] == kind)])
    said = [what for seq, what in lines(check(run)[1]) if seq == 6]
    assert any("is due after those before it" in what or "and that once" in what for what in said)


def test_events_of_other_kinds_say_nothing_that_could_be_wrong(run: Path, check: Any) -> None:
    """Approvals, journals and whatever else a run writes down; they are in the chain and the root as all are."""
    rewrite(run, [*rows(run), [6, 7, "approval", '{"of": "x"}', ""]])
    assert check(run)[0] == 0


def test_a_kind_that_reads_otherwise_than_it_is_hashed_is_named(run: Path, check: Any) -> None:
    """Such an event has the honest one's leaf, and is of no kind that a reader asks for: the root alone is the same."""
    honest = check(run)[1]["root"]
    events = rows(run)
    seq, at, kind, data, digest = events[LAST]
    head, rest = json.dumps({"x": 1}), data
    events[LAST] = [seq, at, kind, f"{head}\n{rest}", digest]
    rewrite(run, events)
    split = check(run)[1]["root"]
    events[LAST] = [seq, at, f"{kind}\n{head}", rest, digest]
    rewrite(run, events)
    code, found = check(run, "--root", split)
    assert (code, found["root"]) == (1, split)
    assert split != honest
    assert (LAST, "its kind goes over more than one line") in lines(found)


def test_an_older_format_is_said_in_one_line(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with sqlite3.connect(run / "ledger.sqlite") as db:
        db.execute("PRAGMA user_version = 0")
    assert invoke(["verify", str(run)]) == 2
    shown = capsys.readouterr()
    assert "of an older format (0, this version reads 2)" in shown.err
    assert (shown.err.count("\n"), shown.out) == (1, "")


def test_a_bundle_is_verified_by_another_user_elsewhere(run: Path, check: Any, tmp_path: Path) -> None:
    """In a process of its own, with another home and working directory, after the run itself is gone."""
    root, home = check(run)[1]["root"], tmp_path / "away" / "home"
    home.mkdir(parents=True)
    assert invoke(["export", str(run), "--out", str(tmp_path / "away" / "r.tar.gz")]) == 0
    shutil.rmtree(run)
    done = subprocess.run(
        [sys.executable, "-m", "autotroph", "verify", "r.tar.gz", "--root", root, "--json"],
        cwd=home.parent,
        env={"HOME": str(home), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(autotroph.__file__).parents[1])},
        capture_output=True,
        text=True,
    )
    found = json.loads(done.stdout)
    assert (done.returncode, found["root"], found["artifacts"], found["absent"]) == (0, root, 8, [])


def test_a_light_bundle_says_what_could_not_be_hashed(run: Path, check: Any, tmp_path: Path) -> None:
    root = check(run)[1]["root"]
    assert invoke(["export", str(run), "--light", "--out", str(tmp_path / "light")]) == 0
    code, found = check(tmp_path / "light", "--root", root)
    assert (code, found["faults"], found["artifacts"]) == (3, [], 5)
    assert sorted(found["absent"]) == sorted(path.name for path in (run / "policies").iterdir())


def test_a_forged_run_is_forged_in_a_bundle(run: Path, check: Any, tmp_path: Path) -> None:
    rewrite(run, changed(rows(run), LAST, promote))
    assert invoke(["export", str(run), "--light", "--out", str(tmp_path / "forged")]) == 0
    code, found = check(tmp_path / "forged")
    assert code == 1
    assert any("verdict is 'promote', recomputed" in what for _, what in lines(found))


def test_a_policy_missing_from_a_whole_bundle_is_a_fault(run: Path, check: Any, tmp_path: Path) -> None:
    name = json.loads(rows(run)[1][3])["policy"]["id"]
    shutil.rmtree(run / "policies" / name)
    assert invoke(["export", str(run), "--out", str(tmp_path / "b")]) == 0
    code, found = check(tmp_path / "b")
    assert (code, lines(found)) == (1, [(1, f"policy {name} is missing")])


def test_two_runs_side_by_side(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = Path(shutil.copytree(run, tmp_path / "other"))
    assert invoke(["diff", str(run), str(other)]) == 0
    assert "Every cycle made the same candidate and had the same verdict." in capsys.readouterr().out
    events = changed(rows(other), LAST, promote)
    events = changed(events, 0, lambda data: data["config"]["gate"].update(alpha=0.2))
    rewrite(other, changed(events, 5, lambda data: data["champion_accuracy"].update({"1": [1.0, 4]})))
    assert invoke(["diff", str(run), str(other), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["runs"], found["settings"]) == (["r", "other"], {"gate.alpha": [0.05, 0.2]})
    assert (found["parted"], found["candidates_parted"], len(found["cycles"])) == (1, None, 2)
    assert [side["verdict"] for side in found["cycles"][1]][1] == "promote"
    mine, theirs = found["accuracy"]["1"]
    assert (theirs["mean"], theirs["n"]) == (1.0, 4)
    assert theirs["low"] < 1.0 == theirs["high"]
    assert mine != theirs
    assert found["cost"]["tokens"][0] == found["cost"]["tokens"][1] > 0


def test_a_stopped_run_shows_its_root_too(
    tmp_path: Path, check: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "r"
    assert invoke(["run", "length_generalisation", *TINY, "--budget-tokens", "1", "--out", str(folder)]) == 3
    *_, line, stopped = capsys.readouterr().err.strip().splitlines()
    assert stopped.startswith("stopped: budget: tokens")
    assert check(folder, "--root", line.split()[2])[0] == 0


def test_bad_input_is_one_line_and_exit_2(honest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "ledger.sqlite").write_text("no database")
    for arguments in ([str(tmp_path / "none")], [str(tmp_path)], [str(honest), "--root", "abc"]):
        assert invoke(["verify", *arguments]) == 2
        shown = capsys.readouterr()
        assert shown.err.startswith("error: ")
        assert (shown.err.count("\n"), shown.out) == (1, "")
