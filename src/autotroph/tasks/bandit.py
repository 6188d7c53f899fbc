"""Bernoulli bandits, pulled arm by arm: the regret of any sequence of pulls is known exactly."""

from __future__ import annotations

import random
from collections import Counter
from math import log, sqrt

from autotroph.core.protocols import Environment, Turn
from autotroph.core.task import Task, stable_hash
from autotroph.tasks.procedural import Procedural

ARMS, PULLS = "abcdefgh", 4
"""Names of the arms, and pulls for each arm that there is."""


def means(prompt: str) -> dict[str, int]:
    """How often every arm of a prompt such as "40213abc>" pays, of ten times: from 1 to 9, no two alike."""
    arms = prompt[5:-1]
    rng = random.Random(stable_hash("bandit", prompt))
    return dict(zip(arms, rng.sample(range(1, 10), len(arms)), strict=True))


class Arms:
    """One episode: an action names an arm, an observation is "+" where it paid and "-" where it did not.

    The n-th pull of an arm pays or not whatever was pulled in between. Anything that is no arm ends it with score 0.
    """

    def __init__(self, family: Bandit, task: Task) -> None:
        self.family, self.task, self.means = family, task, means(task.prompt)
        self.pulled = ""
        self.end: Turn | None = None

    def step(self, action: str) -> Turn:
        if self.end is None and action not in self.means:
            self.end = Turn("", done=True, score=0.0)
        if self.end is None:
            self.pulled += action
            if len(self.pulled) == self.family.max_turns(self.task.level):
                self.end = Turn("", done=True, score=self.family.verify(self.task, self.pulled))
        return self.end or Turn("-+"[self.pays(action, self.pulled.count(action))], done=False)

    def pays(self, arm: str, pull: int) -> bool:
        return random.Random(stable_hash(self.task.prompt, arm, str(pull))).randrange(10) < self.means[arm]


class Bandit(Procedural):
    """Level n: n + 1 arms and 4 (n + 1) pulls. With mu_a how often arm a pays, best and worst over the arms, T pulls
    have the regret T best - sum of mu_a; the score is 1 less its share of the greatest regret, T (best - worst).

    The best arm throughout scores 1, which nobody can know from the prompt; pulls at random score
    (mean - worst) / (best - worst) on average. The gold answer is the best arm throughout; the expert goes by what it
    sees (UCB1, Auer et al. 2002).
    """

    name = "bandit"
    levels = range(1, 8)
    alphabet = "0123456789>+-" + ARMS
    max_action = 1

    def problem(self, level: int, rng: random.Random) -> tuple[str, str]:
        prompt = f"{rng.randrange(100_000):05}{ARMS[: level + 1]}>"
        worth = means(prompt)
        return prompt, max(worth, key=worth.__getitem__) * self.max_turns(level)

    def verify(self, task: Task, answer: str) -> float | None:
        worth, turns = means(task.prompt), self.max_turns(task.level)
        if len(answer) != turns or set(answer) - set(worth):
            return 0.0
        best, worst = max(worth.values()), min(worth.values())
        return 1 - sum(best - worth[arm] for arm in answer) / (turns * (best - worst))

    def recheck(self, task: Task, answer: str) -> float | None:
        """Whether nothing but one arm was pulled, as often as there are pulls, and it pays more than every other."""
        worth, pulls = means(task.prompt), Counter(answer)
        return float(any(pulls == {arm: PULLS * len(worth)} and p >= max(worth.values()) for arm, p in worth.items()))

    def wrong_answers(self, task: Task) -> list[str]:
        worth = means(task.prompt)
        worst = min(worth, key=worth.__getitem__) * self.max_turns(task.level)
        gold = task.answer or ""
        return ["", gold[:-1], gold + gold[-1:], gold[:-1] + "+", gold + " ", worst]

    def start(self, task: Task) -> Environment:
        return Arms(self, task)

    def expert(self, task: Task) -> list[str]:
        arms, played = Arms(self, task), list[str]()
        paid: Counter[str] = Counter()
        for turn in range(self.max_turns(task.level)):
            index = {
                arm: paid[arm] / played.count(arm) + sqrt(2 * log(turn) / played.count(arm))
                if arm in played
                else float("inf")
                for arm in arms.means
            }
            arm = max(index, key=index.__getitem__)
            played.append(arm)
            paid[arm] += arms.pays(arm, played.count(arm))
        return played

    def max_turns(self, level: int) -> int:
        return PULLS * (level + 1)

    def max_answer(self, level: int) -> int:
        return self.max_turns(level)
