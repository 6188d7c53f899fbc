import numpy as np
import pytest

from autotroph.evaluate.gate import PairedGate
from autotroph.recipes.agentdevel import Released, flips, report


def bits(text):
    return np.array([letter == "1" for letter in text])


def test_flips_by_hand():
    assert flips(bits("110010"), bits("101011")) == (2, 1)


@pytest.mark.parametrize(
    ("old", "new", "by_flips", "by_mean"),
    [
        ("110000", "111000", True, True),
        ("110000", "011110", False, True),
        ("110000", "110000", False, False),
        ("110000", "101000", False, False),
    ],
)
def test_the_flip_gate_lets_nothing_pass_that_breaks_what_worked(old, new, by_flips, by_mean):
    nobody = bits("000000")
    assert Released("flips").released(bits(old), bits(new), nobody) is by_flips
    assert Released("mean").released(bits(old), bits(new), nobody) is by_mean


def test_in_the_control_another_candidate_vetoes():
    old, new = bits("110000"), bits("011110")
    assert Released("sibling").released(old, new, bits("111111"))
    assert not Released("sibling").released(old, new, bits("011111"))


def test_a_gate_protects_what_is_solved_only_where_it_is_told_to():
    champion, candidate = report("a", bits("1" + "0" * 30)), report("b", bits("0" + "1" * 30))
    assert PairedGate(looks=1).decide(champion, candidate, 1).promoted
    held = PairedGate(looks=1, protect_solved=True).decide(champion, candidate, 1)
    assert held.verdict == "hold"
    assert held.reason == "1 of 1 protected tasks are lost or unscored"
    tolerant = PairedGate(looks=1, protect_solved=True, protected_rate=0.99)
    assert tolerant.decide(report("a", bits("11" + "0" * 30)), report("b", bits("01" + "1" * 30)), 1).promoted
