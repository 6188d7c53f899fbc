import numpy as np
import pytest
from grown import chosen, grown

from autotroph.core.errors import AutotrophError
from autotroph.evolve.elo import Tournament, coin, expected, judge, proposed, rated
from autotroph.evolve.policies.elo_tournament import EloTournament
from autotroph.recipes.co_scientist import Led, Rated


def test_elo_by_hand():
    assert expected(1200, 1200) == 0.5
    assert expected(1600, 1200) == pytest.approx(10 / 11)
    ratings = [1600.0, 1200.0]
    rated(ratings, 0, 1, 0.0)
    assert ratings == pytest.approx([1600 - 320 / 11, 1200 + 320 / 11])
    rated(ratings, 0, 1, expected(*ratings))
    assert ratings == pytest.approx([1600 - 320 / 11, 1200 + 320 / 11])


def test_a_score_is_between_lost_and_won():
    with pytest.raises(AutotrophError, match="score of 2"):
        rated([1.0, 1.0], 0, 1, 2)


def test_a_judge_without_noise_is_right_and_a_coin_is_not():
    rng = np.random.default_rng(0)
    assert all(judge(0)(1.0, 0.9, rng) for _ in range(50))
    assert 0.4 < np.mean([coin(9.0, 0.0, rng) for _ in range(1000)]) < 0.6


def test_an_edit_of_an_average_idea_is_spread_as_a_new_one():
    rng = np.random.default_rng(0)
    edits = [proposed(rng.standard_normal(), 0.9, rng) for _ in range(20000)]
    assert np.std(edits) == pytest.approx(1, abs=0.02)
    assert np.mean([proposed(2.0, 0.9, rng) for _ in range(2000)]) == pytest.approx(1.8, abs=0.05)


def test_a_tournament_without_noise_is_led_by_one_of_the_best():
    game = Tournament(judge(0), np.random.default_rng(1))
    for _ in range(5):
        game.round()
    assert game.calls == 20 + game.played
    assert sum(game.ratings) == pytest.approx(1200 * 20)
    assert game.quality[game.leaders(1)[0]] >= sorted(game.quality)[-3]


def test_sides_have_as_many_calls():
    ours = Led("judge", calls=200)(5, {})
    other = Rated()(5, ours.compute)
    assert other.compute["verifier_calls"] == pytest.approx(ours.compute["verifier_calls"], abs=1)


def test_the_leaders_of_a_league_are_edited():
    archive = grown(1, (None, [0]), (0, [1]), (0, [0.5]), (0, [0.2]))
    policy = EloTournament(top=2)
    ratings = policy.ratings(archive, np.arange(4))
    assert np.argsort(-ratings).tolist() == [1, 2, 3, 0]
    assert {choice.parents for choice in chosen(policy, archive, 20)} == {(1, 2), (2, 1)}


def test_a_draw_between_equals_changes_nothing():
    archive = grown(1, (None, [0.5]), (0, [0.5]))
    assert EloTournament().ratings(archive, np.arange(2)).tolist() == [1200, 1200]
