"""A jail for model-written code: run it behind walls, judge it outside them (docs/sandbox.md)."""

from autotroph.sandbox.jail import Jail, run
from autotroph.sandbox.outcome import Answer, Calls, Limits, Outcome, Usage

__all__ = ["Answer", "Calls", "Jail", "Limits", "Outcome", "Usage", "run"]
