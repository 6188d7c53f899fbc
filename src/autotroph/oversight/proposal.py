"""What a cycle has come to and the ledger has not seen yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from autotroph.core.policy import Policy
from autotroph.store.record import CycleRecord


@dataclass(frozen=True)
class Proposal:
    """The arguments of `State.commit`."""

    candidate: Policy
    record: CycleRecord
    knobs: Mapping[str, float]
    ruling: Mapping[str, Any]

    @property
    def artifacts(self) -> list[tuple[str, str]]:
        """(store, name) of all that it rests on."""
        rows = str(self.candidate.data)
        return [("policies", self.candidate.id), ("rows", rows), ("evidence", self.ruling["evidence"])]

    def as_json(self) -> dict[str, Any]:
        return {
            "candidate": asdict(self.candidate),
            "record": self.record.model_dump(mode="json"),
            "knobs": dict(self.knobs),
            "ruling": dict(self.ruling),
        }

    @classmethod
    def of_json(cls, data: Mapping[str, Any]) -> Proposal:
        record = CycleRecord.model_validate(data["record"])
        return cls(Policy(**data["candidate"]), record, data["knobs"], data["ruling"])
