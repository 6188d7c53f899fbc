"""How likely a model finds answers that it is shown: one pass, no sampling."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from autotroph.core.trace import Trace
from autotroph.models.transformer import Transformer


def mean_logprobs(model: Transformer, traces: Sequence[Trace]) -> Tensor:
    """Mean log-probability, in nats a token, of each trace's answer [B]: of the tokens that are marked as sampled.

    All traces pass the model together, and gradients are kept where they are asked for.
    """
    device, longest = model.lm_head.weight.device, max(len(trace.ids) for trace in traces)
    ids_BT = torch.tensor([[*trace.ids, *[0] * (longest - len(trace.ids))] for trace in traces], device=device)
    answer_BT = torch.tensor(
        [[*trace.sampled, *[False] * (longest - len(trace.ids))] for trace in traces], device=device
    )
    logits_BTV = model.logits(model(ids_BT[:, :-1]))
    logp_BT = -F.cross_entropy(logits_BTV.flatten(0, 1), ids_BT[:, 1:].flatten(), reduction="none").view_as(
        ids_BT[:, 1:]
    )
    answer_BT = answer_BT[:, 1:]
    return (logp_BT * answer_BT).sum(1) / answer_BT.sum(1).clamp(min=1)
