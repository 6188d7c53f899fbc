"""What the rows of one call have come to, written down as they go on."""

from __future__ import annotations

from math import log

import torch
from torch import Tensor

from autotroph.core.trace import Completion
from autotroph.models.sampling import Choice


class Results:
    """Tokens and their log-probabilities [N, M], sums over tokens [N]."""

    def __init__(self, rows: int, tokens: int, device: torch.device):
        self.token = torch.zeros(rows, tokens, dtype=torch.long, device=device)
        self.logp = torch.zeros(rows, tokens, device=device)
        self.raw = torch.zeros(rows, tokens, device=device)
        self.entropy = torch.zeros(rows, device=device)
        self.certainty = torch.zeros(rows, device=device)
        self.length = torch.zeros(rows, dtype=torch.long, device=device)
        self.stopped = torch.zeros(rows, dtype=torch.bool, device=device)

    def note(self, row_B: Tensor, step_B: Tensor | int, choice: Choice, is_end_V: Tensor) -> Tensor:
        """Write down each row's token of a step; returns which of them are ends [B]."""
        self.token[row_B, step_B] = choice.token
        self.logp[row_B, step_B] = choice.logp
        self.raw[row_B, step_B] = choice.raw
        self.entropy[row_B] += choice.entropy
        self.certainty[row_B] -= choice.mean + log(len(is_end_V))
        self.length[row_B] = step_B + 1
        self.stopped[row_B] = stopped_B = is_end_V[choice.token]
        return stopped_B

    def completions(self) -> list[Completion]:
        columns = (self.token, self.logp, self.raw, self.entropy / self.length, self.certainty / self.length)
        return [
            Completion(
                tuple(token[:length]), tuple(logp[:length]), "stop" if stopped else "length", entropy,
                tuple(raw[:length]), certainty,
            )
            for token, logp, raw, entropy, certainty, length, stopped in zip(
                *(column.tolist() for column in (*columns, self.length, self.stopped)), strict=True
            )
        ]  # fmt: skip
