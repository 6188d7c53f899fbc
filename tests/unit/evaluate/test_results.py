"""Results from files: what is read, and every kind of bad file as one line that names the place."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotroph.core.decision import Result
from autotroph.core.errors import AutotrophError
from autotroph.evaluate.results import MAX_LINE, check_same_tasks, read_report


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "results.jsonl"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_every_field_is_read(tmp_path: Path) -> None:
    rows = [
        {"key": "a", "score": 1, "level": 3, "tag": "safety", "cluster": "c", "protected": True, "cost": 4},
        {"key": "b", "score": None, "cost": 2.0},
    ]
    report = read_report(written(tmp_path, "\n\n".join(map(json.dumps, rows))))
    assert report.results == (Result("a", 3, 1.0, "safety", "c", True), Result("b", 0, None))
    assert report.cost == 3.0


def test_cost_is_unknown_unless_every_line_gives_it(tmp_path: Path) -> None:
    lines = '{"key": "a", "score": 1, "cost": 4}\n{"key": "b", "score": 1}'
    assert read_report(written(tmp_path, lines)).cost is None


def test_the_policy_is_what_it_scored(tmp_path: Path) -> None:
    one = '{"key":"a","score":1}\n{"key":"b","score":0}'
    two = '{"score":0.0,"key":"b"}\n{"key":"a","score":1}'
    three = '{"key":"a","score":1}\n{"key":"b","score":1}'
    ids = [read_report(written(tmp_path, lines)).policy for lines in (one, two, three)]
    assert ids[0] == ids[1] != ids[2]


GOOD = '{"key": "a", "score": 1}\n'


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "no results"),
        ("\n \n", "no results"),
        (GOOD + "{", "line 2: not a JSON object"),
        (GOOD + '{"key": "b", "score": NaN}', "line 2: not a JSON object .NaN"),
        (GOOD + '{"key": "b", "score": -Infinity}', "line 2"),
        (GOOD + '{"key": "b", "score": 1e999}', "line 2: 'score'"),
        (GOOD + '{"key": "b", "score": 1.01}', "line 2: 'score'"),
        (GOOD + '{"key": "b", "score": -0.01}', "line 2: 'score'"),
        (GOOD + '{"key": "b", "score": "1"}', "line 2: 'score'"),
        (GOOD + '{"key": "b", "score": true}', "line 2: 'score'"),
        (GOOD + '{"key": "b"}', "line 2: 'score'"),
        (GOOD + '{"score": 1}', "line 2: 'key'"),
        (GOOD + '{"key": "", "score": 1}', "line 2: 'key'"),
        (GOOD + '{"key": 2, "score": 1}', "line 2: 'key'"),
        (GOOD + '{"key": "b", "score": 0, "score": 1}', "line 2: .*twice"),
        (GOOD + '{"key": "b", "score": 1, "protcted": true}', "line 2: 'protcted'"),
        (GOOD + '{"key": "b", "score": 1, "tag": "\\u001b[31m"}', "line 2: 'tag'"),
        (GOOD + '{"key": "b", "score": 1, "level": 1.5}', "line 2: 'level'"),
        (GOOD + '{"key": "b", "score": 1, "cost": 1e999}', "line 2: 'cost'"),
        (GOOD + GOOD, "line 2: key 'a' stands on line 1"),
        (GOOD + "[1]", "line 2: a JSON list"),
        (GOOD + "[" * 100_000, "line 2: nested too deeply"),
        (GOOD + '{"key": "b", "level": ' + "9" * 5000 + "}", "line 2"),
        (GOOD.encode() + b"\xff\xfe", "line 2: not a JSON object"),
        (b'{"key": "\x00', "line 1"),
        (GOOD + '{"key": "' + "x" * MAX_LINE, "line 2: longer than"),
    ],
)
def test_a_bad_file_is_one_line_with_its_place(content: str | bytes, words: str, tmp_path: Path) -> None:
    with pytest.raises(AutotrophError, match=words) as mistake:
        read_report(written(tmp_path, content))
    assert "\n" not in str(mistake.value)
    assert len(str(mistake.value)) < 500 + len(str(tmp_path))


def test_no_file_and_a_folder_are_one_line(tmp_path: Path) -> None:
    for path in (tmp_path / "none.jsonl", tmp_path):
        with pytest.raises(AutotrophError, match="give a file"):
            read_report(path)


@given(st.one_of(st.binary(max_size=200), st.text(max_size=100).map(str.encode)))
def test_no_bytes_break_the_reader(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "f"
    path.write_bytes(content)
    with pytest.raises(AutotrophError):
        read_report(path)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ('{"key": "b", "score": 1}\n', "1 tasks stand in the champion's file alone, such as 'a'"),
        (GOOD + '{"key": "b", "score": 1}', "1 tasks stand in the candidate's file alone, such as 'b'"),
        ('{"key": "a", "score": 1, "level": 2}', "level 0 .* and 2"),
        ('{"key": "a", "score": 1, "protected": true}', "protected False .* and True"),
    ],
)
def test_files_about_different_tasks_are_refused(other: str, words: str, tmp_path: Path) -> None:
    champion, candidate = read_report(written(tmp_path, GOOD)), read_report(written(tmp_path, other))
    with pytest.raises(AutotrophError, match=words):
        check_same_tasks(champion, candidate)
