"""Policies: versions of the artifact that improves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["weights", "text", "code", "memory"]


@dataclass(frozen=True, slots=True)
class Policy:
    """One version. `id` is the hash of its content, so equal ids mean equal behaviour.

    `uri`: where the content lies. `parent`: the policy it was made from (None for a base). `data` and `config`: hashes
    of the training data and of the configuration. `depth`: generations of self-made data in its training (0 for none).
    `members`: how many models it holds. The first one answers; the others began from other seeds and saw other batches,
    so that what all of them agree on is rarely wrong (arXiv:2502.01612 votes over such models).
    """

    id: str
    kind: Kind
    uri: str
    parent: str | None = None
    data: str | None = None
    config: str | None = None
    cycle: int = 0
    depth: int = 0
    members: int = 1


def short(name: str) -> str:
    """A policy's id for people: its first 12 digits; other names, such as "gold", as they are."""
    return name[:12] if len(name) == 64 else name
