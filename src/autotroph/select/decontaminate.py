"""Decontamination: nothing that resembles a sealed prompt may be trained on, and no sealed prompt may be held here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from autotroph.core.fingerprint import Fingerprints
from autotroph.core.protocols import View
from autotroph.core.reject import is_live, reject_groups
from autotroph.core.trace import Group


@dataclass
class Decontaminate:
    """Rejects a group, "sealed prompt" or "sealed n-grams", by the overlap of its prompt with the sealed ones.

    A whole match always rejects; below it, a share of matching n-grams above `threshold` does. 0 rejects at the first
    shared n-gram (GPT-3, arXiv:2005.14165 app. C: 13 words), which also finds a sealed prompt inside a longer one;
    1 leaves only whole matches, the setting for tasks over a small alphabet, where all n-grams are shared.
    `dropped`: the bare tasks that the last call removed, by reason.
    """

    sealed: Fingerprints
    threshold: float = 0.5
    dropped: dict[str, int] = field(default_factory=dict, init=False)

    def select(self, groups: Sequence[Group], view: View) -> list[Group]:
        reasons = (self._reason(group.task.prompt) if is_live(group) else None for group in groups)
        remaining, self.dropped = reject_groups(groups, reasons)
        return remaining

    def _reason(self, prompt: str) -> str | None:
        if prompt in self.sealed:
            return "sealed prompt"
        if self.threshold < 1 and self.sealed.overlap(prompt) > self.threshold:
            return "sealed n-grams"
        return None
