import pytest

from autotroph.recipes.alphaevolve import Searched


@pytest.mark.parametrize("policy", ["islands", "best_of_n"])
def test_a_side_counts_its_candidates_and_the_edits_of_its_pick(policy):
    side = Searched(policy, level=2, evaluations=12)
    trial = side(1000, {})
    assert trial.compute["verifier_calls"] == trial.beside["tried"] == 12
    assert trial.value >= trial.beside["seed program"]
    assert trial.beside["edits"] <= (1 if policy == "best_of_n" else 11)
    assert side(1000, {}).value == trial.value
