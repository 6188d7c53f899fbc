"""AlphaEvolve: programs for open problems, searched for against a strict evaluator.

Source: AlphaEvolve (arXiv:2506.13131), after FunSearch (doi:10.1038/s41586-023-06924-6).

A program is edited, tried, and kept in an archive of islands with elites, from which the next parents come. What it
returns is judged outside of the jail, from the raw output, without tolerance; the score that a program claims is not
looked at. Beside it two searches have as many evaluations: parents drawn at random, and children of the seed alone.

Scaled down: typed edits of the syntax tree in a language model's place, unless `--llm-name` says which model to ask; a
thousand evaluations a cycle. For 26 circles the seed is a program that lets circles push one another about; other
problems begin with their starter.
"""

from __future__ import annotations

from pathlib import Path

from autotroph.evolve.candidate import Candidate
from autotroph.loop import Loop
from autotroph.recipes.evolved import EvolveConfig, evolve
from autotroph.tasks.programs.family import ProgramFamily

SOURCE = "arXiv:2506.13131"
SEEDS = Path(__file__).parent / "seeds"


class Config(EvolveConfig):
    def seed_program(self, family: ProgramFamily) -> Candidate:
        own = SEEDS / family.name
        if self.program is None and own.is_dir():
            return Candidate.read(own, self.frozen)
        return super().seed_program(family)


def build(config: Config) -> Loop:
    return evolve(config)
