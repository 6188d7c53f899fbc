"""PromptQuine: prompts evolve by leaving out what they need not say, and do better than the whole.

Source: Evolving Prompts In-Context (arXiv:2506.17930).

A prompt of demonstrations stands before each question. A child is its parent without 1 to 4 words or signs; it is tried
on train questions, and the pick is the prompt with the highest lower confidence bound. What is left may look like no
language. The gate holds the pick against the original on sealed questions.

Scaled down: a decoder of 2 layers that has learnt to read labels from demonstrations, 3 in 10 of which mislead;
islands in place of the paper's genetic algorithms. With a model, a task and a folder with a `prompt.txt` of your own:

    autotroph run promptquine --model HUB_ID --problem jsonl:questions.jsonl --program FOLDER
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from pydantic import Field

from autotroph.core.budget import Meter
from autotroph.core.errors import AutotrophError
from autotroph.core.policy import Policy
from autotroph.evaluate.claim import Trial
from autotroph.evolve.archive import Archive, Node
from autotroph.evolve.candidate import Candidate
from autotroph.evolve.mutate.registry import mutator
from autotroph.evolve.policies.registry import policy
from autotroph.evolve.programs import Trying
from autotroph.evolve.prompts import PROMPT, Prompted
from autotroph.evolve.search import Population, Search, Settings
from autotroph.loop import Loop, Recorder
from autotroph.models import checkpoint
from autotroph.models.engine import Engine, compute_dtype
from autotroph.models.hub import fetched
from autotroph.optimize.pretrain import PretrainConfig
from autotroph.recipes.agents import Blind
from autotroph.recipes.bases import BaseConfig
from autotroph.recipes.evolved import EvolveConfig, Weights, evolve
from autotroph.sandbox.jail import Jail
from autotroph.tasks.in_context import InContext, Labels
from autotroph.tasks.registry import task_family

SOURCE = "arXiv:2506.17930"
TAUGHT = PretrainConfig(steps=1200, settle=300, batch=64, rows=4000, mastery=0.7)


class Config(EvolveConfig):
    problem: str = Field("labels", description="what is asked; labels: the embedded model's own questions")
    model: str | None = Field(None, description="folder or hub id of who answers; none: the embedded model")
    mutators: Weights = Field({"prune": 1.0}, description="NAME=WEIGHT,...: who edits")
    tasks: int = Field(20, ge=1, description="questions that prompts are tried on")
    sealed: int = Field(100, ge=1, description="fresh sealed questions that every gate decision looks at")
    base: BaseConfig = BaseConfig(hidden=64, layers=2, rope_theta=10000.0, train=TAUGHT)

    def sampler(self) -> Engine:
        """Who answers; the embedded model is taught now, unless it is in the cache."""
        family = InContext()
        taught = self.base.make(family, family.levels, 0, Recorder())[0] if self.model is None else fetched(self.model)
        model, tokenizer = checkpoint.load(taught)
        return Engine(model.to(self.device, compute_dtype()), tokenizer, Policy("answers", "weights", ""), Meter())

    def family(self) -> Prompted:
        """Raises AutotrophError for questions of your own without a prompt."""
        own = Labels(self.seed)
        questions = own if self.problem == own.name else task_family(self.problem)
        if questions is not own and self.program is None:
            raise AutotrophError(
                f"problem '{self.problem}': no prompt to begin with; give --program FOLDER with {PROMPT}"
            )
        return Prompted(questions, self.sampler, own.prompt() if questions is own else "")


def build(config: Config) -> Loop:
    return evolve(config)


@dataclass(frozen=True)
class Pruned:
    """A side: right answers to sealed questions behind a prompt, in percent. `beside`: with the original, with the best
    of as many random prunings of it, and the share of the original's text that is left."""

    prompt: Literal["evolved", "original", "blind"]
    evaluations: int = 800
    tasks: int = 20
    sealed: int = 150

    def __call__(self, seed: int, compute: Mapping[str, float]) -> Trial:
        began, family = time.monotonic(), Config(seed=seed).family()
        root, meter, beside = Candidate.of(family.starter), Meter(), {}
        pick = root if self.prompt == "original" else self._searched("islands", family, root, seed, meter)
        if self.prompt == "evolved":
            others = {"original": root, "random pruning": self._searched("best_of_n", family, root, seed, Meter())}
            beside = {name: self._right(family, one, seed) for name, one in others.items()}
            beside["left"] = 100 * len(pick.text(PROMPT)) / len(root.text(PROMPT))
        spent = {"verifier_calls": float(meter.verifier_calls or self.evaluations)}
        return Trial(self._right(family, pick, seed), spent, time.monotonic() - began, (), beside)

    def _searched(self, name: str, family: Prompted, root: Candidate, seed: int, meter: Meter) -> Candidate:
        trying = Trying(family, family.generate(1, self.tasks, seed), Jail(), meter)
        population = Population(Archive(self.tasks))
        population.add(root, Node(root.id))
        evaluator = Blind(trying, seed) if self.prompt == "blind" else trying
        settings = Settings(self.evaluations, ahead=1, workers=1)
        return population.candidate(
            Search(population, policy(name), mutator("prune"), evaluator, settings, seed, meter).run()
        )

    def _right(self, family: Prompted, prompt: Candidate, seed: int) -> float:
        asked = family.generate(1, self.sealed, seed, "sealed")
        scores = [family.verify(task, family.ask(Jail(), prompt.directory, task)[0]) for task in asked]
        return 100 * fmean(score or 0.0 for score in scores)
