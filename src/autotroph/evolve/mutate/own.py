"""Agents that edit themselves: a candidate's own `meta.py` says what its child is (HyperAgents, DGM).

The meta agent is a file of the candidate like any other. So its child may have another meta agent, and whatever makes
better editors is inherited by those whom it made. It runs in the jail, is given plain texts, and gives plain texts
back; what is frozen stays as it is, whatever it says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autotroph.evolve.candidate import Candidate, NoEdit
from autotroph.evolve.protocols import Edit, Parent, Surroundings
from autotroph.sandbox.jail import Jail
from autotroph.sandbox.outcome import DEFAULTS, Calls, Limits

META, ENTRY = "meta.py", "edit"


@dataclass(frozen=True)
class Own:
    """Calls `edit(files, outcomes, feedback, seed)` of the parent's `meta.py`: texts by file name, outcomes and words
    by task, a number. It returns the texts that are to change by file name, None for a file to be taken away.

    `fixed`: whose `meta.py` is asked instead, whatever the candidates make of theirs: the baseline without
    self-reference.
    """

    jail: Jail = field(default_factory=Jail)
    fixed: Candidate | None = None
    limits: Limits = DEFAULTS
    name: str = "own"
    parents: int = 1

    def edit(self, parents: Sequence[Parent], around: Surroundings) -> Edit:
        parent = parents[0]
        editor, seed = self.fixed or parent.candidate, around.rng.getrandbits(32)
        files = {name: parent.candidate.text(name) for name in parent.candidate.open}
        given = files, dict(parent.outcomes), dict(parent.feedback), seed
        outcome = self.jail.call(editor.directory, META, Calls(ENTRY, [given]), self.limits)
        if not outcome.answers:
            raise NoEdit(f"its meta agent ended with {outcome.status}")
        answer = outcome.answers[0]
        if answer.error is not None:
            raise NoEdit(f"its meta agent raised {answer.error}")
        return Edit(parent.candidate.edited(_changes(answer.value)), "by its own meta agent")


def _changes(value: Any) -> Mapping[str, str | None]:
    match value:
        case dict() if all(isinstance(k, str) and isinstance(v, str | None) for k, v in value.items()):
            return value
    raise NoEdit(f"its meta agent gave {type(value).__name__}, and texts by file name are asked for")


MUTATOR = Own
