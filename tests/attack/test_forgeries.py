"""No verdict for what was not earned; and each part of a verdict, left out in turn, lets a forgery pass."""

from __future__ import annotations

import os
import pickle
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from forgeries import forgery, grammar, singles
from judges import JUDGES, LIMITS, by_suite, draw, table

from autotroph.core.errors import AutotrophError
from autotroph.sandbox import Calls, Directory, Jail
from autotroph.sandbox import suite as suites
from autotroph.sandbox.inside import plain
from autotroph.sandbox.verdict import asserts, pairs

FRAMES = forgery("frames", "returns", "nothing", 0)


@pytest.fixture(scope="module")
def jail() -> Iterator[Jail]:
    with Jail(workers=2) as jail:
        yield jail


@pytest.mark.parametrize("judge", JUDGES)
def test_no_single_forgery_passes(jail: Jail, judge: str) -> None:
    programs = (
        singles() if judge == "pairs" else dict(list(singles().items())[list(JUDGES).index(judge) :: len(JUDGES)])
    )
    assert [
        name for name, program in programs.items() if JUDGES[judge](jail, program, random.Random(name)).passed
    ] == []


def test_no_program_of_the_grammar_passes(jail: Jail) -> None:
    """A draw of it; bench/jail.py runs a thousand."""
    for place, program in enumerate(grammar(60, seed=0)):
        judge = list(JUDGES.values())[place % 5]
        assert not judge(jail, program, random.Random(place)).passed, program


def test_a_task_that_contradicts_itself_cannot_be_passed(jail: Jail) -> None:
    for program in (
        forgery("counter", "returns", "nothing", 0),
        "seen = []\ndef f(x): seen.append(x); return len(seen)",
    ):
        assert not pairs(jail, program, "f", [(([1],), 1), (([1],), 2), (([1],), 1)]).passed


def test_a_right_program_passes_every_judge(jail: Jail) -> None:
    """The judges are not merely strict: what a right program gives is accepted."""
    for name, judge in JUDGES.items():
        cases = draw(random.Random(5))
        program = f"wanted = {table(cases)!r}\ndef f(x): return wanted[str(x)]"
        assert judge(jail, program, random.Random(5)).passed, name


def test_compared_inside_an_object_that_equals_all_passes(jail: Jail) -> None:
    """Teeth of the verdict outside: the naive way, expected value and comparison in the candidate's process."""
    program = forgery("equal object", "returns", "nothing", 0) + "\nprint('PASS' if f([1]) == 12345 else 'FAIL')"
    assert jail.run(program).stdout == "PASS\n"
    assert not pairs(jail, program, "f", [(([1],), 12345)]).passed


def test_without_canaries_a_walk_up_the_frames_passes_a_suite(jail: Jail, monkeypatch: pytest.MonkeyPatch) -> None:
    """Teeth of the canaries."""
    assert not by_suite(jail, FRAMES, random.Random(3)).passed
    monkeypatch.setattr(suites, "CANARIES", 0)
    assert by_suite(jail, FRAMES, random.Random(3)).passed


def test_negated_assertions_alone_do_not_stop_a_walk_up_the_frames(jail: Jail, monkeypatch: pytest.MonkeyPatch) -> None:
    """Teeth of the kind of canary: negated assertions alone do not do."""
    monkeypatch.setattr(suites, "_literal", lambda node: False)
    assert by_suite(jail, FRAMES, random.Random(3)).passed


def test_with_the_tests_in_its_own_process_a_walk_up_the_frames_passes(jail: Jail) -> None:
    """Teeth of the second jail: the same tests, with the program's own functions instead of calls into its jail."""
    tests = {"one": "assert f([1, 2]) == 987654"}
    naive = FRAMES + "\ntry:\n    " + tests["one"] + "\n    print('PASS')\nexcept AssertionError: print('FAIL')"
    assert jail.run(naive).stdout == "PASS\n"
    assert not asserts(jail, FRAMES, ["f"], tests, LIMITS).passed


def test_seen_inputs_do_not_help_with_hidden_ones(jail: Jail) -> None:
    """Teeth of hidden cases: a table of the ones that were shown passes those, and those only."""
    shown, hidden = draw(random.Random(1)), draw(random.Random(2))
    known = table(shown)
    program = f"table = {known!r}\ndef f(x): return table.get(str(x), 0)"
    assert pairs(jail, program, "f", [(given, known[str(given[0])]) for given, _ in shown]).passed
    assert pairs(jail, program, "f", hidden).score == 0


def test_a_pickle_is_not_opened(jail: Jail, tmp_path: Path) -> None:
    """Teeth of plain data: the same bytes, unpickled, run what the candidate wrote."""
    mark = tmp_path / "mark"
    source = f"""
class Payload:
    def __reduce__(self): import os; return os.mkdir, ({str(mark)!r},)
import pickle, os
os.write(3, pickle.dumps(Payload()))
def f(x): return Payload()
def text(x): return pickle.dumps(Payload())
"""
    outcome = jail.run(source, Calls("f", [(1,)]))
    assert outcome.value is None
    assert not mark.exists()
    payload = plain.encode((True, b""))  # what the jail would have to be given to hide one inside plain data
    assert plain.decode(payload) == (True, b"")
    data = jail.run(source.replace("os.write(3, pickle.dumps(Payload()))", ""), Calls("text", [(1,)])).value
    assert not mark.exists()
    pickle.loads(data)
    assert mark.exists()


@pytest.mark.parametrize("name", ["/etc/x", "../x", "a/../../x", "", ".", "a//b", "./a", "a\0b", "x" * 2000])
def test_names_that_lead_elsewhere_are_refused(name: str) -> None:
    with pytest.raises(AutotrophError, match="file name"):
        Directory({name: b""})


def test_links_and_special_files_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    for name, make in {
        "symbolic": lambda path: path.symlink_to(tmp_path / "secret"),
        "folder": lambda path: path.symlink_to(tmp_path, target_is_directory=True),
        "hard": lambda path: path.hardlink_to(tmp_path / "secret"),
        "fifo": os.mkfifo,
    }.items():
        folder = tmp_path / name
        folder.mkdir()
        make(folder / "x")
        with pytest.raises(AutotrophError, match="leave it out"):
            Directory.read(folder)


def test_a_link_swapped_in_while_reading_is_not_followed(tmp_path: Path) -> None:
    folder, secret = tmp_path / "folder", tmp_path / "secret"
    folder.mkdir()
    secret.write_text("secret")
    (folder / "x").write_text("mine")
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            for make in (lambda path: path.symlink_to(secret), lambda path: path.write_text("mine")):
                make(tmp_path / "new")
                (tmp_path / "new").replace(folder / "x")

    thread = threading.Thread(target=swap)
    thread.start()
    seen, refused = set(), 0
    while refused < 20 or b"mine" not in seen:
        try:
            seen |= set(Directory.read(folder).files.values())
        except AutotrophError:
            refused += 1
    stop.set()
    thread.join()
    assert seen <= {b"mine", b""}


def test_too_much_is_refused(tmp_path: Path) -> None:
    with open(tmp_path / "sparse", "wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(AutotrophError, match="give fewer"):
        Directory.read(tmp_path)


def test_what_comes_back_is_what_was_asked_for(jail: Jail) -> None:
    """A link is followed inside the jail, where there is nothing to find; other names do not come out."""
    script = b"ln -s /etc/shadow a; ln -s ../../../../etc/passwd b; echo fine > c; echo more > d"
    outcome = jail.command(Directory({"run.sh": script}), ["sh", "run.sh"], collect=["a", "b", "c", "../c"])
    assert outcome.files == {"c": b"fine\n"}
