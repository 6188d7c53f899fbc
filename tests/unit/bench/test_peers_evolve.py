"""What the peers of the search are given in a language model's place."""

import ast
import json
import re
import urllib.request

import pytest
from peers_evolve import ARMS, GROUNDS, NAMES, Judge, Proposer, completion, served, table

from autotroph.sandbox.jail import Jail

PROGRAM = "def solve(n):\n    total = 3\n    for i in range(n):\n        total += i * 2\n    return total\n"
OTHER = "# Program Evolution History\n```python\nx = 1\n```\n"
PROMPT = f"{OTHER}\n# Current Program\n```python\n{PROGRAM}\n```\n\n# Task\nImprove."


def replaced(said: str) -> tuple[str, str]:
    [blocks] = re.findall(r"^<<<<<<< SEARCH\n(.*)\n=======\n(.*)\n>>>>>>> REPLACE$", said, re.DOTALL)
    return blocks


def test_the_endpoint_edits_the_current_program_and_no_other() -> None:
    old, new = replaced(completion(PROMPT, Proposer(0))["choices"][0]["message"]["content"])
    assert old == PROGRAM.rstrip()
    assert new != old
    ast.parse(new)
    with pytest.raises(AssertionError, match="without a current program"):
        completion("no program here", Proposer(0))


def test_edits_follow_from_the_seed_and_differ_from_one_another() -> None:
    first, again, other = Proposer(0), Proposer(0), Proposer(1)
    made = [first(PROGRAM) for _ in range(8)]
    assert made == [again(PROGRAM) for _ in range(8)]
    assert made != [other(PROGRAM) for _ in range(8)]
    assert len(set(made)) > 4


def test_what_cannot_be_edited_comes_back_as_it_is() -> None:
    assert Proposer(0)("def (") == "def ("


def test_the_endpoint_scores_what_the_judge_scores_and_every_evaluation_counts(jail: Jail) -> None:
    ground = GROUNDS["function_minimisation"]
    judge = Judge(ground, jail, 1000)
    start = ground.seed_program(judge.family)
    with served(judge, Proposer(0)) as url:
        scores = []
        for text in (start, "def solve(problem):\n    return [9.0, 9.0]\n"):
            with urllib.request.urlopen(f"{url}/score", json.dumps({"program": text}).encode()) as reply:
                scores.append(json.load(reply)["score"])
    assert judge.evaluations == 2 * ground.tasks
    assert scores == [sum(judge.score(start, i) for i in range(ground.tasks)) / ground.tasks, 0.0]
    assert 0 < scores[0] < 1


def test_the_table_ranks_by_worth_and_pairs_seeds() -> None:
    runs = [
        {"problem": "circle_packing", "arm": arm, "seed": seed, "evaluations": 200, "start": 1.0,
         "worth": 2 + place / 10 + seed / 100, "cpu": {"programs": 1.0, "search": 2.0}}
        for place, arm in enumerate(ARMS) for seed in range(3)
    ]  # fmt: skip
    rows = [line for line in table("circle_packing", runs).splitlines() if line.startswith("| ")][2:]
    assert [row.split(" | ")[0][2:] for row in rows] == [NAMES[arm] for arm in reversed(ARMS)]
    assert "+0.6000 (0.6000 to 0.6000)" in rows[0]
    assert "| – |" in rows[-1]
    assert "14 runs are there, too few" in table("circle_packing", runs[:14])
