"""Traces as the trainer reads them: what goes on from one prompt shares its row, so that it passes the model once.

A row is a prompt and then its branches, one behind the other: `P P P a a b b b`. A branch looks at the prompt and at
itself and counts its positions from the prompt's end: every trace is computed as if it stood alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from autotroph.core.protocols import Signal


@dataclass(frozen=True)
class Row:
    """Signals whose traces begin with the same `shared` tokens."""

    shared: int
    signals: list[Signal]

    def __len__(self) -> int:
        """Tokens of prompt and branches. The last token of a trace predicts nothing and takes no place."""
        return self.shared + sum(len(signal.trace.ids) - 1 - self.shared for signal in self.signals)


def rows_of(signals: Sequence[Signal]) -> Iterator[Row]:
    """Traces of one prompt in rows of about twice its length: longer ones would pay for looking what they save.

    A trace without a sampled token teaches nothing and is left out.
    """
    families: dict[tuple[int, ...], list[Signal]] = {}
    for signal in signals:
        if any(signal.trace.sampled):
            prompt = signal.trace.ids[: signal.trace.sampled.index(True)]
            families.setdefault(prompt, []).append(signal)
    for prompt, family in families.items():
        row = Row(len(prompt), [])
        for signal in family:
            if row.signals and len(row) + len(signal.trace.ids) > 3 * len(prompt):
                yield row
                row = Row(len(prompt), [])
            row.signals.append(signal)
        yield row


@dataclass(frozen=True)
class Sheet:
    """R rows of at most T tokens, padded on the right, and the N sampled tokens of their traces.

    `source_N`: the place, in ids_RT flattened, at which a sampled token is predicted; `target_N`: its id; `old_N`: its
    log-probability when it was sampled; `signal_N`: whose it is, an index into `signals`. `position_RT` and
    `branch_RT` (0 for prompts) are None where no row has two branches: then places and the causal mask say it all.
    """

    ids_RT: Tensor
    position_RT: Tensor | None
    branch_RT: Tensor | None
    source_N: Tensor
    target_N: Tensor
    old_N: Tensor
    signal_N: Tensor
    signals: list[Signal]

    @classmethod
    def of(cls, rows: Sequence[Row], device: torch.device | None = None) -> Sheet:
        ids: list[list[int]] = []
        positions: list[list[int]] = []
        branches: list[list[int]] = []
        tokens: list[tuple[int, int, float, int]] = []
        signals: list[Signal] = []
        longest = max(map(len, rows))
        for row in rows:
            begun, shared = len(ids) * longest, row.shared
            line, position, branch = list(row.signals[0].trace.ids[:shared]), list(range(shared)), [0] * shared
            for number, signal in enumerate(row.signals, 1):
                trace, others = signal.trace, len(line) - shared
                tokens += [
                    (begun + t - 1 + (others if t > shared else 0), trace.ids[t], trace.logprobs[t], len(signals))
                    for t in range(shared, len(trace.ids))
                    if trace.sampled[t]
                ]
                line += trace.ids[shared:-1]
                position += range(shared, len(trace.ids) - 1)
                branch += [number] * (len(trace.ids) - 1 - shared)
                signals.append(signal)
            padding = [0] * (longest - len(line))
            ids.append(line + padding)
            positions.append(position + padding)
            branches.append(branch + padding)
        source, target, old, owner = zip(*tokens, strict=True)
        alone = len(signals) == len(rows)
        return cls(
            torch.tensor(ids, device=device),
            None if alone else torch.tensor(positions, device=device),
            None if alone else torch.tensor(branches, device=device),
            *(torch.tensor(column, device=device) for column in (source, target, old, owner)),
            signals,
        )
