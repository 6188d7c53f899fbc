"""PromptQuine: prompts evolve by leaving out words and signs.

Source: Evolving Prompts In-Context (arXiv:2506.17930).

A prompt of demonstrations stands before each question. A child is its parent without 1 to 4 words or signs; it is tried
on train questions, and the pick is the prompt with the highest lower confidence bound. What is left may look like no
language. The gate holds the pick against the original on sealed questions.

Scaled down: a decoder of 2 layers, taught to read labels from demonstrations, 3 in 10 of which mislead; islands in
place of the paper's genetic algorithms. It reads them badly: of five letters it labels 46% rightly, 25% by chance. So
nothing is claimed so far, and that pruned prompts do better than the whole has not been shown here. With a model, a
task and a folder with a `prompt.txt` of your own:

    autotroph run promptquine --model HUB_ID --problem jsonl:questions.jsonl --program FOLDER
"""

from __future__ import annotations

from pydantic import Field

from autotroph.core.budget import Meter
from autotroph.core.errors import AutotrophError
from autotroph.core.policy import Policy
from autotroph.evolve.prompts import PROMPT, Prompted
from autotroph.loop import Loop, Recorder
from autotroph.models import checkpoint
from autotroph.models.engine import Engine, compute_dtype
from autotroph.models.hub import fetched
from autotroph.optimize.pretrain import PretrainConfig
from autotroph.recipes.bases import BaseConfig
from autotroph.recipes.evolved import EvolveConfig, Weights, evolve
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
