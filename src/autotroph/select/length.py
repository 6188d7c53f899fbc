"""Length filtering of self-labelled data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from autotroph.core.protocols import View
from autotroph.core.reject import level_of, reject_traces
from autotroph.core.trace import Group, Trace


@dataclass
class LengthFilter:
    """Rejects answers that were cut off, "truncated", and with `mode="relative"` those that are too "short".

    Relative (arXiv:2502.01612): a model beyond its range tends to leave tokens out, so an answer may have at most
    `slack` characters less than the longest finished one of its family and level in the batch. The paper's code allows
    1 for addition, where a sum may or may not have one digit more. Cut-off and failed answers do not set the length.
    """

    mode: Literal["relative", "stop_only"] = "relative"
    slack: int = 1

    def select(self, groups: Sequence[Group], view: View) -> list[Group]:
        longest: defaultdict[tuple[str, int], int] = defaultdict(int)
        for group in groups if self.mode == "relative" else ():
            level = level_of(group)
            for trace in group.kept:
                if trace.stop in ("stop", "given"):
                    longest[level] = max(longest[level], len(trace.text))

        def reason(level: tuple[str, int], trace: Trace) -> str | None:
            if trace.stop == "length":
                return "truncated"
            return "short" if len(trace.text) < longest[level] - self.slack else None

        return [reject_traces(group, partial(reason, level_of(group))) for group in groups]
