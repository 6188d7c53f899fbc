"""A jail for model-written code: run it behind walls, judge it outside them (docs/sandbox.md)."""

from autotroph.sandbox.directory import Directory
from autotroph.sandbox.jail import Jail, run
from autotroph.sandbox.outcome import Answer, Calls, Limits, Outcome, Usage
from autotroph.sandbox.verdict import Verdict

__all__ = ["Answer", "Calls", "Directory", "Jail", "Limits", "Outcome", "Usage", "Verdict", "run"]
