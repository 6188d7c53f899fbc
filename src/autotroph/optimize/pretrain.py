"""Base models: trained once on gold rows of the easy levels, then kept by the hash of everything that made them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean

from pydantic import Field

from autotroph.core.budget import Meter
from autotroph.core.config import Config
from autotroph.core.folders import cache_root
from autotroph.core.task import refuse_unless_train, stable_hash
from autotroph.core.trace import Group
from autotroph.models import checkpoint
from autotroph.models.rollout import row_seed
from autotroph.models.threads import in_parallel
from autotroph.models.tokenizer import TextTokenizer
from autotroph.models.transformer import ModelConfig, Transformer
from autotroph.optimize.algo.sft import SFT
from autotroph.optimize.learner import Learner, LearnerConfig
from autotroph.optimize.mixture import Mixture
from autotroph.store.artifacts import Artifacts

RECIPE_VERSION = "4"
"""Part of every base's hash: raise it when a change of the code gives other weights for the same configuration."""


class PretrainConfig(Config):
    steps: int = Field(2000, ge=1, description="most training steps of each")
    settle: int = Field(400, ge=1, description="training steps once all levels have joined")
    batch: int = Field(128, ge=2, description="rows a step")
    mastery: float = Field(0.3, gt=0, description="loss under which the next level joins, easiest first")
    rows: int = Field(10000, ge=1, description="gold rows of each level")


class Curriculum:
    """Opens the levels one after another, each when the mean loss on the open ones is below `mastery`.

    Short answers teach what long ones need: with all lengths open from the start bases took longer, or never got there.
    """

    WINDOW = 20

    def __init__(self, levels: Sequence[int], mastery: float):
        self._levels, self._mastery, self._open = levels, mastery, min(2, len(levels))
        self._recent: list[float] = []
        self.settled = 0
        """Steps since all levels are open."""

    @property
    def hardest(self) -> int:
        return self._levels[self._open - 1]

    def observe(self, loss: float) -> None:
        self.settled += self._open == len(self._levels)
        self._recent.append(loss)
        if len(self._recent) >= self.WINDOW and fmean(self._recent[-self.WINDOW :]) < self._mastery:
            self._open = min(self._open + 1, len(self._levels))
            self._recent.clear()


def pretrained(
    groups: Callable[[TextTokenizer], Sequence[Group]],
    tokenizer: TextTokenizer,
    shape: ModelConfig,
    config: PretrainConfig,
    learner: LearnerConfig,
    seed: int,
    members: int,
    identity: str,
    on_step: Callable[[int, int, float], None] = lambda step, steps, loss: None,
) -> Path:
    """Folder of the base checkpoint, trained now or found in the cache.

    It holds `members` models, each from a seed of its own. `groups` makes the gold rows and is only called when they
    are needed; `identity` names them (task, levels, options). Training ends `settle` steps after the last level has
    joined. `on_step(step, steps, loss)` is called after each step of the first member, `steps` being the most that
    there can be.
    """
    bases = Artifacts(cache_root() / "bases")
    parts = [model.model_dump_json() for model in (shape, config, learner)]
    name = stable_hash(RECIPE_VERSION, identity, str(seed), str(members), *parts, tokenizer.backend.to_str())[:16]
    if name in bases:
        return bases.path(name)
    rows = groups(tokenizer)
    refuse_unless_train((group.task for group in rows), "pretrain")
    mixture = Mixture.of(rows, SFT())

    def train(member: int) -> Learner:
        own = row_seed(seed, f"member {member}")
        trainer, rng = Learner(Transformer(shape).initialise(own), learner, Meter()), random.Random(own)
        curriculum = Curriculum(sorted({level for _, level in mixture.pools}), config.mastery)
        while trainer.done < config.steps and curriculum.settled < config.settle:
            loss = trainer.step(mixture.batch(config.batch, rng, curriculum.hardest))["loss"]
            curriculum.observe(loss)
            if member == 0:
                on_step(trainer.done, config.steps, loss)
        return trainer

    trained = in_parallel(train, range(members))
    models, training = [one.trained() for one in trained], [one.state_dict() for one in trained]
    return bases.put(lambda folder: checkpoint.save(models, tokenizer, folder, training), lambda _: name)
