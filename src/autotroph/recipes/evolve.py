"""Evolution of a folder of your own: any program, agent or prompt, and a command that says how good it is.

Source: the shape of program search is that of AlphaEvolve (arXiv:2506.13131); what judges is yours.

`autotroph evolve DIR --eval CMD` copies the folder, edits the copy, and runs CMD in a jail in it; the last line that it
prints is the score, a number or JSON with "score", higher for what is better. Files that CMD names are not edited, nor
those of `--frozen`. With "{seed}" in CMD there are as many tasks as numbers: a candidate is searched for on some and
held by the gate to others, so that luck is not promoted. Without it the score counts as exact.

What runs in the evaluator's own process can make it say anything. With `--run CMD2` and `--evaluator DIR2` that cannot
be: CMD2 alone runs in the candidate's folder, and CMD reads what it printed, in a jail of its own with the files of
DIR2, whose hashes the ledger pins.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from autotroph.core.errors import AutotrophError
from autotroph.evolve.candidate import Candidate
from autotroph.loop import Loop
from autotroph.recipes.evolved import EvolveConfig, evolve
from autotroph.tasks.programs.command import Command, of_folder

SOURCE = "arXiv:2506.13131"


class Config(EvolveConfig):
    folder: str | None = Field(None, description="what is evolved; it is read and never written")
    eval: str | None = Field(None, description="command that prints the score as its last line")
    run: str | None = Field(None, description="command that alone runs the candidate; --eval then reads what it prints")
    evaluator: str | None = Field(None, description="folder in which --eval runs where there is a --run")

    def family(self) -> Command:
        """Raises AutotrophError where there is no folder or no command."""
        if self.folder is None or self.eval is None:
            raise AutotrophError("evolve: give a folder and a command: autotroph evolve DIR --eval 'python3 eval.py'")
        return of_folder(Path(self.folder), self.eval, self.run, Path(self.evaluator) if self.evaluator else None)

    def seed_program(self, family: Command) -> Candidate:  # type: ignore[override]
        return Candidate(family.files.files, (*self.frozen, *family.named()))


def build(config: Config) -> Loop:
    return evolve(config)
