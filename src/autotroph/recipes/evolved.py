"""What recipes share whose artifact is a program: the search, and the sealed tasks that its pick is held to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field

from autotroph.acquire.curated import Bare
from autotroph.core.config import Config
from autotroph.core.errors import AutotrophError
from autotroph.core.folders import cache_root
from autotroph.evaluate.benchmark import SealedSuite
from autotroph.evaluate.gate import PairedGate
from autotroph.evaluate.monitors import Monitors
from autotroph.evolve.archive import Archive
from autotroph.evolve.candidate import Candidate
from autotroph.evolve.cognition import Cognition
from autotroph.evolve.evolution import Evolution
from autotroph.evolve.mutate.llm import Form, LanguageModel
from autotroph.evolve.mutate.mixed import Mixed
from autotroph.evolve.mutate.registry import mixture
from autotroph.evolve.policies.registry import policy
from autotroph.evolve.programs import Answering
from autotroph.evolve.protocols import Mutator, SearchPolicy
from autotroph.evolve.search import Settings, Stage
from autotroph.loop import Loop, Stages
from autotroph.models.openai import Endpoint
from autotroph.recipes.registry import RunConfig
from autotroph.sandbox.jail import Jail
from autotroph.select.chain import Chain
from autotroph.select.dedup import ExactDedup
from autotroph.store.artifacts import Artifacts
from autotroph.tasks.programs.family import ProgramFamily
from autotroph.tasks.registry import task_family


def _listed(given: object) -> object:
    return [one for one in given.split(",") if one] if isinstance(given, str) else given


def _weighed(given: object) -> object:
    """ "syntax=2,crossover" as weights; a name alone weighs 1."""
    if not isinstance(given, str):
        return given
    return {name: weight or 1.0 for name, _, weight in (one.partition("=") for one in given.split(",") if one)}


Patterns = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Forms = Annotated[tuple[Form, ...], BeforeValidator(_listed)]
Weights = Annotated[dict[str, float], BeforeValidator(_weighed)]


class ModelConfig(Config):
    """A language model that edits, too, beside the mutators that need none."""

    name: str | None = Field(None, description="of a model at an OpenAI-compatible endpoint; none: no model is asked")
    url: str = Field("https://api.openai.com/v1", description="of the endpoint")
    key_variable: str = Field("OPENAI_API_KEY", description="environment variable with its key; unset: no key")
    forms: Forms = Field(("diff", "reflect", "rewrite"), description="FORM,...: how it is asked, each as often")
    share: float = Field(0.5, gt=0, le=1, description="of the edits that are its own")
    prompt_price: float = Field(0.0, ge=0, description="dollars for a million prompt tokens")
    answer_price: float = Field(0.0, ge=0, description="dollars for a million tokens of answers")

    def mutator(self) -> Mutator:
        assert self.name is not None
        prices = {"prompt_price": self.prompt_price, "answer_price": self.answer_price}
        endpoint = Endpoint(url=self.url, model=self.name, key_variable=self.key_variable, **prices)
        return Mixed(tuple((LanguageModel(endpoint, form), 1.0) for form in self.forms))


class EvolveConfig(RunConfig):
    """A run in which a program is searched for."""

    problem: str = Field("circle_packing", description="what programs are for, or path/to/file.py:Class of your own")
    level: int | None = Field(None, ge=0, description="of the problem; none: its lowest")
    program: str | None = Field(None, description="folder of the seed program; none: the problem's starter")
    frozen: Patterns = Field((), description="PATTERN,...: file names that no edit may touch")
    policy: str = Field("islands", description="who chooses what is edited and tried; docs/arena.md compares them")
    mutators: Weights = Field({"syntax": 3.0, "crossover": 1.0}, description="NAME=WEIGHT,...: who edits")
    llm: ModelConfig = ModelConfig()
    evaluations: int = Field(1000, ge=1, description="of one candidate on one task, in each cycle")
    cycles: int = Field(3, ge=1, description="most cycles, each judged by the gate")
    tasks: int = Field(12, ge=1, description="tasks that candidates are tried on; an exact problem has one")
    least: float = Field(0.0, ge=0, le=1, description="mean of its first two tasks below which a candidate is dropped")
    ahead: int = Field(4, ge=1, description="choices under way at a time")
    baselines: bool = Field(True, description="random and best-of-N searches beside, with as many evaluations each")
    sealed: int = Field(50, ge=1, description="fresh sealed tasks that every gate decision looks at")
    final_sealed: int = Field(100, ge=1, description="sealed tasks in the final table")
    gate: PairedGate = PairedGate()
    monitors: Monitors = Monitors(tasks=0)

    def family(self) -> ProgramFamily:
        """Raises AutotrophError for a task that no program answers."""
        family = task_family(self.problem)
        if not isinstance(family, ProgramFamily):
            raise AutotrophError(f"problem '{self.problem}': programs do not answer it; docs/problems.md lists those")
        return family

    def seed_program(self, family: ProgramFamily) -> Candidate:
        if self.program is None:
            return Candidate.of(family.starter, self.frozen)
        return Candidate.read(Path(self.program), self.frozen)

    def programmatic(self) -> Mutator:
        """Those that are named."""
        return mixture(self.mutators)

    def mutator(self) -> Mutator:
        """Those that are named, and the model's edits where there is a model. Raises AutotrophError for a name that
        nothing has."""
        programmatic = self.programmatic()
        if self.llm.name is None:
            return programmatic
        return Mixed(((self.llm.mutator(), self.llm.share), (programmatic, 1 - self.llm.share)))


class RepairConfig(EvolveConfig):
    """A run in which the broken program of `repair` is edited."""

    problem: str = "repair"
    level: int | None = Field(6, ge=0, description="of the problem; none: its lowest")
    evaluations: int = Field(300, ge=1, description="of one candidate on one task, in each cycle")
    tasks: int = Field(1, ge=1, description="tasks that candidates are tried on; one of `repair` has 72 tests")


def evolve(
    config: EvolveConfig,
    chooser: SearchPolicy | None = None,
    mutator: Mutator | None = None,
    figures: Callable[[Archive, int], Mapping[str, float]] | None = None,
    jail: Jail | None = None,
    cognition: Cognition | None = None,
) -> Loop:
    """A loop whose candidates a search finds among programs. Policy and mutator are the configured ones unless given.

    Raises AutotrophError for a level that the problem lacks, and for a seed program that is none.
    """
    family = config.family()
    level = family.levels[0] if config.level is None else config.level
    if level not in family.levels:
        low, high = family.levels[0], family.levels[-1]
        raise AutotrophError(f"problem '{family.name}': it has no level {level}; use --level {low} to {high}")
    jail, seed = jail or Jail(), config.seed_program(family)
    gate = config.gate.model_copy(update={"looks": config.cycles, "exact": family.exact})

    def suite(n: int, at: int) -> SealedSuite:
        return SealedSuite(family, [level], 1 if family.exact else n, at)

    return Loop(
        Stages(
            source=Bare(family, [level], 1 if family.exact else config.tasks, seed=config.seed),
            selector=Chain([ExactDedup()]),
            optimize=Evolution(
                family,
                chooser or policy(config.policy),
                mutator or config.mutator(),
                Settings(
                    config.evaluations,
                    config.ahead,
                    z=0.0 if family.exact else 1.0,
                    stage=Stage(2, config.least) if config.least else None,
                    describe=family.goal,
                    cognition=cognition,
                ),
                jail,
                config.frozen,
                {name: policy(name) for name in ("random", "best_of_n")} if config.baselines else {},
                figures,
            ),
            suite=partial(suite, config.sealed),
            refiner=Answering(family, jail),
            gate=gate,
            verify=family.verify,
        ),
        base=lambda watch: (Artifacts(cache_root() / "programs").put(seed.write), level),
        cycles=config.cycles,
        final_suite=lambda: suite(config.final_sealed, config.seed),
        kind="code",
        monitors=config.monitors,
    )
