"""The guard against feeding on oneself: real rows stay in the mixture, and self-made data has a greatest depth.

A model trained on nothing but its own answers gets worse with every generation; one whose real rows stay beside them
does not (arXiv:2404.01413).
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from autotroph.core.config import Config
from autotroph.core.errors import AutotrophError
from autotroph.core.protocols import View
from autotroph.core.reject import reject_traces
from autotroph.core.trace import Group


class Guard(Config):
    """Stands between selection and training; implements `core.protocols.Selector`.

    Rejects traces above `max_depth`, "too deep". Depth is no harm by itself where a vote or a verifier holds the
    labels, and recipes that climb grow deep by design: none is the default. `real_floor` is met by the mixture of the
    batches, which draws real rows as often as it asks.
    """

    real_floor: float = Field(default=0.05, ge=0, lt=1, description="least share of real rows in what is trained on")
    max_depth: int | None = Field(
        default=None, ge=1, description="most generations of self-made data behind a row; none: any"
    )

    def select(self, groups: Sequence[Group], view: View) -> list[Group]:
        """Raises AutotrophError where rows are left, all of them self-made, and the floor is above 0."""
        deepest = self.max_depth
        if deepest is not None:
            groups = [reject_traces(g, lambda trace: "too deep" if trace.depth > deepest else None) for g in groups]
        depths = {trace.depth for group in groups for trace in group.kept}
        if self.real_floor and depths and 0 not in depths:
            raise AutotrophError(
                f"guard: cycle {view.cycle} would train on self-made rows only, depth {min(depths)} to {max(depths)}; "
                "give it real ones (--gold-per-level), or set --guard-real-floor 0"
            )
        return list(groups)
