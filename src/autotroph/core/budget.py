"""What a run may cost, and what it has cost so far."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from threading import Lock

from pydantic import Field

from autotroph.core.config import Config
from autotroph.core.errors import BudgetExceeded


class Budget(Config):
    """Hard caps; None means no cap."""

    tokens: int | None = Field(default=None, ge=1, description="sampled tokens")
    verifier_calls: int | None = Field(default=None, ge=1, description="calls of a verifier")
    flops: float | None = Field(default=None, gt=0, description="floating-point operations of sampling and training")
    seconds: float | None = Field(default=None, gt=0, description="wall-clock time")
    dollars: float | None = Field(
        default=None, gt=0, description="what endpoints charge, at the prices they were given"
    )


@dataclass
class Meter:
    """Counts what is spent, from any thread. `seconds` covers earlier sessions of the same run as well."""

    tokens: int = 0
    trained_tokens: int = 0
    verifier_calls: int = 0
    flops: float = 0.0
    seconds: float = 0.0
    dollars: float = 0.0

    def __post_init__(self) -> None:
        self._started = time.monotonic() - self.seconds
        self._lock = Lock()

    def spend(
        self,
        *,
        tokens: int = 0,
        trained_tokens: int = 0,
        verifier_calls: int = 0,
        flops: float = 0.0,
        dollars: float = 0.0,
    ) -> None:
        with self._lock:
            self.tokens += tokens
            self.trained_tokens += trained_tokens
            self.verifier_calls += verifier_calls
            self.flops += flops
            self.dollars += dollars

    def snapshot(self) -> dict[str, float]:
        """All counters as plain numbers; `Meter(**snapshot)` counts on from there."""
        self.seconds = time.monotonic() - self._started
        return asdict(self)

    def check(self, budget: Budget) -> None:
        """Raises BudgetExceeded when any cap is reached."""
        spent = self.snapshot()
        for name, cap in budget.model_dump().items():
            if cap is not None and spent[name] >= cap:
                raise BudgetExceeded(f"budget: {name} at {spent[name]:.6g} of {cap:.6g}; start a run with a higher cap")
