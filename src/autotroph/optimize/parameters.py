"""What of a model is trained: the fp32 numbers that the optimiser changes, and the weights that follow from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from torch import Tensor

from autotroph.models.transformer import Transformer


class Parameters(Protocol):
    """`masters` are fp32, by name, with gradients of their own; the model is run on whole weights, and gives gradients
    of whole weights, whatever the masters are."""

    masters: dict[str, Tensor]

    def add(self, name: str, gradient: Tensor) -> None:
        """Add what the gradient of the weight `name` means for the masters to their gradients."""
        ...

    def weights(self, masters: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
        """The model's weights, by name, that follow from such masters."""
        ...

    def state_dict(self) -> dict[str, Tensor]:
        """What the weights depend on beside the masters."""
        ...

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None: ...


def accumulate(master: Tensor, gradient: Tensor) -> None:
    if master.grad is None:
        master.grad = gradient.detach().to(master.dtype, copy=True)
    else:
        master.grad += gradient


class Whole:
    """Every weight is trained."""

    def __init__(self, model: Transformer):
        self.masters = {n: p.detach().float().clone().requires_grad_() for n, p in model.named_parameters()}

    def add(self, name: str, gradient: Tensor) -> None:
        accumulate(self.masters[name], gradient)

    def weights(self, masters: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
        yield from masters.items()

    def state_dict(self) -> dict[str, Tensor]:
        return {}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None: ...
