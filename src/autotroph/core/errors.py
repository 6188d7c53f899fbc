"""Errors that a user can act on: each says what, where and the way out, in one line."""

from collections.abc import Iterable
from pathlib import Path


class AutotrophError(Exception):
    """A mistake in what the user gave; the command line prints it as one line and exits with 2."""


class SealedLeak(AutotrophError):
    """A task that only the evaluation may see was about to reach acquisition, selection or training."""


class BudgetExceeded(AutotrophError):
    """A hard cap of the run's budget is reached; the loop stops at the next safe point."""


class ApprovalNeeded(AutotrophError):
    """A person has to decide before the run goes on."""


class RedLine(AutotrophError):
    """Something touched what no part of a run may touch: the run ends and is locked.

    `rule`: what was touched, in a word. `found`: files and folders to be preserved as they were found.
    """

    def __init__(self, rule: str, what: str, found: Iterable[Path] = ()):
        super().__init__(f"red line, {rule}: {what}")
        self.rule, self.what, self.found = rule, what, tuple(found)


class Locked(AutotrophError):
    """The run has crossed a red line, and nobody has unlocked it."""


class Interrupted(AutotrophError):
    """The user asked the run to stop; it has stopped at a safe point and can be resumed."""
